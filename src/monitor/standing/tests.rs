//! What is confirmed, held against a model that looks at all checks anew each time.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::diagnose::{Confidence, Expectation};

const MINUTE: Duration = Duration::from_secs(60);

fn check(cause: Cause, began: Duration) -> Check {
    check_that(cause, began, false)
}

fn check_that(cause: Cause, began: Duration, is_mixed: bool) -> Check {
    Check {
        seen: Seen {
            began_unix_s: began,
            took_s: Duration::from_millis(1),
            tried: 1,
            judged: Judged::of(cause, &[Expectation::Class(Class::Open)]),
            cause,
            confidence: Confidence::Certain,
            is_mixed,
            from: None,
            address: None,
            addresses: 1,
            lookups: None,
            connect_s: None,
            rtt_s: None,
            syn_retransmits: None,
            findings: Vec::new(),
        },
        record: Arc::from(""),
    }
}

/// What checks that come every ten seconds change, one list a check.
fn changes(causes: &[Cause], confirm: u32) -> (Standing, Vec<Vec<Change>>) {
    let mut standing = Standing::default();
    let mut at = MINUTE;
    let changes = causes
        .iter()
        .map(|cause| {
            at += Duration::from_secs(10);
            standing.saw(check(*cause, at), confirm)
        })
        .collect();
    (standing, changes)
}

fn states(changes: &[Vec<Change>]) -> Vec<(usize, Cause)> {
    let all = changes.iter().enumerate();
    all.flat_map(|(place, changes)| changes.iter().map(move |change| (place, change)))
        .filter(|(_, change)| change.kind == Kind::State)
        .map(|(place, change)| (place, change.to))
        .collect()
}

use Cause::{Healthy, HostSilent, NoListener, NoPorts, Overloaded, Port, SynLost, Undecided};

#[test]
fn one_lost_syn_is_a_change_of_verdict_and_none_of_state() {
    let (standing, changes) = changes(&[Healthy, SynLost, Healthy], 2);
    assert_eq!(states(&changes), [(0, Healthy)]);
    let verdicts: Vec<_> = changes
        .iter()
        .map(|changes| {
            changes
                .iter()
                .filter(|change| change.kind == Kind::Verdict)
                .count()
        })
        .collect();
    assert_eq!(verdicts, [1, 1, 1]);
    assert_eq!(
        standing.confirmed.unwrap().seen_unix_s,
        MINUTE + Duration::from_secs(30)
    );
}

#[test]
fn a_change_counts_since_the_first_check_that_showed_it() {
    let (standing, changes) = changes(&[Healthy, NoListener, NoListener], 2);
    assert_eq!(states(&changes), [(0, Healthy), (2, NoListener)]);
    let confirmed = standing.confirmed.unwrap();
    assert_eq!(confirmed.since_unix_s, MINUTE + Duration::from_secs(20));
    assert_eq!(changes[2][0].lasted_s, Some(Duration::from_secs(10)));
}

#[test]
fn what_our_own_side_did_confirms_nothing_and_interrupts_nothing() {
    let (standing, changes) = changes(
        &[
            NoPorts, Undecided, Healthy, NoListener, NoPorts, NoPorts, NoListener,
        ],
        2,
    );
    assert_eq!(states(&changes), [(2, Healthy), (6, NoListener)]);
    assert_eq!(standing.blind, 0);
    let (standing, _) = self::changes(&[Healthy, NoPorts, NoPorts, NoPorts], 2);
    assert_eq!(standing.confirmed.unwrap().class, Class::Open);
    assert_eq!(standing.blind, 3);
}

#[test]
fn who_fails_each_time_in_another_way_is_down_all_the_same() {
    let (_, changes) = changes(
        &[
            Healthy, NoListener, Port, NoListener, Port, Healthy, SynLost, Healthy,
        ],
        2,
    );
    assert_eq!(states(&changes), [(0, Healthy), (2, Port), (6, SynLost)]);
}

#[test]
fn what_became_another_during_a_check_is_what_the_next_one_finds() {
    let mut standing = Standing::default();
    let mut saw = |cause: Cause, at: u32, is_mixed: bool| {
        let changes = standing.saw(check_that(cause, MINUTE * at, is_mixed), 2);
        let state = changes.into_iter().find(|change| change.kind == Kind::State);
        state.map(|change| change.to)
    };
    assert_eq!(saw(Healthy, 1, false), Some(Healthy));
    assert_eq!(saw(Port, 2, false), None);
    // Healed halfway.
    assert_eq!(saw(Overloaded, 3, true), None);
    assert_eq!(saw(Healthy, 4, false), None);
    // It is not, and then it is twice.
    assert_eq!(saw(Port, 5, false), None);
    assert_eq!(saw(Overloaded, 6, true), None);
    assert_eq!(saw(Overloaded, 7, true), Some(Overloaded));
    assert_eq!(saw(Healthy, 8, false), None);
    assert_eq!(saw(SynLost, 9, false), Some(SynLost));
}

#[test]
fn open_and_slow_in_turn_is_no_change() {
    let (_, changes) = changes(&[Healthy, SynLost, Healthy, SynLost, Healthy, SynLost], 2);
    assert_eq!(states(&changes), [(0, Healthy)]);
}

#[test]
fn one_refusal_between_slow_checks_is_no_change_to_refused() {
    let (_, changes) = changes(&[Healthy, SynLost, NoListener, SynLost, SynLost], 2);
    assert_eq!(states(&changes), [(0, Healthy), (4, SynLost)]);
}

#[test]
fn the_last_hour_is_what_is_remembered() {
    let mut standing = Standing::default();
    for minute in 0..200 {
        standing.saw(
            check(if minute == 150 { Port } else { Healthy }, MINUTE * minute),
            2,
        );
        standing.saw(check(Healthy, MINUTE * minute + Duration::from_secs(30)), 2);
    }
    assert_eq!(standing.minutes.len(), MINUTES);
    let missed: Vec<_> = standing
        .minutes
        .iter()
        .filter(|minute| minute.missed > 0)
        .collect();
    assert_eq!(
        missed,
        [&Minute {
            minute: 150,
            checks: 2,
            missed: 1,
            worst: Port
        }]
    );
    assert_eq!(standing.checks.iter().sum::<u64>(), 400);
}

/// All that the state is by definition: looks at every check since the last change, backwards.
fn naive(causes: &[Cause], confirm: u32) -> Vec<(usize, Cause)> {
    let of = |cause: Cause| {
        (
            cause.class(),
            Judged::of(cause, &[Expectation::Class(Class::Open)]),
        )
    };
    let mut changes = Vec::new();
    let mut state: Option<(Class, Judged)> = None;
    let mut changed_at = 0;
    for at in 0..causes.len() {
        let now = of(causes[at]);
        if now.1 == Judged::CouldNotJudge {
            continue;
        }
        let Some(known) = state else {
            state = Some(now);
            changed_at = at;
            changes.push((at, causes[at]));
            continue;
        };
        let in_a_row: Vec<_> = causes[changed_at..=at]
            .iter()
            .rev()
            .map(|cause| of(*cause))
            .filter(|seen| seen.1 != Judged::CouldNotJudge)
            .take_while(|seen| *seen != known)
            .collect();
        let enough = |run: usize| run >= confirm as usize;
        let alike = in_a_row.iter().take_while(|seen| **seen == now).count();
        let otherwise = in_a_row.iter().take_while(|seen| seen.1 != known.1).count();
        if now != known && (enough(alike) || enough(otherwise)) {
            state = Some(now);
            changed_at = at;
            changes.push((at, causes[at]));
        }
    }
    changes
}

proptest! {
    #[test]
    fn the_state_is_what_the_naive_model_says(
        causes in prop::collection::vec(
            prop::sample::select(vec![Healthy, SynLost, NoListener, Port, HostSilent, NoPorts, Undecided]),
            0..60,
        ),
        confirm in 1u32..5,
    ) {
        let (standing, changes) = changes(&causes, confirm);
        prop_assert_eq!(states(&changes), naive(&causes, confirm));
        prop_assert_eq!(standing.checks.iter().sum::<u64>(), causes.len() as u64);
        // Each verdict that is another than the one before is told, and no other.
        for (place, changes) in changes.iter().enumerate() {
            let is_another = place == 0 || causes[place] != causes[place - 1];
            let told = changes.iter().filter(|change| change.kind == Kind::Verdict).count();
            prop_assert_eq!(told, usize::from(is_another));
        }
    }
}
