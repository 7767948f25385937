//! The host and the way to it: other ports, echo, and how far SYNs get.

use std::net::IpAddr;

use super::select::{controls, hops, is_about_port, observations, router, shortest_wait};
use super::{Column, Reading, Sign};
use crate::evidence::{Answer, Evidence, Ping, Saw};

pub(super) fn control(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Control);
    let shortest_wait = shortest_wait(evidence);
    for (index, observation, dial) in controls(evidence) {
        match &dial.answer {
            Answer::SynAck(_) | Answer::Rst => reading.answers.push((Sign::HostAnswers, index)),
            Answer::Icmp(error) => reading.answers.push((icmp_sign(error.from, dial.to.ip()), index)),
            Answer::Local(_) => {}
            Answer::Silence if observation.took_s < shortest_wait => {}
            Answer::Silence => {
                reading.silent.push(index);
                reading.unanswered += dial.syns;
            }
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

/// A missing ICMP error proves nothing by itself; it counts where the same hop answered for the other port, and only
/// when it was missing more than once.
pub(super) fn sweep(evidence: &Evidence) -> Reading {
    const MISSING_TO_COUNT: usize = 2;
    let mut reading = Reading::new(Column::Sweep);
    let reached = farthest_answer(evidence, true).unwrap_or(0);
    let reached_by_control = farthest_answer(evidence, false).unwrap_or(0);
    let host_is_next = hops(evidence).any(|(_, dial)| {
        !is_about_port(evidence, dial) && dial.ttl == Some(reached + 1) && dial.answer == Answer::Rst
    });
    let missing: Vec<usize> = hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial) && dial.answer == Answer::Silence)
        .filter(|(_, dial)| {
            dial.ttl
                .is_some_and(|ttl| ttl > reached && ttl <= reached_by_control)
        })
        .map(|(index, _)| index)
        .collect();
    if reached < reached_by_control && missing.len() >= MISSING_TO_COUNT {
        reading
            .answers
            .extend(missing.into_iter().map(|index| (Sign::DiesEarlier, index)));
    } else if host_is_next || reached_by_control > 0 && reached >= reached_by_control {
        let last = hops(evidence)
            .filter(|(_, dial)| is_about_port(evidence, dial))
            .last();
        reading
            .answers
            .extend(last.map(|(index, _)| (Sign::GetsAsFar, index)));
    }
    reading
}

/// The largest TTL at which a hop on the way (not the host itself) answered.
fn farthest_answer(evidence: &Evidence, about_port: bool) -> Option<u8> {
    hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial) == about_port)
        .filter_map(|(_, dial)| router(dial))
        .map(|(ttl, _)| ttl)
        .max()
}
