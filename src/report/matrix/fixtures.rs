//! A hand-made matrix for the tests of the writers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::check::TargetOutcome;
use crate::matrix::{Answer, Demand, Edge, Edges, Identity, Merger, Run};
use crate::report::fixtures;

/// Edges in memory.
#[derive(Debug, Default)]
pub(super) struct InMemory(pub(super) Vec<Edge>);

impl Edges for InMemory {
    fn edge(&self, at: u64) -> io::Result<Edge> {
        let edge = usize::try_from(at).ok().and_then(|at| self.0.get(at));
        edge.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl InMemory {
    /// What they come to, each source with a summary that says that all is done.
    pub(super) fn answer(&self) -> Answer {
        let mut merger = Merger::default();
        for (at, edge) in (0..).zip(&self.0) {
            merger.add(at, edge);
        }
        let mut sources: Vec<&Arc<Identity>> = self.0.iter().map(|edge| &edge.source).collect();
        sources.sort();
        sources.dedup();
        for source in sources {
            let own = self.0.iter().filter(|edge| edge.source == *source);
            let mut targets: Vec<String> = own.map(|edge| edge.target().to_string()).collect();
            targets.sort();
            targets.dedup();
            let count = targets.len() as u64;
            merger.add_run(run(source, count, count));
        }
        merger.into_answer()
    }
}

/// What a source says at its end.
pub(super) fn run(source: &Identity, planned: u64, done: u64) -> Run {
    Run {
        source: source.clone(),
        version: "0.1.0".to_owned(),
        matrix: Some("shop".to_owned()),
        started_unix_s: Duration::from_secs(1_700_000_000),
        ended_unix_s: Duration::from_secs(1_700_000_060),
        planned,
        done,
        shard: None,
    }
}

/// An edge with one rule.
pub(super) fn edge(source: &str, expected: &str, rule: &str, outcome: TargetOutcome) -> Edge {
    Edge {
        source: Arc::new(Identity::named(source)),
        demand: Arc::new(Demand {
            rules: vec![rule.to_owned()],
            expected: expected.parse().unwrap(),
            controls: Vec::new(),
            timeout: Duration::from_secs(3),
            tries: 1,
        }),
        tried: 1,
        concluded_unix_s: Duration::from_secs(1_700_000_030),
        syn_schedule: None,
        outcome,
    }
}

/// Every kind of result: two sources, and all of the outcomes.
pub(super) fn shop() -> InMemory {
    let of = |source: &str, rule: &str, expected: &str| -> Vec<Edge> {
        fixtures::all()
            .into_iter()
            .map(|outcome| edge(source, expected, rule, outcome))
            .collect()
    };
    let mut edges = of("frontend", "the shop may reach all", "reachable");
    edges.extend(of("batch", "batch may reach nothing", "blocked,refused"));
    InMemory(edges)
}

/// One of each result, from two sources; small enough to be read as a whole.
pub(super) fn small() -> InMemory {
    let mut denied = fixtures::refused();
    denied.endpoints[0].diagnosis.cause = crate::diagnose::Cause::Denied;
    denied.target.port = 22;
    denied.endpoints[0].evidence.endpoint.set_port(22);
    InMemory(vec![
        edge("frontend", "reachable", "the shop is open", fixtures::open()),
        edge("frontend", "reachable", "the shop is open", fixtures::refused()),
        edge("frontend", "reachable", "the shop is open", denied),
        edge("batch", "blocked", "batch stays out", fixtures::open()),
        edge("batch", "blocked", "batch stays out", fixtures::nxdomain()),
        edge("batch", "refused", "batch stays out", fixtures::refused()),
    ])
}

/// One edge that is as expected, and one that is open and should not be: two of the shortest stories.
pub(super) fn tiny() -> InMemory {
    InMemory(vec![
        edge("frontend", "reachable", "the shop is open", fixtures::open()),
        edge("batch", "blocked", "batch stays out", fixtures::open()),
    ])
}

/// Sources by targets, where `outcome` says what the edge from one to another came to.
pub(super) fn grid(
    sources: usize,
    targets: usize,
    outcome: impl Fn(usize, usize) -> TargetOutcome,
) -> InMemory {
    let mut edges = Vec::new();
    for source in 0..sources {
        for target in 0..targets {
            let mut outcome = outcome(source, target);
            outcome.target.host = crate::target::Host::Name(format!("svc-{target:03}.shop"));
            outcome.target.port = 8080;
            let rule = if target % 2 == 0 {
                "mesh"
            } else {
                "everyone may reach every odd service"
            };
            edges.push(edge(&format!("node-{source:03}"), "reachable", rule, outcome));
        }
    }
    InMemory(edges)
}

/// Everything that a form could trip over, in each place that is free text.
pub(super) const NASTY: &str = "a|b # \\ \"q\" <t> & `c` *e* _f_ [g]\u{1b}[31m\u{0}\n...\n~";

/// An edge with nothing but such texts.
pub(super) fn nasty() -> InMemory {
    let mut outcome = fixtures::refused();
    let reason = &mut outcome.endpoints[0].diagnosis.because[0];
    reason.says = NASTY.to_owned();
    InMemory(vec![edge(NASTY, "reachable", NASTY, outcome)])
}
