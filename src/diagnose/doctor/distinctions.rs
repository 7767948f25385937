//! The distinctions that a verdict rests on, as data: for each, the ways to make it, the best one first, and what each
//! way needs. A new probe is a new way.

use serde::{Deserialize, Serialize};

use super::Means;
use crate::diagnose::Cause;

/// Things that look alike to a plain client.
#[derive(Debug, PartialEq, Eq)]
pub struct Distinction {
    /// Its stable label, for programs.
    pub label: &'static str,
    /// What is told from what, in at most 50 columns.
    pub name: &'static str,
    /// The verdicts that it is about.
    pub causes: &'static [Cause],
    /// How it is made, the best way first; the last one needs nothing.
    pub ways: &'static [Way],
}

/// One way to make a distinction.
#[derive(Debug, PartialEq, Eq)]
pub struct Way {
    /// What it needs.
    pub needs: &'static [Means],
    /// How far it goes.
    pub told: Told,
    /// How, and where it ends; or why not.
    pub how: &'static str,
}

/// How far a distinction can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// Not at all: the verdict names the likelier one, and the others as not ruled out.
    No,
    /// In some situations.
    Partly,
    /// Wherever the peer and the path behave as most do.
    Yes,
}

impl Told {
    /// Its stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Partly => "partly",
            Self::Yes => "yes",
        }
    }
}

/// The way of a distinction that has none.
pub(super) const NO_WAY: Way = no("nothing tells it");

const fn way(told: Told, needs: &'static [Means], how: &'static str) -> Way {
    Way { needs, told, how }
}
const fn yes(needs: &'static [Means], how: &'static str) -> Way {
    way(Told::Yes, needs, how)
}
const fn partly(needs: &'static [Means], how: &'static str) -> Way {
    way(Told::Partly, needs, how)
}
const fn no(why: &'static str) -> Way {
    way(Told::No, &[], why)
}

macro_rules! distinction {
    ($label:literal, $name:literal, [$($cause:ident),*], $($way:expr),+ $(,)?) => {
        Distinction { label: $label, name: $name, causes: &[$(Cause::$cause),*], ways: &[$($way),+] }
    };
}

/// All of them, in the order in which they are shown.
pub const DISTINCTIONS: &[Distinction] = &[
    distinction!(
        "refused-or-dropped",
        "refused, or dropped",
        [NoListener, Port, HostSilent],
        yes(
            &[],
            "connect() fails at once for a RST, and waits for what is dropped"
        )
    ),
    distinction!(
        "who-rejects",
        "who rejected it, and with which ICMP error",
        [
            PortUnreachable,
            AdminProhibited,
            HostProhibited,
            NetProhibited,
            HostUnreachable,
            NetUnreachable,
            TtlExceeded
        ],
        yes(
            &[Means::ErrorQueue],
            "the socket's error queue has the ICMP error and its sender"
        ),
        yes(&[Means::Raw], "a raw socket receives the ICMP error"),
        partly(
            &[],
            "errno alone: no sender, and a port-unreachable looks like a RST"
        )
    ),
    distinction!(
        "no-way",
        "no route, a dead neighbour, or silence",
        [NoRoute, NeighbourUnresolved, Denied],
        yes(
            &[Means::Routes],
            "the kernel says what its route is and whether the neighbour answers"
        ),
        partly(
            &[],
            "errno alone, and of a dead neighbour only after three seconds"
        )
    ),
    distinction!(
        "local",
        "no ports, no descriptors, or denied",
        [NoPorts, NoDescriptors, Denied, OtherLocal],
        yes(&[], "errno says it before anything is sent")
    ),
    distinction!(
        "names",
        "why a name has no address",
        [
            NxDomain,
            NoAddress,
            ServFail,
            DnsRefused,
            DnsTimeout,
            DnsUnreachable
        ],
        yes(
            &[Means::Resolver],
            "each question to each server is timed and told apart"
        ),
        no("no server to ask; the C library (--resolver system) gives no reason")
    ),
    distinction!(
        "host-or-port",
        "this port dropped, or the whole host silent",
        [Port, HostSilent, HostUnreachable],
        yes(&[Means::Ping], "a closed control port and a ping"),
        partly(
            &[],
            "a closed control port alone: a host that drops all others looks dead"
        )
    ),
    distinction!(
        "last-hop",
        "where packets are dropped: the last hop that answers",
        [Port, HostSilent, SynFilter],
        yes(
            &[Means::ErrorQueue],
            "SYNs with a small TTL, to the port and to a control port"
        ),
        yes(
            &[Means::Raw],
            "SYNs with a small TTL, to the port and to a control port"
        ),
        no("time-exceeded errors do not reach us")
    ),
    distinction!(
        "host-or-router",
        "dropped by the host itself, or by the last router",
        [Port, SynFilter],
        partly(
            &[Means::Raw],
            "--locate: a host that had the first fragment gives it up; IPv6: only if it tracks connections"
        ),
        no("both are as silent, and as far away")
    ),
    distinction!(
        "own-egress",
        "dropped by our own host on the way out",
        [Egress],
        yes(
            &[Means::Raw],
            "a raw packet that our own firewall drops fails with EPERM"
        ),
        partly(
            &[Means::Counters],
            "TCPRetransFail: only while nothing else here retransmits"
        ),
        no("the kernel's counters cannot be read")
    ),
    distinction!(
        "own-ingress",
        "dropped by our own host on the way in",
        [Ingress],
        yes(
            &[Means::Packet],
            "a packet socket sees what arrives below our own firewall"
        ),
        partly(
            &[Means::Counters],
            "packets received less those delivered: only on a quiet host"
        ),
        no("the kernel's counters cannot be read")
    ),
    distinction!(
        "own-listener",
        "a full accept queue on this very host",
        [SynDropped, Overloaded, AckIgnored],
        yes(
            &[Means::OwnSockets],
            "the kernel says how full the listener's queue is"
        ),
        no("the kernel does not tell about its sockets")
    ),
    distinction!(
        "queue-or-filter",
        "full accept queue, or the port filtered",
        [SynDropped, Port],
        yes(
            &[Means::Raw],
            "a bare ACK: a full listener's host answers RST, a filter drops it"
        ),
        partly(
            &[Means::ErrorQueue],
            "only where SYNs die on the way, which is no queue's doing"
        ),
        no("both are silent to SYNs")
    ),
    distinction!(
        "queue-or-syn-filter",
        "full accept queue, or only SYNs filtered",
        [SynDropped, SynFilter],
        partly(
            &[Means::Raw],
            "a FIN tells before a closed port; before a listener it takes a connection that worked"
        ),
        no("both are silent to SYNs")
    ),
    distinction!(
        "queue-or-loss",
        "queue at its brim, or a lossy path",
        [Overloaded, SynLost],
        yes(&[], "SYNs to a control port meet the same loss, and no queue")
    ),
    distinction!(
        "ghost",
        "connected for us, and not for the server",
        [AckIgnored, Healthy],
        yes(
            &[],
            "a server that has the connection acknowledges our FIN (TCP_INFO)"
        )
    ),
    distinction!(
        "whose-reset",
        "reset by a full queue, or by the application",
        [ResetOnOverflow, ResetAfterAccept],
        yes(&[Means::OwnFilter], "a filter on our own socket counts bare RSTs"),
        partly(
            &[],
            "only where other SYNs go unanswered, which is a full queue's doing"
        )
    ),
    distinction!(
        "middlebox-reset",
        "RST of the host, or of a box before it",
        [NoListener, MiddleboxReset],
        yes(&[Means::Raw], "its TTL, beside that of the host's other answers"),
        no("connect() does not show the TTL of a RST")
    ),
    distinction!(
        "return-path",
        "our SYN lost, or the answer to it",
        [ReturnPath, Port, HostSilent],
        yes(
            &[Means::Raw],
            "a half-open probe: a server that got our SYN answers an odd FIN"
        ),
        no("a SYN-ACK that is always lost leaves no trace with us")
    ),
    distinction!(
        "lost-direction",
        "slow: lost SYN, or lost SYN-ACK",
        [SynLost, SynAckLost, Retransmitted],
        yes(
            &[Means::Timestamps],
            "the SYN-ACK's timestamp says which SYN it answers"
        ),
        partly(&[], "only where the SYN-ACK comes twice")
    ),
    distinction!(
        "late-or-long",
        "slow: late SYN-ACK, or long path",
        [LateSynAck, LongPath],
        yes(&[], "the round trip to a control port is the path's own")
    ),
    distinction!(
        "idle-death",
        "idle connection forgotten, or closed by the peer",
        [IdleDropped, IdleReset, IdleRejected, PeerClosed],
        yes(
            &[],
            "`tcpprobe hold`: what the kernel's keepalive meets, and a new connection after it"
        )
    ),
    distinction!(
        "proxy",
        "the host itself, or a proxy at the first hop",
        [Healthy],
        yes(&[], "a SYN that lives for one hop is answered by a proxy alone")
    ),
    distinction!(
        "syn-cookies",
        "SYN cookies in use (of a healthy port: --mode raw)",
        [Overloaded, AckIgnored],
        yes(
            &[Means::Raw],
            "a SYN without timestamps brings back fewer options"
        ),
        no("our own kernel chooses the options of its SYNs")
    ),
    distinction!(
        "round-trip",
        "round trip to the microsecond (--mode raw)",
        [Healthy, LongPath],
        yes(&[Means::Raw], "the kernel's timestamps of both packets"),
        partly(
            &[],
            "the kernel's estimate (TCP_INFO); after a lost SYN in whole ms"
        )
    ),
    distinction!(
        "families",
        "IPv4 and IPv6 compared",
        [NoRoute, Healthy],
        yes(&[Means::BothFamilies], "both have an address and a route here"),
        no("one family goes nowhere from here: its addresses are unreachable/no-route")
    ),
];
