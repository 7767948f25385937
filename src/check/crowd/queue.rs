//! Which endpoint is next: at most so many of one host at a time.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::vec;

use super::Bounds;
use super::plan::Plan;

/// So many endpoints wait for their host for each that may be under way: more would have to be kept in mind, fewer would
/// let one host hold up all others.
const WAITING_FOR_EACH: usize = 4;

/// Endpoints that have not been looked at.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: vec::IntoIter<u32>,
    per_host: u32,
    most_waiting: usize,
    hosts: HashMap<IpAddr, Host>,
    /// Those whose host has reached its bound.
    waiting: usize,
    /// Those whose host has got room for them.
    admitted: VecDeque<u32>,
}

#[derive(Debug, Default)]
struct Host {
    /// Endpoints that have no outcome yet.
    left: u32,
    under_way: u32,
    waiting: VecDeque<u32>,
}

impl Queue {
    /// Of these endpoints, in this order.
    pub(super) fn of(order: Vec<u32>, plan: &Plan, bounds: Bounds) -> Self {
        let mut hosts: HashMap<IpAddr, Host> = HashMap::new();
        for unit in &order {
            hosts.entry(plan.endpoint(*unit).ip()).or_default().left += 1;
        }
        Self {
            order: order.into_iter(),
            per_host: bounds.per_host,
            most_waiting: WAITING_FOR_EACH * bounds.at_once,
            hosts,
            waiting: 0,
            admitted: VecDeque::new(),
        }
    }

    /// Whether one may be ready to start.
    pub(super) fn is_one_ready(&self) -> bool {
        !self.admitted.is_empty() || self.waiting < self.most_waiting && self.order.len() > 0
    }

    /// The next that may start, which then counts as under way.
    pub(super) fn take(&mut self, plan: &Plan) -> Option<u32> {
        if let Some(unit) = self.admitted.pop_front() {
            return Some(unit);
        }
        while self.waiting < self.most_waiting {
            let unit = self.order.next()?;
            let host = self.hosts.entry(plan.endpoint(unit).ip()).or_default();
            if host.under_way < self.per_host {
                host.under_way += 1;
                return Some(unit);
            }
            host.waiting.push_back(unit);
            self.waiting += 1;
        }
        None
    }

    /// An endpoint of a host has its outcome; whether it was the last.
    pub(super) fn landed(&mut self, ip: IpAddr) -> bool {
        let Some(host) = self.hosts.get_mut(&ip) else {
            return true;
        };
        host.left = host.left.saturating_sub(1);
        match host.waiting.pop_front() {
            Some(next) => {
                self.waiting -= 1;
                self.admitted.push_back(next);
            }
            None => host.under_way = host.under_way.saturating_sub(1),
        }
        let was_last = host.left == 0;
        if was_last {
            self.hosts.remove(&ip);
        }
        was_last
    }
}
