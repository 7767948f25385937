//! The arguments of `tcpprobe hold`.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use super::{Colour, DocumentForm, LookArguments};
use crate::duration;

/// What is to be idle, and for how long.
#[derive(Debug, Args)]
pub struct HoldArguments {
    /// The target, a word or two
    #[arg(
        value_name = "TARGET",
        required = true,
        num_args = 1..=2,
        help = "host:port, [v6]:port or \"host port\"; of several addresses the first that is open"
    )]
    pub target: Vec<String>,
    /// The longest idle time to look at
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = whole_second)]
    pub max: Duration,
    /// One question instead: is a connection that was idle for so long still alive?
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["max", "connections", "within"], value_parser = whole_second)]
    pub after: Option<Duration>,
    /// So many connections are idle at the same time at most
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u8).range(3..=64))]
    pub connections: u8,
    /// How near to get to the limit [default: 1.6 % of it, a second at least]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub within: Option<Duration>,
    /// Source address
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
    /// How to look, but for how long and from where
    #[command(flatten)]
    pub look: LookArguments,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t = DocumentForm::Text)]
    pub output: DocumentForm,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub color: Colour,
}

/// The kernel's keepalive counts in seconds: nothing can be asked earlier.
fn whole_second(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text)?;
    if duration < Duration::from_secs(1) {
        return Err("at least a second: the kernel asks no earlier".to_owned());
    }
    Ok(duration)
}
