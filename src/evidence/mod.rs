//! What was seen, when, and by which probe. Plain data, no verdicts.
//!
//! Absent is `Option`; "could not look" is [`Look::CouldNot`] and differs from "looked and saw nothing".
//! Every `at` is the time since the first packet of the endpoint.

pub mod facilities;
pub mod hold;
mod host;
mod name;
mod own;
pub(crate) mod seconds;
mod shot;
mod sight;
mod size;
pub mod sockets;

pub use hold::Holding;
pub use host::{Counters, Listener, Look, Neighbour, NeighbourState, NextHop, Route, SynSchedule};
pub use name::{Family, Lookup, LookupOutcome, Resolution, ResolvedBy};
pub use own::{OwnPorts, OwnSegments, OwnSockets, OwnStuck};
pub use shot::{Question, Reply, ReplySays, SeenAt, Shot, ShotOutcome, SynAckOptions, TimedBy};
pub use sight::{Ability, Mode, Sight};
pub use size::{LinkMtu, SegmentSizes, SizeMeans, SizeOutcome, SizeProbe, Small, TooBig};

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything one run saw of one endpoint (an address and a port).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The endpoint that was asked about.
    pub endpoint: SocketAddr,
    /// Wall-clock time of the first packet, since the Unix epoch.
    #[serde(with = "seconds")]
    pub started_unix_s: Duration,
    /// A handshake that takes longer than this is slow.
    #[serde(with = "seconds")]
    pub slow_s: Duration,
    /// How long this run was willing to look.
    #[serde(with = "seconds")]
    pub timeout_s: Duration,
    /// What this run was able to look at, and why not more.
    pub sight: Sight,
    /// What was seen, in the order in which it became known.
    pub observations: Vec<Observation>,
}

impl Evidence {
    /// The handshake that an endpoint's figures are taken from: of those that succeeded, the one that began first.
    pub fn first_handshake(&self) -> Option<&Handshake> {
        let connects = self.observations.iter().filter_map(|observation| {
            let Saw::Connect(dial) = &observation.saw else {
                return None;
            };
            Some((observation.at_s, dial.answer.syn_ack()?))
        });
        connects.min_by_key(|(at, _)| *at).map(|(_, handshake)| handshake)
    }
}

impl Evidence {
    /// The round trip of a handshake: of a SYN of our own where the kernel stamped it and its SYN-ACK, else as the kernel
    /// saw the first connection.
    pub fn handshake_rtt(&self) -> Option<Duration> {
        let stamped = self.observations.iter().find_map(|observation| {
            let Saw::Raw(shot) = &observation.saw else {
                return None;
            };
            let is_syn = shot.question == Question::Syn && shot.to == self.endpoint;
            shot.stamped_rtt().filter(|_| is_syn)
        });
        stamped.or_else(|| self.first_handshake()?.clean_rtt())
    }
}

impl Handshake {
    /// The kernel's own round trip, unless a retransmission makes it say something else.
    pub fn clean_rtt(&self) -> Option<Duration> {
        self.rtt_s.filter(|_| self.retransmitted_syns == 0)
    }
}

/// One thing that was looked at and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When the probe began, since the first packet of the endpoint.
    #[serde(with = "seconds")]
    pub at_s: Duration,
    /// How long it took until the outcome was known, or until the probe gave up.
    #[serde(with = "seconds")]
    pub took_s: Duration,
    /// The probe and its outcome.
    #[serde(flatten)]
    pub saw: Saw,
}

/// A probe with its outcome. The label of each variant is the probe's name in `docs/architecture.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "kebab-case")]
pub enum Saw {
    /// The kernel's own handshake with the port that was asked about.
    Connect(Dial),
    /// The same with another, surely closed, port of the same host.
    Control(Dial),
    /// A handshake whose SYN may only live for `ttl` hops.
    Hop(Dial),
    /// A handshake with TTL 1, sent after one without a limit had succeeded.
    TtlOne(Dial),
    /// An ICMP or ICMPv6 echo request.
    Echo(Ping),
    /// A segment that we made ourselves, to the port in question or to another port of the same host.
    Raw(Shot),
    /// What the controls of other endpoints of the same host came to, in the same time.
    OtherControls(Controls),
    /// An ICMP error that answered a SYN to another endpoint of the same host, in the same time.
    OtherRejection(IcmpError),
    /// The kernel's route to the address.
    Route(Look<Route>),
    /// The link-layer neighbour that the route sends to.
    Neighbour(Look<Neighbour>),
    /// The listening socket on this very host, when the address is one of our own.
    Listener(Look<Listener>),
    /// Growth of this network namespace's own counters while we probed.
    Counters(Look<Counters>),
    /// What other programs of this host have open towards the endpoint; left out where that is nothing.
    OwnSockets(Look<OwnSockets>),
    /// A packet of a certain size that may not be fragmented.
    Size(SizeProbe),
    /// The largest packet that our own link takes.
    LinkMtu(Look<LinkMtu>),
    /// A connection beside the others that was left idle, then asked whether it lives.
    Idle {
        /// What became of it.
        holding: Box<Holding>,
    },
}

/// Packets that a host surely answers, and how many of them it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Controls {
    /// Those that got an answer.
    pub answered: u32,
    /// Those that got none, although others did.
    pub unanswered: u32,
}

/// One `connect()`: where to, from where, and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dial {
    /// Where the SYN was sent.
    pub to: SocketAddr,
    /// The local address and port, once there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<SocketAddr>,
    /// The TTL or hop limit that was set; absent means the system's own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttl: Option<u8>,
    /// How many SYNs the kernel had sent when the outcome was known (the first and its retransmissions).
    pub syns: u32,
    /// What came back.
    pub answer: Answer,
}

/// What came back to a SYN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Answer {
    /// A SYN-ACK: the handshake is done for us.
    SynAck(Handshake),
    /// A RST. An ICMP error with the same errno is [`Answer::Icmp`].
    Rst,
    /// An ICMP or ICMPv6 error that quotes our SYN.
    Icmp(IcmpError),
    /// Our own kernel would not: no packet left.
    Local(LocalError),
    /// Nothing, for as long as the probe waited.
    Silence,
}

impl Answer {
    /// The handshake, if there was one.
    pub fn syn_ack(&self) -> Option<&Handshake> {
        if let Self::SynAck(handshake) = self {
            Some(handshake)
        } else {
            None
        }
    }

    /// The ICMP error, if that was the answer.
    pub fn icmp(&self) -> Option<&IcmpError> {
        if let Self::Icmp(error) = self {
            Some(error)
        } else {
            None
        }
    }

    /// Our own kernel's refusal, if that was the answer.
    pub fn local(&self) -> Option<&LocalError> {
        if let Self::Local(error) = self {
            Some(error)
        } else {
            None
        }
    }
}

/// What the kernel knew of a finished handshake, and how the connection ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handshake {
    /// Time from `connect()` to its success, by our own clock.
    #[serde(with = "seconds")]
    pub connect_s: Duration,
    /// The kernel's own round trip of the handshake (`tcpi_rtt`). After a retransmitted SYN it is the time since
    /// the SYN that the peer answered, in whole milliseconds. Absent where the kernel could not measure it.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub rtt_s: Option<Duration>,
    /// SYNs that had to be sent again before the answer came.
    pub retransmitted_syns: u32,
    /// Segments received when the handshake was done (1 is the SYN-ACK alone). Absent on kernels that do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub segments_in: Option<u32>,
    /// Whether both sides use TCP timestamps (RFC 7323).
    pub timestamps: bool,
    /// The window that the peer offered in its SYN-ACK, in bytes. Absent on kernels that do not say (before 5.4).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer_window: Option<u32>,
    /// How large segments the kernel meant to send. Absent on kernels that do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub segments: Option<SegmentSizes>,
    /// How the connection ended.
    pub ending: Ending,
}

/// How a connection that we had opened ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// How long we kept the connection open, and said nothing, before our FIN. Absent when we sent none.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub fin_after_s: Option<Duration>,
    /// When the peer's kernel acknowledged our FIN, since the handshake.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub fin_acknowledged_after_s: Option<Duration>,
    /// How often our FIN was sent again.
    pub fin_retransmissions: u32,
    /// When the peer's FIN came, since the handshake.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub peer_fin_after_s: Option<Duration>,
    /// The peer's RST, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reset: Option<Reset>,
    /// Segments that came after the handshake while our FIN went unacknowledged: repeated SYN-ACKs, as nothing
    /// else is sent to a connection that the peer does not have.
    pub repeated_syn_acks: u32,
    /// How long we watched, since the handshake.
    #[serde(with = "seconds")]
    pub watched_s: Duration,
}

/// A RST on a connection that was open for us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reset {
    /// When it came, since the handshake.
    #[serde(with = "seconds")]
    pub after_s: Duration,
    /// Its shape, where the socket's filter could tell.
    pub shape: ResetShape,
}

/// What a RST looks like says who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResetShape {
    /// No ACK flag: the answer to a segment for which there is no connection (RFC 9293, 3.10.7.1).
    Bare,
    /// With the ACK flag: a connection that existed was aborted.
    WithAck,
    /// This run could not tell.
    Unknown,
}

/// An ICMP or ICMPv6 error, in terms that hold for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpError {
    /// What it says.
    pub says: IcmpSays,
    /// Its type on the wire.
    #[serde(rename = "type")]
    pub icmp_type: u8,
    /// Its code on the wire.
    pub code: u8,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// Whether `from` is one of our own addresses.
    #[serde(default)]
    pub from_self: bool,
    /// The largest packet that fits, in bytes, as a "too big" (3/4, v6 2/0) says it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
}

impl IcmpError {
    /// Whether it says that a packet was too big for the next link.
    pub const fn says_too_big(&self, is_ipv4: bool) -> bool {
        if is_ipv4 {
            self.icmp_type == 3 && self.code == 4
        } else {
            self.icmp_type == 2
        }
    }
}

/// The meaning of an ICMP error (RFC 792, RFC 1812, RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcmpSays {
    /// 3/3, v6 1/4.
    PortUnreachable,
    /// 3/13, v6 1/1, 1/5, 1/6.
    AdminProhibited,
    /// 3/10.
    HostProhibited,
    /// 3/9.
    NetProhibited,
    /// 3/1 and its kin, v6 1/3.
    HostUnreachable,
    /// 3/0 and its kin, v6 1/0.
    NetUnreachable,
    /// 11/0, v6 3/0.
    TtlExceeded,
    /// 11/1, v6 3/1: a fragment came, and the rest of its packet did not.
    ReassemblyTimeExceeded,
    /// Any other.
    Other,
}

/// Our own side could not even try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalError {
    /// The system call that failed.
    pub call: String,
    /// Its errno, by name (`EADDRNOTAVAIL`).
    pub errno: String,
    /// What that means here.
    pub means: LocalMeans,
}

/// What a failed system call means for the question that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalMeans {
    /// The kernel has no way to that address.
    NoRoute,
    /// A local policy (prohibit route, cgroup or LSM) forbids it.
    Denied,
    /// Our own firewall dropped it (a raw send fails with EPERM then).
    Dropped,
    /// No ephemeral port is left for this destination.
    NoPorts,
    /// No file descriptor is left.
    NoDescriptors,
    /// Anything else.
    Other,
}

/// An echo request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Ping {
    /// The host answered.
    Reply,
    /// Somebody said no.
    Icmp(IcmpError),
    /// Nothing came back.
    Silence,
    /// It was not possible to ask.
    CouldNot {
        /// Why not.
        why: String,
    },
}
