//! The command line, as clap sees it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{
    HoldArguments, KubernetesArguments, LookArguments, MatrixArguments, MonitorArguments, PodCommand,
    ReportArguments, SocketsArguments,
};
use crate::diagnose::Expectation;
use crate::duration;

const AFTER_HELP: &str = "\
Examples:
  tcpprobe api-service:8080                   one target, all its addresses
  tcpprobe db 5432 '[2001:db8::7]:443'        several, also as host and port
  tcpprobe --count 30 --interval 2s web:443   loss, round trips, changes
  tcpprobe -e refused -o json localhost:81    for scripts: exit code and JSON
  tcpprobe explain backlog-full               what a verdict means
  tcpprobe doctor                             what can be told apart here
  tcpprobe demo                               every failure, on this machine

Exit codes:
  0  all is as expected (open unless --expect says otherwise; slow is open too)
  1  something is not as expected
  2  the command line or a file is wrong
  3  could not judge: our own side failed, or there was too little time";

const AFTER_DEMO_HELP: &str = "\
Exit codes:
  0  no verdict rules out the truth
  1  one does
  2  there is no case of that name
  3  something could not be shown";

const AFTER_SOCKETS_HELP: &str = "\
Exit codes:
  0  nothing is wrong; notes do not count
  1  something fails, or will when it goes on
  2  the command line is wrong
  3  the sockets could not be read";

const AFTER_HOLD_HELP: &str = "\
Examples:
  tcpprobe hold db:5432                    how long may it be idle, up to 15 min
  tcpprobe hold --max 1h db:5432
  tcpprobe hold --after 5m db:5432         one connection: does it live so long?

Exit codes:
  0  idle connections live for as long as was asked
  1  they die earlier, or no connection can be made
  2  the command line is wrong
  3  could not judge: ended early, the target went away, or loss";

const AFTER_MONITOR_HELP: &str = "\
Examples:
  tcpprobe monitor db:5432 api:8080             every 15 s; http://127.0.0.1:9965/
  tcpprobe monitor --config monitor.yaml        modules, targets with labels
  tcpprobe monitor --config monitor.yaml --check

Exit codes:
  0  it was told to end
  2  the command line or a file is wrong
  3  it could not listen, or our own side failed";

/// Says why a TCP connection fails or hangs, from the client's side alone.
#[derive(Debug, Parser)]
#[command(
    name = "tcpprobe",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true,
    max_term_width = 80,
    after_help = AFTER_HELP
)]
pub struct Arguments {
    /// What to do besides checking targets.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to check, and how.
    #[command(flatten)]
    pub check: CheckArguments,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check who may reach whom, as a file says it: many targets, each with what is expected of it
    Matrix(MatrixArguments),
    /// Merge the results of matrices, of any number of sources, into one answer
    Report(ReportArguments),
    /// Check targets on a schedule, and say over HTTP what became of them: metrics, /probe, a page
    #[command(after_help = AFTER_MONITOR_HELP)]
    Monitor(Box<MonitorArguments>),
    /// Print the manifests that run a matrix or a monitor in Kubernetes
    K8s(KubernetesArguments),
    /// What the pods of a DaemonSet run
    #[command(subcommand, hide = true)]
    Pod(PodCommand),
    /// Read the TCP sockets of this host: which leak, which are stuck and for how long
    #[command(after_help = AFTER_SOCKETS_HELP)]
    Sockets(SocketsArguments),
    /// Find out for how long a connection may be idle before something on the way forgets it
    #[command(after_help = AFTER_HOLD_HELP)]
    Hold(Box<HoldArguments>),
    /// Explain a verdict: what it means, how it is told, what to do
    Explain {
        /// CLASS or CLASS/CAUSE, as in the first line of a report; a finding; a label, state or setting of "sockets"; all when left out
        verdict: Option<String>,
    },
    /// Say what can be told apart here and what not, and why; nothing is sent to anyone
    Doctor {
        /// Form of the output
        #[arg(short, long, value_enum, default_value_t = DocumentForm::Text)]
        output: DocumentForm,
    },
    /// Write the manual page, in roff
    Man,
    /// Write the completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Watch every failure on this machine, in a private network: the verdict beside the truth
    #[command(after_help = AFTER_DEMO_HELP)]
    Demo(DemoArguments),
}

/// What of the demonstration to show.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// One case, told in full; all of them in short when left out
    pub name: Option<String>,
    /// List the cases
    #[arg(long, conflicts_with = "name")]
    pub list: bool,
    /// Over IPv4, as when left out
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Over IPv6
    #[arg(short = '6', long)]
    pub ipv6: bool,
}

/// What to check, and how.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The targets, each a word or two
    #[arg(
        value_name = "TARGET",
        help = "host:port, [v6]:port or \"host port\"; the port may be a service name; \"-\" reads targets from standard input"
    )]
    pub targets: Vec<String>,
    /// Read targets from a file, one a line, "#" begins a comment ("-" is standard input)
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// How to look, but for how long and from where
    #[command(flatten)]
    pub look: LookArguments,
    /// How long to look at one endpoint at most
    #[arg(short, long, value_name = "DURATION", default_value = "3s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// How long to keep an open connection open, waiting for the peer to close or reset it [default: two round trips]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_or_zero)]
    pub hold: Option<Duration>,
    /// Source address
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
    /// Find out whether the host itself drops packets: takes half a minute (IPv6: a whole one) and raw packets
    #[arg(long, conflicts_with = "count", conflicts_with = "interval")]
    pub locate: bool,
    /// Find out how large packets to an open port may be: takes a few seconds, and no byte reaches the application
    #[arg(long)]
    pub pmtu: bool,
    /// What every endpoint is expected to be: CLASS, CLASS/CAUSE, reachable or blocked, several separated by commas
    #[arg(
        short,
        long,
        value_name = "VERDICT",
        default_value = "open",
        value_delimiter = ','
    )]
    pub expect: Vec<Expectation>,
    /// Check so many times, then summarise
    #[arg(short, long, value_name = "N", value_parser = positive)]
    pub count: Option<u32>,
    /// Pause from one check to the next; without --count until interrupted [default with --count: 1s]
    #[arg(short, long, value_name = "DURATION", value_parser = duration::parse)]
    pub interval: Option<Duration>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Show the packets and system calls too
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// One line an endpoint
    #[arg(short, long)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub color: Colour,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person
    Text,
    /// One JSON document
    Json,
    /// One JSON object an endpoint, as soon as it is known
    Jsonl,
}

/// Form of the output of what is no check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentForm {
    /// For a person
    Text,
    /// One JSON document
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

fn positive(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(format!("it must be a number from 1 to {}", u32::MAX)),
    }
}
