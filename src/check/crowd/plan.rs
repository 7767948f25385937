//! Which endpoints the wanted targets come to, each of them once.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Wanted;
use crate::check::Options;
use crate::check::target::{at_port, with_scope};
use crate::evidence::Resolution;
use crate::target::{Host, Target};

/// The names of all targets, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<Name>,
    by_name: HashMap<String, usize>,
    /// How many have been taken to be resolved.
    taken: usize,
}

#[derive(Debug)]
struct Name {
    says: String,
    deadline: Duration,
    tries: u32,
    resolution: Option<Resolution>,
}

/// A name whose turn it is.
#[derive(Debug, Clone)]
pub(super) struct NameToResolve {
    pub(super) index: usize,
    pub(super) name: String,
    /// How long all questions together may take: as long as the most patient target of that name.
    pub(super) deadline: Duration,
    pub(super) tries: u32,
}

impl Names {
    pub(super) fn of(wanted: &[impl Wanted]) -> Self {
        let mut names = Self::default();
        for wanted in wanted {
            let Host::Name(name) = &wanted.target().host else {
                continue;
            };
            let next = names.list.len();
            let index = *names.by_name.entry(name.clone()).or_insert(next);
            if index == next {
                names.list.push(Name {
                    says: name.clone(),
                    deadline: Duration::ZERO,
                    tries: 1,
                    resolution: None,
                });
            }
            let known = &mut names.list[index];
            known.deadline = known.deadline.max(wanted.timeout());
            known.tries = known.tries.max(wanted.tries());
        }
        names
    }

    pub(super) fn is_one_left(&self) -> bool {
        self.taken < self.list.len()
    }

    pub(super) fn take(&mut self) -> Option<NameToResolve> {
        let index = self.taken;
        let name = self.list.get(index)?;
        self.taken += 1;
        Some(NameToResolve {
            index,
            name: name.says.clone(),
            deadline: name.deadline,
            tries: name.tries,
        })
    }

    pub(super) fn resolved(&mut self, index: usize, resolution: Resolution) {
        self.list[index].resolution = Some(resolution);
    }

    /// What became of a target's name; absent where it is an address.
    pub(super) fn resolution_for(&self, target: &Target) -> Option<Resolution> {
        let Host::Name(name) = &target.host else {
            return None;
        };
        self.list[*self.by_name.get(name)?].resolution.clone()
    }

    fn addresses_of(&self, target: &Target, options: &Options) -> io::Result<Vec<SocketAddr>> {
        match &target.host {
            Host::Address { address, scope } => {
                with_scope(*address, target.port, scope.as_deref()).map(|one| vec![one])
            }
            Host::Name(name) => {
                let resolution = self
                    .by_name
                    .get(name)
                    .and_then(|index| self.list[*index].resolution.as_ref());
                Ok(resolution.map_or_else(Vec::new, |resolution| at_port(resolution, target.port, options)))
            }
        }
    }
}

/// Which endpoints the targets come to. Targets and endpoints are numbers here.
#[derive(Debug)]
pub(super) struct Plan {
    endpoints: Vec<SocketAddr>,
    /// The endpoints of each target, in the order in which a client would try them.
    units: Lists,
    /// The targets of each endpoint.
    wanted_by: Lists,
    /// Targets without an endpoint, with the reason where it is not the name.
    pub(super) barren: Vec<(u32, Option<io::Error>)>,
}

/// Lists of numbers, one after the other.
#[derive(Debug, Default)]
struct Lists {
    numbers: Vec<u32>,
    /// Where each list ends.
    ends: Vec<u32>,
}

impl Plan {
    pub(super) fn of(wanted: &[impl Wanted], names: &Names, options: &Options) -> Self {
        let mut endpoints = Vec::new();
        let mut by_endpoint: HashMap<SocketAddr, u32> = HashMap::new();
        let mut units = Lists::default();
        let mut barren = Vec::new();
        for (index, wanted) in (0..).zip(wanted) {
            let addresses = names.addresses_of(wanted.target(), options);
            let mut own: Vec<u32> = Vec::new();
            match addresses {
                Ok(addresses) if addresses.is_empty() => barren.push((index, None)),
                Err(error) => barren.push((index, Some(error))),
                Ok(addresses) => {
                    for address in addresses {
                        let unit = *by_endpoint.entry(address).or_insert_with(|| {
                            endpoints.push(address);
                            number(endpoints.len() - 1)
                        });
                        if !own.contains(&unit) {
                            own.push(unit);
                        }
                    }
                }
            }
            units.add(own);
        }
        let wanted_by = units.turned(endpoints.len());
        Self {
            endpoints,
            units,
            wanted_by,
            barren,
        }
    }

    /// How many endpoints there are.
    pub(super) fn units(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn endpoint(&self, unit: u32) -> SocketAddr {
        self.endpoints[unit as usize]
    }

    /// The endpoints of a target.
    pub(super) fn units_of(&self, wanted: u32) -> &[u32] {
        self.units.list(wanted)
    }

    /// The targets that come to an endpoint.
    pub(super) fn wanted_by(&self, unit: u32) -> impl Iterator<Item = u32> {
        self.wanted_by.list(unit).iter().copied()
    }

    /// All endpoints in random order, but that those of one target, and of targets that share some, follow each other: what
    /// is known of a target has to be kept until all of it is.
    pub(super) fn shuffled(&self) -> Vec<u32> {
        let mut wanted: Vec<u32> = (0..number(self.units.ends.len())).collect();
        fastrand::shuffle(&mut wanted);
        let mut order = Vec::with_capacity(self.endpoints.len());
        let mut placed = vec![false; self.endpoints.len()];
        let mut related = Vec::new();
        for first in wanted {
            related.push(first);
            while let Some(wanted) = related.pop() {
                for &unit in self.units_of(wanted) {
                    if !std::mem::replace(&mut placed[unit as usize], true) {
                        order.push(unit);
                        related.extend(self.wanted_by(unit));
                    }
                }
            }
        }
        order
    }
}

impl Lists {
    fn add(&mut self, list: Vec<u32>) {
        self.numbers.extend(list);
        self.ends.push(number(self.numbers.len()));
    }

    fn list(&self, index: u32) -> &[u32] {
        let index = index as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.numbers[start as usize..self.ends[index] as usize]
    }

    /// For each of so many numbers, the lists that it is in.
    fn turned(&self, numbers: usize) -> Self {
        let mut pairs: Vec<(u32, u32)> = (0..number(self.ends.len()))
            .flat_map(|index| self.list(index).iter().map(move |unit| (*unit, index)))
            .collect();
        pairs.sort_unstable();
        let ends = (0..number(numbers)).map(|unit| number(pairs.partition_point(|(of, _)| *of <= unit)));
        Self {
            ends: ends.collect(),
            numbers: pairs.into_iter().map(|(_, index)| index).collect(),
        }
    }
}

/// A matrix has less than 2³² edges: `--max-edges` and memory see to it.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
