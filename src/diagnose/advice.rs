//! What to run next in this very case, with its own addresses, and without what was done already.

mod hang;
mod names;
mod place;
mod steps;

pub use hang::{default_client_hang, hangs_silently, rest_of_connect};
pub use names::advise_name;

use serde::{Deserialize, Serialize};

use super::{Cause, Diagnosis};
use crate::evidence::Evidence;
use place::Place;
use steps::{
    acceptor, addresses, ask_neighbour, audit, capture, conntrack, descriptors, drop_after, endpoints,
    ghosts, idle_limit, iptables_here, keepalive_here, kernel_log, listener_queue, locate, longer,
    loopback_link, neighbour, neighbour_at, other_listeners, overflows, own_sockets, pods, policies,
    port_range, port_use, proxy, refusing_route, repeat, reverse_path_filter, route, route_at, rules_at,
    rules_here, server_process, sizes, softirq, trace, unhurried, way_back, with_raw_probes,
};

/// One next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// What it is for, in a sentence.
    pub says: String,
    /// The command, ready to be pasted.
    pub command: Option<String>,
}

/// The next steps for an endpoint, the most telling first; none when there is nothing to find out.
#[expect(clippy::too_many_lines, reason = "one arm a cause")]
pub fn advise(evidence: &Evidence, diagnosis: &Diagnosis) -> Vec<Advice> {
    let place = &Place::of(evidence);
    let from_self = diagnosis.from.is_some_and(|from| place.is_ours(from));
    let sender = diagnosis
        .from
        .map_or_else(|| "the host that sends it".to_owned(), |from| from.to_string());
    let steps = match diagnosis.cause {
        Cause::Healthy => vec![proxy(place, diagnosis)],
        Cause::SynLost | Cause::Retransmitted => {
            let nat = (!place.is_local()).then(conntrack);
            vec![Some(repeat(place)), nat, Some(overflows(place))]
        }
        Cause::SynAckLost => vec![
            Some(repeat(place)),
            Some(way_back(place)),
            Some(reverse_path_filter()),
        ],
        Cause::LateSynAck => vec![Some(repeat(place)), Some(softirq(place))],
        Cause::LongPath if place.is_local() => vec![Some(softirq(place)), Some(repeat(place))],
        Cause::LongPath => vec![Some(trace(place)), Some(repeat(place))],
        Cause::NoListener => vec![Some(other_listeners(place)), pods(place)],
        Cause::MiddleboxReset => vec![Some(trace(place)), Some(rules_at(&sender, "reset"))],
        Cause::PortUnreachable => {
            if from_self {
                vec![
                    Some(rules_here("reject")),
                    Some(iptables_here("reject")),
                    endpoints(place),
                ]
            } else {
                vec![endpoints(place), Some(rules_at(&sender, "reject"))]
            }
        }
        Cause::AdminProhibited | Cause::HostProhibited | Cause::NetProhibited => {
            let rule = if from_self {
                rules_here("prohibited")
            } else {
                rules_at(&sender, "prohibited")
            };
            vec![Some(rule), policies(place)]
        }
        Cause::NoRoute if place.is_loopback() => vec![Some(loopback_link()), Some(route(place))],
        Cause::NoRoute | Cause::Denied if place.is_refused_by_route() => {
            vec![Some(route(place)), Some(refusing_route(place))]
        }
        Cause::NoRoute => vec![Some(route(place)), Some(addresses(place))],
        Cause::NeighbourUnresolved => {
            vec![
                Some(neighbour(place)),
                Some(ask_neighbour(place)),
                Some(route(place)),
                pods(place),
            ]
        }
        Cause::HostUnreachable => vec![pods(place), Some(neighbour_at(&sender, place))],
        Cause::NetUnreachable => vec![Some(route_at(&sender, place)), Some(trace(place))],
        Cause::TtlExceeded => vec![Some(trace(place)), Some(route_at(&sender, place))],
        Cause::Egress => vec![Some(rules_here("drop")), Some(iptables_here("drop"))],
        Cause::Ingress => {
            let path = (!place.is_loopback()).then(reverse_path_filter);
            vec![Some(rules_here("drop")), Some(iptables_here("drop")), path]
        }
        // Where the sweep has seen SYNs die on the way, the server has nothing to show.
        Cause::Port if !diagnosis.not_ruled_out.contains(&Cause::SynDropped) => {
            vec![
                diagnosis.from.map(|from| drop_after(from, place)),
                policies(place),
                locate(place),
                Some(capture(place)),
            ]
        }
        Cause::Port => vec![
            with_raw_probes(place),
            policies(place),
            Some(capture(place)),
            Some(listener_queue(place)),
        ],
        Cause::HostSilent => {
            // With hops that answered, this run has traced the path itself.
            let trace = diagnosis.from.is_none().then(|| trace(place));
            vec![longer(place), pods(place), policies(place), trace]
        }
        Cause::SynFilter => vec![Some(listener_queue(place)), Some(capture(place)), policies(place)],
        Cause::ReturnPath => vec![
            Some(way_back(place)),
            Some(capture(place)),
            Some(reverse_path_filter()),
        ],
        Cause::Unattributed => {
            vec![
                with_raw_probes(place),
                Some(listener_queue(place)),
                Some(capture(place)),
                longer(place),
                policies(place),
            ]
        }
        // On our own host this run has seen the full queue.
        Cause::SynDropped | Cause::Overloaded if place.is_local() => {
            vec![Some(acceptor(place)), Some(overflows(place))]
        }
        Cause::SynDropped | Cause::Overloaded => {
            vec![Some(listener_queue(place)), Some(overflows(place)), pods(place)]
        }
        Cause::AckIgnored => vec![
            Some(listener_queue(place)),
            Some(overflows(place)),
            Some(ghosts(place)),
        ],
        Cause::ResetOnOverflow => vec![Some(listener_queue(place)), Some(overflows(place))],
        Cause::ResetAfterAccept => vec![Some(server_process(place)), endpoints(place), pods(place)],
        Cause::IdleDropped | Cause::IdleReset | Cause::IdleRejected | Cause::PeerClosed => {
            vec![Some(idle_limit(evidence)), Some(keepalive_here())]
        }
        Cause::NoPorts => vec![Some(port_use(place)), Some(port_range())],
        Cause::NoDescriptors => vec![Some(descriptors())],
        Cause::Denied => vec![Some(route(place)), Some(audit())],
        Cause::OtherLocal => vec![Some(kernel_log())],
        Cause::Undecided => vec![unhurried(place), Some(repeat(place))],
        Cause::NxDomain
        | Cause::NoAddress
        | Cause::ServFail
        | Cause::DnsRefused
        | Cause::DnsTimeout
        | Cause::DnsUnreachable => Vec::new(),
    };
    let own = own_sockets(place, diagnosis);
    let steps = steps.into_iter().flatten().take(5);
    steps.chain(sizes(place, diagnosis)).chain(own).collect()
}

#[cfg(test)]
mod tests;
