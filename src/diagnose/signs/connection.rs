//! The port itself: what answers a SYN, how a connection ends, and whether the path or the host is slow.

use std::time::Duration;

use super::handshake::handshake_sign;
use super::raw::{delivered, is_silent, shots};
use super::select::{connects, path_round_trip, shortest_wait, to_port};
use super::{Column, Reading, Sign};
use crate::evidence::{
    Answer, Dial, Ending, Evidence, Handshake, IcmpSays, Question, Reply, ReplySays, ResetShape,
};

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
        // A half-open probe whose FIN was answered has not waited for its SYN-ACK.
        if reading.answers.len() == before && is_silent(evidence, observation, shot) {
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
            let sign = sign_of(evidence, dial, handshake);
            if matches!(sign, Sign::FinIgnored | Sign::SynAckRepeated) {
                // Each of them was lost, or else the peer does not have the connection.
                reading.unanswered += 1 + handshake.ending.fin_retransmissions;
            }
            reading.answers.push((sign, index));
        }
    }
    reading
}

/// How a connection ended. What came while our FIN waited is a repeated SYN-ACK only if it can be nothing else: not the
/// answer to a challenge on that connection, nor the second of two SYN-ACKs of which one answers a SYN that we had sent
/// again and the other is the server's own repetition.
fn sign_of(evidence: &Evidence, dial: &Dial, handshake: &Handshake) -> Sign {
    let challenged = shots(evidence, Question::Challenge, true)
        .any(|(_, _, shot)| shot.from.is_some() && shot.from == dial.from);
    let needed_timers =
        handshake.retransmitted_syns > 0 || handshake_sign(handshake, evidence.slow_s) == Sign::LateByTimeout;
    let others = if challenged {
        u32::MAX
    } else {
        u32::from(needed_timers)
    };
    ending_sign(&Ending {
        repeated_syn_acks: handshake.ending.repeated_syn_acks.saturating_sub(others),
        ..handshake.ending.clone()
    })
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
