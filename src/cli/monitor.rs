//! The arguments of `tcpprobe monitor`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::LookArguments;
use crate::diagnose::Expectation;
use crate::duration;

/// What to watch, and who may ask for it.
#[derive(Debug, Clone, Args)]
pub struct MonitorArguments {
    /// The targets, each a word or two, as for a single check; watched with the module "default"
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Modules, targets with labels, and what /probe may be aimed at: YAML, TOML or JSON; read again on SIGHUP
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say what the configuration comes to, and end: nothing is sent
    #[arg(long)]
    pub check: bool,
    /// Where to listen for HTTP; several may be given
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9965")]
    pub listen: Vec<SocketAddr>,
    /// TLS and passwords, in the form that Prometheus and its exporters read (web.config.file)
    #[arg(long, value_name = "FILE")]
    pub web_config: Option<PathBuf>,
    /// Write every change there too, one JSON object a line, as standard output gets it
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// From the beginning of one check of a target to that of the next
    #[arg(short, long, value_name = "DURATION", default_value = "15s", value_parser = duration::parse)]
    pub interval: Duration,
    /// How long to look at one endpoint at most
    #[arg(short, long, value_name = "DURATION", default_value = "3s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// Look so many times at most until it is as expected
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub tries: u32,
    /// A change counts after so many checks in a row
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub confirm: u32,
    /// What every target is expected to be: CLASS, CLASS/CAUSE, reachable or blocked, several separated by commas
    #[arg(
        short,
        long,
        value_name = "VERDICT",
        default_value = "open",
        value_delimiter = ','
    )]
    pub expect: Vec<Expectation>,
    /// Packets a second at most, as an average over a second
    #[arg(long, value_name = "N", default_value_t = 16_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// How to look, but for how long
    #[command(flatten)]
    pub look: LookArguments,
}
