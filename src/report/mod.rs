//! Pure writers: what a run came to, as text for a person or as JSON for a program.

pub mod demo;
pub mod doctor;
pub mod explain;
#[cfg(test)]
mod fixtures;
pub mod hold;
mod human;
pub mod json;
pub mod matrix;
pub mod monitor;
pub mod read;
pub mod record;
pub mod series;
pub mod sockets;
mod style;
pub mod text;
mod web;

pub use human::human_duration;
pub use series::{Round, Series};
pub use style::{Style, Verbosity};

use std::time::SystemTime;

use crate::check::TargetOutcome;
use crate::evidence::SynSchedule;

/// Everything that a run has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<'a> {
    /// The version of tcpprobe.
    pub version: &'a str,
    /// Wall-clock time at which the run began.
    pub started: SystemTime,
    /// One for each target, in the order given. In a series, the last round.
    pub targets: &'a [TargetOutcome],
    /// How the kernel of this host retransmits SYNs; absent where it cannot be read.
    pub syn_schedule: Option<SynSchedule>,
    /// The rounds of each endpoint, when there was more than one.
    pub series: &'a [Series],
}
