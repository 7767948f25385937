//! `tcpprobe hold`: as text for a person, as JSON for a program, and what its labels mean.

mod explain;
mod json;
mod text;
mod words;

pub use explain::{write_hold_list, write_hold_markdown, write_hold_topic};
pub use json::write_json;
pub use text::write_text;
pub(in crate::report) use words::{fared_alike, group};

use std::time::SystemTime;

use crate::check::{HoldOutcome, TargetOutcome};
use crate::diagnose::Cause;
use crate::diagnose::hold::{Consequence, HoldLabel, Limit, consequences};
use crate::evidence::SynSchedule;
use crate::evidence::hold::{Asked, End};
use crate::evidence::sockets::Settings;

/// What idle connections to a target come to, with the ordinary look at it that came first.
#[derive(Debug, Clone)]
pub struct HoldReport<'a> {
    /// The version of tcpprobe.
    pub version: &'a str,
    /// Wall-clock time at which the run began.
    pub started: SystemTime,
    /// The ordinary look.
    pub check: &'a TargetOutcome,
    /// How the kernel of this host retransmits SYNs; absent where it cannot be read.
    pub syn_schedule: Option<SynSchedule>,
    /// The settings of this host.
    pub settings: &'a Settings,
    /// What became of idle connections; absent where none could be made.
    pub outcome: Option<&'a HoldOutcome>,
}

impl HoldReport<'_> {
    /// The verdict.
    pub fn label(&self) -> HoldLabel {
        self.outcome
            .map_or(HoldLabel::NotOpen, |outcome| outcome.diagnosis.label)
    }

    /// The causes of the ordinary look.
    pub fn causes(&self) -> impl Iterator<Item = Cause> + '_ {
        let name = self.check.name.as_ref().and_then(|name| name.failed.as_ref());
        let endpoints = self.check.endpoints.iter().map(|endpoint| &endpoint.diagnosis);
        name.into_iter().chain(endpoints).map(|diagnosis| diagnosis.cause)
    }

    fn limit(&self) -> Option<Limit> {
        self.outcome.and_then(|outcome| outcome.diagnosis.limit)
    }

    /// What this host's settings make of it.
    fn consequences(&self) -> Vec<Consequence> {
        let (Some(outcome), Some(limit)) = (self.outcome, self.limit()) else {
            return Vec::new();
        };
        let by_itself = outcome.holding.held.iter().any(|held| match &held.end {
            End::Reset { to } | End::Rejected { to, .. } | End::Closed { to } => *to == Asked::Nothing,
            End::NotMade { .. }
            | End::Alive { .. }
            | End::Silent { .. }
            | End::CutShort
            | End::CouldNotAsk { .. } => false,
        });
        consequences(self.label(), by_itself, limit, self.settings)
    }
}

#[cfg(test)]
mod tests;
