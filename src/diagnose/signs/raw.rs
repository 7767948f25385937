//! Raw probes: what answers segments that a connect() cannot send.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::select::{is_about_port, observations, shortest_wait};
use super::{Column, Reading, Sign};
use crate::evidence::{
    Evidence, IcmpSays, LocalMeans, Observation, Question, Reply, ReplySays, ResetShape, Saw, SeenAt, Shot,
    ShotOutcome,
};

/// Raw probes with one question, to the port or to a control port.
pub(in crate::diagnose) fn shots(
    evidence: &Evidence,
    question: Question,
    about_port: bool,
) -> impl Iterator<Item = (usize, &Observation, &Shot)> {
    observations(evidence).filter_map(move |(index, observation)| {
        let Saw::Raw(shot) = &observation.saw else {
            return None;
        };
        let is_asked = shot.question == question && is_about_port(evidence, shot.to) == about_port;
        is_asked.then_some((index, observation, shot))
    })
}

/// What came through our own firewall.
pub(in crate::diagnose) fn delivered(shot: &Shot) -> impl Iterator<Item = &Reply> {
    let replies = shot.replies().unwrap_or_default();
    replies.iter().filter(|reply| reply.seen == SeenAt::Socket)
}

/// Whether nothing came back although it was sent and long enough waited for.
pub(in crate::diagnose) fn is_silent(evidence: &Evidence, observation: &Observation, shot: &Shot) -> bool {
    shot.replies().is_some()
        && delivered(shot).next().is_none()
        && observation.took_s >= shortest_wait(evidence)
}

/// Does a bare ACK get a RST? Where it gets none on the control port either, its silence says nothing.
pub(super) fn ack(evidence: &Evidence) -> Reading {
    let reading = resets(evidence, Column::Ack, Question::Ack, true);
    calibrated(reading, &control_ack(evidence))
}

pub(super) fn control_ack(evidence: &Evidence) -> Reading {
    resets(evidence, Column::ControlAck, Question::Ack, false)
}

/// Does a bare FIN get a RST? The same holds for its silence.
pub(super) fn fin(evidence: &Evidence) -> Reading {
    let reading = resets(evidence, Column::Fin, Question::Fin, true);
    calibrated(reading, &resets(evidence, Column::Fin, Question::Fin, false))
}

/// Does the server hold a request for our SYN?
pub(super) fn half_open(evidence: &Evidence) -> Reading {
    answers(
        evidence,
        Column::HalfOpen,
        Question::HalfOpen,
        true,
        |says| match says {
            ReplySays::Ack {
                acknowledges_us: true,
            } => Some(Sign::HoldsRequest),
            ReplySays::Rst { .. } => Some(Sign::Rst),
            ReplySays::SynAck(_) => Some(Sign::SynAck),
            ReplySays::Icmp(_) => Some(Sign::PathRefuses),
            ReplySays::Ack {
                acknowledges_us: false,
            } => None,
        },
    )
}

/// Does a SYN reach a connection that the host has? It answers with an ACK (RFC 9293, 3.10.7.4), or with the SYN-ACK
/// again where the handshake was never finished.
pub(super) fn challenge(evidence: &Evidence) -> Reading {
    let mut reading = answers(
        evidence,
        Column::Challenge,
        Question::Challenge,
        true,
        |says| match says {
            ReplySays::Ack { .. } | ReplySays::SynAck(_) => Some(Sign::SynReachesHost),
            ReplySays::Rst { .. } | ReplySays::Icmp(_) => None,
        },
    );
    // It is asked once, on a connection that is there: its silence is an answer.
    reading.unanswered = 0;
    let ignored = std::mem::take(&mut reading.silent);
    reading
        .answers
        .extend(ignored.into_iter().map(|index| (Sign::ChallengeIgnored, index)));
    reading
}

/// Does the RST come from where the host's other answers come from?
pub(super) fn origin(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Origin);
    let of_host: BTreeSet<u8> = [Question::Syn, Question::Ack, Question::Fin]
        .into_iter()
        .flat_map(|question| shots(evidence, question, false))
        .flat_map(|(_, _, shot)| delivered(shot))
        .filter(|reply| matches!(reply.says, ReplySays::Rst { .. } | ReplySays::SynAck(_)))
        .filter_map(|reply| reply.hop_limit)
        .collect();
    for (index, _, shot) in shots(evidence, Question::Syn, true) {
        let accepts = delivered(shot).any(|reply| matches!(reply.says, ReplySays::SynAck(_)));
        let reset = delivered(shot).find(|reply| matches!(reply.says, ReplySays::Rst { .. }));
        let sign = match reset.and_then(|reply| reply.hop_limit) {
            Some(_) if accepts => Sign::AnswersContradict,
            Some(hop_limit) if of_host.contains(&hop_limit) => Sign::SameDistance,
            Some(_) if !of_host.is_empty() => Sign::OtherDistance,
            Some(_) | None => continue,
        };
        reading.answers.push((sign, index));
    }
    reading
}

/// SYNs that our own firewall would not let out.
pub(super) fn send_refused(evidence: &Evidence) -> impl Iterator<Item = usize> {
    shots(evidence, Question::Syn, true).filter_map(|(index, _, shot)| match &shot.outcome {
        ShotOutcome::NotSent(error) if error.means == LocalMeans::Dropped => Some(index),
        ShotOutcome::NotSent(_) | ShotOutcome::Sent { .. } => None,
    })
}

/// The host that gave up waiting for the rest of a SYN whose first fragment we had sent: so that fragment, ports and all,
/// had reached the host.
pub(in crate::diagnose) fn gave_up_fragment(evidence: &Evidence) -> Option<(IpAddr, usize)> {
    let host = evidence.endpoint.ip();
    let gave_up = |reply: &Reply| {
        matches!(&reply.says, ReplySays::Icmp(error)
            if error.says == IcmpSays::ReassemblyTimeExceeded && error.from == Some(host))
    };
    shots(evidence, Question::FirstFragment, true)
        .find(|(_, _, shot)| delivered(shot).any(gave_up))
        .map(|(index, ..)| (host, index))
}

/// SYNs of our own to the port that left.
pub(super) fn sent_syns(evidence: &Evidence) -> impl Iterator<Item = usize> {
    shots(evidence, Question::Syn, true)
        .filter(|(_, _, shot)| shot.replies().is_some())
        .map(|(index, ..)| index)
}

/// Answers to a SYN that reached our interface and nothing above our own firewall.
pub(super) fn stopped_by_us(evidence: &Evidence) -> impl Iterator<Item = usize> {
    shots(evidence, Question::Syn, true).filter_map(|(index, _, shot)| {
        let seen_below = shot
            .replies()
            .unwrap_or_default()
            .iter()
            .any(|reply| reply.seen == SeenAt::InterfaceOnly);
        (seen_below && delivered(shot).next().is_none()).then_some(index)
    })
}

fn resets(evidence: &Evidence, column: Column, question: Question, about_port: bool) -> Reading {
    answers(evidence, column, question, about_port, |says| match says {
        ReplySays::Rst {
            shape: ResetShape::Bare | ResetShape::WithAck | ResetShape::Unknown,
        } => Some(Sign::Rst),
        ReplySays::Icmp(_) => Some(Sign::PathRefuses),
        ReplySays::SynAck(_) | ReplySays::Ack { .. } => None,
    })
}

/// What answers segments that belong to no connection. Our own firewall may drop such an answer for that very reason
/// (conntrack: invalid); for what it says of the host and of the path it is enough that it reached our interface.
fn answers(
    evidence: &Evidence,
    column: Column,
    question: Question,
    about_port: bool,
    sign: impl Fn(&ReplySays) -> Option<Sign>,
) -> Reading {
    let mut reading = Reading::new(column);
    for (index, observation, shot) in shots(evidence, question, about_port) {
        let replies = shot.replies().unwrap_or_default();
        if let Some(sign) = replies.iter().find_map(|reply| sign(&reply.says)) {
            reading.answers.push((sign, index));
        } else if replies.is_empty() && is_silent(evidence, observation, shot) {
            reading.silent.push(index);
            reading.unanswered += 1;
        }
    }
    reading
}

/// Silence counts only where the control port answers the same question.
fn calibrated(mut reading: Reading, control: &Reading) -> Reading {
    if !control.has(Sign::Rst) {
        reading.silent.clear();
        reading.unanswered = 0;
    }
    reading
}
