//! Our own host: neighbour, route, listening socket, counters.

use super::raw::{send_refused, sent_syns, stopped_by_us};
use super::select::observations;
use super::{Column, Reading, Sign};
use crate::evidence::{Counters, Evidence, Listener, Look, Neighbour, NeighbourState, NextHop, Saw};

pub(super) fn neighbour(evidence: &Evidence) -> Reading {
    // Three requests a second apart are all that the kernel sends (mcast_solicit).
    const REQUESTS: u32 = 3;
    let mut reading = Reading::new(Column::Neighbour);
    let last = observations(evidence).rev().find_map(|(index, observation)| {
        let Saw::Neighbour(Look::Saw(neighbour)) = &observation.saw else {
            return None;
        };
        Some((index, neighbour))
    });
    if let Some((
        index,
        Neighbour {
            state,
            unanswered_requests,
            ..
        },
    )) = last
    {
        let sign = match state {
            NeighbourState::Failed => Sign::Unresolved,
            NeighbourState::Incomplete if *unanswered_requests >= REQUESTS => Sign::Unresolved,
            // The first one may still be answered.
            NeighbourState::Incomplete if *unanswered_requests < 2 => return reading,
            NeighbourState::Incomplete => Sign::StillAsked,
            NeighbourState::Resolved => Sign::Resolved,
        };
        reading.answers.push((sign, index));
    }
    reading
}

pub(super) fn route(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Route);
    for (index, observation) in observations(evidence) {
        let Saw::Route(look) = &observation.saw else {
            continue;
        };
        let sign = match look {
            Look::Saw(route) if route.next_hop == NextHop::Refused => Sign::NoRoute,
            Look::Saw(_) => Sign::HasRoute,
            Look::Nothing => Sign::NoRoute,
            Look::CouldNot { .. } => continue,
        };
        reading.answers.push((sign, index));
    }
    reading
}

pub(super) fn listener(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Listener);
    let last = observations(evidence).rev().find_map(|(index, observation)| {
        let Saw::Listener(look) = &observation.saw else {
            return None;
        };
        Some((index, look))
    });
    if let Some((index, look)) = last {
        let sign = match look {
            Look::Saw(Listener {
                queue,
                limit,
                drops,
                overflows,
            }) if queue > limit => {
                if *drops > 0 || overflows.is_some_and(|overflows| overflows > 0) {
                    Sign::QueueFullAndDropping
                } else {
                    Sign::QueueFull
                }
            }
            Look::Saw(_) => Sign::QueueNotFull,
            Look::Nothing => Sign::NoListener,
            Look::CouldNot { .. } => return reading,
        };
        reading.answers.push((sign, index));
    }
    reading
}

fn counters(evidence: &Evidence) -> Option<(usize, &Counters)> {
    observations(evidence).rev().find_map(|(index, observation)| {
        let Saw::Counters(Look::Saw(counters)) = &observation.saw else {
            return None;
        };
        Some((index, counters))
    })
}

/// The counters are the whole namespace's, so a match counts only when it covers several of our own packets.
const PACKETS_TO_COUNT: u64 = 2;

/// A SYN-ACK and its repetitions, and the answers to the controls and pings that are sent beside each SYN. Where more
/// than that is dropped, it is other traffic, and ours need not be part of it.
const MOST_A_SYN: u64 = 4;

/// When every retransmission of the whole namespace was refused, ours were.
pub(super) fn egress(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Egress);
    reading
        .answers
        .extend(send_refused(evidence).map(|index| (Sign::SendRefused, index)));
    if !reading.is_empty() {
        return reading;
    }
    let Some((index, counters)) = counters(evidence) else {
        return reading;
    };
    let Some(failed) = counters.retransmissions_failed else {
        return reading;
    };
    if counters.our_retransmissions == 0 {
        return reading;
    }
    if failed == 0 {
        reading.answers.push((Sign::SendsWork, index));
    } else if failed >= PACKETS_TO_COUNT
        && failed >= counters.our_retransmissions
        && counters.retransmissions.is_some_and(|all| all <= failed)
    {
        reading.answers.push((Sign::SendsFail, index));
    }
    reading
}

pub(super) fn ingress(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Ingress);
    reading
        .answers
        .extend(stopped_by_us(evidence).map(|index| (Sign::StoppedByUs, index)));
    if reading.is_empty() {
        // What listens on the interface has heard nothing that was kept from us; the counters are everybody's.
        reading
            .answers
            .extend(sent_syns(evidence).map(|index| (Sign::Delivered, index)));
    }
    if !reading.is_empty() {
        return reading;
    }
    let Some((index, counters)) = counters(evidence) else {
        return reading;
    };
    let Some(lost) = counters.received_not_delivered else {
        return reading;
    };
    if lost == 0 {
        reading.answers.push((Sign::Delivered, index));
    } else if counters.alongside == 0
        && counters.our_unanswered_syns >= PACKETS_TO_COUNT
        && lost >= counters.our_unanswered_syns
        && lost <= MOST_A_SYN * counters.our_unanswered_syns
    {
        reading.answers.push((Sign::NotDelivered, index));
    }
    reading
}
