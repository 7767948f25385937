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
        let mut counts: Vec<(Arc<Identity>, u64)> = Vec::new();
        for (at, edge) in (0..).zip(&self.0) {
            merger.add(at, edge);
            match counts.iter_mut().find(|(source, _)| *source == edge.source) {
                Some((_, count)) => *count += 1,
                None => counts.push((Arc::clone(&edge.source), 1)),
            }
        }
        for (source, count) in counts {
            merger.add_run(run(&source, count, count));
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
