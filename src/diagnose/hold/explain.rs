//! What every label of `tcpprobe hold` means: texts as data, the one home for `tcpprobe explain`, the report and `docs/hold.md`.

use super::HoldLabel;

/// What is worth saying of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldText {
    /// In one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The evidence it rests on, and what that cannot know.
    pub how_told: &'static str,
    /// What an experienced operator does, in this order.
    pub what_to_do: &'static [&'static str],
    /// Folklore that does not help here.
    pub what_not_to_do: &'static [&'static str],
}

/// The explanation of a label.
pub const fn explain_hold(label: HoldLabel) -> &'static HoldText {
    match label {
        HoldLabel::Healthy => &HEALTHY,
        HoldLabel::IdleDropped => &IDLE_DROPPED,
        HoldLabel::IdleReset => &IDLE_RESET,
        HoldLabel::IdleRejected => &IDLE_REJECTED,
        HoldLabel::PeerClosed => &PEER_CLOSED,
        HoldLabel::TargetLost => &TARGET_LOST,
        HoldLabel::NotOpen => &NOT_OPEN,
        HoldLabel::Undecided => &UNDECIDED,
    }
}

const HEALTHY: HoldText = HoldText {
    in_short: "an idle connection lived for as long as was asked",
    meaning: "Nothing between here and the peer forgot or closed a connection on which nobody said anything for that time.",
    how_told: "The peer's kernel answered a keepalive probe at the end of the idle time. Longer times were not looked at, and \
               where the peer itself sends keepalive probes the path was never silent: the report says so.",
    what_to_do: &[
        "If pools fail after a longer time than that, ask for it: `tcpprobe hold --max 1h ADDRESS:PORT`.",
        "If it is pods or other hosts that fail, ask from there: other paths have other boxes.",
    ],
    what_not_to_do: &[
        "Do not conclude that longer times are safe too: limits of 15 minutes, an hour and more are in use.",
    ],
};

const IDLE_DROPPED: HoldText = HoldText {
    in_short: "something forgets idle connections, and drops what comes later without a word",
    meaning: "A box that tracks connections (NAT, firewall, load balancer) has removed an entry on which nothing passed for its \
              time limit. It drops what comes later, since that belongs to no connection that it knows. Neither end is told: \
              both go on to believe in the connection.",
    how_told: "Connections that were idle for less answered a keepalive probe; those that were idle for longer answered \
               neither several probes nor our FIN, while new connections could be made. From outside, a peer that forgets \
               without a word looks the same.",
    what_to_do: &[
        "Turn keepalive on in the client, with a first probe (TCP_KEEPIDLE) after a third of the limit: that keeps the entry \
         alive, and notices a dead peer too. It costs a packet and its answer for each connection and interval.",
        "Or have the pool close what has been idle for less than the limit (its idle timeout, not its maximum lifetime).",
        "Bound what a write may hang with TCP_USER_TIMEOUT (30 s, for example), whatever else is done: it ends connections over \
         longer interruptions that they would have survived.",
        "Where the box is yours, a longer limit costs it memory for each connection that is merely idle.",
    ],
    what_not_to_do: &[
        "Do not lower tcp_keepalive_time and expect programs to follow that never set SO_KEEPALIVE.",
        "Do not lower tcp_retries2 for the whole host to cure one pool: every connection of the host then survives less.",
        "Do not raise the connect timeout: the connection was made long ago.",
    ],
};

const IDLE_RESET: HoldText = HoldText {
    in_short: "something forgets idle connections, and resets them",
    meaning: "A box or the peer has ended connections on which nothing passed for its time limit, and says so with a RST: by \
              itself when the time is over, or in answer to whatever comes next.",
    how_told: "A RST on connections that were idle for longer, none on those that were idle for less, while new connections \
               could be made. With raw packets the TTL tells a box on the way from the host.",
    what_to_do: &[
        "Turn keepalive on in the client, with a first probe (TCP_KEEPIDLE) after a third of the limit, or have the pool close \
         what has been idle for less than the limit.",
        "Let the client repeat what failed with ECONNRESET on a connection from the pool, if it may be done twice.",
    ],
    what_not_to_do: &[
        "Do not look for a crash of the server first: it may never have seen the end of the connection.",
    ],
};

const IDLE_REJECTED: HoldText = HoldText {
    in_short: "something forgets idle connections, and answers what comes later with an ICMP error",
    meaning: "A firewall has removed its entry for an idle connection, and rejects what belongs to none.",
    how_told: "The kernel reported an ICMP error for the FIN that followed keepalive probes; errors in answer to the probes \
               themselves it ignores (they are outside of the window). New connections could be made.",
    what_to_do: &[
        "Turn keepalive on in the client, with a first probe (TCP_KEEPIDLE) after a third of the limit, or have the pool close \
         what has been idle for less than the limit.",
    ],
    what_not_to_do: &[
        "Do not rely on the error to be told early: the kernel takes it for a hint, and a write may hang for as \
                      long as if nothing came.",
    ],
};

const PEER_CLOSED: HoldText = HoldText {
    in_short: "the peer closes idle connections in good order",
    meaning: "The server, or a proxy that speaks for it, closes a connection on which no request came for its time limit. Nothing \
              is wrong with that: a client that reads learns of it at once.",
    how_told: "The peer's FIN was seen, at the moment at which it came. Connections that were begun at different moments ended at \
               the same age, which a restart does not do.",
    what_to_do: &[
        "Let the pool close connections some seconds earlier than the server does, so that no request is on its way when the \
         FIN comes.",
        "Or give the server the longer time: it is a setting of its application, such as keepalive_timeout.",
        "Let the client repeat a request that met a closing connection, if it may be done twice.",
    ],
    what_not_to_do: &["Do not turn on TCP keepalive for this: the server counts requests, not probes."],
};

const TARGET_LOST: HoldText = HoldText {
    in_short: "new connections fail as well: the target went away, idle or not",
    meaning: "While connections were held, the host, its service or the path ended. What became of the idle connections says \
              nothing of how long they may be idle.",
    how_told: "A connection ended or fell silent, and one that was begun afterwards could not be made.",
    what_to_do: &["Look at the target itself: `tcpprobe ADDRESS:PORT`. Then ask again."],
    what_not_to_do: &["Do not take the time at which it happened for an idle limit."],
};

const NOT_OPEN: HoldText = HoldText {
    in_short: "no connection could be made",
    meaning: "Before connections can be idle there have to be some. The ordinary report says why there are none.",
    how_told: "The handshake did not succeed.",
    what_to_do: &["Follow the ordinary report, which comes with this one: `tcpprobe ADDRESS:PORT`."],
    what_not_to_do: &["Do not look for idle limits before connections can be made."],
};

const UNDECIDED: HoldText = HoldText {
    in_short: "what was seen is too little, or contradicts itself",
    meaning: "The run was ended early, the path lost too much, or connections did not agree: one lived for longer than another \
              that had died.",
    how_told: "By what is missing, or by the connections that contradict each other: the report names them.",
    what_to_do: &[
        "Ask again, and let it end: it says beforehand how long it takes at most.",
        "If connections contradict each other, ask several times: several boxes or paths with limits of their own look like \
         that, each connection going its own way.",
    ],
    what_not_to_do: &["Do not take the shortest time that failed for the limit."],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_says_what_it_is_how_it_is_told_and_what_to_do_and_not_to_do() {
        for label in HoldLabel::ALL {
            let text = explain_hold(*label);
            let prose = [text.meaning, text.how_told].into_iter();
            for prose in prose
                .chain(text.what_to_do.iter().copied())
                .chain(text.what_not_to_do.iter().copied())
            {
                assert!(prose.ends_with('.') && !prose.contains("  "), "{prose}");
            }
            assert!(
                !text.what_to_do.is_empty() && !text.what_not_to_do.is_empty(),
                "{label}"
            );
            assert!(
                !text.in_short.ends_with('.') && text.in_short.len() < 90,
                "{label}"
            );
        }
    }
}
