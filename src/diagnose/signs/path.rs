//! The host and the way to it: other ports, echo, and how far SYNs get.

use std::net::IpAddr;
use std::time::Duration;

use super::raw::{delivered, is_silent, shots};
use super::select::{controls, hops, is_about_port, met_its_fate, observations, router, shortest_wait};
use super::{Column, Reading, Sign};
use crate::evidence::{Answer, Evidence, Ping, Question, ReplySays, Saw};

/// SYNs to another port of the host, by connect() or our own.
pub(super) fn control(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Control);
    let shortest_wait = shortest_wait(evidence);
    let mut by_tcp = false;
    for (index, observation, dial) in controls(evidence) {
        match &dial.answer {
            Answer::SynAck(_) | Answer::Rst => {
                by_tcp = true;
                reading.answers.push((Sign::HostAnswers, index));
            }
            Answer::Icmp(error) => reading.answers.push((icmp_sign(error.from, dial.to.ip()), index)),
            Answer::Local(_) => {}
            Answer::Silence if observation.took_s < shortest_wait => {}
            Answer::Silence => {
                reading.silent.push(index);
                reading.unanswered += dial.syns;
            }
        }
    }
    for (index, observation, shot) in shots(evidence, Question::Syn, false) {
        let sign = delivered(shot).find_map(|reply| match &reply.says {
            ReplySays::SynAck(_) | ReplySays::Rst { .. } => {
                by_tcp = true;
                Some(Sign::HostAnswers)
            }
            ReplySays::Icmp(error) => Some(icmp_sign(error.from, shot.to.ip())),
            ReplySays::Ack { .. } => None,
        });
        if let Some(sign) = sign {
            reading.answers.push((sign, index));
        } else if is_silent(evidence, observation, shot) {
            reading.silent.push(index);
            reading.unanswered += 1;
        }
    }
    // Who says no by ICMP alone does not do so every time: senders of ICMP errors limit their rate.
    if !reading.answers.is_empty() && !by_tcp {
        reading.silent.clear();
        reading.unanswered = 0;
    }
    // A SYN of the sweep that reached the host and was answered by it is an answer of the host as well.
    for (index, dial) in hops(evidence) {
        let is_answer = matches!(dial.answer, Answer::SynAck(_) | Answer::Rst);
        if is_answer && !is_about_port(evidence, dial.to) && met_its_fate(dial) {
            reading.answers.push((Sign::HostAnswers, index));
        }
    }
    reading
}

fn icmp_sign(from: Option<IpAddr>, host: IpAddr) -> Sign {
    if from == Some(host) {
        Sign::HostAnswers
    } else {
        Sign::PathRefuses
    }
}

/// Who rejects other endpoints of the host.
pub(in crate::diagnose) fn rejection_of_others(evidence: &Evidence) -> Option<IpAddr> {
    observations(evidence).find_map(|(_, observation)| {
        let Saw::OtherRejection(error) = &observation.saw else {
            return None;
        };
        error.from
    })
}

/// What rejects other endpoints of the host may reject this one too, and be over its limit of ICMP errors.
pub(super) fn others(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Others);
    for (index, observation) in observations(evidence) {
        if let Saw::OtherRejection(error) = &observation.saw {
            reading.answers.push((Sign::Icmp(error.says), index));
        }
    }
    reading
}

pub(super) fn echo(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Echo);
    let shortest_wait = shortest_wait(evidence);
    for (index, observation) in observations(evidence) {
        let Saw::Echo(ping) = &observation.saw else {
            continue;
        };
        match ping {
            Ping::Reply => reading.answers.push((Sign::HostAnswers, index)),
            Ping::Icmp(error) => reading
                .answers
                .push((icmp_sign(error.from, evidence.endpoint.ip()), index)),
            Ping::Silence if observation.took_s < shortest_wait => {}
            Ping::Silence => {
                reading.silent.push(index);
                reading.unanswered += 1;
            }
            Ping::CouldNot { .. } => {}
        }
    }
    reading
}

/// A missing ICMP error proves nothing by itself. It counts where the same hop answered for the other port, and only
/// when it was missing more than once: at two hops, or at one hop more than a second apart, since senders of ICMP errors
/// limit themselves to about one a second.
pub(super) fn sweep(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Sweep);
    let reached = farthest_answer(evidence, true).unwrap_or(0);
    let reached_by_control = farthest_answer(evidence, false).unwrap_or(0);
    let host_is_next = hops(evidence).any(|(_, dial)| {
        !is_about_port(evidence, dial.to)
            && dial.ttl == Some(reached.saturating_add(1))
            && matches!(dial.answer, Answer::Rst | Answer::SynAck(_))
    });
    if host_is_next || reached_by_control > 0 && reached >= reached_by_control {
        let last = hops(evidence)
            .filter(|(_, dial)| is_about_port(evidence, dial.to))
            .last();
        reading
            .answers
            .extend(last.map(|(index, _)| (Sign::GetsAsFar, index)));
        return reading;
    }
    let answers_control = |wanted: u8| {
        hops(evidence)
            .filter(|(_, dial)| !is_about_port(evidence, dial.to))
            .filter_map(|(_, dial)| router(dial))
            .any(|(ttl, _)| ttl == wanted)
    };
    let missing: Vec<(usize, u8, Duration)> = hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial.to) && dial.answer == Answer::Silence)
        .filter_map(|(index, dial)| Some((index, dial.ttl?, evidence.observations[index].at_s)))
        .filter(|(_, ttl, _)| *ttl > reached && answers_control(*ttl))
        .collect();
    if missing.len() < 2 {
        return reading;
    }
    let apart = |(_, ttl, at): &(usize, u8, Duration)| {
        missing
            .iter()
            .any(|(_, other, then)| other != ttl || at.abs_diff(*then) > ICMP_INTERVAL)
    };
    let sign = if missing.iter().any(apart) {
        Sign::DiesEarlier
    } else {
        Sign::SeemsToDieEarlier
    };
    reading
        .answers
        .extend(missing.iter().map(|(index, ..)| (sign, *index)));
    reading
}

/// How often a sender of ICMP errors sends one at least (Linux: `icmp_ratelimit`).
const ICMP_INTERVAL: Duration = Duration::from_secs(1);

/// The largest TTL at which a hop on the way (not the host itself) answered.
fn farthest_answer(evidence: &Evidence, about_port: bool) -> Option<u8> {
    hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial.to) == about_port)
        .filter_map(|(_, dial)| router(dial))
        .map(|(ttl, _)| ttl)
        .max()
}
