//! What a person reads of a matrix.

use super::super::fixtures::*;
use super::super::{Form, record};
use crate::matrix::*;
use crate::report::fixtures;
use std::sync::Arc;

#[test]
fn scratch() {
    let dump = |name: &str, edges: &InMemory| {
        let answer = edges.answer();
        let mut out = Vec::new();
        crate::report::matrix::write(
            Form::Jsonl,
            &answer,
            edges,
            &crate::report::Style::default(),
            &mut out,
        )
        .unwrap();
        std::fs::write(format!("/tmp/w/{name}.jsonl"), out).unwrap();
    };
    dump("shop", &shop());
    let big = |sources: usize, targets: usize| {
        let mut edges = Vec::new();
        for s in 0..sources {
            for t in 0..targets {
                let mut outcome = if (s * 7 + t * 13) % 31 == 0 {
                    fixtures::unattributed()
                } else if t == 5 {
                    fixtures::refused()
                } else {
                    fixtures::open()
                };
                outcome.target = crate::target::Target {
                    host: crate::target::Host::Name(format!("svc-{t}.shop.svc")),
                    port: 8080,
                };
                edges.push(edge(
                    &format!("node-{s}"),
                    "reachable",
                    if t % 2 == 0 {
                        "mesh"
                    } else {
                        "everyone may reach the services"
                    },
                    outcome,
                ));
            }
        }
        InMemory(edges)
    };
    dump("1x3", &big(1, 3));
    dump("3x20", &big(3, 20));
    dump("300x3", &big(300, 3));
    dump("300x300", &big(300, 300));
    let _ = (Arc::new(0), record::SCHEMA);
}
