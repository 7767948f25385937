//! The port itself: what answers a SYN, how a connection ends, and whether the path or the host is slow.

use std::time::Duration;

use super::handshake::handshake_sign;
use super::raw::{delivered, is_silent, shots};
use super::select::{connects, path_round_trip, shortest_wait, to_port};
use super::{Column, Reading, Sign};
use crate::evidence::{Answer, Ending, Evidence, IcmpSays, Question, Reply, ReplySays, ResetShape};

pub(super) fn syn(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Syn);
    let shortest_wait = shortest_wait(evidence);
    for (index, observation, dial) in to_port(evidence) {
        let sign = match &dial.answer {
            Answer::SynAck(handshake) => {
                reading.unanswered += handshake.retransmitted_syns;
                handshake_sign(handshake, evidence.slow_s)
            }
            Answer::Rst => Sign::Rst,
            Answer::Icmp(error) if error.from_self && error.says == IcmpSays::HostUnreachable => {
                Sign::OwnHostUnreachable
            }
            Answer::Icmp(error) => Sign::Icmp(error.says),
            Answer::Local(error) => Sign::Local(error.means),
            Answer::Silence if observation.took_s < shortest_wait => continue,
            Answer::Silence => {
                reading.silent.push(index);
                reading.unanswered += dial.syns;
                continue;
            }
        };
        reading.answers.push((sign, index));
    }
    for (index, observation, shot) in [Question::Syn, Question::HalfOpen]
        .into_iter()
        .flat_map(|question| shots(evidence, question, true))
    {
        let before = reading.answers.len();
        let signs = delivered(shot).filter_map(|reply| raw_sign(shot.question, reply, evidence.slow_s));
        reading.answers.extend(signs.map(|sign| (sign, index)));
        let answered = reading.answers.len() > before;
        let holds_request = delivered(shot).any(|reply| {
            reply.says
                == ReplySays::Ack {
                    acknowledges_us: true,
                }
        });
        if !answered && (holds_request || is_silent(evidence, observation, shot)) {
            reading.silent.push(index);
            reading.unanswered += 1;
        }
    }
    reading
}

/// What a reply to a SYN of our own says. A RST or an ICMP error may as well answer the FIN that follows the SYN of a
/// half-open probe.
fn raw_sign(question: Question, reply: &Reply, slow: Duration) -> Option<Sign> {
    let is_plain = question == Question::Syn;
    match &reply.says {
        ReplySays::SynAck(_) if reply.after_s > slow => Some(Sign::LateSynAck),
        ReplySays::SynAck(_) => Some(Sign::SynAck),
        ReplySays::Rst { .. } if is_plain => Some(Sign::Rst),
        ReplySays::Icmp(error) if is_plain => Some(Sign::Icmp(error.says)),
        ReplySays::Rst { .. } | ReplySays::Icmp(_) | ReplySays::Ack { .. } => None,
    }
}

pub(super) fn ending(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Ending);
    for (index, _, dial) in connects(evidence) {
        if let Answer::SynAck(handshake) = &dial.answer {
            reading.answers.push((ending_sign(&handshake.ending), index));
        }
    }
    reading
}

/// Whether a RST is this peer's way to close a connection that it had accepted.
pub(in crate::diagnose) fn is_reset_at_close(ending: &Ending) -> bool {
    let is_after_fin = ending.reset.is_some() && ending.fin_acknowledged_after_s.is_some();
    is_after_fin || ending_sign(ending) == Sign::QuietThenReset
}

/// A peer that has kept a connection for so long has accepted it.
const LONG_ENOUGH: Duration = Duration::from_millis(200);

fn ending_sign(ending: &Ending) -> Sign {
    if let Some(reset) = &ending.reset {
        // A FIN that was acknowledged proves that the server's kernel had the connection.
        let known = ending.fin_acknowledged_after_s.is_some();
        let bare = reset.shape == ResetShape::Bare && !known;
        // After our FIN it may be how this peer closes; before, the peer would not have the connection.
        return match ending.fin_after_s.filter(|fin| *fin <= reset.after_s) {
            _ if bare => Sign::BareReset,
            Some(quiet) if quiet >= LONG_ENOUGH => Sign::QuietThenReset,
            Some(_) => Sign::ResetAtClose,
            None if reset.shape == ResetShape::Unknown => Sign::AnyReset,
            None => Sign::AbortReset,
        };
    }
    let ignored_long_enough = ending.watched_s > Duration::from_secs(1) && ending.fin_retransmissions >= 3;
    if ending.fin_acknowledged_after_s.is_some() {
        Sign::FinAcknowledged
    } else if ending.repeated_syn_acks > 0 {
        Sign::SynAckRepeated
    } else if ignored_long_enough {
        Sign::FinIgnored
    } else {
        Sign::FinPending
    }
}

/// Design: late when it took over three times, and 100 ms more than, the path's own round trip.
pub(super) fn path_time(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::PathTime);
    let late = connects(evidence)
        .filter_map(|(_, _, dial)| dial.answer.syn_ack())
        .filter(|handshake| {
            let sign = handshake_sign(handshake, evidence.slow_s);
            matches!(sign, Sign::LateSynAck | Sign::LateByTimeout)
        })
        .map(|handshake| handshake.connect_s)
        .min();
    let (Some(late), Some((path, index))) = (late, path_round_trip(evidence)) else {
        return reading;
    };
    let host_was_slow = late > 3 * path && late.saturating_sub(path) > Duration::from_millis(100);
    reading.answers.push((
        if host_was_slow {
            Sign::PathFast
        } else {
            Sign::PathSlow
        },
        index,
    ));
    reading
}
