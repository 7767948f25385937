//! The closed vocabulary of verdicts. The labels are the public contract in JSON, metrics and files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes a closed enum whose variants have a stable label.
macro_rules! labelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $label:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable label.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.label()) }
        }

        impl FromStr for $name {
            type Err = UnknownLabel;
            fn from_str(label: &str) -> Result<Self, UnknownLabel> {
                Self::ALL.iter().copied().find(|value| value.label() == label).ok_or_else(|| UnknownLabel {
                    label: label.to_owned(),
                    known: Self::ALL.iter().map(|value| value.label()).collect(),
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.label())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(super) use labelled;

/// A label that is not in the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{label}' is not one of {}", known.join(", "))]
pub struct UnknownLabel {
    /// What was given.
    pub label: String,
    /// What would have been right.
    pub known: Vec<&'static str>,
}

labelled! {
    /// What happened, in one word.
    Class {
        /// The connection can be made.
        Open = "open",
        /// The connection can be made, but the handshake was slow.
        Slow = "slow",
        /// A RST said no.
        Refused = "refused",
        /// An ICMP or ICMPv6 answer said no.
        Rejected = "rejected",
        /// There is no way to the host.
        Unreachable = "unreachable",
        /// SYNs, or their answers, vanish.
        Filtered = "filtered",
        /// The listener's accept queue is full.
        BacklogFull = "backlog-full",
        /// The connection is reset as soon as it is made.
        Reset = "reset",
        /// The connection can be made, and does not outlive being idle.
        IdleDeath = "idle-death",
        /// The name, not the connection.
        DnsFailed = "dns-failed",
        /// Our side could not even try; never the target's fault.
        LocalError = "local-error",
        /// Nothing could be said.
        Unknown = "unknown",
    }
}

labelled! {
    /// Why it happened. A cause belongs to exactly one [`Class`].
    Cause {
        /// Handshake done and confirmed by the peer.
        Healthy = "healthy",
        /// The handshake needed a retransmission; our SYN was the one lost.
        SynLost = "syn-lost",
        /// The handshake needed a retransmission; the peer's SYN-ACK was the one lost.
        SynAckLost = "syn-ack-lost",
        /// The handshake needed a retransmission; which of the two was lost is not known.
        Retransmitted = "retransmitted",
        /// The SYN-ACK itself came late although the path is fast.
        LateSynAck = "late-syn-ack",
        /// The path's own round trip is over the threshold.
        LongPath = "long-path",
        /// RST from the host itself.
        NoListener = "no-listener",
        /// RST, but not from the host.
        MiddleboxReset = "middlebox-reset",
        /// Port unreachable: no such Service endpoint, or a firewall's REJECT.
        PortUnreachable = "port-unreachable",
        /// Administratively prohibited.
        AdminProhibited = "admin-prohibited",
        /// Host prohibited.
        HostProhibited = "host-prohibited",
        /// Network prohibited.
        NetProhibited = "net-prohibited",
        /// Our own host has no way there.
        NoRoute = "no-route",
        /// ARP or ND on our own link got no answer.
        NeighbourUnresolved = "neighbour-unresolved",
        /// A router said that it cannot reach the host.
        HostUnreachable = "host-unreachable",
        /// A router said that it has no route to the network.
        NetUnreachable = "net-unreachable",
        /// The path loops.
        TtlExceeded = "ttl-exceeded",
        /// Our own host drops it before it leaves.
        Egress = "egress",
        /// The answer reaches our host, and our own firewall drops it.
        Ingress = "ingress",
        /// Everything to this port vanishes while the host answers elsewhere.
        Port = "port",
        /// Nothing from that host on any port: firewall, dead host or blackhole.
        HostSilent = "host-silent",
        /// Only SYNs vanish; other segments to the port arrive.
        SynFilter = "syn-filter",
        /// Our SYN arrives; the SYN-ACK is lost on its way back.
        ReturnPath = "return-path",
        /// SYNs vanish, and what this run was able to look at cannot say more.
        Unattributed = "unattributed",
        /// The accept queue is full: the listener ignores SYNs.
        SynDropped = "syn-dropped",
        /// Some SYNs are answered, some ignored: the queue is at its brim.
        Overloaded = "overloaded",
        /// Handshake done for us, never for the server: its queue was full at our ACK.
        AckIgnored = "ack-ignored",
        /// The server resets what its full queue cannot take.
        ResetOnOverflow = "reset-on-overflow",
        /// Handshake done, then the peer's application or a proxy resets at once.
        ResetAfterAccept = "reset-after-accept",
        /// Something forgets an idle connection, and drops what comes later without a word.
        IdleDropped = "idle-dropped",
        /// Something forgets an idle connection, and answers what comes later with a RST, or sends one by itself.
        IdleReset = "idle-reset",
        /// Something forgets an idle connection, and answers what comes later with an ICMP error.
        IdleRejected = "idle-rejected",
        /// The peer closes an idle connection in good order.
        PeerClosed = "peer-closed",
        /// There is no such name.
        NxDomain = "nxdomain",
        /// The name exists but has no address of the wanted family.
        NoAddress = "no-address",
        /// The DNS server failed to answer the question.
        ServFail = "servfail",
        /// The DNS server refuses to answer us.
        DnsRefused = "dns-refused",
        /// No DNS server answered in time.
        DnsTimeout = "dns-timeout",
        /// No DNS server can be reached, or none is configured.
        DnsUnreachable = "dns-unreachable",
        /// No ephemeral port is left for this destination.
        NoPorts = "no-ports",
        /// No file descriptor is left.
        NoDescriptors = "no-descriptors",
        /// A local policy forbids the connection.
        Denied = "denied",
        /// Another local failure.
        OtherLocal = "other",
        /// Time ran out before anything could be said.
        Undecided = "undecided",
    }
}

impl Cause {
    /// The class that this cause belongs to.
    pub const fn class(self) -> Class {
        match self {
            Self::Healthy => Class::Open,
            Self::SynLost | Self::SynAckLost | Self::Retransmitted | Self::LateSynAck | Self::LongPath => {
                Class::Slow
            }
            Self::NoListener | Self::MiddleboxReset => Class::Refused,
            Self::PortUnreachable | Self::AdminProhibited | Self::HostProhibited | Self::NetProhibited => {
                Class::Rejected
            }
            Self::NoRoute
            | Self::NeighbourUnresolved
            | Self::HostUnreachable
            | Self::NetUnreachable
            | Self::TtlExceeded => Class::Unreachable,
            Self::Egress
            | Self::Ingress
            | Self::Port
            | Self::HostSilent
            | Self::SynFilter
            | Self::ReturnPath
            | Self::Unattributed => Class::Filtered,
            Self::SynDropped | Self::Overloaded | Self::AckIgnored | Self::ResetOnOverflow => {
                Class::BacklogFull
            }
            Self::ResetAfterAccept => Class::Reset,
            Self::IdleDropped | Self::IdleReset | Self::IdleRejected | Self::PeerClosed => Class::IdleDeath,
            Self::NxDomain
            | Self::NoAddress
            | Self::ServFail
            | Self::DnsRefused
            | Self::DnsTimeout
            | Self::DnsUnreachable => Class::DnsFailed,
            Self::NoPorts | Self::NoDescriptors | Self::Denied | Self::OtherLocal => Class::LocalError,
            Self::Undecided => Class::Unknown,
        }
    }
}

labelled! {
    /// How sure a diagnosis is.
    Confidence {
        /// Something else may as well be the cause.
        Possible = "possible",
        /// The best explanation by far, but another is not excluded.
        Likely = "likely",
        /// What was seen leaves no other cause in the vocabulary.
        Certain = "certain",
    }
}

labelled! {
    /// True and useful, but not the verdict.
    FindingKind {
        /// The peer closed the connection at once after the handshake.
        ClosedAfterAccept = "closed-after-accept",
        /// The peer answered our orderly close with a RST.
        ResetAtClose = "reset-at-close",
        /// Something nearer than the host completed the handshake.
        ProxySuspected = "proxy-suspected",
        /// One address family works, the other does not.
        V4V6Differ = "v4-v6-differ",
        /// Addresses of one name have different verdicts.
        AddressesDiffer = "addresses-differ",
        /// The server answers SYNs with cookies: more handshakes are half done than its backlog, or it always does.
        SynCookies = "syn-cookies",
        /// A SYN-ACK, a SYN or a reply was lost although the connection was made.
        PathLoss = "path-loss",
        /// How large packets to the host may be.
        PathMtu = "path-mtu",
        /// Somebody on the way says that packets have to be smaller than our own link allows.
        PmtuReduced = "pmtu-reduced",
        /// Packets that connections would send vanish for their size, and nobody says so.
        PmtuBlackHole = "pmtu-black-hole",
        /// The peer's MSS keeps segments smaller than our own link allows.
        MssClamped = "mss-clamped",
        /// How large packets to the host may be could not be found out.
        PmtuUnknown = "pmtu-unknown",
        /// Connections of other programs of this host to the endpoint get no answer to their SYN.
        OwnSynSentStuck = "own-syn-sent-stuck",
        /// What other programs of this host sent to the endpoint is not acknowledged.
        OwnSendStalled = "own-send-stalled",
        /// The endpoint does not read what other programs of this host have for it.
        OwnZeroWindow = "own-zero-window",
        /// Live connections of other programs of this host to the endpoint lose segments.
        OwnRetransmitting = "own-retransmitting",
        /// The endpoint has closed connections that programs of this host do not close.
        OwnCloseWait = "own-close-wait",
        /// This host closes many connections to the endpoint, whose ports wait for a minute.
        OwnTimeWait = "own-time-wait",
        /// Hardly a port of this host is left for connections to the endpoint.
        OwnPortsNearlyExhausted = "own-ports-nearly-exhausted",
    }
}

impl FindingKind {
    /// Whether it speaks of connections that other programs of this host have.
    pub const fn is_of_own_sockets(self) -> bool {
        match self {
            Self::OwnSynSentStuck
            | Self::OwnSendStalled
            | Self::OwnZeroWindow
            | Self::OwnRetransmitting
            | Self::OwnCloseWait
            | Self::OwnTimeWait
            | Self::OwnPortsNearlyExhausted => true,
            Self::ClosedAfterAccept
            | Self::ResetAtClose
            | Self::ProxySuspected
            | Self::V4V6Differ
            | Self::AddressesDiffer
            | Self::SynCookies
            | Self::PathLoss
            | Self::PathMtu
            | Self::PmtuReduced
            | Self::PmtuBlackHole
            | Self::MssClamped
            | Self::PmtuUnknown => false,
        }
    }
}
