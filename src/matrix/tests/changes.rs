//! What is different between two answers.

use super::*;
use crate::matrix::{ChangeKind, Changes};

const DB: &str = "10.0.0.1:5432";

/// In which way one edge has changed.
fn kind(old: Made, new: Made) -> Option<ChangeKind> {
    let changes = Changes::between(&answer(vec![old]), &answer(vec![new]));
    assert_eq!(changes.changed.len() as u64 + changes.unchanged, 1);
    changes.changed.first().map(|change| change.kind)
}

fn is(expected: &str, cause: Cause) -> Made {
    Made::new("a", DB, expected, cause)
}

#[test]
fn what_was_as_expected_and_is_not_broke() {
    let kind = kind(is("reachable", Cause::Healthy), is("reachable", Cause::Port));
    assert_eq!(kind, Some(ChangeKind::Broke));
}

#[test]
fn what_is_as_expected_and_was_not_is_mended() {
    let mended = Some(ChangeKind::Mended);
    assert_eq!(
        kind(is("reachable", Cause::Port), is("reachable", Cause::Healthy)),
        mended
    );
    let proven = is("blocked", Cause::Port).seeing(control("10.0.0.1:44321"));
    assert_eq!(kind(is("blocked", Cause::Port), proven), mended);
    assert_eq!(
        kind(is("reachable", Cause::Denied), is("reachable", Cause::Healthy)),
        mended
    );
}

#[test]
fn another_verdict_with_the_same_result_is_a_change() {
    let verdict = Some(ChangeKind::Verdict);
    assert_eq!(
        kind(is("reachable", Cause::Healthy), is("reachable", Cause::SynLost)),
        verdict
    );
    assert_eq!(
        kind(is("reachable", Cause::Port), is("reachable", Cause::NoListener)),
        verdict
    );
}

#[test]
fn another_result_that_neither_broke_nor_mended_is_a_change() {
    let judged = Some(ChangeKind::Judged);
    assert_eq!(
        kind(is("reachable", Cause::Healthy), is("reachable", Cause::Denied)),
        judged
    );
    assert_eq!(
        kind(is("blocked", Cause::Port), is("blocked", Cause::Healthy)),
        judged
    );
}

#[test]
fn how_sure_a_verdict_is_is_no_change() {
    let mut surer = is("reachable", Cause::Port);
    surer.0.outcome.endpoints[0].diagnosis.confidence = Confidence::Certain;
    assert_eq!(kind(is("reachable", Cause::Port), surer), None);
}

#[test]
fn edges_appear_and_vanish_and_the_worst_is_first() {
    let open = |source, to| Made::new(source, to, "reachable", Cause::Healthy);
    let old = answer(vec![open("a", DB), open("a", "10.0.0.1:80"), open("b", DB)]);
    let new = answer(vec![
        open("a", "10.0.0.1:90"),
        is("reachable", Cause::Port),
        open("b", DB),
    ]);
    let changes = Changes::between(&old, &new);
    let kinds: Vec<(ChangeKind, String)> = changes
        .changed
        .iter()
        .map(|change| (change.kind, change.target.to_string()))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChangeKind::Broke, DB.to_owned()),
            (ChangeKind::Appeared, "10.0.0.1:90".to_owned()),
            (ChangeKind::Vanished, "10.0.0.1:80".to_owned()),
        ]
    );
    assert_eq!(changes.unchanged, 1);
    assert_eq!(changes.count(ChangeKind::Broke), 1);
    assert_eq!(changes.changed[1].was, None);
    assert_eq!(changes.changed[2].is, None);
}
