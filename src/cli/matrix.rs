//! The arguments of `tcpprobe matrix` and `tcpprobe report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Colour, LookArguments};

/// A matrix to run.
#[derive(Debug, Args)]
pub struct MatrixArguments {
    /// The matrix, in YAML, TOML or JSON ("-" is standard input, in YAML)
    #[arg(value_name = "FILE", required_unless_present = "init")]
    pub file: Option<PathBuf>,
    /// Write a commented example and end
    #[arg(long, conflicts_with_all = ["file", "check"])]
    pub init: bool,
    /// Say what is wrong with the file, or what it expands to, and send nothing
    #[arg(long)]
    pub check: bool,
    /// Which source of the matrix this is
    #[arg(long, value_name = "NAME", env = "TCPPROBE_SOURCE")]
    pub source: Option<String>,
    /// Which of several that look as one source, such as the node
    #[arg(long, value_name = "NAME", env = "TCPPROBE_INSTANCE")]
    pub instance: Option<String>,
    /// Look at one part of the edges alone: INDEX/COUNT, counted from 0
    #[arg(long, value_name = "INDEX/COUNT", env = "TCPPROBE_SHARD")]
    pub shard: Option<String>,
    /// The parts of an Indexed Job, whose pods know which they are by JOB_COMPLETION_INDEX
    #[arg(long, value_name = "COUNT", env = "TCPPROBE_SHARD_COUNT", conflicts_with = "shard", value_parser = clap::value_parser!(u32).range(1..))]
    pub shard_count: Option<u32>,
    /// Keep every result in this file too, one JSON object a line, as soon as it is known
    #[arg(long, value_name = "RESULTS")]
    pub results: Option<PathBuf>,
    /// Do only what is not in these results yet, and add it to them
    #[arg(long, value_name = "RESULTS", conflicts_with = "results")]
    pub resume: Option<PathBuf>,
    /// Send at most so many packets a second
    #[arg(long, value_name = "PACKETS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Look at so many endpoints at once at most [default: by the limits of this system]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
    /// Look at so many endpoints of one host at once at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub per_host: u32,
    /// Refuse a matrix with more edges than this
    #[arg(long, value_name = "N", default_value_t = 262_144)]
    pub max_edges: u64,
    /// What is sent to every endpoint, before what does not answer plainly is looked into
    #[arg(long, value_enum, default_value_t = SweepArgument::Connect)]
    pub sweep: SweepArgument,
    /// How to look; the rules say for how long
    #[command(flatten)]
    pub look: LookArguments,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = MatrixForm::Text)]
    pub output: MatrixForm,
    /// Compare with the results of an earlier run
    #[arg(long, value_name = "RESULTS")]
    pub baseline: Option<PathBuf>,
    /// Write a summary of at most 4096 bytes to this file [default: /dev/termination-log where there is one]
    #[arg(long, value_name = "FILE", env = "TCPPROBE_TERMINATION_LOG")]
    pub termination_log: Option<PathBuf>,
    /// No progress, and of the text a line for the totals and one for each edge that is not as expected
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell everything of every edge that is not as expected: packets, system calls and lookups too
    #[arg(short, long)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub color: Colour,
}

/// Results to make an answer of.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Results of any number of runs and sources, as "matrix -o jsonl" or --results wrote them ("-" is standard input)
    #[arg(value_name = "RESULTS", required = true)]
    pub results: Vec<PathBuf>,
    /// Say what has changed since these results
    #[arg(long, value_name = "RESULTS")]
    pub baseline: Option<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = MatrixForm::Text)]
    pub output: MatrixForm,
    /// Of the text a line for the totals and one for each edge that is not as expected
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell everything of every edge that is not as expected: packets, system calls and lookups too
    #[arg(short, long)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub color: Colour,
}

/// What is sent to every endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SweepArgument {
    /// A whole connection, which also shows whether the server knows of it
    Connect,
    /// One raw SYN, several times as fast; needs CAP_NET_RAW
    Syn,
}

/// Form of what a matrix came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatrixForm {
    /// For a person: a grid, then what is not as expected and why
    Text,
    /// One JSON document
    Json,
    /// One JSON object an edge, as soon as it is known, and a summary
    Jsonl,
    /// JUnit XML, one suite a source
    Junit,
    /// Test Anything Protocol, version 14
    Tap,
    /// GitHub-flavoured Markdown
    Markdown,
    /// Prometheus text, for the textfile collector or a Pushgateway
    Prometheus,
    /// One self-contained page
    Html,
}
