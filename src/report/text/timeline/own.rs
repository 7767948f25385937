//! What our own host says, in a clause each.

use crate::evidence::{Counters, Listener, Look, Neighbour, NeighbourState, NextHop, OwnSockets, Route};
use crate::report::human::{count, list};
use crate::report::style::Style;

pub(super) fn looked<T>(look: &Look<T>, say: impl Fn(&T) -> String) -> String {
    match look {
        Look::Saw(seen) => say(seen),
        Look::Nothing => "none".to_owned(),
        Look::CouldNot { why } => format!("could not look ({why})"),
    }
}

pub(super) fn route(route: &Route) -> String {
    let next_hop = match route.next_hop {
        NextHop::Local => "our own address".to_owned(),
        NextHop::OnLink => "on our own link".to_owned(),
        NextHop::Gateway(gateway) => format!("via {gateway}"),
        NextHop::Refused => "a blackhole, unreachable or prohibit route".to_owned(),
    };
    let interface = route
        .interface
        .as_ref()
        .map(|interface| format!("dev {interface}"));
    let source = route.source.map(|source| format!("src {source}"));
    [Some(next_hop), interface, source]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

pub(super) fn neighbour(neighbour: &Neighbour) -> String {
    let asked = count(neighbour.unanswered_requests as usize, "request", "requests");
    match neighbour.state {
        NeighbourState::Resolved => format!("{} has answered ARP or ND", neighbour.address),
        NeighbourState::Incomplete => format!("{} has not answered {asked} yet", neighbour.address),
        NeighbourState::Failed => format!("{} did not answer ARP or ND", neighbour.address),
    }
}

pub(super) fn listener(listener: &Listener) -> String {
    let full = if listener.queue > listener.limit {
        " (full)"
    } else {
        ""
    };
    let state = format!("{} waiting, backlog {}{full}", listener.queue, listener.limit);
    if listener.drops == 0 {
        return state;
    }
    format!(
        "{state}, {} dropped",
        count(listener.drops as usize, "packet", "packets")
    )
}

/// Whether packets of ours can be among those that the counters lost; a few strangers are in any run.
pub(super) fn may_be_ours(counters: &Counters) -> bool {
    fails_for_us(counters) || loses_ours(counters)
}

fn fails_for_us(counters: &Counters) -> bool {
    let ours = counters.our_retransmissions;
    ours > 0
        && counters
            .retransmissions_failed
            .is_some_and(|failed| failed >= ours)
}

fn loses_ours(counters: &Counters) -> bool {
    let ours = counters.our_unanswered_syns;
    ours > 0 && counters.received_not_delivered.is_some_and(|lost| lost >= ours)
}

pub(super) fn counters(counters: &Counters, style: &Style) -> String {
    let failed = counters
        .retransmissions_failed
        .filter(|failed| *failed > 0 && (style.verbose() || fails_for_us(counters)))
        .map(|failed| {
            let ours = count(
                as_usize(counters.our_retransmissions),
                "retransmitted SYN",
                "retransmitted SYNs",
            );
            format!("TCPRetransFail +{failed} for our {ours}")
        });
    let lost = counters
        .received_not_delivered
        .filter(|lost| *lost > 0 && (style.verbose() || loses_ours(counters)))
        .map(|lost| {
            let packets = count(as_usize(lost), "packet", "packets");
            let ours = count(
                as_usize(counters.our_unanswered_syns),
                "unanswered SYN",
                "unanswered SYNs",
            );
            format!("{packets} received but handed to no socket, for our {ours}")
        });
    let known: Vec<String> = failed.into_iter().chain(lost).collect();
    if known.is_empty() {
        "no packet failed to leave or was thrown away".to_owned()
    } else {
        known.join(", ")
    }
}

/// `982 time-wait, 3 syn-sent`.
pub(super) fn sockets(own: &OwnSockets) -> String {
    let states: Vec<String> = own
        .states
        .iter()
        .map(|(state, number)| format!("{number} {}", state.label()))
        .collect();
    list(&states)
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
