//! An edge: a source, a target, what is expected, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use super::{Expected, Identity};
use crate::check::{Life, TargetOutcome, Wanted};
use crate::diagnose::{Cause, Diagnosis};
use crate::evidence::SynSchedule;
use crate::target::Target;

/// What the rules ask of an edge. Edges of one rule share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Demand {
    /// The names of the rules that speak of it, in the order of the file.
    pub rules: Vec<String>,
    /// What all of them expect.
    pub expected: Expected,
    /// Targets of which one has to be open in the same run for a block to be proven.
    pub controls: Vec<Target>,
    /// How long to look at one endpoint at most.
    pub timeout: Duration,
    /// How often to look, as long as it is not as expected (from 1).
    pub tries: u32,
}

/// An edge that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The target.
    pub target: Target,
    /// What is asked of it.
    pub demand: Arc<Demand>,
}

/// An edge that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Who looked.
    pub source: Arc<Identity>,
    /// What was asked.
    pub demand: Arc<Demand>,
    /// How often it was looked at.
    pub tried: u32,
    /// Wall-clock time at which the last look was over, since the Unix epoch.
    pub concluded_unix_s: Duration,
    /// How the kernel of the source retransmits SYNs; absent where it cannot be read.
    pub syn_schedule: Option<SynSchedule>,
    /// What the last look came to.
    pub outcome: TargetOutcome,
}

impl Edge {
    /// The target.
    pub fn target(&self) -> &Target {
        &self.outcome.target
    }

    /// The verdict on the name, if that failed, and one for each address.
    pub fn diagnoses(&self) -> impl Iterator<Item = &Diagnosis> {
        let name = self.outcome.name.as_ref().and_then(|name| name.failed.as_ref());
        name.into_iter()
            .chain(self.outcome.endpoints.iter().map(|endpoint| &endpoint.diagnosis))
    }

    /// The verdicts that count: an address that our own host has no route to does not, beside one that is as expected.
    pub fn counting(&self) -> impl Iterator<Item = &Diagnosis> {
        let expected = &self.demand.expected;
        let one_is_met = self
            .diagnoses()
            .any(|diagnosis| expected.is_met_by(diagnosis.cause));
        self.diagnoses()
            .filter(move |diagnosis| !(one_is_met && diagnosis.cause == Cause::NoRoute))
    }

    /// The verdict that stands for the edge where there is room for one: the first that is not as expected, else the first.
    /// Absent where the run ended before there was any.
    pub fn verdict(&self) -> Option<&Diagnosis> {
        let expected = &self.demand.expected;
        self.counting()
            .find(|diagnosis| !expected.is_met_by(diagnosis.cause))
            .or_else(|| self.counting().next())
    }
}

impl Wanted for Planned {
    fn target(&self) -> &Target {
        &self.target
    }

    fn timeout(&self) -> Duration {
        self.demand.timeout
    }

    fn tries(&self) -> u32 {
        self.demand.tries
    }

    fn life(&self) -> Life {
        if self.demand.expected.is_negative() {
            Life::Proven
        } else {
            Life::Assumed
        }
    }

    fn is_enough(&self, cause: Cause) -> bool {
        self.demand.expected.is_met_by(cause)
    }
}
