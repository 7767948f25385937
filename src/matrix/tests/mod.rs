//! Edges made by hand, for the tests of what they come to.

mod answers;
mod changes;
mod gaps;
mod proofs;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Cell, Demand, Edge, Identity, Judgement, Merger, Proof, Run, Shard, Why};
use crate::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use crate::diagnose::{Cause, Confidence, Diagnosis};
use crate::evidence::{
    Ability, Answer as Answered, Dial, Evidence, Mode, Observation, Ping, Resolution, ResolvedBy, Saw, Sight,
};
use crate::target::{Services, Target};

/// An edge that was looked at at second 100, with one endpoint unless it says otherwise.
struct Made(Edge);

impl Made {
    /// From a source to an address, with a verdict.
    fn new(source: &str, to: &str, expected: &str, cause: Cause) -> Self {
        let mut made = Self::without_verdict(source, to, expected);
        made.0.outcome.endpoints.push(endpoint(to, cause));
        made
    }

    fn without_verdict(source: &str, to: &str, expected: &str) -> Self {
        Self(Edge {
            source: Arc::new(Identity::named(source)),
            demand: Arc::new(Demand {
                rules: vec!["a rule".to_owned()],
                expected: expected.parse().unwrap(),
                controls: Vec::new(),
                timeout: Duration::from_secs(3),
                tries: 1,
            }),
            tried: 1,
            concluded_unix_s: Duration::from_secs(100),
            syn_schedule: None,
            outcome: TargetOutcome {
                target: target(to),
                name: None,
                endpoints: Vec::new(),
            },
        })
    }

    /// To a name that gave no address.
    fn nameless(source: &str, to: &str, expected: &str, cause: Cause) -> Self {
        let mut made = Self::named(source, to, expected, &[]);
        made.0.outcome.name.as_mut().unwrap().failed = Some(diagnosis(cause));
        made
    }

    /// To a name with several addresses.
    fn named(source: &str, to: &str, expected: &str, addresses: &[(&str, Cause)]) -> Self {
        let mut made = Self::without_verdict(source, to, expected);
        let endpoints = addresses.iter().map(|(to, cause)| endpoint(to, *cause));
        made.0.outcome.endpoints = endpoints.collect();
        made.0.outcome.name = Some(NameOutcome {
            resolution: Resolution {
                name: "a.name".to_owned(),
                by: ResolvedBy::Dns,
                lookups: Vec::new(),
                addresses: Vec::new(),
                took_s: Duration::ZERO,
            },
            failed: None,
            findings: Vec::new(),
            wait_without_happy_eyeballs_s: None,
        });
        made
    }

    fn seeing(mut self, saw: Saw) -> Self {
        self.0.outcome.endpoints[0]
            .evidence
            .observations
            .push(Observation {
                at_s: Duration::ZERO,
                took_s: Duration::ZERO,
                saw,
            });
        self
    }

    fn controlled_by(mut self, controls: &[&str]) -> Self {
        let demand = Arc::make_mut(&mut self.0.demand);
        demand.controls = controls.iter().map(|control| target(control)).collect();
        self
    }

    fn on(mut self, instance: &str) -> Self {
        Arc::make_mut(&mut self.0.source).instance = Some(instance.to_owned());
        self
    }

    fn at(mut self, second: u64) -> Self {
        self.0.concluded_unix_s = Duration::from_secs(second);
        self
    }
}

fn endpoint(to: &str, cause: Cause) -> EndpointOutcome {
    let sight = Sight {
        mode: Mode::Connect,
        raw: Ability::Yes,
        echo: Ability::Yes,
        error_queue: Ability::Yes,
        reset_shape: Ability::Yes,
    };
    EndpointOutcome {
        evidence: Evidence {
            endpoint: socket(to),
            started_unix_s: Duration::ZERO,
            slow_s: Duration::from_millis(250),
            timeout_s: Duration::from_secs(3),
            sight,
            observations: Vec::new(),
        },
        diagnosis: diagnosis(cause),
    }
}

fn diagnosis(cause: Cause) -> Diagnosis {
    Diagnosis {
        cause,
        confidence: Confidence::Likely,
        from: None,
        because: Vec::new(),
        not_ruled_out: Vec::new(),
        findings: Vec::new(),
    }
}

/// A closed port of a host answered.
fn control(to: &str) -> Saw {
    Saw::Control(dial(to, Answered::Rst))
}

fn dial(to: &str, answer: Answered) -> Dial {
    Dial {
        to: socket(to),
        from: None,
        ttl: None,
        syns: 1,
        answer,
    }
}

/// A run from second 90 to second 110, with this many edges.
fn run(source: &str, planned: u64, done: u64) -> Run {
    Run {
        source: Identity::named(source),
        version: "0.1.0".to_owned(),
        matrix: Some("m".to_owned()),
        started_unix_s: Duration::from_secs(90),
        ended_unix_s: Duration::from_secs(110),
        planned,
        done,
        shard: None,
    }
}

fn merged(edges: Vec<Made>, runs: Vec<Run>) -> Answer {
    let mut merger = Merger::default();
    for (at, edge) in (0..).zip(edges) {
        merger.add(at, &edge.0);
    }
    for run in runs {
        merger.add_run(run);
    }
    merger.into_answer()
}

fn answer(edges: Vec<Made>) -> Answer {
    merged(edges, Vec::new())
}

/// What an edge came to.
fn of<'a>(answer: &'a Answer, source: &str, to: &str) -> &'a Cell {
    let is_it = |cell: &&Cell| {
        answer.source_of(cell).to_string() == source && answer.target_of(cell).to_string() == to
    };
    answer.cells.iter().find(is_it).unwrap()
}

fn target(text: &str) -> Target {
    Target::parse(text, &Services::default()).unwrap()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
