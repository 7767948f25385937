//! The arguments of `tcpprobe monitor`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::LookArguments;
use crate::diagnose::Expectation;
use crate::duration;

/// What to watch, and who may ask for it.
#[derive(Debug, Clone, Args)]
pub struct MonitorArguments {
    /// Which of those that a file says too were given; read before they are.
    #[command(flatten)]
    pub given: Given,
    /// The targets, each a word or two, as for a single check; watched with the module "default"
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Modules, targets with labels, and what /probe may be aimed at: YAML, TOML or JSON; read again on SIGHUP
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say what the configuration comes to, and end: nothing is sent
    #[arg(long)]
    pub check: bool,
    /// Write an example of a configuration, with every key and comments, and end
    #[arg(long, conflicts_with_all = ["config", "check", "targets"])]
    pub init: bool,
    /// Where to listen for HTTP; several may be given
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9965")]
    pub listen: Vec<SocketAddr>,
    /// TLS and passwords, in the form that Prometheus and its exporters read (web.config.file)
    #[arg(long, value_name = "FILE")]
    pub web_config: Option<PathBuf>,
    /// Write every change there too, one JSON object a line, as standard output gets it
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// From the beginning of one check of a target to that of the next; at least 10ms
    #[arg(short, long, value_name = "DURATION", default_value = "15s", value_parser = duration::parse)]
    pub interval: Duration,
    /// How long to look at one endpoint at most; no longer than the interval, which is the default where that is shorter
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

/// The options that were given of those that say how to look. A configuration says that itself, and an option beside it would
/// hold for nothing.
#[derive(Debug, Clone, Default)]
pub struct Given(Vec<&'static str>);

impl Given {
    /// The names of the arguments.
    const OPTIONS: &[&str] = &[
        "interval", "timeout", "tries", "confirm", "expect", "ipv4", "ipv6", "first", "slow", "mode",
    ];

    /// Whether an option was given, by its long name.
    pub fn contains(&self, option: &str) -> bool {
        self.0.contains(&option)
    }

    /// The long names of those that were given.
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_given = |option: &&str| matches.value_source(option) == Some(ValueSource::CommandLine);
        Ok(Self(Self::OPTIONS.iter().copied().filter(is_given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}
