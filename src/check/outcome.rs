//! What a check came to, as plain data for the writers.

use std::time::Duration;

use crate::diagnose::{Diagnosis, Finding};
use crate::evidence::{Evidence, Resolution};
use crate::target::Target;

/// Everything that one check of one target came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetOutcome {
    /// What the user named.
    pub target: Target,
    /// The name's part; absent where the target is an address.
    pub name: Option<NameOutcome>,
    /// One for each address that was probed, in the order in which a client would try them. Empty when the name
    /// has no address.
    pub endpoints: Vec<EndpointOutcome>,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NameOutcome {
    /// Each question and each answer.
    pub resolution: Resolution,
    /// The verdict on the name, when it gave no address to probe.
    pub failed: Option<Diagnosis>,
    /// What the endpoints say when put side by side (`v4-v6-differ`, `addresses-differ`).
    pub findings: Vec<Finding>,
    /// How long a client that tries the addresses one after another, without Happy Eyeballs, waits before it is
    /// connected; absent when none of them is open or the first one is.
    pub wait_without_happy_eyeballs_s: Option<Duration>,
}

/// One address and port: what was seen and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointOutcome {
    /// What was seen.
    pub evidence: Evidence,
    /// What it means.
    pub diagnosis: Diagnosis,
}
