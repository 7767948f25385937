//! What the evidence holds, picked out by probe.

use std::net::IpAddr;
use std::time::Duration;

use super::Sign;
use super::handshake::handshake_sign;
use crate::evidence::{Answer, Dial, Evidence, IcmpSays, Observation, Ping, Saw};

/// Every observation with its index.
pub(super) fn observations(evidence: &Evidence) -> impl DoubleEndedIterator<Item = (usize, &Observation)> {
    evidence.observations.iter().enumerate()
}

/// Connections to the port.
pub(in crate::diagnose) fn connects(
    evidence: &Evidence,
) -> impl Iterator<Item = (usize, &Observation, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Connect(dial) = &observation.saw else {
            return None;
        };
        Some((index, observation, dial))
    })
}

/// Connections to other ports of the host.
pub(in crate::diagnose) fn controls(
    evidence: &Evidence,
) -> impl Iterator<Item = (usize, &Observation, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Control(dial) = &observation.saw else {
            return None;
        };
        Some((index, observation, dial))
    })
}

/// Every SYN that met its fate at the port: connections to it, and SYNs of a sweep that got any other answer than that
/// their time to live was over. What a sweep meets is said of the port as well, and ICMP errors are rare enough.
pub(in crate::diagnose) fn to_port(
    evidence: &Evidence,
) -> impl Iterator<Item = (usize, &Observation, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| match &observation.saw {
        Saw::Connect(dial) => Some((index, observation, dial)),
        Saw::Hop(dial) if is_about_port(evidence, dial) && met_its_fate(dial) => {
            Some((index, observation, dial))
        }
        Saw::Hop(_)
        | Saw::Control(_)
        | Saw::TtlOne(_)
        | Saw::Echo(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_) => None,
    })
}

/// Whether a SYN with a limited life was answered by whoever it was for, or by somebody who will not let it through.
/// Within one hop that may be a proxy, which says nothing about the host.
pub(super) fn met_its_fate(dial: &Dial) -> bool {
    match &dial.answer {
        Answer::SynAck(_) | Answer::Rst => dial.ttl > Some(1),
        Answer::Icmp(error) => error.says != IcmpSays::TtlExceeded,
        Answer::Local(_) | Answer::Silence => false,
    }
}

/// SYNs of the sweeps.
pub(super) fn hops(evidence: &Evidence) -> impl Iterator<Item = (usize, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Hop(dial) = &observation.saw else {
            return None;
        };
        Some((index, dial))
    })
}

/// Whether a SYN went to the port in question, not to a control port.
pub(super) fn is_about_port(evidence: &Evidence, dial: &Dial) -> bool {
    dial.to.port() == evidence.endpoint.port()
}

/// The router that says that a SYN's time to live is over.
pub(super) fn router(dial: &Dial) -> Option<(u8, IpAddr)> {
    let error = dial
        .answer
        .icmp()
        .filter(|error| error.says == IcmpSays::TtlExceeded)?;
    Some((dial.ttl?, error.from?))
}

/// The last hop on the way that answered a SYN to the port.
pub(in crate::diagnose) fn last_hop(evidence: &Evidence) -> Option<(IpAddr, usize)> {
    hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial))
        .filter_map(|(index, dial)| router(dial).map(|(ttl, from)| (ttl, from, index)))
        .max_by_key(|(ttl, _, _)| *ttl)
        .map(|(_, from, index)| (from, index))
}

/// The shortest round trip that anything but a late handshake shows.
pub(in crate::diagnose) fn path_round_trip(evidence: &Evidence) -> Option<(Duration, usize)> {
    observations(evidence)
        .filter_map(|(index, observation)| Some((round_trip(evidence, observation)?, index)))
        .min()
}

fn round_trip(evidence: &Evidence, observation: &Observation) -> Option<Duration> {
    match &observation.saw {
        Saw::Control(dial) if dial.syns > 1 => None,
        Saw::Control(dial) => match &dial.answer {
            Answer::Rst => Some(observation.took_s),
            Answer::SynAck(handshake) => Some(handshake.connect_s),
            Answer::Icmp(_) | Answer::Local(_) | Answer::Silence => None,
        },
        Saw::Connect(dial) => {
            let handshake = dial.answer.syn_ack()?;
            (handshake_sign(handshake, evidence.slow_s) == Sign::SynAck).then_some(handshake.connect_s)
        }
        Saw::Echo(ping) => (*ping == Ping::Reply).then_some(observation.took_s),
        Saw::Hop(_)
        | Saw::TtlOne(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_) => None,
    }
}

/// How long a probe must have waited for its silence to count: three round trips of this path and 200 ms, and longer
/// than the slowest handshake of this port. A probe that was concluded before says nothing.
pub(in crate::diagnose) fn shortest_wait(evidence: &Evidence) -> Duration {
    let path = path_round_trip(evidence).map_or(Duration::ZERO, |(path, _)| path);
    let slowest = connects(evidence)
        .filter_map(|(_, _, dial)| dial.answer.syn_ack())
        .filter(|handshake| handshake.retransmitted_syns == 0)
        .map(|handshake| handshake.connect_s)
        .max()
        .unwrap_or_default();
    Duration::from_millis(200)
        .max(3 * path)
        .max(slowest + slowest / 2)
}
