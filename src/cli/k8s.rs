//! The arguments of `tcpprobe k8s`, and of what its pods run.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, Subcommand, ValueEnum};

use super::{Arguments, MatrixArguments};

const AFTER_HELP: &str = "\
Examples:
  tcpprobe k8s job --matrix shop.yaml | kubectl apply --server-side -f -
  tcpprobe k8s indexed-job --matrix big.yaml --shards 8 -- --rate 500
  tcpprobe k8s daemonset --matrix nodes.yaml
  tcpprobe k8s cronjob --matrix shop.yaml --schedule '30 2 * * *'

What it prints begins with the commands that run it, collect the answer and
delete it.";

/// Manifests to print.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct KubernetesArguments {
    /// What is to run the matrix
    #[arg(value_enum)]
    pub kind: WorkloadKind,
    /// The matrix, in YAML, TOML or JSON ("-" is standard input, in YAML)
    #[arg(long, value_name = "FILE")]
    pub matrix: PathBuf,
    /// The image, whose entrypoint is tcpprobe
    #[arg(long, value_name = "IMAGE", default_value = concat!("tcpprobe:", env!("CARGO_PKG_VERSION")))]
    pub image: String,
    /// What everything is called [default: tcpprobe, and the name of the matrix]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The namespace of sources that name none [default: the one that kubectl is set to]
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Run this source of the matrix alone
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Root with NET_RAW, for raw probes; the default passes PodSecurity's level "restricted"
    #[arg(long)]
    pub raw: bool,
    /// When a CronJob runs: minute, hour, day of the month, month, day of the week, such as '30 2 * * *'
    #[arg(long, value_name = "SCHEDULE", required_if_eq("kind", "cronjob"))]
    pub schedule: Option<String>,
    /// How many pods of an Indexed Job share the edges
    #[arg(long, value_name = "N", required_if_eq("kind", "indexed-job"))]
    pub shards: Option<NonZeroU32>,
    /// How long a Job and its logs are kept when it is over
    #[arg(long, value_name = "DURATION", default_value = "1day", value_parser = long_duration)]
    pub keep: Duration,
    /// How long a Job may take at most; then it has failed, and its pods and their logs are gone
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = long_duration)]
    pub deadline: Duration,
    /// Further options of "tcpprobe matrix", behind "--"
    #[arg(last = true, value_name = "MATRIX OPTIONS")]
    pub options: Vec<String>,
}

/// What runs a matrix in a cluster.
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
const NOT_IN_A_POD: [&str; 10] = [
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

/// Whether `tcpprobe matrix` takes these options, and a pod can have them. What is wrong is to be seen before the cluster is
/// asked.
///
/// # Errors
/// What is wrong with them.
pub fn check_matrix_options(options: &[String]) -> Result<(), String> {
    let words = ["tcpprobe", "matrix", "FILE"].map(str::to_owned);
    let parsed = Arguments::command().try_get_matches_from(words.iter().chain(options));
    let matches = match parsed {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Err("behind --: --help is for 'tcpprobe matrix --help'".to_owned());
        }
        Err(error) => {
            let text = error.to_string();
            let says = text
                .trim_start_matches("error: ")
                .lines()
                .next()
                .unwrap_or_default();
            return Err(format!(
                "behind --: {says}; 'tcpprobe matrix --help' has the options"
            ));
        }
    };
    let Some(matches) = matches.subcommand_matches("matrix") else {
        return Err("behind --: options of 'tcpprobe matrix' are wanted here".to_owned());
    };
    for option in NOT_IN_A_POD {
        if matches.value_source(option) == Some(ValueSource::CommandLine) {
            return Err(format!(
                "behind --: --{} has no place here: the manifests say who looks, at what and where the results go",
                option.replace('_', "-")
            ));
        }
    }
    Ok(())
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
