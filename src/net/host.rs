//! Our own host's part in what happens to an endpoint: looked at once, and again to see what changed.

use std::net::SocketAddr;

use super::dial::Source;
use super::{counters, listener, route};
use crate::evidence::{Counters, Listener, Look, NextHop, Route, Saw};

/// Our own packets in the time between two looks, to hold the kernel's counters against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// SYNs retransmitted.
    pub retransmissions: u64,
    /// SYNs to the port that went unanswered.
    pub unanswered_syns: u64,
    /// Other endpoints of the same family that this process looked into at the same time.
    pub alongside: u32,
}

/// The listening socket that a connection to an address of our own reaches.
pub fn listener(endpoint: SocketAddr) -> Look<Listener> {
    match listener::queue(endpoint) {
        Look::Saw(queue) => Look::Saw(Listener {
            queue: queue.length,
            limit: queue.limit,
            drops: 0,
            overflows: None,
        }),
        Look::Nothing => Look::Nothing,
        Look::CouldNot { why } => Look::CouldNot { why },
    }
}

/// The way to an endpoint for a socket with that local end.
pub fn route(endpoint: SocketAddr, source: &Source) -> Look<Route> {
    route::route_to(endpoint, source)
}

/// The first look, to compare later ones with.
#[derive(Debug, Clone)]
pub struct Host {
    endpoint: SocketAddr,
    next_hop: Option<NextHop>,
    interface: Option<String>,
    counters: Look<counters::Reading>,
    queue: Look<listener::Queue>,
}

impl Host {
    /// Looks for the first time, with the eyes of a socket with that local end.
    pub fn look(endpoint: SocketAddr, source: &Source) -> (Self, Vec<Saw>) {
        let route = route::route_to(endpoint, source);
        let (next_hop, interface) = match &route {
            Look::Saw(route) => (Some(route.next_hop), route.interface.clone()),
            Look::Nothing | Look::CouldNot { .. } => (None, None),
        };
        let queue = if next_hop == Some(NextHop::Local) {
            listener::queue(endpoint)
        } else {
            Look::Nothing
        };
        let host = Self {
            endpoint,
            next_hop,
            interface,
            counters: counters::read(endpoint.is_ipv4()),
            queue,
        };
        let mut saw = vec![Saw::Route(route)];
        saw.extend(host.neighbour());
        // Nothing has changed yet, so there is no need to look twice.
        saw.extend(host.listener(host.queue.clone(), || host.overflows_until(&host.counters)));
        (host, saw)
    }

    /// Looks again at what may have changed, but for the counters.
    pub fn look_again(&self) -> Vec<Saw> {
        self.neighbour()
            .into_iter()
            .chain(self.listener_again())
            .collect()
    }

    /// Looks for the last time, with the growth of the counters.
    pub fn conclude(&self, tally: Tally) -> Vec<Saw> {
        let mut saw = self.look_again();
        saw.push(Saw::Counters(self.growth(tally)));
        saw
    }

    fn neighbour(&self) -> Option<Saw> {
        let next_hop = match self.next_hop? {
            NextHop::Gateway(gateway) => gateway,
            NextHop::OnLink => self.endpoint.ip(),
            NextHop::Local | NextHop::Refused => return None,
        };
        Some(Saw::Neighbour(route::neighbour(
            next_hop,
            self.interface.as_deref(),
        )))
    }

    fn listener_again(&self) -> Option<Saw> {
        if self.next_hop != Some(NextHop::Local) {
            return None;
        }
        self.listener(listener::queue(self.endpoint), || {
            self.overflows_until(&counters::read(self.endpoint.is_ipv4()))
        })
    }

    fn listener(&self, queue: Look<listener::Queue>, overflows: impl FnOnce() -> Option<u64>) -> Option<Saw> {
        if self.next_hop != Some(NextHop::Local) {
            return None;
        }
        let before = match &self.queue {
            Look::Saw(queue) => queue.drops,
            Look::Nothing | Look::CouldNot { .. } => 0,
        };
        Some(Saw::Listener(match queue {
            Look::Saw(queue) => Look::Saw(Listener {
                queue: queue.length,
                limit: queue.limit,
                drops: queue.drops.saturating_sub(before),
                overflows: overflows(),
            }),
            Look::Nothing => Look::Nothing,
            Look::CouldNot { why } => Look::CouldNot { why },
        }))
    }

    fn overflows_until(&self, after: &Look<counters::Reading>) -> Option<u64> {
        let (Look::Saw(before), Look::Saw(after)) = (&self.counters, after) else {
            return None;
        };
        grown(before.listen_overflows, after.listen_overflows)
    }

    fn growth(&self, tally: Tally) -> Look<Counters> {
        let before = match &self.counters {
            Look::Saw(before) => before,
            Look::Nothing => return Look::Nothing,
            Look::CouldNot { why } => return Look::CouldNot { why: why.clone() },
        };
        match counters::read(self.endpoint.is_ipv4()) {
            Look::Saw(after) => Look::Saw(Counters {
                retransmissions_failed: grown(before.retransmissions_failed, after.retransmissions_failed),
                retransmissions: grown(before.retransmissions, after.retransmissions),
                our_retransmissions: tally.retransmissions,
                received_not_delivered: grown_signed(before.not_delivered, after.not_delivered),
                our_unanswered_syns: tally.unanswered_syns,
                alongside: tally.alongside,
            }),
            Look::Nothing => Look::Nothing,
            Look::CouldNot { why } => Look::CouldNot { why },
        }
    }
}

fn grown(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

fn grown_signed(before: Option<i64>, after: Option<i64>) -> Option<u64> {
    u64::try_from(after?.saturating_sub(before?).max(0)).ok()
}
