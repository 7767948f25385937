//! What the connections of other programs of this host say of an endpoint.

use std::time::Duration;

use crate::diagnose::signs;
use crate::diagnose::{Finding, FindingKind};
use crate::evidence::sockets::State;
use crate::evidence::{Answer, Evidence, Look, OwnPorts, OwnSockets, OwnStuck, Question, ReplySays, Saw};

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
    let ours = ours(evidence);
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
    /// By a SYN-ACK.
    Answered,
    /// By a RST, or an ICMP error.
    Refused,
    Unanswered,
}

fn ours(evidence: &Evidence) -> Ours {
    let offered = |says: &ReplySays| matches!(says, ReplySays::SynAck(_));
    let mut shots = signs::shots(evidence, Question::Syn, true);
    if evidence.first_handshake().is_some()
        || shots.any(|(_, _, shot)| signs::delivered(shot).any(|reply| offered(&reply.says)))
    {
        return Ours::Answered;
    }
    let mut connects = signs::connects(evidence);
    let refused = connects.any(|(_, _, dial)| matches!(dial.answer, Answer::Rst | Answer::Icmp(_)));
    if refused { Ours::Refused } else { Ours::Unanswered }
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
        Ours::Refused => "ours was refused at once, as theirs will be when their SYN goes out again",
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
        Ours::Refused | Ours::Unanswered => "these fail together with new ones",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diagnose::{Cause, Confidence, diagnose};
    use crate::evidence::{Ability, Answer, Dial, Ending, Handshake, Mode, Observation, OwnSegments, Sight};

    /// A healthy port, beside what others have open.
    fn beside(own: OwnSockets, answer: Answer) -> Evidence {
        let endpoint = "192.0.2.2:5432".parse().unwrap();
        let at = |saw| Observation {
            at_s: Duration::ZERO,
            took_s: Duration::from_millis(1),
            saw,
        };
        Evidence {
            endpoint,
            started_unix_s: Duration::ZERO,
            slow_s: Duration::from_millis(250),
            timeout_s: Duration::from_secs(3),
            sight: Sight {
                mode: Mode::Connect,
                raw: Ability::Yes,
                echo: Ability::Yes,
                error_queue: Ability::Yes,
                reset_shape: Ability::Yes,
            },
            observations: vec![
                at(Saw::Connect(Dial {
                    to: endpoint,
                    from: None,
                    ttl: None,
                    syns: 1,
                    answer,
                })),
                at(Saw::OwnSockets(Look::Saw(own))),
            ],
        }
    }

    fn healthy() -> Answer {
        let moment = Some(Duration::from_millis(1));
        Answer::SynAck(Handshake {
            connect_s: Duration::from_micros(200),
            rtt_s: Some(Duration::from_micros(200)),
            retransmitted_syns: 0,
            segments_in: Some(1),
            timestamps: true,
            peer_window: None,
            segments: None,
            ending: Ending {
                fin_after_s: moment,
                fin_acknowledged_after_s: moment,
                fin_retransmissions: 0,
                peer_fin_after_s: None,
                reset: None,
                repeated_syn_acks: 0,
                watched_s: Duration::from_millis(1),
            },
        })
    }

    fn kinds(own: OwnSockets) -> Vec<FindingKind> {
        let found = of(&beside(own, healthy()));
        found.iter().map(|finding| finding.kind).collect()
    }

    fn in_state(state: State, number: u64) -> OwnSockets {
        OwnSockets {
            states: BTreeMap::from([(state, number)]),
            ..OwnSockets::default()
        }
    }

    fn stuck(sockets: u64, tries: u8) -> OwnStuck {
        OwnStuck {
            sockets,
            tries,
            ..OwnStuck::default()
        }
    }

    #[test]
    fn a_few_sockets_on_their_way_are_no_news() {
        assert_eq!(kinds(in_state(State::TimeWait, 99)), []);
        assert_eq!(kinds(in_state(State::TimeWait, 100)), [FindingKind::OwnTimeWait]);
        assert_eq!(kinds(in_state(State::CloseWait, 49)), []);
        assert_eq!(kinds(in_state(State::CloseWait, 50)), [FindingKind::OwnCloseWait]);
        assert_eq!(kinds(in_state(State::Established, 5000)), []);
        assert_eq!(kinds(in_state(State::SynSent, 5000)), []);
    }

    #[test]
    fn ten_old_close_waits_are_enough() {
        let with = |sockets| OwnSockets {
            close_wait_old: Some(stuck(sockets, 0)),
            ..in_state(State::CloseWait, 10)
        };
        assert_eq!(kinds(with(9)), []);
        assert_eq!(kinds(with(10)), [FindingKind::OwnCloseWait]);
    }

    #[test]
    fn one_syn_that_was_lost_once_is_no_news_and_two_are() {
        let with = |sockets, tries| OwnSockets {
            syn_sent_again: Some(stuck(sockets, tries)),
            ..in_state(State::SynSent, sockets)
        };
        assert_eq!(kinds(with(1, 1)), []);
        assert_eq!(kinds(with(2, 1)), [FindingKind::OwnSynSentStuck]);
        assert_eq!(kinds(with(1, 2)), [FindingKind::OwnSynSentStuck]);
    }

    #[test]
    fn ports_count_by_their_share() {
        let with = |taken, waiting| OwnSockets {
            ports: Some(OwnPorts {
                taken,
                waiting,
                of: 50,
            }),
            ..OwnSockets::default()
        };
        assert_eq!(kinds(with(39, 9)), []);
        assert_eq!(kinds(with(39, 10)), [FindingKind::OwnTimeWait]);
        assert_eq!(kinds(with(40, 0)), [FindingKind::OwnPortsNearlyExhausted]);
    }

    #[test]
    fn segments_count_by_their_number_and_share() {
        let with = |sent_again, sent| OwnSockets {
            segments: OwnSegments { sent, sent_again },
            ..OwnSockets::default()
        };
        assert_eq!(kinds(with(4, 4)), []);
        assert_eq!(kinds(with(5, 251)), []);
        assert_eq!(kinds(with(5, 250)), [FindingKind::OwnRetransmitting]);
    }

    #[test]
    fn an_open_port_is_only_likely_while_the_syns_of_others_go_unanswered() {
        let own = OwnSockets {
            syn_sent_again: Some(stuck(3, 2)),
            ..in_state(State::SynSent, 3)
        };
        let diagnosis = diagnose(&beside(own.clone(), healthy()));
        assert_eq!(
            (diagnosis.cause, diagnosis.confidence),
            (Cause::Healthy, Confidence::Likely)
        );
        assert_eq!(diagnosis.not_ruled_out, [Cause::Overloaded]);
        assert!(diagnosis.findings[0].says.contains("ours was answered"));
        let refused = diagnose(&beside(own, Answer::Rst));
        assert_eq!(refused.cause, Cause::NoListener);
        assert!(refused.findings[0].says.contains("ours was refused"));
    }

    #[test]
    fn a_rate_is_told_as_what_a_minute_of_waiting_comes_to() {
        assert_eq!(
            [per_second(100), per_second(982), per_second(12)],
            ["1.7", "16", "0.2"]
        );
    }
}
