//! What has to be remembered of an edge to judge it, and what edges tell of each other.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::judge::answers_itself;
use super::{Demand, Edge};
use crate::check::EndpointOutcome;
use crate::diagnose::{Cause, Class};
use crate::evidence::{Answer, Evidence, Ping, ReplySays, Saw};
use crate::target::Target;

/// What has to be remembered of an edge.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    /// Its source, as a number that the merger gave it.
    pub(super) source: u32,
    pub(super) demand: Arc<Demand>,
    /// Those that count; a name that failed is one without an address.
    pub(super) endpoints: Box<[Endpoint]>,
}

/// One verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) address: Option<SocketAddr>,
    pub(super) cause: Cause,
    /// Whether the host answered elsewhere in the same look.
    pub(super) answered_elsewhere: bool,
}

impl Digest {
    pub(super) fn of(source: u32, edge: &Edge, demand: Arc<Demand>) -> Self {
        let expected = &edge.demand.expected;
        let one_is_met = edge
            .diagnoses()
            .any(|diagnosis| expected.is_met_by(diagnosis.cause));
        let name = edge.outcome.name.as_ref().and_then(|name| name.failed.as_ref());
        let name = name.map(|diagnosis| Endpoint {
            address: None,
            cause: diagnosis.cause,
            answered_elsewhere: false,
        });
        let probed = edge.outcome.endpoints.iter().map(Endpoint::of);
        let counts = |endpoint: &Endpoint| !(one_is_met && endpoint.cause == Cause::NoRoute);
        Self {
            source,
            demand,
            endpoints: name.into_iter().chain(probed).filter(counts).collect(),
        }
    }
}

impl Endpoint {
    fn of(outcome: &EndpointOutcome) -> Self {
        Self {
            address: Some(outcome.evidence.endpoint),
            cause: outcome.diagnosis.cause,
            answered_elsewhere: answered_elsewhere(&outcome.evidence, outcome.diagnosis.cause),
        }
    }
}

/// Whether the host of an endpoint answered by itself, at another port or to a segment of our own. Where somebody else
/// resets what goes to the port, nothing that comes from the port counts.
fn answered_elsewhere(evidence: &Evidence, cause: Cause) -> bool {
    let (host, port_counts) = (evidence.endpoint.ip(), cause != Cause::MiddleboxReset);
    let by_tcp = |answer: &Answer| matches!(answer, Answer::SynAck(_) | Answer::Rst);
    evidence
        .observations
        .iter()
        .any(|observation| match &observation.saw {
            Saw::Control(dial) => by_tcp(&dial.answer),
            Saw::Hop(dial) => dial.to != evidence.endpoint && by_tcp(&dial.answer),
            Saw::Echo(ping) => matches!(ping, Ping::Reply),
            Saw::Raw(shot) => {
                let replies = shot.replies().unwrap_or_default();
                (shot.to != evidence.endpoint || port_counts)
                    && shot.to.ip() == host
                    && replies
                        .iter()
                        .any(|reply| !matches!(reply.says, ReplySays::Icmp(_)))
            }
            Saw::OtherControls(controls) => controls.answered > 0,
            Saw::Connect(_)
            | Saw::TtlOne(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_) => false,
        })
}

/// What the edges that are known tell of others.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Where each host answered, by source.
    answered: HashMap<(u32, IpAddr), Arc<Target>>,
    /// Which targets were open, by source.
    open: HashMap<u32, HashSet<Arc<Target>>>,
    /// From which source each endpoint was open.
    open_from: HashMap<SocketAddr, Arc<str>>,
}

impl Facts {
    /// Learns from an edge.
    pub(super) fn learn(&mut self, digest: &Digest, target: &Arc<Target>, source: &Arc<str>) {
        let is_open = |endpoint: &Endpoint| matches!(endpoint.cause.class(), Class::Open | Class::Slow);
        for endpoint in &digest.endpoints {
            let Some(address) = endpoint.address else { continue };
            if is_open(endpoint) {
                self.open_from
                    .entry(address)
                    .or_insert_with(|| Arc::clone(source));
            }
            if answers_itself(endpoint.cause) || endpoint.answered_elsewhere {
                self.answered
                    .entry((digest.source, address.ip()))
                    .or_insert_with(|| Arc::clone(target));
            }
        }
        if !digest.endpoints.is_empty() && digest.endpoints.iter().all(is_open) {
            self.open
                .entry(digest.source)
                .or_default()
                .insert(Arc::clone(target));
        }
    }

    pub(super) fn host_answered_at(&self, source: u32, host: IpAddr) -> Option<Arc<Target>> {
        self.answered.get(&(source, host)).cloned()
    }

    pub(super) fn open_from(&self, endpoint: SocketAddr) -> Option<Arc<str>> {
        self.open_from.get(&endpoint).cloned()
    }

    pub(super) fn was_open(&self, source: u32, target: &Target) -> bool {
        self.open.get(&source).is_some_and(|open| open.contains(target))
    }
}
