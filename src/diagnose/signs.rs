//! Evidence reduced to signs: for each column of the hypothesis table, what answered, and how often nothing did.

use std::net::IpAddr;
use std::time::Duration;

use crate::evidence::{
    Answer, Counters, Dial, Ending, Evidence, Handshake, IcmpSays, Listener, LocalMeans, Look, Neighbour,
    NeighbourState, NextHop, Observation, Ping, ResetShape, Saw,
};

/// A column of the table: one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    /// What answers a SYN to the port.
    Syn,
    /// How a connection to the port ends.
    Ending,
    /// Whether the path itself is fast, when a SYN-ACK came late.
    PathTime,
    /// What answers a SYN to another port of the host.
    Control,
    /// What answers a ping.
    Echo,
    /// How far SYNs to the port get, compared with SYNs to another port.
    Sweep,
    /// Whether the next hop answers ARP or ND.
    Neighbour,
    /// Whether the kernel has a route.
    Route,
    /// The listening socket, when the address is our own.
    Listener,
    /// Whether our own host refuses to send.
    Egress,
    /// Whether our own host drops what it receives.
    Ingress,
}

/// What a column may show besides silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sign {
    /// A SYN-ACK to the first SYN, in time.
    SynAck,
    /// A SYN-ACK to the first SYN, over the threshold.
    LateSynAck,
    /// A SYN-ACK to a retransmitted SYN: the first one was lost.
    AfterLostSyn,
    /// A SYN-ACK after a retransmission, though it answers the first SYN.
    AfterLostSynAck,
    /// A SYN-ACK after a retransmission, no telling which was lost.
    AfterLoss,
    Rst,
    Icmp(IcmpSays),
    /// Our own kernel reports the host unreachable: the neighbour did not answer.
    OwnHostUnreachable,
    Local(LocalMeans),

    /// The peer's kernel acknowledged our FIN: it knows the connection.
    FinAcknowledged,
    /// Our FIN was not acknowledged, but we did not wait long enough to say that it is ignored.
    FinPending,
    /// Our FIN is ignored again and again.
    FinIgnored,
    /// Our FIN is ignored, and the SYN-ACK comes again.
    SynAckRepeated,
    /// A RST without the ACK flag.
    BareReset,
    /// A RST with the ACK flag.
    AbortReset,
    /// A RST whose flags could not be seen.
    AnyReset,

    PathFast,
    PathSlow,

    /// The host itself answered.
    HostAnswers,
    /// Somebody on the way answered with an ICMP error.
    PathRefuses,

    /// SYNs to the port die before a hop that SYNs to another port reach.
    DiesEarlier,
    /// SYNs to the port get as far as SYNs to another port.
    GetsAsFar,

    Unresolved,
    Resolved,

    HasRoute,
    NoRoute,

    /// The queue is over its limit and the socket dropped packets while we probed.
    QueueFullAndDropping,
    QueueFull,
    QueueNotFull,
    NoListener,

    /// Every SYN that our kernel retransmitted was refused by our own host.
    SendsFail,
    SendsWork,

    /// As many packets as we expected answers were received and not delivered.
    NotDelivered,
    Delivered,
}

/// What one column shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) column: Column,
    /// Each answer with the observation that holds it.
    pub(super) answers: Vec<(Sign, usize)>,
    /// Observations in which nothing came back.
    pub(super) silent: Vec<usize>,
    /// How many packets went unanswered in all.
    pub(super) unanswered: u32,
}

impl Reading {
    fn new(column: Column) -> Self {
        Self {
            column,
            answers: Vec::new(),
            silent: Vec::new(),
            unanswered: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.silent.is_empty()
    }

    pub(super) fn has(&self, sign: Sign) -> bool {
        self.answers.iter().any(|(seen, _)| *seen == sign)
    }

    pub(super) fn all_silent(&self) -> bool {
        self.answers.is_empty() && !self.silent.is_empty()
    }

    /// The observations behind this reading.
    pub(super) fn observations(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self
            .answers
            .iter()
            .map(|(_, index)| *index)
            .chain(self.silent.clone())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// All columns that this run has looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signs {
    readings: Vec<Reading>,
    /// The share of packets that the path loses, estimated from what the host surely answers.
    pub(super) loss: f64,
}

impl Signs {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let readings: Vec<Reading> = [
            syn(evidence),
            ending(evidence),
            path_time(evidence),
            control(evidence),
            echo(evidence),
            sweep(evidence),
            neighbour(evidence),
            route(evidence),
            listener(evidence),
            egress(evidence),
            ingress(evidence),
        ]
        .into_iter()
        .filter(|reading| !reading.is_empty())
        .collect();
        let loss = loss(&readings);
        Self { readings, loss }
    }

    pub(super) fn column(&self, column: Column) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.column == column)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }
}

/// Laplace's estimate over what the host answers elsewhere, with a few per cent assumed before anything was seen.
fn loss(readings: &[Reading]) -> f64 {
    let (mut answered, mut unanswered) = (0u32, 0u32);
    for reading in readings {
        if matches!(reading.column, Column::Control | Column::Echo) && reading.has(Sign::HostAnswers) {
            answered += u32::try_from(reading.answers.len()).unwrap_or(u32::MAX);
            unanswered += reading.unanswered;
        }
    }
    (f64::from(unanswered) + 0.5) / (f64::from(answered + unanswered) + 10.0)
}

fn observations(evidence: &Evidence) -> impl Iterator<Item = (usize, &Observation)> {
    evidence.observations.iter().enumerate()
}

pub(super) fn connects(evidence: &Evidence) -> impl Iterator<Item = (usize, &Observation, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Connect(dial) = &observation.saw else {
            return None;
        };
        Some((index, observation, dial))
    })
}

pub(super) fn controls(evidence: &Evidence) -> impl Iterator<Item = (usize, &Observation, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Control(dial) = &observation.saw else {
            return None;
        };
        Some((index, observation, dial))
    })
}

pub(super) fn hops(evidence: &Evidence) -> impl Iterator<Item = (usize, &Dial)> {
    observations(evidence).filter_map(|(index, observation)| {
        let Saw::Hop(dial) = &observation.saw else {
            return None;
        };
        Some((index, dial))
    })
}

/// How long a probe must have waited for its silence to count: three round trips of this path and 200 ms, and longer
/// than the slowest handshake of this port. A probe that was concluded before says nothing.
fn shortest_wait(evidence: &Evidence) -> Duration {
    let path = path_round_trip(evidence).map_or(Duration::ZERO, |(path, _)| path);
    let slowest = connects(evidence)
        .filter_map(|(_, _, dial)| dial.answer.syn_ack())
        .filter(|handshake| handshake.retransmitted_syns == 0)
        .map(|handshake| handshake.connect_s)
        .max()
        .unwrap_or_default();
    Duration::from_millis(200).max(3 * path).max(slowest + slowest / 2)
}

fn syn(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Syn);
    let shortest_wait = shortest_wait(evidence);
    for (index, observation, dial) in connects(evidence) {
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
    reading
}

fn handshake_sign(handshake: &Handshake, slow: Duration) -> Sign {
    if handshake.retransmitted_syns == 0 {
        return if handshake.connect_s > slow {
            Sign::LateSynAck
        } else {
            Sign::SynAck
        };
    }
    // A Linux server echoes the timestamp of the first SYN that it saw, so the kernel's round trip reaches back to
    // that SYN (facts: measured both ways). Without timestamps a second SYN-ACK tells as much.
    match handshake.rtt_s {
        Some(rtt) if handshake.timestamps && 2 * rtt < handshake.connect_s => Sign::AfterLostSyn,
        Some(_) if handshake.timestamps => Sign::AfterLostSynAck,
        _ if handshake.segments_in.is_some_and(|segments| segments >= 2) => Sign::AfterLostSynAck,
        _ => Sign::AfterLoss,
    }
}

fn ending(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Ending);
    for (index, _, dial) in connects(evidence) {
        if let Answer::SynAck(handshake) = &dial.answer {
            reading.answers.push((ending_sign(&handshake.ending), index));
        }
    }
    reading
}

fn ending_sign(ending: &Ending) -> Sign {
    if let Some(reset) = &ending.reset {
        return match reset.shape {
            // A FIN that was acknowledged proves that the server's kernel had the connection.
            _ if ending.fin_acknowledged_after_s.is_some() => Sign::AbortReset,
            ResetShape::Bare => Sign::BareReset,
            ResetShape::WithAck => Sign::AbortReset,
            ResetShape::Unknown => Sign::AnyReset,
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
fn path_time(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::PathTime);
    let late = connects(evidence)
        .filter_map(|(_, _, dial)| dial.answer.syn_ack())
        .filter(|handshake| handshake_sign(handshake, evidence.slow_s) == Sign::LateSynAck)
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

/// The shortest round trip that anything but a late handshake shows.
pub(super) fn path_round_trip(evidence: &Evidence) -> Option<(Duration, usize)> {
    observations(evidence)
        .filter_map(|(index, observation)| {
            let took = match &observation.saw {
                Saw::Control(dial) => match &dial.answer {
                    Answer::Rst => (dial.syns <= 1).then_some(observation.took_s),
                    Answer::SynAck(handshake) => (dial.syns <= 1).then_some(handshake.connect_s),
                    Answer::Icmp(_) | Answer::Local(_) | Answer::Silence => None,
                },
                Saw::Connect(dial) => match &dial.answer {
                    Answer::SynAck(handshake) => (handshake_sign(handshake, evidence.slow_s) == Sign::SynAck)
                        .then_some(handshake.connect_s),
                    Answer::Rst | Answer::Icmp(_) | Answer::Local(_) | Answer::Silence => None,
                },
                Saw::Echo(Ping::Reply) => Some(observation.took_s),
                _ => None,
            };
            Some((took?, index))
        })
        .min()
}

fn control(evidence: &Evidence) -> Reading {
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

fn echo(evidence: &Evidence) -> Reading {
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
fn sweep(evidence: &Evidence) -> Reading {
    const MISSING_TO_COUNT: usize = 2;
    let mut reading = Reading::new(Column::Sweep);
    let reached_by_control = farthest_answer(evidence, false);
    let Some(reached_by_control) = reached_by_control else {
        return reading;
    };
    let reached = farthest_answer(evidence, true).unwrap_or(0);
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
    } else if reached >= reached_by_control {
        let last = hops(evidence)
            .filter(|(_, dial)| is_about_port(evidence, dial))
            .last();
        reading
            .answers
            .extend(last.map(|(index, _)| (Sign::GetsAsFar, index)));
    }
    reading
}

fn is_about_port(evidence: &Evidence, dial: &Dial) -> bool {
    dial.to.port() == evidence.endpoint.port()
}

/// The largest TTL at which a hop on the way (not the host itself) answered.
fn farthest_answer(evidence: &Evidence, about_port: bool) -> Option<u8> {
    hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial) == about_port)
        .filter(
            |(_, dial)| matches!(&dial.answer, Answer::Icmp(error) if error.says == IcmpSays::TtlExceeded),
        )
        .filter_map(|(_, dial)| dial.ttl)
        .max()
}

/// The last hop on the way that answered a SYN to the port.
pub(super) fn last_hop(evidence: &Evidence) -> Option<(IpAddr, usize)> {
    hops(evidence)
        .filter(|(_, dial)| is_about_port(evidence, dial))
        .filter_map(|(index, dial)| match &dial.answer {
            Answer::Icmp(error) if error.says == IcmpSays::TtlExceeded => {
                Some((dial.ttl?, error.from?, index))
            }
            _ => None,
        })
        .max_by_key(|(ttl, _, _)| *ttl)
        .map(|(_, from, index)| (from, index))
}

fn neighbour(evidence: &Evidence) -> Reading {
    // Three requests a second apart are all that the kernel sends (mcast_solicit).
    const REQUESTS: u32 = 3;
    let mut reading = Reading::new(Column::Neighbour);
    let last = observations(evidence).filter_map(|(index, observation)| match &observation.saw {
        Saw::Neighbour(Look::Saw(neighbour)) => Some((index, neighbour)),
        _ => None,
    });
    if let Some((
        index,
        Neighbour {
            state,
            unanswered_requests,
            ..
        },
    )) = last.last()
    {
        let sign = match state {
            NeighbourState::Failed => Sign::Unresolved,
            NeighbourState::Incomplete if *unanswered_requests >= REQUESTS => Sign::Unresolved,
            NeighbourState::Incomplete => return reading,
            NeighbourState::Resolved => Sign::Resolved,
        };
        reading.answers.push((sign, index));
    }
    reading
}

fn route(evidence: &Evidence) -> Reading {
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

fn listener(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Listener);
    let looks = observations(evidence).filter_map(|(index, observation)| match &observation.saw {
        Saw::Listener(look) => Some((index, look)),
        _ => None,
    });
    if let Some((index, look)) = looks.last() {
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
    observations(evidence)
        .filter_map(|(index, observation)| match &observation.saw {
            Saw::Counters(Look::Saw(counters)) => Some((index, counters)),
            _ => None,
        })
        .last()
}

/// The counters are the whole namespace's, so a match counts only when it covers several of our own packets.
const PACKETS_TO_COUNT: u64 = 2;

/// When every retransmission of the whole namespace was refused, ours were.
fn egress(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Egress);
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

fn ingress(evidence: &Evidence) -> Reading {
    let mut reading = Reading::new(Column::Ingress);
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
    {
        reading.answers.push((Sign::NotDelivered, index));
    }
    reading
}
