//! `Evidence -> Diagnosis`. No socket, no clock, no environment.

pub mod advice;
pub mod explain;
mod vocabulary;

pub use vocabulary::{Cause, Class, Confidence, FindingKind, UnknownLabel};

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A verdict, how sure it is, what it rests on and what else it could be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Why; its class follows from it ([`Cause::class`]).
    pub cause: Cause,
    /// How sure.
    pub confidence: Confidence,
    /// Who said so: the sender of the ICMP error that the verdict rests on, or the last hop that answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// What the verdict rests on.
    pub because: Vec<Reason>,
    /// Other causes that the evidence still allows, the likelier first.
    pub not_ruled_out: Vec<Cause>,
    /// True and useful, but not the verdict.
    pub findings: Vec<Finding>,
}

/// One reason, and the observations that it points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's observations.
    pub observations: Vec<usize>,
}

/// Something true and useful that is not the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which.
    pub kind: FindingKind,
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's observations; empty where the finding is about several endpoints.
    pub observations: Vec<usize>,
}
