//! Raw probes: one segment that we made ourselves, and everything that came back to it.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{IcmpError, LocalError, ResetShape, seconds};

/// One raw probe. Each has a source port of its own among the probes that are under way, but [`Question::Challenge`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// What it asks.
    pub question: Question,
    /// Where it was sent.
    pub to: SocketAddr,
    /// From which address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<SocketAddr>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: ShotOutcome,
}

/// What a raw probe asks. The port that it is sent to says whether it asks it of the port in question or of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// A SYN with all usual options: what answers it?
    Syn,
    /// A bare ACK: does it reach the host's TCP, which answers RST?
    Ack,
    /// A bare FIN: is something listening? A closed port answers RST, a listener is silent (RFC 9293, 3.10.7).
    Fin,
    /// A SYN, and on the same ports a FIN that is out of its window: does the server hold a request for our SYN? Then it
    /// answers with an ACK.
    HalfOpen,
    /// A SYN on the ports of a connection that is made: do SYNs reach the host? Then it answers with a challenge ACK.
    Challenge,
    /// A SYN without timestamps: is the SYN-ACK as bare as that of a server that uses SYN cookies?
    Cookie,
    /// The first fragment of a SYN, and never the rest: does the host itself give up waiting for it?
    FirstFragment,
}

/// What came of a raw probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ShotOutcome {
    /// It was handed to the kernel, which took it.
    Sent {
        /// Everything that answers it, in the order of arrival; empty is silence.
        replies: Vec<Reply>,
    },
    /// Our own kernel would not: nothing left.
    NotSent(LocalError),
}

/// A packet that answers a raw probe: it acknowledges our sequence number, or quotes our packet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// How long after our packet it came.
    #[serde(with = "seconds")]
    pub after_s: Duration,
    /// Whose clocks say so.
    pub timed_by: TimedBy,
    /// Its TTL or hop limit on arrival.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hop_limit: Option<u8>,
    /// How far it came on our own host.
    pub seen: SeenAt,
    /// What it is.
    #[serde(flatten)]
    pub says: ReplySays,
}

/// Whose clocks measured the time between a probe and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimedBy {
    /// The kernel's time stamps of both packets.
    Kernel,
    /// The kernel's of one of them at most: our own process's waiting is part of it.
    Process,
}

/// How far an answer came on our own host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenAt {
    /// Through our own firewall.
    Socket,
    /// Seen on the interface (AF_PACKET), and never above our own firewall.
    InterfaceOnly,
}

/// What an answer to a raw probe is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ReplySays {
    /// A SYN-ACK.
    SynAck(SynAckOptions),
    /// A RST, and whether it has the ACK flag.
    Rst {
        /// Its shape; never unknown.
        shape: ResetShape,
    },
    /// An ACK without SYN or RST.
    Ack {
        /// Whether it acknowledges what we sent. An ACK that does not speaks of another connection between the same
        /// ports (RFC 9293, 3.10.7.4: a challenge).
        acknowledges_us: bool,
    },
    /// An ICMP or ICMPv6 error that quotes our packet.
    Icmp(IcmpError),
}

/// What a SYN-ACK offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynAckOptions {
    /// The window in bytes, not scaled.
    pub window: u16,
    /// The maximum segment size.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mss: Option<u16>,
    /// Selective acknowledgements are permitted.
    pub sack: bool,
    /// Window scaling.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window_scale: Option<u8>,
    /// TCP timestamps (RFC 7323).
    pub timestamps: bool,
}

impl Shot {
    /// What came back; empty is silence. `None` when it was not sent.
    pub fn replies(&self) -> Option<&[Reply]> {
        match &self.outcome {
            ShotOutcome::Sent { replies } => Some(replies),
            ShotOutcome::NotSent(_) => None,
        }
    }

    /// How long the SYN-ACK took by the kernel's time stamps of both packets.
    pub(super) fn stamped_rtt(&self) -> Option<Duration> {
        let stamped =
            |reply: &&Reply| matches!(reply.says, ReplySays::SynAck(_)) && reply.timed_by == TimedBy::Kernel;
        self.replies()?.iter().find(stamped).map(|reply| reply.after_s)
    }
}
