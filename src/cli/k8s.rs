//! The arguments of `tcpprobe k8s`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Manifests to print.
#[derive(Debug, Args)]
pub struct KubernetesArguments {
    /// What is to run the matrix
    #[arg(value_enum)]
    pub kind: WorkloadKind,
    /// The matrix, in YAML, TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub matrix: PathBuf,
}

/// What runs a matrix in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WorkloadKind {
    /// A Job for each source, with its labels and service account
    Job,
    /// A Job whose pods share one large matrix
    IndexedJob,
    /// A pod on every node
    Daemonset,
    /// A CronJob for each source
    Cronjob,
}
