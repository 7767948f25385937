//! What the evidence holds, picked out by probe.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Sign;
use super::handshake::handshake_sign;
use super::raw::delivered;
use crate::evidence::{
    Answer, Dial, Evidence, IcmpError, IcmpSays, Observation, Ping, Question, ReplySays, Saw,
};

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
        Saw::Hop(dial) if is_about_port(evidence, dial.to) && met_its_fate(dial) => {
            Some((index, observation, dial))
        }
        Saw::Hop(_)
        | Saw::Control(_)
        | Saw::TtlOne(_)
        | Saw::Echo(_)
        | Saw::Raw(_)
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. } => None,
    })
}

/// ICMP errors that answered a SYN to the port, in the order in which they became known.
pub(in crate::diagnose) fn icmp_errors(evidence: &Evidence) -> impl Iterator<Item = &IcmpError> {
    (0..evidence.observations.len()).filter_map(|index| icmp_error(evidence, index))
}

/// The ICMP error that answered one SYN to the port.
pub(in crate::diagnose) fn icmp_error(evidence: &Evidence, index: usize) -> Option<&IcmpError> {
    if let Saw::Raw(shot) = &evidence.observations.get(index)?.saw {
        let is_syn = shot.question == Question::Syn && is_about_port(evidence, shot.to);
        return delivered(shot)
            .filter(|_| is_syn)
            .find_map(|reply| match &reply.says {
                ReplySays::Icmp(error) => Some(error),
                ReplySays::SynAck(_) | ReplySays::Rst { .. } | ReplySays::Ack { .. } => None,
            });
    }
    let (_, _, dial) = to_port(evidence).find(|(at, ..)| *at == index)?;
    dial.answer.icmp()
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

/// Whether a packet went to the port in question, not to a control port.
pub(in crate::diagnose) fn is_about_port(evidence: &Evidence, to: SocketAddr) -> bool {
    to.port() == evidence.endpoint.port()
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
        .filter(|(_, dial)| is_about_port(evidence, dial.to))
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
        Saw::Raw(shot) if is_about_port(evidence, shot.to) => None,
        Saw::Raw(shot) => delivered(shot).map(|reply| reply.after_s).min(),
        Saw::Hop(_)
        | Saw::TtlOne(_)
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. } => None,
    }
}

/// The least that a probe must have waited for its silence to count.
pub const SHORTEST_WAIT: Duration = Duration::from_millis(200);

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
    SHORTEST_WAIT.max(3 * path).max(slowest + slowest / 2)
}
