//! What was seen, one line a thing, in the order of time; the same thing seen again is said once.

mod own;
mod raw;
mod size;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::evidence::hold::{Held, Holding};
use crate::evidence::{
    Answer, Dial, Ending, Evidence, Handshake, IcmpError, IcmpSays, Look, NeighbourState, NextHop,
    Observation, Ping, ResetShape, Saw,
};
use crate::report::hold;
use crate::report::human::{count, human_duration, list, wrap};
use crate::report::style::Style;

/// The lines of the timeline.
pub(super) fn lines(evidence: &Evidence, style: &Style) -> Vec<String> {
    let line = |(at, says): (Duration, String)| {
        wrap(
            &format!("    {:>7.3} s  ", at.as_secs_f64()),
            &says,
            style.width(),
        )
    };
    seen(evidence, style).into_iter().flat_map(line).collect()
}

/// When each thing was seen, and what it was.
pub(super) fn seen(evidence: &Evidence, style: &Style) -> Vec<(Duration, String)> {
    let mut groups: Vec<Vec<&Observation>> = Vec::new();
    let mut observations: Vec<&Observation> = evidence.observations.iter().collect();
    observations.sort_by_key(|observation| observation.at_s);
    for observation in observations {
        if !style.verbose() && is_dull(&observation.saw) {
            continue;
        }
        match groups
            .iter_mut()
            .find(|group| are_alike(&group[0].saw, &observation.saw, evidence.endpoint, style))
        {
            Some(group) => group.push(observation),
            None => groups.push(vec![observation]),
        }
    }
    groups.sort_by_key(|group| standing_for(group).at_s);
    let told = |group: &Vec<&Observation>| (standing_for(group).at_s, say(group, evidence.endpoint, style));
    groups.iter().map(told).collect()
}

/// What says nothing unless somebody looks for it.
fn is_dull(saw: &Saw) -> bool {
    match saw {
        Saw::Route(Look::Saw(route)) => route.next_hop != NextHop::Refused,
        Saw::Neighbour(Look::Saw(neighbour)) => neighbour.state == NeighbourState::Resolved,
        // Only an answer betrays a proxy.
        Saw::TtlOne(dial) => dial.answer == Answer::Silence,
        // The controls of other endpoints are but the ruler for what this one does not answer.
        Saw::Neighbour(Look::Nothing)
        | Saw::Listener(Look::Nothing)
        | Saw::Counters(Look::Nothing)
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_) => true,
        Saw::Counters(Look::Saw(counters)) => !own::may_be_ours(counters),
        Saw::Connect(_)
        | Saw::Control(_)
        | Saw::Hop(_)
        | Saw::Echo(_)
        | Saw::Raw(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. } => false,
    }
}

/// Whether two observations are told in one line: the same probe with the same outcome.
fn are_alike(one: &Saw, other: &Saw, endpoint: SocketAddr, style: &Style) -> bool {
    match (one, other) {
        (Saw::Hop(one), Saw::Hop(other)) => {
            let silent = one.answer == Answer::Silence && other.answer == Answer::Silence;
            one.to == other.to && (silent || !style.verbose())
        }
        (Saw::Connect(one), Saw::Connect(other)) | (Saw::Control(one), Saw::Control(other)) => {
            one.answer == other.answer
                && matches!(one.answer, Answer::Silence | Answer::Rst | Answer::Icmp(_))
        }
        (Saw::Echo(one), Saw::Echo(other)) => one == other,
        (Saw::Raw(one), Saw::Raw(other)) => raw::are_alike(one, other, endpoint),
        (Saw::Size(one), Saw::Size(other)) => one.size == other.size && one.outcome == other.outcome,
        (Saw::Route(one), Saw::Route(other)) => one == other,
        (Saw::Neighbour(Look::Saw(one)), Saw::Neighbour(Look::Saw(other))) => one.address == other.address,
        (Saw::Neighbour(one), Saw::Neighbour(other)) => one == other,
        // Drops and overflows are counted from the first look on: the last look tells all.
        (Saw::Listener(Look::Saw(one)), Saw::Listener(Look::Saw(other))) => {
            (one.queue, one.limit) == (other.queue, other.limit)
        }
        (Saw::Listener(one), Saw::Listener(other)) => one == other,
        _ => false,
    }
}

/// The one of a group that is told: the first probe, but the last look at what only changes over time.
fn standing_for<'a>(group: &[&'a Observation]) -> &'a Observation {
    let (first, last) = (group[0], group[group.len() - 1]);
    match first.saw {
        Saw::Route(_) | Saw::Neighbour(_) | Saw::Listener(_) | Saw::Counters(_) => last,
        Saw::Connect(_)
        | Saw::Control(_)
        | Saw::Hop(_)
        | Saw::TtlOne(_)
        | Saw::Echo(_)
        | Saw::Raw(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. }
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_) => first,
    }
}

/// One line for observations that are alike.
fn say(group: &[&Observation], endpoint: SocketAddr, style: &Style) -> String {
    let host = endpoint.ip();
    let first = standing_for(group);
    let times = if group.len() == 1 {
        String::new()
    } else {
        format!(", {} times", group.len())
    };
    match &first.saw {
        Saw::Connect(dial) => tcp("SYN", dial, group),
        Saw::Control(dial) => tcp(&format!("SYN to {} (control)", ports(group)), dial, group),
        Saw::Hop(dial) => {
            let to = if dial.to == endpoint {
                String::new()
            } else {
                format!(" to port {} (control)", dial.to.port())
            };
            if style.verbose() {
                tcp(&format!("SYN with TTL {}{to}", ttls(group)), dial, group)
            } else {
                format!("hop by hop{to}: {}", hops(group, host))
            }
        }
        Saw::TtlOne(dial) => tcp("SYN with TTL 1", dial, group),
        Saw::Echo(ping) => format!("ping: {}{times}", echo(ping, host, first.took_s)),
        Saw::Raw(shot) => raw::say(shot, group, endpoint),
        Saw::OtherRejection(error) => format!("another port of this host: {}", icmp(error, host)),
        Saw::OtherControls(controls) => format!(
            "controls of other ports of this host: {} of {} answered",
            controls.answered,
            controls.answered + controls.unanswered
        ),
        Saw::Route(look) => format!("route: {}", own::looked(look, own::route)),
        Saw::Neighbour(look) => format!("next hop: {}", own::looked(look, own::neighbour)),
        Saw::Listener(look) => format!("listening socket: {}", own::looked(look, own::listener)),
        Saw::Counters(look) => format!(
            "counters of this host: {}",
            own::looked(look, |seen| own::counters(seen, style))
        ),
        Saw::Size(probe) => format!("{}{times}", size::say(probe)),
        Saw::Idle { holding } => format!("one more connection: {}", held(holding)),
        Saw::LinkMtu(look) => format!(
            "our own link takes {}",
            own::looked(look, |link| format!("{} bytes", link.mtu))
        ),
        Saw::OwnSockets(look) => format!(
            "connections of other programs of this host: {}",
            own::looked(look, own::sockets)
        ),
    }
}

/// What became of a connection that was left idle.
fn held(holding: &Holding) -> String {
    let held: Vec<&Held> = holding.held.iter().collect();
    let alike = held.chunk_by(|one, other| hold::fared_alike(one, other));
    list(&alike.map(hold::group).collect::<Vec<_>>())
}

fn tcp(subject: &str, dial: &Dial, group: &[&Observation]) -> String {
    let took = group
        .iter()
        .map(|observation| observation.took_s)
        .min()
        .unwrap_or_default();
    let answer = match &dial.answer {
        Answer::SynAck(handshake) => syn_ack(handshake),
        Answer::Rst => format!("RST after {}", human_duration(took)),
        Answer::Icmp(error) => format!("{} after {}", icmp(error, dial.to.ip()), human_duration(took)),
        Answer::Local(error) => return format!("{}() failed with {}", error.call, error.errno),
        Answer::Silence => return format!("{subject}: {}", silence(group)),
    };
    match group.len() {
        0 | 1 => format!("{subject}: {answer}"),
        times => format!("{subject}: {answer}, {times} times"),
    }
}

fn silence(group: &[&Observation]) -> String {
    let begin = group
        .iter()
        .map(|observation| observation.at_s)
        .min()
        .unwrap_or_default();
    let end = group
        .iter()
        .map(|observation| observation.at_s + observation.took_s)
        .max()
        .unwrap_or_default();
    let syns: u32 = group
        .iter()
        .filter_map(|observation| dial(&observation.saw))
        .map(|dial| dial.syns)
        .sum();
    let ports: BTreeSet<_> = group
        .iter()
        .filter_map(|observation| dial(&observation.saw)?.from)
        .map(|from| from.port())
        .collect();
    let from = if ports.len() > 1 {
        format!(" from {} source ports", ports.len())
    } else {
        String::new()
    };
    let syns = count(syns as usize, "SYN", "SYNs");
    format!(
        "no answer to {syns}{from} in {}",
        human_duration(end.saturating_sub(begin))
    )
}

/// `port 61001`, `ports 61001 and 61002`.
fn ports(group: &[&Observation]) -> String {
    let ports: BTreeSet<u16> = group
        .iter()
        .filter_map(|observation| Some(dial(&observation.saw)?.to.port()))
        .collect();
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let noun = if ports.len() == 1 { "port" } else { "ports" };
    format!("{noun} {}", list(&ports))
}

fn ttls(group: &[&Observation]) -> String {
    let ttls = group.iter().filter_map(|observation| dial(&observation.saw)?.ttl);
    match (ttls.clone().min(), ttls.max()) {
        (Some(low), Some(high)) if low < high => format!("{low} to {high}"),
        (Some(only), _) => only.to_string(),
        (None, _) => "?".to_owned(),
    }
}

/// `1 10.0.1.1, 2 10.0.2.2, 3 to 4 no answer`; a hop that answered once has answered.
fn hops(group: &[&Observation], host: IpAddr) -> String {
    let mut answers: BTreeMap<u32, Option<String>> = BTreeMap::new();
    for dial in group.iter().filter_map(|observation| dial(&observation.saw)) {
        let answer = match &dial.answer {
            Answer::SynAck(_) => Some("SYN-ACK".to_owned()),
            Answer::Rst => Some("RST".to_owned()),
            Answer::Icmp(error) => Some(match error.from {
                Some(from) if error.says == IcmpSays::TtlExceeded => from.to_string(),
                _ => icmp(error, host),
            }),
            Answer::Local(error) => Some(error.errno.clone()),
            Answer::Silence => None,
        };
        let known = answers.entry(dial.ttl.map_or(0, u32::from)).or_default();
        *known = answer.or(known.take());
    }
    let answers: Vec<(u32, Option<String>)> = answers.into_iter().collect();
    let hops = answers.chunk_by(|one, other| one.1.is_none() && other.1.is_none());
    let hops: Vec<String> = hops
        .filter_map(|alike| {
            let (first, answer) = alike.first()?;
            let (last, _) = alike.last()?;
            let range = if first == last {
                first.to_string()
            } else {
                format!("{first} to {last}")
            };
            Some(format!("{range} {}", answer.as_deref().unwrap_or("no answer")))
        })
        .collect();
    hops.join(", ")
}

fn dial(saw: &Saw) -> Option<&Dial> {
    match saw {
        Saw::Connect(dial) | Saw::Control(dial) | Saw::Hop(dial) | Saw::TtlOne(dial) => Some(dial),
        Saw::Echo(_)
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
    }
}

fn syn_ack(handshake: &Handshake) -> String {
    let again = match handshake.retransmitted_syns {
        0 => String::new(),
        again => format!(
            " and {}",
            count(again as usize, "retransmission", "retransmissions")
        ),
    };
    let answer = format!("SYN-ACK after {}{again}", human_duration(handshake.connect_s));
    let told = ending(&handshake.ending).filter(|_| !was_cut_short(handshake));
    std::iter::once(answer).chain(told).collect::<Vec<_>>().join(", ")
}

/// Whether nobody waited for the answer to our FIN, which then says nothing.
fn was_cut_short(handshake: &Handshake) -> bool {
    let ending = &handshake.ending;
    let waited = ending
        .fin_after_s
        .map(|sent| ending.watched_s.saturating_sub(sent));
    let has_ended = ending.fin_acknowledged_after_s.is_some()
        || ending.reset.is_some()
        || ending.peer_fin_after_s.is_some()
        || ending.repeated_syn_acks > 0
        || ending.fin_retransmissions > 0;
    !has_ended && waited.is_some_and(|waited| waited < handshake.connect_s)
}

fn ending(ending: &Ending) -> impl Iterator<Item = String> {
    let peer_fin = ending
        .peer_fin_after_s
        .map(|after| format!("the peer's FIN after {}", human_duration(after)));
    let reset = ending.reset.as_ref().map(|reset| {
        let shape = match reset.shape {
            ResetShape::Bare => "a bare RST",
            ResetShape::WithAck => "RST with ACK",
            ResetShape::Unknown => "RST",
        };
        format!("{shape} after {}", human_duration(reset.after_s))
    });
    let our_fin = match (ending.fin_after_s, ending.fin_acknowledged_after_s) {
        (Some(sent), Some(acknowledged)) => Some(format!(
            "our FIN acknowledged in {}",
            human_duration(acknowledged.saturating_sub(sent))
        )),
        (Some(sent), None) if ending.reset.is_none() => Some(format!(
            "our FIN unacknowledged for {} ({})",
            human_duration(ending.watched_s.saturating_sub(sent)),
            count(
                ending.fin_retransmissions as usize,
                "retransmission",
                "retransmissions"
            )
        )),
        _ => None,
    };
    let repeated = (ending.repeated_syn_acks > 0).then(|| {
        count(
            ending.repeated_syn_acks as usize,
            "repeated SYN-ACK",
            "repeated SYN-ACKs",
        )
    });
    [peer_fin, reset, our_fin, repeated].into_iter().flatten()
}

/// `ICMP 3/13 (admin prohibited) from 10.0.0.1`.
pub(super) fn icmp(error: &IcmpError, host: IpAddr) -> String {
    let protocol = if host.is_ipv4() { "ICMP" } else { "ICMPv6" };
    let says = match error.says {
        IcmpSays::PortUnreachable => " (port unreachable)",
        IcmpSays::AdminProhibited => " (admin prohibited)",
        IcmpSays::HostProhibited => " (host prohibited)",
        IcmpSays::NetProhibited => " (network prohibited)",
        IcmpSays::HostUnreachable => " (host unreachable)",
        IcmpSays::NetUnreachable => " (network unreachable)",
        IcmpSays::TtlExceeded => " (TTL exceeded)",
        IcmpSays::ReassemblyTimeExceeded => " (reassembly time exceeded)",
        IcmpSays::Other => "",
    };
    let from = match (error.from, error.from_self) {
        (Some(from), true) => format!(" from {from} (our own)"),
        (Some(from), false) => format!(" from {from}"),
        (None, _) => String::new(),
    };
    format!("{protocol} {}/{}{says}{from}", error.icmp_type, error.code)
}

fn echo(ping: &Ping, host: IpAddr, took: Duration) -> String {
    match ping {
        Ping::Reply => format!("reply after {}", human_duration(took)),
        Ping::Icmp(error) => format!("{} after {}", icmp(error, host), human_duration(took)),
        Ping::Silence => format!("no reply in {}", human_duration(took)),
        Ping::CouldNot { why } => format!("could not ask ({why})"),
    }
}
