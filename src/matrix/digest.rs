//! What has to be remembered of an edge to judge it, and what edges tell of each other.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

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
    /// Wall-clock time at which the look was over, since the Unix epoch.
    pub(super) concluded_unix_s: Duration,
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
            concluded_unix_s: edge.concluded_unix_s,
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
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => false,
        })
}

/// What the edges that are known tell of others.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Where each host answered, by source.
    answered: HashMap<(u32, IpAddr), Seen<Arc<Target>>>,
    /// When targets were open, by source.
    open: HashMap<u32, HashMap<Arc<Target>, Seen<()>>>,
    /// From which source each endpoint was open.
    open_from: HashMap<SocketAddr, Seen<Arc<str>>>,
}

/// What was seen, and when; what was seen soon before or after something else is left out, so that one run has one.
#[derive(Debug)]
struct Seen<T>(Vec<(Duration, T)>);

/// What was seen so long before or after a look proves nothing of it: a server may have died, or come, meanwhile. A run may
/// take as long as a Job may.
const SAME_TIME: Duration = Duration::from_secs(6 * 3600);
/// What was seen so soon after something else adds nothing to it.
const SOON: Duration = Duration::from_secs(600);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Seen<T> {
    fn note(&mut self, at: Duration, what: impl FnOnce() -> T) {
        if self.0.iter().all(|(known, _)| known.abs_diff(at) > SOON) {
            self.0.reserve_exact(1);
            self.0.push((at, what()));
        }
    }

    /// What was seen at the time of a look: of several the nearest.
    fn near(&self, at: Duration) -> Option<&T> {
        let nearest = self.0.iter().min_by_key(|(known, _)| known.abs_diff(at))?;
        (nearest.0.abs_diff(at) <= SAME_TIME).then_some(&nearest.1)
    }
}

/// Whether an address is that of the same host wherever it is looked at from.
fn is_one_host(host: IpAddr) -> bool {
    match host.to_canonical() {
        IpAddr::V4(host) => !(host.is_loopback() || host.is_link_local() || host.is_unspecified()),
        IpAddr::V6(host) => !(host.is_loopback() || host.is_unicast_link_local() || host.is_unspecified()),
    }
}

impl Facts {
    /// Learns from an edge.
    pub(super) fn learn(&mut self, digest: &Digest, target: &Arc<Target>, source: &Arc<str>) {
        let is_open = |endpoint: &Endpoint| matches!(endpoint.cause.class(), Class::Open | Class::Slow);
        for endpoint in &digest.endpoints {
            let Some(address) = endpoint.address else { continue };
            let at = digest.concluded_unix_s;
            if is_open(endpoint) && is_one_host(address.ip()) {
                let seen = self.open_from.entry(address).or_default();
                seen.note(at, || Arc::clone(source));
            }
            if answers_itself(endpoint.cause) || endpoint.answered_elsewhere {
                let seen = self.answered.entry((digest.source, address.ip())).or_default();
                seen.note(at, || Arc::clone(target));
            }
        }
        if !digest.endpoints.is_empty() && digest.endpoints.iter().all(is_open) {
            let open = self.open.entry(digest.source).or_default();
            let seen = open.entry(Arc::clone(target)).or_default();
            seen.note(digest.concluded_unix_s, || ());
        }
    }

    /// Where a host answered the source of an edge at the time of it.
    pub(super) fn host_answered_at(&self, edge: &Digest, host: IpAddr) -> Option<Arc<Target>> {
        let seen = self.answered.get(&(edge.source, host))?;
        seen.near(edge.concluded_unix_s).cloned()
    }

    /// From where an endpoint of an edge was open at the time of it.
    pub(super) fn open_from(&self, edge: &Digest, endpoint: SocketAddr) -> Option<Arc<str>> {
        let seen = self.open_from.get(&endpoint)?;
        seen.near(edge.concluded_unix_s).cloned()
    }

    /// Whether a target was open from the source of an edge at the time of it.
    pub(super) fn was_open(&self, edge: &Digest, target: &Target) -> bool {
        let open = self.open.get(&edge.source).and_then(|open| open.get(target));
        open.is_some_and(|seen| seen.near(edge.concluded_unix_s).is_some())
    }
}
