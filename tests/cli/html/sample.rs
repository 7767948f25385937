//! Answers of matrices that nobody ran: evidence made by hand, and diagnosed as any other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tcpprobe::check::TargetOutcome;
use tcpprobe::diagnose::{Reason, diagnose};
use tcpprobe::evidence::SynSchedule;
use tcpprobe::matrix::{Answer, Demand, Edge, Edges, Identity, Merger, Run};

use super::browser::outcomes::{Does, at_address, diagnosed, evidence, unknown_name};

/// An answer, and where its edges are.
pub(crate) struct Sample {
    pub(crate) answer: Answer,
    pub(crate) edges: Made,
}

/// Edges that are made when they are asked for, so that a large matrix costs no memory.
pub(crate) struct Made(Box<dyn Fn(u64) -> Edge>);

impl Edges for Made {
    fn edge(&self, at: u64) -> io::Result<Edge> {
        Ok(self.0(at))
    }
}

/// Two sources and five targets, of which one run ended early.
pub(crate) fn small() -> Sample {
    let targets = [
        ("10.0.3.7:80", Does::Answer),
        ("10.0.3.7:81", Does::Refuse),
        ("10.0.3.7:5432", Does::Drop),
        ("[2001:db8::7]:443", Does::Prohibit),
    ];
    let mut edges = Vec::new();
    for (source, node, expected, rule) in [
        ("frontend", "node-1", "reachable", "the shop may reach its data"),
        ("batch", "node-2", "blocked", "batch is on its own"),
    ] {
        let of = |outcome, expected| edge(identity(source, node), demand(expected, rule), outcome);
        for (target, does) in targets {
            // What is open is meant to be.
            let expected = if does == Does::Answer {
                "reachable"
            } else {
                expected
            };
            edges.push(of(at_address(target, does), expected));
        }
        edges.push(of(unknown_name("nope:80"), expected));
    }
    let mut merger = Merger::default();
    for (at, edge) in (0..).zip(&edges) {
        merger.add(at, edge);
    }
    merger.add_run(run(&identity("frontend", "node-1"), 5, 5, "shop"));
    merger.add_run(run(&identity("batch", "node-2"), 5, 7, "shop"));
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(move |at| edges[usize::try_from(at).unwrap()].clone())),
    }
}

/// So many sources and targets: most connections can be made, as they should; some sources are cut off from some targets,
/// some targets refuse, and every seventh edge was meant to be blocked.
pub(crate) fn large(sources: u64, targets: u64) -> Sample {
    // What the same evidence means is the same everywhere.
    let first = "10.9.0.0:8080".parse().unwrap();
    let diagnoses = Does::ALL.map(|does| diagnose(&evidence(first, does, 0)));
    let make = move |at: u64| {
        let (source, target) = (at / targets, at % targets);
        let name = format!("pod-{source:03}");
        let address = format!("10.9.{}.{}:8080", target / 250, target % 250);
        let is_cut_off = source % 50 == 7 && (target / 10) % 4 == 2;
        let is_blocked = (source + 2 * target) % 7 == 0;
        let does = match (is_cut_off, target % 41) {
            (true, _) => Does::Drop,
            (_, 40) => Does::Refuse,
            (_, 39) => Does::Prohibit,
            _ if is_blocked => [Does::Drop, Does::Prohibit][usize::from(target % 2 == 0)],
            _ => Does::Answer,
        };
        let (expected, rule) = if is_blocked {
            ("blocked", "teams are apart")
        } else {
            ("reachable", "all may reach all")
        };
        edge(
            identity(&name, &format!("node-{:02}", source % 30)),
            demand(expected, rule),
            diagnosed(&address, does, at * 7919 % 997, diagnoses[does as usize].clone()),
        )
    };
    let mut merger = Merger::default();
    for at in 0..sources * targets {
        merger.add(at, &make(at));
    }
    for source in 0..sources {
        let name = identity(&format!("pod-{source:03}"), &format!("node-{:02}", source % 30));
        merger.add_run(run(&name, targets, targets, "mesh"));
    }
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(make)),
    }
}

/// Texts that would run if they were taken for HTML or for a script.
pub(crate) fn hostile() -> Sample {
    let source = "<img src=x onerror=\"window.ran='source'\">";
    let mut outcome = at_address("10.0.3.7:81", Does::Refuse);
    outcome.endpoints[0].diagnosis.because.push(Reason {
        says: "</script><script>window.ran='end'</script><svg onload=window.ran='reason'>".to_owned(),
        observations: Vec::new(),
    });
    let demand = demand("reachable", "<script>window.ran = 'rule'</script>");
    let edges = [edge(identity(source, "<!--<script>"), demand, outcome)];
    let mut merger = Merger::default();
    merger.add(0, &edges[0]);
    merger.add_run(run(
        &Identity::named("</li><script>window.ran='gap'</script>"),
        0,
        3,
        "</title><script>window.ran='matrix'</script>",
    ));
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(move |at| edges[usize::try_from(at).unwrap()].clone())),
    }
}

fn identity(source: &str, node: &str) -> Identity {
    Identity {
        node: Some(node.to_owned()),
        namespace: Some("default".to_owned()),
        ..Identity::named(source)
    }
}

fn demand(expected: &str, rule: &str) -> Demand {
    Demand {
        rules: vec![rule.to_owned()],
        expected: expected.parse().unwrap(),
        controls: Vec::new(),
        timeout: Duration::from_secs(3),
        tries: 2,
    }
}

fn edge(source: Identity, demand: Demand, outcome: TargetOutcome) -> Edge {
    Edge {
        source: Arc::new(source),
        demand: Arc::new(demand),
        tried: 1,
        concluded_unix_s: Duration::from_secs(1_700_000_030),
        syn_schedule: Some(SynSchedule {
            retries: 6,
            linear_timeouts: None,
        }),
        outcome,
    }
}

fn run(source: &Identity, done: u64, planned: u64, matrix: &str) -> Run {
    Run {
        source: source.clone(),
        version: "0.1.0".to_owned(),
        matrix: Some(matrix.to_owned()),
        started_unix_s: Duration::from_secs(1_700_000_000),
        ended_unix_s: Duration::from_secs(1_700_000_060),
        planned,
        done,
        shard: None,
    }
}
