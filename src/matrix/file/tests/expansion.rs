//! What a matrix expands to.

use std::collections::BTreeSet;
use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use std::sync::Arc;

use crate::diagnose::Cause;

#[test]
fn an_edge_that_several_rules_speak_of_is_one() {
    let text = "
rules:
  - { name: all, to: \"db:1-3\", expect: \"blocked, refused\", timeout: 5s, control: api:1 }
  - { name: some, to: [db:2, db:2], expect: \"refused, open\", tries: 4, control: [api:1, web:1] }
";
    assert_eq!(
        edges(text, None),
        [
            "db:1 blocked or refused [\"all\"]",
            "db:2 refused/no-listener or refused/middlebox-reset [\"all\", \"some\"]",
            "db:3 blocked or refused [\"all\"]",
            "api:1 reachable [\"control of all\", \"control of some\"]",
            "web:1 reachable [\"control of some\"]",
        ]
    );
    let edges = read(text).unwrap().edges(None, 100).unwrap();
    let both = &edges[1].demand;
    assert_eq!((both.timeout, both.tries), (Duration::from_secs(5), 4));
    let controls: Vec<_> = both.controls.iter().map(ToString::to_string).collect();
    assert_eq!(controls, ["api:1", "web:1"]);
    assert!(Arc::ptr_eq(&edges[0].demand, &edges[2].demand));
}

#[test]
fn a_control_that_is_an_edge_already_stays_as_it_is() {
    let text = "
rules:
  - { to: db:1, expect: blocked, control: api:1 }
  - { name: the service, to: api:1, expect: open/healthy }
";
    assert_eq!(
        edges(text, None),
        [
            "db:1 blocked [\"rule 1\"]",
            "api:1 open/healthy [\"the service\"]"
        ]
    );
}

#[test]
fn what_has_to_be_open_needs_no_control() {
    let edges = read("rules: [{ to: db:1, control: api:1 }]")
        .unwrap()
        .edges(None, 10)
        .unwrap();
    assert_eq!(edges.len(), 1);
    assert!(edges[0].demand.controls.is_empty());
}

#[test]
fn a_control_belongs_to_the_sources_of_its_rule() {
    let text = "
sources: [a, b]
rules:
  - { from: a, to: db:1, expect: blocked, control: api:1 }
  - { from: b, to: db:2 }
";
    assert_eq!(edges(text, Some("a")).len(), 2);
    assert_eq!(edges(text, Some("b")), ["db:2 reachable [\"rule 2\"]"]);
}

#[test]
fn any_is_every_source_and_every_named_target() {
    let text = "
sources: [a, b]
targets: { db: \"db:1,2\", web: web:1 }
groups: { some: [db], more: [some, \"x:9\"] }
rules:
  - { from: any, to: any, except: some }
  - { from: b, to: more }
";
    assert_eq!(edges(text, Some("a")), ["web:1 reachable [\"rule 1\"]"]);
    assert_eq!(edges(text, Some("b")).len(), 4);
}

#[test]
fn blocks_leave_out_what_is_no_host() {
    let of = |word: &str| {
        let edges = read(&format!("rules: [{{ to: \"{word}\" }}]"))
            .unwrap()
            .edges(None, 100_000)
            .unwrap();
        let first = edges.first().map(|edge| edge.target.to_string()).unwrap();
        let last = edges.last().map(|edge| edge.target.to_string()).unwrap();
        (edges.len(), first, last)
    };
    let wanted = |count, first: &str, last: &str| (count, first.to_owned(), last.to_owned());
    assert_eq!(of("10.0.0.0/30:1,2"), wanted(4, "10.0.0.1:1", "10.0.0.2:2"));
    assert_eq!(of("10.0.0.4/31:1"), wanted(2, "10.0.0.4:1", "10.0.0.5:1"));
    assert_eq!(of("10.0.0.5/32:1"), wanted(1, "10.0.0.5:1", "10.0.0.5:1"));
    assert_eq!(
        of("10.1.0.0/16:1"),
        wanted(65_534, "10.1.0.1:1", "10.1.255.254:1")
    );
    assert_eq!(
        of("[2001:db8::/126]:1"),
        wanted(4, "[2001:db8::]:1", "[2001:db8::3]:1")
    );
    assert_eq!(of("[ff::/112]:1"), wanted(65_536, "[ff::]:1", "[ff::ffff]:1"));
}

#[test]
fn more_than_permitted_is_told_before_it_is_expanded() {
    let text = "
sources: [a, b]
rules:
  - { name: small, to: db:1 }
  - name: large
    to: [x:1, \"10.0.0.0/16:1-60000\"]
";
    let error = read(text).unwrap().edges(Some("a"), 1000).unwrap_err();
    assert_eq!(
        error.to_string(),
        "6:15: the matrix has more edges than the 1000 that --max-edges permits, 7864080004 when each rule is counted by \
         itself: `10.0.0.0/16:1-60000` alone makes 7864080000 of them in `large`; name fewer, or permit more"
    );
}

#[test]
fn as_many_as_permitted_are_permitted() {
    let text = "sources: [a, b]\nrules: [{ to: \"db:1-10\" }, { to: \"db:5-15\" }]";
    let matrix = read(text).unwrap();
    assert_eq!(matrix.expand(30).unwrap().count(), 30);
    assert!(matrix.expand(29).is_err());
    let with_control = "rules: [{ to: \"db:1-10\", expect: blocked, control: api:1 }]";
    assert!(read(with_control).unwrap().expand(10).is_err());
    assert_eq!(read(with_control).unwrap().expand(11).unwrap().count(), 11);
}

#[test]
fn a_source_that_there_is_not_is_told_with_those_that_there_are() {
    let matrix = read("sources: [frontend, admin]\nrules: [{ to: db:1 }]").unwrap();
    let says = |source| matrix.edges(source, 10).unwrap_err().to_string();
    assert_eq!(
        says(None),
        "this matrix names its sources: say with --source which of them this is: frontend, admin"
    );
    assert_eq!(
        says(Some("fronted")),
        "there is no source `fronted` in this matrix: did you mean `frontend`?"
    );
    assert_eq!(
        says(Some("x")),
        "there is no source `x` in this matrix: its sources are frontend, admin"
    );
    let without = read("rules: [{ to: db:1 }]").unwrap();
    assert_eq!(without.edges(Some("x"), 10), without.edges(None, 10));
}

/// A rule as the property test makes it.
#[derive(Debug, Clone)]
struct Made {
    from: BTreeSet<u8>,
    to: BTreeSet<u16>,
    except: BTreeSet<u16>,
    expect: &'static str,
    tries: u32,
}

fn any_rule() -> impl Strategy<Value = Made> {
    (
        proptest::collection::btree_set(0..3_u8, 1..3),
        proptest::collection::btree_set(1..12_u16, 1..6),
        proptest::collection::btree_set(1..12_u16, 0..3),
        proptest::sample::select(vec![
            "reachable",
            "blocked",
            "refused",
            "open, refused",
            "filtered",
        ]),
        1..5_u32,
    )
        .prop_map(|(from, to, except, expect, tries)| Made {
            from,
            to,
            except,
            expect,
            tries,
        })
}

fn words(numbers: impl IntoIterator<Item = impl std::fmt::Display>, before: &str) -> String {
    let words = numbers.into_iter().map(|number| format!("\"{before}{number}\""));
    words.collect::<Vec<_>>().join(", ")
}

/// What rules make of one pair of source and target: their names, what meets all of them, the most tries.
fn naive(rules: &[Made], source: u8, port: u16) -> Option<(Vec<String>, BTreeSet<Cause>, u32)> {
    let numbered = (1..).zip(rules);
    let speak: Vec<(usize, &Made)> = numbered
        .filter(|(_, rule)| {
            rule.from.contains(&source) && rule.to.contains(&port) && !rule.except.contains(&port)
        })
        .collect();
    let tries = speak.iter().map(|(_, rule)| rule.tries).max()?;
    let meets_all = |cause: &Cause| {
        speak.iter().all(|(_, rule)| {
            let expected: Expected = rule.expect.parse().unwrap();
            expected.is_met_by(*cause)
        })
    };
    Some((
        speak.iter().map(|(number, _)| format!("rule {number}")).collect(),
        Cause::ALL.iter().copied().filter(meets_all).collect(),
        tries,
    ))
}

proptest! {
    #[test]
    fn the_expansion_is_what_a_naive_one_is(rules in proptest::collection::vec(any_rule(), 1..6)) {
        let mut text = "sources: [s0, s1, s2]\nrules:\n".to_owned();
        for rule in &rules {
            writeln!(text,
                "- {{ from: [{}], to: [{}], except: [{}], expect: \"{}\", tries: {} }}",
                words(&rule.from, "s"), words(&rule.to, "h:"), words(&rule.except, "h:"), rule.expect, rule.tries,
            ).unwrap();
        }
        let matrix = read(&text).unwrap();
        let is_empty = rules.iter().any(|rule| rule.to.is_subset(&rule.except));
        let pairs = (0..3).flat_map(|source| (1..12).map(move |port| (source, port)));
        let all: Vec<_> = pairs.filter_map(|(source, port)| Some(((source, port), naive(&rules, source, port)?))).collect();
        let contradict = all.iter().any(|(_, (_, causes, _))| causes.is_empty());
        let expansion = match matrix.expand(100) {
            Ok(expansion) => expansion,
            Err(error) => {
                prop_assert!(is_empty || contradict, "{}\n{}", error, text);
                return Ok(());
            }
        };
        prop_assert!(!is_empty && !contradict, "{}", text);
        prop_assert_eq!(expansion.count(), all.len() as u64);
        for ((source, port), (names, causes, tries)) in all {
            let edges = expansion.edges(Some(&format!("s{source}"))).unwrap();
            let edge = edges.iter().find(|edge| edge.target.port == port).unwrap();
            prop_assert_eq!(&edge.demand.rules, &names);
            prop_assert_eq!(edge.demand.tries, tries);
            let met: BTreeSet<Cause> = Cause::ALL.iter().copied().filter(|cause| edge.demand.expected.is_met_by(*cause)).collect();
            prop_assert_eq!(met, causes);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), near in "[a-z0-9:,/\\[\\]{} \n\t\"'&*!|>#.-]{0,60}") {
        for text in [text, near.clone(), format!("rules:\n- to: {near}\n"), format!("rules: [{{ to: \"{near}\" }}]")] {
            for format in [Format::Yaml, Format::Toml, Format::Json] {
                if let Ok(matrix) = Matrix::read(&text, format, &Services::default()) {
                    let _ = matrix.expand(1000);
                }
            }
        }
    }

    #[test]
    fn an_example_that_was_damaged_is_an_error_or_a_matrix(at in 0..EXAMPLE.len(), with in any::<char>()) {
        let letters = EXAMPLE.chars().enumerate();
        let text: String = letters.map(|(place, letter)| if place == at { with } else { letter }).collect();
        if let Err(error) = read(&text) {
            prop_assert!(error.line <= text.lines().count() + 1 && error.column >= 1, "{}", error);
            prop_assert!(!error.says.is_empty());
        }
    }

    #[test]
    fn json_is_read_as_json_is(
        name in any::<String>().prop_filter("empty", |name| !name.trim().is_empty()),
        label in any::<String>(),
    ) {
        let file = serde_json::json!({
            "name": name,
            "sources": { "a": { "labels": { "x": label } } },
            "rules": [{ "to": "a:1" }],
        });
        for text in [file.to_string(), serde_json::to_string_pretty(&file).unwrap()] {
            let matrix = Matrix::read(&text, Format::Json, &Services::default()).unwrap();
            prop_assert_eq!(matrix.name.as_deref(), Some(name.trim()));
            prop_assert_eq!(&matrix.sources[0].labels["x"], &label);
        }
    }
}
