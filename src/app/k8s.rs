//! `tcpprobe k8s`, and what the pods of its DaemonSets run.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use super::matrix::file;
use super::{Failure, document, matrix, monitor, output, stop_requested};
use crate::cli::{
    Exit, ExtraKind, KubernetesArguments, PodCommand, WorkloadKind, check_matrix_options,
    check_monitor_options,
};
use crate::kubernetes::{Document, Extra, MOST_SHARDS, Manifests, MonitorSettings, Power, Runs, Settings};
use crate::matrix::file::Format;

pub(super) fn run(arguments: &KubernetesArguments) -> Result<Exit, Failure> {
    let manifests = match arguments.kind {
        WorkloadKind::Monitor => of_monitor(arguments)?,
        WorkloadKind::Job => of_matrix(arguments, Runs::Job)?,
        WorkloadKind::Daemonset => of_matrix(arguments, Runs::DaemonSet)?,
        WorkloadKind::IndexedJob => {
            let shards = arguments.shards.filter(|shards| shards.get() <= MOST_SHARDS);
            let shards = shards.ok_or_else(|| {
                Failure::usage(format!("--shards: an indexed-job wants 1 to {MOST_SHARDS}"))
            })?;
            of_matrix(arguments, Runs::IndexedJob { shards })?
        }
        WorkloadKind::Cronjob => {
            let text = arguments.schedule.as_deref().unwrap_or_default();
            let schedule = text.parse();
            let schedule = schedule.map_err(|error| Failure::usage(format!("--schedule: {error}")))?;
            of_matrix(arguments, Runs::CronJob { schedule })?
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    output::written(manifests.write(&mut out).and_then(|()| out.flush()))
}

fn of_matrix(arguments: &KubernetesArguments, runs: Runs) -> Result<Manifests, Failure> {
    belongs_to_a_matrix(arguments)?;
    check_matrix_options(&arguments.options).map_err(Failure::usage)?;
    let path = wanted(arguments.matrix.as_deref(), "--matrix")?;
    let text = file::text(path)?;
    let matrix = file::parse(path, &text)?;
    let settings = Settings {
        name: arguments.name.clone(),
        source: arguments.source.clone(),
        namespace: arguments.namespace.clone(),
        image: arguments.image.clone(),
        runs,
        power: power(arguments),
        keep: arguments.keep.unwrap_or(WorkloadKind::KEEP),
        deadline: arguments.deadline.unwrap_or(WorkloadKind::DEADLINE),
        options: arguments.options.clone(),
    };
    let document = Document {
        text: &text,
        format: Format::of(path),
    };
    Manifests::new(&matrix, document, &settings).map_err(Failure::usage)
}

fn of_monitor(arguments: &KubernetesArguments) -> Result<Manifests, Failure> {
    belongs_to_a_monitor(arguments)?;
    let of_pod = check_monitor_options(&arguments.options).map_err(Failure::usage)?;
    let path = wanted(arguments.config.as_deref(), "--config")?;
    let text = document::text(path, "configuration")?;
    let config = monitor::check_elsewhere(path, &text, &of_pod)?;
    let extra = |kind: &ExtraKind| match kind {
        ExtraKind::ServiceMonitor => Extra::ServiceMonitor,
        ExtraKind::Probe => Extra::Probe,
        ExtraKind::NetworkPolicy => Extra::NetworkPolicy,
    };
    let settings = MonitorSettings {
        name: arguments.name.clone(),
        namespace: arguments.namespace.clone(),
        image: arguments.image.clone(),
        power: power(arguments),
        with: arguments.with.iter().map(extra).collect::<BTreeSet<Extra>>(),
        prometheus_namespace: arguments
            .prometheus_namespace
            .clone()
            .unwrap_or_else(|| "monitoring".to_owned()),
        options: arguments.options.clone(),
    };
    let document = Document {
        text: &text,
        format: Format::of(path),
    };
    Manifests::of_monitor(&config, document, &settings).map_err(Failure::usage)
}

fn power(arguments: &KubernetesArguments) -> Power {
    if arguments.raw {
        Power::Raw
    } else {
        Power::Restricted
    }
}

/// clap has seen to it that it is there.
fn wanted<'a>(path: Option<&'a Path>, option: &str) -> Result<&'a Path, Failure> {
    path.ok_or_else(|| Failure::usage(format!("{option} is missing")))
}

/// That nothing was asked for which this kind of workload has no use for.
fn belongs_to_a_matrix(arguments: &KubernetesArguments) -> Result<(), Failure> {
    let kind = arguments.kind;
    if arguments.schedule.is_some() && kind != WorkloadKind::Cronjob {
        return Err(Failure::usage("--schedule is for a cronjob: the others run once"));
    }
    if arguments.shards.is_some() && kind != WorkloadKind::IndexedJob {
        return Err(Failure::usage(
            "--shards is for an indexed-job: of the others every pod looks at all edges",
        ));
    }
    let of_monitor = [
        ("--config", arguments.config.is_some()),
        ("--with", !arguments.with.is_empty()),
        ("--prometheus-namespace", arguments.prometheus_namespace.is_some()),
    ];
    match of_monitor.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Failure::usage(format!(
            "{option} is for a monitor: tcpprobe k8s monitor --config FILE"
        ))),
        None => Ok(()),
    }
}

fn belongs_to_a_monitor(arguments: &KubernetesArguments) -> Result<(), Failure> {
    let of_matrix = [
        ("--matrix", arguments.matrix.is_some()),
        ("--source", arguments.source.is_some()),
        ("--schedule", arguments.schedule.is_some()),
        ("--shards", arguments.shards.is_some()),
        ("--keep", arguments.keep.is_some()),
        ("--deadline", arguments.deadline.is_some()),
    ];
    if let Some((option, _)) = of_matrix.iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::usage(format!(
            "{option} is for a matrix: a monitor runs on and has its intervals and targets from --config"
        )));
    }
    let lets_prometheus_in = arguments.with.contains(&ExtraKind::NetworkPolicy);
    if arguments.prometheus_namespace.is_some() && !lets_prometheus_in {
        return Err(Failure::usage(
            "--prometheus-namespace is for the NetworkPolicy: add --with networkpolicy",
        ));
    }
    Ok(())
}

/// What a pod runs.
pub(super) fn pod(command: &PodCommand) -> Result<Exit, Failure> {
    match command {
        // What was missed is in the results; a container that fails would be started again.
        PodCommand::Once(arguments) => matrix::run(arguments).map(|exit| match exit {
            Exit::NotAsExpected => Exit::AsExpected,
            Exit::AsExpected | Exit::Usage | Exit::CouldNotJudge => exit,
        }),
        PodCommand::Wait => wait(),
    }
}

/// As process 1 of a container it has to ask for signals: none has an effect there by itself.
fn wait() -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::could_not_judge)?;
    runtime.block_on(async { stop_requested().await });
    Ok(Exit::AsExpected)
}
