//! `tcpprobe k8s`, and what the pods of its DaemonSets run.

use std::io::{self, Write};

use super::matrix::file;
use super::{Failure, matrix, output, stop_requested};
use crate::cli::{Exit, KubernetesArguments, PodCommand, WorkloadKind, check_matrix_options};
use crate::kubernetes::{Document, MOST_SHARDS, Manifests, Power, Runs, Settings};
use crate::matrix::file::Format;

pub(super) fn run(arguments: &KubernetesArguments) -> Result<Exit, Failure> {
    let runs = runs(arguments)?;
    check_matrix_options(&arguments.options).map_err(Failure::usage)?;
    let path = &arguments.matrix;
    let text = file::text(path)?;
    let matrix = file::parse(path, &text)?;
    let settings = Settings {
        name: arguments.name.clone(),
        source: arguments.source.clone(),
        namespace: arguments.namespace.clone(),
        image: arguments.image.clone(),
        runs,
        power: if arguments.raw {
            Power::Raw
        } else {
            Power::Restricted
        },
        keep: arguments.keep,
        deadline: arguments.deadline,
        options: arguments.options.clone(),
    };
    let document = Document {
        text: &text,
        format: Format::of(path),
    };
    let manifests = Manifests::new(&matrix, document, &settings).map_err(Failure::usage)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    output::written(manifests.write(&mut out).and_then(|()| out.flush()))
}

/// What was asked for, and nothing that does not belong to it.
fn runs(arguments: &KubernetesArguments) -> Result<Runs, Failure> {
    let kind = arguments.kind;
    if arguments.schedule.is_some() && kind != WorkloadKind::Cronjob {
        return Err(Failure::usage("--schedule is for a cronjob: the others run once"));
    }
    if arguments.shards.is_some() && kind != WorkloadKind::IndexedJob {
        return Err(Failure::usage(
            "--shards is for an indexed-job: of the others every pod looks at all edges",
        ));
    }
    Ok(match kind {
        WorkloadKind::Job => Runs::Job,
        WorkloadKind::Daemonset => Runs::DaemonSet,
        WorkloadKind::IndexedJob => {
            let shards = arguments.shards.filter(|shards| shards.get() <= MOST_SHARDS);
            let shards = shards.ok_or_else(|| {
                Failure::usage(format!("--shards: an indexed-job wants 1 to {MOST_SHARDS}"))
            })?;
            Runs::IndexedJob { shards }
        }
        WorkloadKind::Cronjob => {
            let text = arguments.schedule.as_deref().unwrap_or_default();
            let schedule = text.parse();
            Runs::CronJob {
                schedule: schedule.map_err(|error| Failure::usage(format!("--schedule: {error}")))?,
            }
        }
    })
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
