//! What idle connections say of the path: vocabulary, evidence to verdict, and what this host's settings make of it. Pure.

mod bounds;
mod consequences;
pub mod explain;
mod judge;

pub use bounds::{Bounds, closes_by_age};
pub use consequences::{Behaviour, Consequence, Settled, consequences, longest_keepalive};
pub use judge::judge;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Confidence;
use super::vocabulary::{UnknownLabel, labelled};
use crate::evidence::seconds;

labelled! {
    /// What becomes of a connection that is idle.
    HoldLabel {
        /// It lived for as long as was asked.
        Healthy = "healthy",
        /// Something forgets it, and drops what comes later without a word.
        IdleDropped = "idle-dropped",
        /// Something forgets it, and answers what comes later with a RST, or sends one by itself.
        IdleReset = "idle-reset",
        /// Something forgets it, and answers what comes later with an ICMP error.
        IdleRejected = "idle-rejected",
        /// The peer closes it in good order.
        PeerClosed = "peer-closed",
        /// New connections fail as well: the target went away, idle or not.
        TargetLost = "target-lost",
        /// There was no connection to begin with.
        NotOpen = "not-open",
        /// What was seen is too little, or contradicts itself.
        Undecided = "undecided",
    }
}

labelled! {
    /// True and useful, but not the verdict.
    HoldFindingKind {
        /// The peer itself sends something on idle connections, which keeps them alive.
        PeerSpeaks = "peer-speaks",
        /// Keepalive probes go unanswered, though the connection is alive.
        KeepaliveIgnored = "keepalive-ignored",
        /// Packets were lost on connections that live.
        HoldPathLoss = "path-loss",
        /// Fewer connections were made than wanted.
        FewerConnections = "fewer-connections",
    }
}

labelled! {
    /// Who sent a RST.
    Sender {
        /// It came with the TTL of the host's own packets: the host, or a box as far away.
        Host = "host",
        /// It came with another TTL than the host's own packets.
        Middlebox = "middlebox",
        /// This run could not tell.
        UnknownSender = "unknown",
    }
}

/// What idle connections to an endpoint come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldDiagnosis {
    /// What becomes of them.
    pub label: HoldLabel,
    /// How sure that is.
    pub confidence: Confidence,
    /// After how long; absent where nothing ended.
    pub limit: Option<Limit>,
    /// The longest that a connection was idle and lived, on both sides silent; absent where none was asked that lived.
    #[serde(with = "seconds::option")]
    pub lived_s: Option<Duration>,
    /// Who sent the RST of `idle-reset`; absent otherwise.
    pub sender: Option<Sender>,
    /// What the verdict rests on: sentences, each with the connections (indices into `held`) that it speaks of.
    pub because: Vec<HoldReason>,
    /// What else it could be, in sentences.
    pub not_ruled_out: Vec<String>,
    /// True and useful, but not the verdict.
    pub findings: Vec<HoldFinding>,
}

/// An idle time between these two: what was idle for the first lived, what was idle for the second did not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Not before this.
    #[serde(with = "seconds")]
    pub at_least_s: Duration,
    /// No later than this.
    #[serde(with = "seconds")]
    pub at_most_s: Duration,
}

/// A reason, and the connections that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldReason {
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's connections.
    pub held: Vec<usize>,
}

/// Something true and useful that is not the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldFinding {
    /// Which.
    pub kind: HoldFindingKind,
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's connections.
    pub held: Vec<usize>,
}

impl HoldLabel {
    /// Whether the verdict speaks of idle connections that ended.
    pub const fn is_death(self) -> bool {
        match self {
            Self::IdleDropped | Self::IdleReset | Self::IdleRejected | Self::PeerClosed => true,
            Self::Healthy | Self::TargetLost | Self::NotOpen | Self::Undecided => false,
        }
    }
}

impl Limit {
    /// The middle.
    pub fn middle(&self) -> Duration {
        (self.at_least_s + self.at_most_s) / 2
    }

    /// How far the limit may be from the middle, to either side.
    pub fn uncertainty(&self) -> Duration {
        self.at_most_s.saturating_sub(self.at_least_s) / 2
    }
}
