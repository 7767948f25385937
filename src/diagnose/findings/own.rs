//! What the connections of other programs of this host say of an endpoint.

use std::time::Duration;

use crate::diagnose::signs;
use crate::diagnose::{Finding, FindingKind};
use crate::evidence::sockets::State;
use crate::evidence::{Evidence, Look, OwnPorts, OwnSockets, OwnStuck, Question, ReplySays, Saw};

/// A SYN that is lost once is no news; two connections at once, or one that lost two, are.
const SYNS_SENT_AGAIN: u8 = 2;
const CONNECTIONS_STUCK: u64 = 2;
/// So many old ones are a leak, as `tcpprobe sockets` has it; so many of any age are worth a word.
const CLOSE_WAIT_OLD: u64 = 10;
const CLOSE_WAIT: u64 = 50;
/// Ports that wait: so many, or a fifth of the range. What one client leaves behind in a minute is less.
const TIME_WAIT: u64 = 100;
const TIME_WAIT_PERCENT: u32 = 20;
const FEW_PORTS: u32 = 10;
const PORTS_PERCENT: u32 = 80;
/// Segments sent again: so many, and so much of all.
const SENT_AGAIN: u64 = 5;
const SENT_AGAIN_PERCENT: u64 = 2;

pub(super) fn of(evidence: &Evidence) -> Vec<Finding> {
    let seen = evidence
        .observations
        .iter()
        .enumerate()
        .find_map(|(index, seen)| {
            if let Saw::OwnSockets(Look::Saw(own)) = &seen.saw {
                Some((index, own))
            } else {
                None
            }
        });
    let Some((index, own)) = seen else {
        return Vec::new();
    };
    let ours = if is_answered(evidence) {
        Ours::Answered
    } else {
        Ours::Unanswered
    };
    let said = [
        (FindingKind::OwnSynSentStuck, syn_sent(own, ours)),
        (FindingKind::OwnSendStalled, stalled(own, ours)),
        (FindingKind::OwnZeroWindow, zero_window(own)),
        (FindingKind::OwnRetransmitting, retransmitting(own)),
        (FindingKind::OwnCloseWait, close_wait(own)),
        (FindingKind::OwnPortsNearlyExhausted, ports(own)),
        (FindingKind::OwnTimeWait, time_wait(own)),
    ];
    let finding = |(kind, says): (FindingKind, Option<String>)| {
        Some(Finding {
            kind,
            says: says?,
            observations: vec![index],
        })
    };
    said.into_iter().filter_map(finding).collect()
}

/// How our own connection fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    Answered,
    Unanswered,
}

fn is_answered(evidence: &Evidence) -> bool {
    let offered = |says: &ReplySays| matches!(says, ReplySays::SynAck(_));
    evidence.first_handshake().is_some()
        || signs::shots(evidence, Question::Syn, true)
            .any(|(_, _, shot)| signs::delivered(shot).any(|reply| offered(&reply.says)))
}

fn syn_sent(own: &OwnSockets, ours: Ours) -> Option<String> {
    let stuck = own
        .syn_sent_again
        .filter(|stuck| stuck.sockets >= CONNECTIONS_STUCK || stuck.tries >= SYNS_SENT_AGAIN)?;
    let wait = plural(
        stuck.sockets,
        "connection of another program waits",
        "connections of other programs wait",
    );
    let tried = times(stuck.tries);
    let reading = match ours {
        Ours::Answered => {
            "ours was answered, so this port answers some SYNs and not others (loss, an accept queue at its brim, one path \
             of several), or it has only just come back"
        }
        Ours::Unanswered => "they fare as ours does",
    };
    Some(format!(
        "{wait} in SYN_SENT for this very address and port; the SYN of the most patient was sent again {tried}{}: {reading}",
        gives_up(stuck)
    ))
}

fn stalled(own: &OwnSockets, ours: Ours) -> Option<String> {
    let stuck = own.send_stalled?;
    let have = plural(stuck.sockets, "connection", "connections");
    let tried = times(stuck.tries);
    let reading = match ours {
        Ours::Answered => {
            "new connections work, so the host is there, and these have lost it: it has restarted, or a box on the way \
             has forgotten them or does not let their segments through"
        }
        Ours::Unanswered => "the host, or the way to it, is gone for them too",
    };
    Some(format!(
        "{have} of other programs to this very address and port sent the same segment again, {tried}, without an \
         acknowledgement{}: {reading}",
        gives_up(stuck)
    ))
}

fn zero_window(own: &OwnSockets) -> Option<String> {
    let stuck = own.zero_window?;
    let have = plural(stuck.sockets, "connection", "connections");
    Some(format!(
        "{have} of other programs to this very address and port may send nothing, since the peer's window is closed{}: \
         the peer accepts connections, and its program does not read what they bring",
        lasting(stuck)
    ))
}

fn retransmitting(own: &OwnSockets) -> Option<String> {
    let segments = own.segments;
    let is_much =
        segments.sent_again >= SENT_AGAIN && segments.sent_again * 100 >= segments.sent * SENT_AGAIN_PERCENT;
    is_much.then(|| {
        format!(
            "live connections of other programs to this very address and port had to send {} of {} segments again since \
             they were made: the path loses packets, or acknowledgements come late",
            segments.sent_again, segments.sent
        )
    })
}

fn close_wait(own: &OwnSockets) -> Option<String> {
    let all = own.of(State::CloseWait);
    let old = own.close_wait_old.filter(|old| old.sockets >= CLOSE_WAIT_OLD);
    if all < CLOSE_WAIT && old.is_none() {
        return None;
    }
    let are = plural(all, "connection is", "connections are");
    let since = old.map_or_else(String::new, |old| {
        format!(", {} of them for a minute and more{}", old.sockets, lasting(old))
    });
    Some(format!(
        "{are} in CLOSE_WAIT: this endpoint has closed them, and programs of this host do not{since}. That is not the \
         endpoint's doing; each holds a descriptor here until its program closes it"
    ))
}

fn time_wait(own: &OwnSockets) -> Option<String> {
    let waiting = own.of(State::TimeWait);
    let is_much_of_ports = own.ports.is_some_and(|ports| {
        ports.waiting >= FEW_PORTS && is_share(ports.waiting, ports.of, TIME_WAIT_PERCENT)
    });
    if waiting < TIME_WAIT && !is_much_of_ports {
        return None;
    }
    let share = own.ports.filter(|ports| ports.waiting > 0).map_or_else(
        || ", whose ports the kernel takes again after a second".to_owned(),
        |ports| {
            format!(
                ", and take {} of the {} ports towards it for a minute",
                ports.waiting, ports.of
            )
        },
    );
    Some(format!(
        "{waiting} connections to this very address and port are in TIME_WAIT{share}: programs of this host close as \
         often as they connect, about {} a second, instead of keeping connections",
        per_second(waiting)
    ))
}

fn ports(own: &OwnSockets) -> Option<String> {
    let OwnPorts { taken, waiting, of } = own
        .ports
        .filter(|ports| is_share(ports.taken, ports.of, PORTS_PERCENT))?;
    Some(format!(
        "{taken} of the {of} ports that one address of this host has for this endpoint are taken, {waiting} of them by \
         connections in TIME_WAIT: when none is left, connect() fails with EADDRNOTAVAIL"
    ))
}

fn is_share(part: u32, of: u32, percent: u32) -> bool {
    u64::from(part) * 100 >= u64::from(of) * u64::from(percent)
}

/// `TIME_WAIT` lasts for a minute.
fn per_second(waiting: u64) -> String {
    let tenths = (waiting * 10).div_ceil(60);
    if tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        (tenths / 10).to_string()
    }
}

fn gives_up(stuck: OwnStuck) -> String {
    stuck.gives_up_in_s.map_or_else(String::new, |left| {
        format!(" (the kernel gives the last of them up in {})", in_words(left))
    })
}

fn lasting(stuck: OwnStuck) -> String {
    stuck.longest_s.map_or_else(String::new, |longest| {
        format!(" (the longest for {})", in_words(longest))
    })
}

fn times(number: u8) -> String {
    if number == 1 {
        "once".to_owned()
    } else {
        format!("{number} times")
    }
}

fn plural(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
