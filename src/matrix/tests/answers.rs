//! The merging of looks into rows, columns and cells.

use super::*;

const DB: &str = "10.0.0.1:5432";

#[test]
fn sources_are_in_the_order_of_their_names_and_targets_in_that_of_their_hosts_and_ports() {
    let to = [
        "10.0.0.10:80",
        "web:443",
        "[2001:db8::1]:80",
        "10.0.0.2:443",
        "10.0.0.2:80",
        "api:80",
    ];
    let mut edges: Vec<Made> = to
        .iter()
        .map(|to| Made::without_verdict("b", to, "reachable"))
        .collect();
    edges.push(Made::without_verdict("a", "web:443", "reachable").on("node-2"));
    edges.push(Made::without_verdict("a", "web:443", "reachable").on("node-1"));
    let answer = answer(edges);
    let sources: Vec<String> = answer.sources.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["a@node-1", "a@node-2", "b"]);
    let targets: Vec<String> = answer.targets.iter().map(ToString::to_string).collect();
    assert_eq!(
        targets,
        [
            "api:80",
            "web:443",
            "10.0.0.2:80",
            "10.0.0.2:443",
            "10.0.0.10:80",
            "[2001:db8::1]:80"
        ]
    );
    let places: Vec<(u32, u32)> = answer
        .cells
        .iter()
        .map(|cell| (cell.source, cell.target))
        .collect();
    assert_eq!(
        places,
        [(0, 1), (1, 1), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5)]
    );
    assert_eq!(answer.row(1).len(), 1);
    assert_eq!(answer.row(2).len(), 6);
    assert_eq!(answer.cells[0].at, 7);
}

#[test]
fn of_two_looks_the_later_counts_in_whatever_order_they_come() {
    let early = || Made::new("a", DB, "reachable", Cause::Healthy).at(100);
    let late = || Made::new("a", DB, "reachable", Cause::Port).at(200);
    for (edges, at) in [(vec![early(), late()], 1), (vec![late(), early()], 0)] {
        let answer = answer(edges);
        assert_eq!(answer.cells.len(), 1);
        assert_eq!(answer.cells[0].at, at);
        assert_eq!(answer.cells[0].judged.judgement, Judgement::Missed);
        assert_eq!(answer.cells[0].concluded_unix_s, Duration::from_secs(200));
    }
    // Of two records of one look the one that was written last.
    let answer = answer(vec![late(), late()]);
    assert_eq!(answer.cells[0].at, 1);
}

#[test]
fn what_an_earlier_look_saw_proves_nothing() {
    let before = Made::new("a", DB, "blocked", Cause::Healthy).at(100);
    let elsewhere = Made::new("b", DB, "blocked", Cause::Healthy).at(100);
    let after = |source| Made::new(source, DB, "blocked", Cause::HostSilent).at(200);
    let answer = answer(vec![before, elsewhere, after("a"), after("b")]);
    for cell in &answer.cells {
        assert_eq!(cell.judged.why, Some(Why::NoLife));
    }
}

#[test]
fn an_edge_is_judged_at_once_by_what_is_known_and_again_at_the_end_by_all() {
    let mut merger = Merger::default();
    let blocked = Made::new("a", DB, "blocked", Cause::HostSilent);
    let at_once = merger.add(0, &blocked.0);
    assert_eq!(at_once.judgement, Judgement::Unproven);
    merger.add(1, &Made::new("b", DB, "reachable", Cause::Healthy).0);
    let again = merger.add(2, &blocked.0);
    assert_eq!(again.judgement, Judgement::Met);
    let answer = merger.into_answer();
    assert_eq!(
        of(&answer, "a", DB).judged.proof,
        Some(Proof::OpenFrom("b".into()))
    );
}

#[test]
fn a_pod_that_was_started_again_is_the_same_source() {
    let mut first = Made::new("a", DB, "reachable", Cause::Port).at(100);
    Arc::make_mut(&mut first.0.source).pod = Some("a-1".to_owned());
    let mut second = Made::new("a", DB, "reachable", Cause::Healthy).at(200);
    Arc::make_mut(&mut second.0.source).pod = Some("a-2".to_owned());
    let known = Identity::named("a");
    let mut merger = Merger::default();
    merger.add(0, &first.0);
    merger.add(1, &second.0);
    assert!(merger.knows(&known, &target(DB)));
    assert!(!merger.knows(&known, &target("10.0.0.1:80")));
    assert!(!merger.knows(&Identity::named("b"), &target(DB)));
    let answer = merger.into_answer();
    assert_eq!(answer.sources.len(), 1);
    assert_eq!(answer.cells.len(), 1);
}

#[test]
fn edges_are_counted_by_what_they_come_to() {
    let answer = answer(vec![
        Made::new("a", "10.0.0.1:1", "reachable", Cause::Healthy),
        Made::new("a", "10.0.0.2:2", "reachable", Cause::Port),
        Made::new("a", "10.0.0.3:3", "blocked", Cause::HostSilent),
        Made::new("a", "10.0.0.4:4", "reachable", Cause::Denied),
        Made::new("a", "10.0.0.5:5", "reachable", Cause::NxDomain),
    ]);
    let totals = answer.totals();
    assert_eq!(
        (totals.met, totals.missed, totals.unproven, totals.errors),
        (1, 2, 1, 1)
    );
    assert_eq!(totals.edges(), 5);
}

#[test]
fn edges_that_were_read_back_share_their_demands() {
    let answer = answer(vec![
        Made::new("a", "10.0.0.1:1", "reachable", Cause::Healthy),
        Made::new("a", "10.0.0.2:2", "reachable", Cause::Port),
    ]);
    assert!(Arc::ptr_eq(&answer.cells[0].demand, &answer.cells[1].demand));
}
