//! What the sockets of a host mean: a table of signs, counted while the sockets are read, then weighed against the settings.

pub mod explain;
mod judge;
mod patience;
mod peers;
mod settings;
mod table;
mod tally;
mod toward;

pub use crate::evidence::sockets::State;
pub use judge::{Found, Growth, Loss, Share, Verdict, judge, runs_out_in};
pub use patience::gives_up_in;
pub(in crate::diagnose) use patience::span;
pub use peers::{Peer, PeerCount, Peers};
pub use settings::{JudgedSetting, Meaning, Notice, Reuse, Setting, judge_settings};
pub use tally::{Bounds, Case, Cases, Group, Listener, Tally};
pub use toward::Toward;

use super::vocabulary::{UnknownLabel, labelled};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

labelled! {
    /// What is wrong, or soon will be, with a host's sockets. In the order in which it is told.
    Label {
        /// A listener's accept queue is full.
        AcceptQueueFull = "accept-queue-full",
        /// Hardly a port is left for connections to one place.
        PortsNearlyExhausted = "ports-nearly-exhausted",
        /// Connections that cannot be made.
        SynSentStuck = "syn-sent-stuck",
        /// What was sent is not acknowledged at all.
        SendStalled = "send-stalled",
        /// The peer's window is closed.
        ZeroWindow = "zero-window",
        /// Our own program does not read.
        ReceiveUnread = "receive-unread",
        /// The peer has closed, our program does not.
        CloseWaitLeak = "close-wait-leak",
        /// A listener's accept queue is filling up.
        AcceptQueueNear = "accept-queue-near",
        /// Handshakes that nobody completes.
        SynReceivedPiling = "syn-received-piling",
        /// Ports that wait take a large part of the range.
        TimeWaitPressure = "time-wait-pressure",
        /// Live connections lose segments.
        Retransmitting = "retransmitting",
        /// We closed first, and it does not come to an end.
        FinWaitStuck = "fin-wait-stuck",
        /// We closed last, and nobody acknowledges it.
        LastAckStuck = "last-ack-stuck",
        /// Connections that no program holds, with something left to send.
        Orphans = "orphans",
        /// Connections on which nothing came for long, and that nobody asks.
        PeerSilent = "peer-silent",
    }
}

labelled! {
    /// How much a label matters.
    Severity {
        /// Connections fail or hang because of it.
        Failing = "failing",
        /// It costs something, or will fail when it goes on.
        Straining = "straining",
        /// Worth knowing; it may be as it should.
        Note = "note",
    }
}

impl Label {
    /// How much it matters.
    pub const fn severity(self) -> Severity {
        match self {
            Self::AcceptQueueFull
            | Self::PortsNearlyExhausted
            | Self::SynSentStuck
            | Self::SendStalled
            | Self::ZeroWindow
            | Self::ReceiveUnread => Severity::Failing,
            Self::CloseWaitLeak
            | Self::AcceptQueueNear
            | Self::SynReceivedPiling
            | Self::TimeWaitPressure
            | Self::Retransmitting
            | Self::FinWaitStuck
            | Self::LastAckStuck
            | Self::Orphans => Severity::Straining,
            Self::PeerSilent => Severity::Note,
        }
    }
}
