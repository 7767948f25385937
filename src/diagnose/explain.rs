//! What every verdict means, how it is told apart and what to do about it: texts as data, the one home for
//! `tcpprobe explain`, the report and `docs/verdicts.md`.
//!
//! In commands, ADDRESS and PORT stand for the target's, CLIENT for our own address. `advice` fills in real ones.

mod connects;
mod findings;
mod idle;
mod names;
mod ours;
mod queue;
mod refusals;
mod routes;
mod silence;

use std::str::FromStr;

pub use findings::{FindingText, explain_finding};

use super::{Cause, Class, FindingKind};

/// What is worth saying of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The cause in one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The evidence that tells it apart, without and with `CAP_NET_RAW`.
    pub how_told: &'static str,
    /// What it is confused with.
    pub looks_like: &'static str,
    /// What an experienced operator does, in this order.
    pub what_to_do: &'static [&'static str],
    /// Folklore that does not help here.
    pub what_not_to_do: &'static [&'static str],
}

/// The explanation of a cause.
pub const fn explain(cause: Cause) -> &'static Explanation {
    match cause {
        Cause::Healthy => &connects::HEALTHY,
        Cause::SynLost => &connects::SYN_LOST,
        Cause::SynAckLost => &connects::SYN_ACK_LOST,
        Cause::Retransmitted => &connects::RETRANSMITTED,
        Cause::LateSynAck => &connects::LATE_SYN_ACK,
        Cause::LongPath => &connects::LONG_PATH,
        Cause::NoListener => &refusals::NO_LISTENER,
        Cause::MiddleboxReset => &refusals::MIDDLEBOX_RESET,
        Cause::PortUnreachable => &refusals::PORT_UNREACHABLE,
        Cause::AdminProhibited => &refusals::ADMIN_PROHIBITED,
        Cause::HostProhibited => &refusals::HOST_PROHIBITED,
        Cause::NetProhibited => &refusals::NET_PROHIBITED,
        Cause::ResetAfterAccept => &refusals::RESET_AFTER_ACCEPT,
        Cause::IdleDropped => &idle::IDLE_DROPPED,
        Cause::IdleReset => &idle::IDLE_RESET,
        Cause::IdleRejected => &idle::IDLE_REJECTED,
        Cause::PeerClosed => &idle::PEER_CLOSED,
        Cause::NoRoute => &routes::NO_ROUTE,
        Cause::NeighbourUnresolved => &routes::NEIGHBOUR_UNRESOLVED,
        Cause::HostUnreachable => &routes::HOST_UNREACHABLE,
        Cause::NetUnreachable => &routes::NET_UNREACHABLE,
        Cause::TtlExceeded => &routes::TTL_EXCEEDED,
        Cause::Egress => &silence::EGRESS,
        Cause::Ingress => &silence::INGRESS,
        Cause::Port => &silence::PORT,
        Cause::HostSilent => &silence::HOST_SILENT,
        Cause::SynFilter => &silence::SYN_FILTER,
        Cause::ReturnPath => &silence::RETURN_PATH,
        Cause::Unattributed => &silence::UNATTRIBUTED,
        Cause::SynDropped => &queue::SYN_DROPPED,
        Cause::Overloaded => &queue::OVERLOADED,
        Cause::AckIgnored => &queue::ACK_IGNORED,
        Cause::ResetOnOverflow => &queue::RESET_ON_OVERFLOW,
        Cause::NxDomain => &names::NXDOMAIN,
        Cause::NoAddress => &names::NO_ADDRESS,
        Cause::ServFail => &names::SERVFAIL,
        Cause::DnsRefused => &names::DNS_REFUSED,
        Cause::DnsTimeout => &names::DNS_TIMEOUT,
        Cause::DnsUnreachable => &names::DNS_UNREACHABLE,
        Cause::NoPorts => &ours::NO_PORTS,
        Cause::NoDescriptors => &ours::NO_DESCRIPTORS,
        Cause::Denied => &ours::DENIED,
        Cause::OtherLocal => &ours::OTHER_LOCAL,
        Cause::Undecided => &ours::UNDECIDED,
    }
}

/// What the causes of a class have in common.
pub const fn explain_class(class: Class) -> &'static str {
    match class {
        Class::Open => {
            "The three-way handshake was completed and the peer's kernel holds the connection. What the \
             application does with it is another question."
        }
        Class::Slow => {
            "The connection can be made, but the handshake needed a retransmission or took longer than the \
             threshold (--slow, 250 ms by default). Each lost SYN costs a client about a second, because the \
             first retransmission timeout is 1 s (RFC 6298) whatever the path's round trip is. Exit code and \
             default expectation count it as open."
        }
        Class::Refused => {
            "A RST answered our SYN. The path works in both directions, and something that speaks TCP said \
             no; the causes differ in who it was."
        }
        Class::Rejected => {
            "An ICMP or ICMPv6 error that quotes our SYN said no on purpose: a policy, or a Service without \
             endpoints. The field `from` names who said it. errno alone hides this class: a port-unreachable \
             arrives as ECONNREFUSED, just as a RST does, and most of the others as EHOSTUNREACH. The \
             socket's error queue tells them apart, without privileges."
        }
        Class::Unreachable => {
            "There is no way to the host, and somebody said so: our own kernel, our own link, or a router \
             (`from`). The port does not matter; every port of that host fails alike."
        }
        Class::Filtered => {
            "SYNs, or the answers to them, vanish without a word. A plain client retransmits its SYN until \
             it gives up after two minutes, with ETIMEDOUT. The causes differ in where the packets vanish; \
             telling them apart needs answers from elsewhere on the same path, and in part raw probes."
        }
        Class::BacklogFull => {
            "The listener's accept queue is full: the server's kernel is alive and the application does not \
             call accept() as fast as connections arrive. Depending on when the queue was full, and on the \
             server's settings, the client sees a timeout, a slow handshake, a connection that hangs after \
             connect(), or a reset."
        }
        Class::Reset => {
            "The handshake was completed, and the connection was reset at once. connect() succeeded; the \
             first read or write fails with ECONNRESET."
        }
        Class::IdleDeath => {
            "The connection can be made, and one that was left idle does not live as long as was asked: something \
             on the way forgets it, or the peer ends it. Only a module of `tcpprobe monitor` with `hold` asks for \
             that, and `tcpprobe hold`, which finds the limit."
        }
        Class::DnsFailed => {
            "The name gave no address, so no connection was tried. The causes are what the DNS servers said, \
             or that they said nothing."
        }
        Class::LocalError => {
            "Our own side could not even try: no packet left because of a limit or a policy of this host. It \
             never counts as the target's fault (exit code 3)."
        }
        Class::Unknown => "Nothing could be said in the time that there was (exit code 3).",
    }
}

/// What `tcpprobe explain` was asked about: a class, or one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// All causes of a class.
    Class(Class),
    /// One cause.
    Cause(Cause),
    /// A finding.
    Finding(FindingKind),
}

/// The topic is neither a class nor a cause nor a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{asked}' is no verdict; the classes are {}", class_labels())]
pub struct UnknownTopic {
    /// What was asked for.
    pub asked: String,
}

fn class_labels() -> String {
    Class::ALL
        .iter()
        .map(|class| class.label())
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    /// Takes `class`, `class/cause`, or a cause or finding alone, as no label is used for two of them.
    fn from_str(asked: &str) -> Result<Self, UnknownTopic> {
        let unknown = || UnknownTopic {
            asked: asked.to_owned(),
        };
        if let Some((class, cause)) = asked.split_once('/') {
            let cause: Cause = cause.parse().map_err(|_| unknown())?;
            return if cause.class().label() == class {
                Ok(Self::Cause(cause))
            } else {
                Err(unknown())
            };
        }
        if let Ok(class) = asked.parse() {
            return Ok(Self::Class(class));
        }
        if let Ok(finding) = asked.parse() {
            return Ok(Self::Finding(finding));
        }
        asked.parse().map(Self::Cause).map_err(|_| unknown())
    }
}

/// The causes of a class, in the order of the documentation.
pub fn causes_of(class: Class) -> impl Iterator<Item = Cause> {
    Cause::ALL
        .iter()
        .copied()
        .filter(move |cause| cause.class() == class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_says_what_it_is_how_it_is_told_and_what_to_do() {
        for cause in Cause::ALL {
            let explanation = explain(*cause);
            for text in [explanation.meaning, explanation.how_told, explanation.looks_like] {
                assert!(text.ends_with('.') && text.len() > 10, "{cause}: {text}");
            }
            assert!(
                !explanation.in_short.ends_with('.') && explanation.in_short.len() < 100,
                "{cause}"
            );
            assert!(!explanation.what_to_do.is_empty(), "{cause}");
        }
    }

    #[test]
    fn no_two_causes_share_a_text() {
        for cause in Cause::ALL {
            let same = Cause::ALL
                .iter()
                .filter(|other| explain(**other).in_short == explain(*cause).in_short);
            assert_eq!(same.count(), 1, "{cause}");
        }
    }

    #[test]
    fn no_text_has_a_gap_from_a_broken_line() {
        for cause in Cause::ALL {
            let texts = explain(*cause);
            let lists = texts.what_to_do.iter().chain(texts.what_not_to_do).copied();
            for text in [texts.in_short, texts.meaning, texts.how_told, texts.looks_like]
                .into_iter()
                .chain(lists)
            {
                assert!(!text.contains("  ") && !text.contains('\n'), "{cause}: {text}");
            }
        }
    }

    #[test]
    fn no_finding_is_called_as_a_verdict_is() {
        for kind in FindingKind::ALL {
            assert!(kind.label().parse::<Cause>().is_err() && kind.label().parse::<Class>().is_err());
        }
    }

    #[test]
    fn a_topic_is_a_class_a_pair_or_a_cause() {
        assert_eq!("refused".parse(), Ok(Topic::Class(Class::Refused)));
        assert_eq!("refused/no-listener".parse(), Ok(Topic::Cause(Cause::NoListener)));
        assert_eq!("no-listener".parse(), Ok(Topic::Cause(Cause::NoListener)));
        assert_eq!("path-loss".parse(), Ok(Topic::Finding(FindingKind::PathLoss)));
        assert!("filtered/no-listener".parse::<Topic>().is_err());
        assert!(
            "timeout"
                .parse::<Topic>()
                .unwrap_err()
                .to_string()
                .contains("filtered")
        );
    }
}
