//! The arguments of `tcpprobe k8s`, and of what its pods run.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Subcommand, ValueEnum};

use super::{Arguments, MatrixArguments, MonitorArguments};

const AFTER_HELP: &str = "\
Examples:
  tcpprobe k8s job --matrix shop.yaml | kubectl apply --server-side -f -
  tcpprobe k8s indexed-job --matrix big.yaml --shards 8 -- --rate 500
  tcpprobe k8s daemonset --matrix nodes.yaml
  tcpprobe k8s cronjob --matrix shop.yaml --schedule '30 2 * * *'
  tcpprobe k8s monitor --config monitor.yaml --with servicemonitor

What it prints begins with the commands that run it, collect the answer and
delete it.";

/// Above the options of a matrix, and above those of a monitor.
const MATRIX: &str = "Options for a matrix";
const MONITOR: &str = "Options for a monitor";

/// Manifests to print.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct KubernetesArguments {
    /// What is to run a matrix, or a monitor
    #[arg(value_enum)]
    pub kind: WorkloadKind,
    /// The matrix, in YAML, TOML or JSON ("-" is standard input, in YAML); for all kinds but "monitor"
    #[arg(
        long,
        value_name = "FILE",
        required_if_eq_any([("kind", "job"), ("kind", "indexed-job"), ("kind", "daemonset"), ("kind", "cronjob")])
    )]
    pub matrix: Option<PathBuf>,
    /// The configuration of the monitor, in YAML, TOML or JSON ("-" is standard input, in YAML)
    #[arg(
        long,
        value_name = "FILE",
        required_if_eq("kind", "monitor"),
        help_heading = MONITOR
    )]
    pub config: Option<PathBuf>,
    /// The image, whose entrypoint is tcpprobe
    #[arg(long, value_name = "IMAGE", default_value = concat!("tcpprobe:", env!("CARGO_PKG_VERSION")))]
    pub image: String,
    /// What everything is called [default: tcpprobe, and the name of the matrix or "monitor"]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The namespace, of a matrix that of the sources that name none [default: the one that kubectl is set to]
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Run this source of the matrix alone
    #[arg(long, value_name = "NAME", help_heading = MATRIX)]
    pub source: Option<String>,
    /// Root with NET_RAW, for raw probes; the default passes PodSecurity's level "restricted"
    #[arg(long)]
    pub raw: bool,
    /// When a CronJob runs: minute, hour, day of the month, month, day of the week, such as '30 2 * * *'
    #[arg(long, value_name = "SCHEDULE", required_if_eq("kind", "cronjob"), help_heading = MATRIX)]
    pub schedule: Option<String>,
    /// How many pods of an Indexed Job share the edges
    #[arg(long, value_name = "N", required_if_eq("kind", "indexed-job"), help_heading = MATRIX)]
    pub shards: Option<NonZeroU32>,
    /// How long a Job and its logs are kept when it is over [default: 1day]
    #[arg(long, value_name = "DURATION", value_parser = long_duration, help_heading = MATRIX)]
    pub keep: Option<Duration>,
    /// How long a Job may take at most; then it has failed, and its pods and their logs are gone [default: 6h]
    #[arg(long, value_name = "DURATION", value_parser = long_duration, help_heading = MATRIX)]
    pub deadline: Option<Duration>,
    /// What else to print for a monitor, several separated by commas
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',', help_heading = MONITOR)]
    pub with: Vec<ExtraKind>,
    /// The namespace of the Prometheus that the NetworkPolicy lets in [default: monitoring]
    #[arg(long, value_name = "NAMESPACE", help_heading = MONITOR)]
    pub prometheus_namespace: Option<String>,
    /// Further options of "tcpprobe matrix" or "tcpprobe monitor", behind "--"
    #[arg(last = true, value_name = "FURTHER OPTIONS")]
    pub options: Vec<String>,
}

/// What runs in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WorkloadKind {
    /// A Job for each source, with its labels and service account
    Job,
    /// An Indexed Job for each source, whose pods share its edges
    IndexedJob,
    /// A DaemonSet for each source: a pod on every node
    Daemonset,
    /// A CronJob for each source
    Cronjob,
    /// A Deployment of one pod that checks on a schedule, with a Service
    Monitor,
}

impl WorkloadKind {
    /// How long a Job and its logs are kept where nothing else is asked for.
    pub const KEEP: Duration = Duration::from_secs(24 * 3600);
    /// How long a Job may take where nothing else is asked for.
    pub const DEADLINE: Duration = Duration::from_secs(6 * 3600);
}

/// What not every cluster takes, or wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExtraKind {
    /// Has the Prometheus operator scrape /metrics
    #[value(name = "servicemonitor")]
    ServiceMonitor,
    /// Has the Prometheus operator scrape /probe for every target, beside our own schedule; needs --namespace
    Probe,
    /// Lets nobody in but Prometheus
    #[value(name = "networkpolicy")]
    NetworkPolicy,
}

/// What the pods of a DaemonSet run, which may not end.
#[derive(Debug, Subcommand)]
pub enum PodCommand {
    /// As "tcpprobe matrix", but exit code 0 where expectations were missed: Kubernetes would run it again
    Once(Box<MatrixArguments>),
    /// Do nothing until told to end
    Wait,
}

/// The options of `tcpprobe matrix` that manifests set themselves, or that have no place in a pod.
const NOT_IN_A_PODS_MATRIX: [&str; 10] = [
    "source",
    "instance",
    "shard",
    "shard_count",
    "results",
    "resume",
    "init",
    "check",
    "output",
    "baseline",
];

/// The same of `tcpprobe monitor`: files that no pod has, and what the kubelet asks for.
const NOT_IN_A_PODS_MONITOR: [&str; 7] = [
    "targets",
    "config",
    "check",
    "init",
    "listen",
    "web_config",
    "events",
];

/// Whether `tcpprobe matrix` takes these options, and a pod can have them. What is wrong is to be seen before the cluster is
/// asked.
///
/// # Errors
/// What is wrong with them.
pub fn check_matrix_options(options: &[String]) -> Result<(), String> {
    check_options(&["matrix", "FILE"], &NOT_IN_A_PODS_MATRIX, options).map(drop)
}

/// The same of `tcpprobe monitor`: what they say.
///
/// # Errors
/// What is wrong with them.
pub fn check_monitor_options(options: &[String]) -> Result<MonitorArguments, String> {
    let matches = check_options(&["monitor"], &NOT_IN_A_PODS_MONITOR, options)?;
    MonitorArguments::from_arg_matches(&matches).map_err(|error| error.to_string())
}

fn check_options(command: &[&str], not_in_a_pod: &[&str], options: &[String]) -> Result<ArgMatches, String> {
    let name = command.first().copied().unwrap_or_default();
    let words: Vec<String> = ["tcpprobe"]
        .iter()
        .chain(command)
        .map(|word| (*word).to_owned())
        .collect();
    let parsed = Arguments::command().try_get_matches_from(words.iter().chain(options));
    let mut matches = match parsed {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Err(format!("behind --: --help is for 'tcpprobe {name} --help'"));
        }
        Err(error) => {
            let text = error.to_string();
            let says = text
                .trim_start_matches("error: ")
                .lines()
                .next()
                .unwrap_or_default();
            return Err(format!(
                "behind --: {says}; 'tcpprobe {name} --help' has the options"
            ));
        }
    };
    let Some((_, matches)) = matches.remove_subcommand().filter(|(found, _)| found == name) else {
        return Err(format!("behind --: options of 'tcpprobe {name}' are wanted here"));
    };
    for option in not_in_a_pod {
        if matches.value_source(option) == Some(ValueSource::CommandLine) {
            let written = match *option {
                "targets" => "a target".to_owned(),
                other => format!("--{}", other.replace('_', "-")),
            };
            return Err(format!(
                "behind --: {written} has no place here: the manifests say who looks, at what and where the results go"
            ));
        }
    }
    Ok(matches)
}

fn long_duration(text: &str) -> Result<Duration, String> {
    if text.parse::<f64>().is_ok() {
        return Err(format!("the unit is missing: write {text}h or {text}days"));
    }
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 90min or 7days"))?;
    if duration.as_secs() == 0 || duration.as_secs() > i32::MAX.unsigned_abs().into() {
        return Err("Kubernetes takes from a second to 68 years".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &[&str]) -> Result<(), String> {
        let options: Vec<String> = options.iter().map(|one| (*one).to_owned()).collect();
        check_matrix_options(&options)
    }

    #[test]
    fn options_of_the_matrix_are_taken() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["--rate", "500", "--mode", "raw", "--per-host=4"]), Ok(()));
    }

    #[test]
    fn options_that_the_matrix_does_not_take_are_named() {
        assert!(check(&["--rat", "5"]).unwrap_err().contains("'--rat'"));
        assert!(check(&["--rate", "0"]).unwrap_err().contains("'0'"));
        assert!(check(&["other.yaml"]).unwrap_err().contains("'other.yaml'"));
        assert!(check(&["--help"]).unwrap_err().contains("matrix --help"));
    }

    #[test]
    fn a_monitor_takes_its_own_options_and_no_files_or_targets() {
        let check = |options: &[&str]| {
            let options: Vec<String> = options.iter().map(|one| (*one).to_owned()).collect();
            check_monitor_options(&options).map(drop)
        };
        assert_eq!(check(&["--rate", "500", "--resolver=system"]), Ok(()));
        for (options, word) in [
            (&["--listen", "0.0.0.0:80"][..], "--listen has no place"),
            (&["--web-config", "a"], "--web-config has no place"),
            (&["db:5432"], "a target has no place"),
            (&["--shard", "0/2"], "tcpprobe monitor --help"),
        ] {
            let error = check(options).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn options_that_the_manifests_set_are_refused() {
        let values = [
            ("source", "a"),
            ("instance", "a"),
            ("shard", "0/2"),
            ("results", "a"),
            ("resume", "a"),
            ("output", "json"),
        ];
        for (option, value) in values {
            let error = check(&[&format!("--{option}"), value]).unwrap_err();
            assert!(
                error.contains(&format!("--{option} has no place here")),
                "{error}"
            );
        }
        assert!(check(&["--check"]).unwrap_err().contains("--check"));
    }
}
