//! What an answer lacks.

use super::*;
use crate::matrix::Gap;

const TO: [&str; 3] = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"];

fn edges(source: &str, number: usize) -> Vec<Made> {
    let open = |to: &&str| Made::new(source, to, "reachable", Cause::Healthy);
    TO.iter().take(number).map(open).collect()
}

fn source() -> String {
    "a".to_owned()
}

fn shard(index: u32, count: u32, edges: u64) -> Run {
    Run {
        shard: Some(Shard { index, count }),
        ..run("a", edges, edges)
    }
}

#[test]
fn nothing_is_missing_where_each_source_says_that_all_is_done_and_it_is_there() {
    let mut all = edges("a", 3);
    all.extend(edges("b", 2));
    let answer = merged(all, vec![run("a", 3, 3), run("b", 2, 2)]);
    assert_eq!(answer.gaps(), []);
}

#[test]
fn a_source_without_a_summary_was_killed_or_cut() {
    let mut all = edges("a", 3);
    all.extend(edges("b", 2));
    let gaps = merged(all, vec![run("b", 2, 2)]).gaps();
    assert_eq!(gaps, [Gap::NoSummary { source: source() }]);
    assert_eq!(
        gaps[0].to_string(),
        "no summary from a: its run was killed, or its last lines are missing"
    );
}

#[test]
fn edges_that_a_summary_counts_and_that_are_not_there_are_lost() {
    let gaps = merged(edges("a", 2), vec![run("a", 3, 3)]).gaps();
    assert_eq!(
        gaps,
        [Gap::Lost {
            source: source(),
            edges: 1
        }]
    );
    // Of a source of which there is nothing but its last line, all are.
    let gaps = merged(Vec::new(), vec![run("a", 3, 3)]).gaps();
    assert_eq!(
        gaps,
        [Gap::Lost {
            source: source(),
            edges: 3
        }]
    );
}

#[test]
fn a_run_that_ended_early_leaves_edges_out() {
    let gaps = merged(edges("a", 2), vec![run("a", 3, 2)]).gaps();
    assert_eq!(
        gaps,
        [Gap::NotDone {
            source: source(),
            edges: 1
        }]
    );
    assert_eq!(
        gaps[0].to_string(),
        "1 edge of a not looked at: the run ended early"
    );
}

#[test]
fn a_run_that_went_on_with_one_that_ended_early_stands_for_both() {
    let first = run("a", 3, 1);
    let second = Run {
        ended_unix_s: Duration::from_secs(120),
        ..run("a", 3, 3)
    };
    for runs in [vec![first.clone(), second.clone()], vec![second.clone(), first]] {
        let answer = merged(edges("a", 3), runs);
        assert_eq!(answer.gaps(), []);
        assert_eq!(answer.standing_runs(), [&second]);
    }
}

#[test]
fn a_look_after_the_last_summary_is_of_a_run_that_did_not_end() {
    let mut all = edges("a", 3);
    all.push(Made::new("a", TO[0], "reachable", Cause::Port).at(500));
    let gaps = merged(all, vec![run("a", 3, 3)]).gaps();
    assert_eq!(gaps, [Gap::NoSummaryOfTheLast { source: source() }]);
}

#[test]
fn shards_of_one_source_are_one_source() {
    let answer = merged(edges("a", 3), vec![shard(0, 2, 2), shard(1, 2, 1)]);
    assert_eq!(answer.sources.len(), 1);
    assert_eq!(answer.gaps(), []);
    assert_eq!(answer.standing_runs().len(), 2);
}

#[test]
fn a_shard_that_says_nothing_is_missing() {
    let gaps = merged(edges("a", 3), vec![shard(0, 3, 2), shard(2, 3, 1)]).gaps();
    assert_eq!(
        gaps,
        [Gap::Shards {
            source: source(),
            missing: vec![1],
            count: 3
        }]
    );
    assert_eq!(gaps[0].to_string(), "no summary of 1 of the 3 shards of a: 1");
}

#[test]
fn a_shard_that_was_tried_again_counts_once() {
    let again = Run {
        ended_unix_s: Duration::from_secs(120),
        ..shard(0, 2, 2)
    };
    let answer = merged(edges("a", 3), vec![shard(0, 2, 2), shard(1, 2, 1), again]);
    assert_eq!(answer.gaps(), []);
}

#[test]
fn two_matrices_of_one_source_may_share_edges() {
    let other = Run {
        matrix: Some("other".to_owned()),
        ..run("a", 2, 2)
    };
    let answer = merged(edges("a", 3), vec![run("a", 3, 3), other]);
    assert_eq!(answer.gaps(), []);
    assert_eq!(answer.standing_runs().len(), 2);
}
