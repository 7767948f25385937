//! The schedule, run against a clock that jumps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

/// What became of a simulated time: when each target began, and what did not begin.
#[derive(Debug, Default)]
struct Told {
    begun: Vec<(Duration, usize)>,
    late: Vec<Duration>,
    left_out: u64,
    missed: u64,
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("host-{number}:80")).collect()
}

fn paced(names: &[String], interval: impl Fn(usize) -> Duration) -> Vec<Paced<'_>> {
    let paced = names.iter().enumerate();
    paced
        .map(|(number, name)| Paced {
            name,
            interval: interval(number),
        })
        .collect()
}

/// Asks whenever a turn is due, until the time is `until`. A check of a target takes as long as `takes` says; at the end all
/// have ended.
fn run(
    schedule: &mut Schedule,
    names: &[String],
    from: Duration,
    until: Duration,
    takes: impl Fn(usize) -> Duration,
) -> Told {
    let mut told = Told::default();
    let mut now = from;
    let mut ends: BTreeSet<(Duration, usize)> = BTreeSet::new();
    loop {
        while let Some((end, index)) = ends.first().copied().filter(|(end, _)| *end <= now) {
            ends.remove(&(end, index));
            schedule.ended(&names[index]);
        }
        while let Some(turn) = schedule.take(now) {
            match turn {
                Turn::Begin { index, late } => {
                    told.begun.push((now, index));
                    told.late.push(late);
                    ends.insert((now + takes(index), index));
                }
                Turn::LeftOut { .. } => told.left_out += 1,
                Turn::Missed { turns, .. } => told.missed += turns,
            }
        }
        now = schedule.next_due().map_or(Duration::MAX, |due| due.max(now));
        if now > until {
            for (_, index) in ends {
                schedule.ended(&names[index]);
            }
            return told;
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn ten_thousand_targets_begin_a_millisecond_after_each_other() {
    let names = names(10_000);
    let targets = paced(&names, |_| seconds(10));
    let mut schedule = Schedule::default();
    schedule.replace(&targets, Duration::ZERO);
    let told = run(&mut schedule, &names, Duration::ZERO, seconds(60), |_| {
        MILLISECOND
    });
    assert!(told.begun.len().abs_diff(60_000) <= 1, "{}", told.begun.len());
    for two in told.begun.windows(2) {
        let distance = two[1].0.saturating_sub(two[0].0);
        assert!(
            distance.abs_diff(MILLISECOND) <= Duration::from_micros(1),
            "{distance:?}"
        );
    }
    assert_eq!((told.left_out, told.missed), (0, 0));
}

#[test]
fn a_hundred_intervals_of_one_target_each_are_no_bunch() {
    let names = names(100);
    let targets = paced(&names, |number| Duration::from_millis(9_000 + 10 * number as u64));
    let mut schedule = Schedule::default();
    schedule.replace(&targets, Duration::ZERO);
    let told = run(&mut schedule, &names, Duration::ZERO, seconds(10), |_| {
        MILLISECOND
    });
    for window in told.begun.windows(10) {
        assert!(
            window[9].0.saturating_sub(window[0].0) > Duration::from_millis(400),
            "{window:?}"
        );
    }
}

#[test]
fn a_target_that_is_looked_at_once_an_hour_has_its_first_look_within_seconds() {
    let names = names(5);
    let targets = paced(&names, |_| seconds(3600));
    let mut schedule = Schedule::default();
    schedule.replace(&targets, seconds(1000));
    let told = run(&mut schedule, &names, seconds(1000), seconds(1010), |_| {
        MILLISECOND
    });
    let seen: BTreeSet<usize> = told.begun.iter().map(|(_, index)| *index).collect();
    assert_eq!(seen.len(), 5);
    // Half an interval, and no more than one and a half, lies between the first look and the second.
    let told = run(&mut schedule, &names, seconds(1010), seconds(1010 + 5400), |_| {
        MILLISECOND
    });
    for index in 0..5 {
        let second = told.begun.iter().find(|(_, of)| *of == index).unwrap().0;
        assert!(second >= seconds(1000 + 1800), "{second:?}");
    }
}

#[test]
fn what_a_stall_kept_from_beginning_is_counted_and_not_made_up_for() {
    let names = names(10_000);
    let targets = paced(&names, |_| seconds(10));
    let mut schedule = Schedule::default();
    schedule.replace(&targets, Duration::ZERO);
    run(&mut schedule, &names, Duration::ZERO, seconds(20), |_| {
        MILLISECOND
    });
    let told = run(&mut schedule, &names, seconds(80), seconds(100), |_| MILLISECOND);
    // Sixty seconds at a thousand a second.
    assert!((59_990..=60_010).contains(&told.missed), "{}", told.missed);
    let busiest = (0..200)
        .map(|tenth| {
            let from = seconds(80) + Duration::from_millis(100) * tenth;
            let within = |at: &Duration| (from..from + Duration::from_millis(100)).contains(at);
            told.begun.iter().filter(|(at, _)| within(at)).count()
        })
        .max();
    assert!(busiest <= Some(250), "{busiest:?} in a tenth of a second");
    assert!(told.late.iter().all(|late| *late <= seconds(1)));
    // And then all is as it was before.
    let settled = told
        .begun
        .iter()
        .zip(&told.late)
        .filter(|((at, _), _)| *at > seconds(83));
    assert!(settled.clone().count() > 16_000);
    assert!(settled.clone().all(|(_, late)| late.is_zero()));
}

#[test]
fn a_reload_leaves_the_turns_of_those_that_stay_where_they_were() {
    let all = names(1_001);
    let few = paced(&all[..1_000], |_| seconds(10));
    let many = paced(&all, |_| seconds(10));
    let mut schedule = Schedule::default();
    schedule.replace(&few, Duration::ZERO);
    let before = run(&mut schedule, &all, Duration::ZERO, seconds(20), |_| MILLISECOND);
    schedule.replace(&many, seconds(20));
    let after = run(&mut schedule, &all, seconds(20), seconds(40), |_| MILLISECOND);
    let last: BTreeMap<usize, Duration> = before.begun.iter().map(|(at, index)| (*index, *at)).collect();
    let mut next: BTreeMap<usize, Duration> = BTreeMap::new();
    for (at, index) in &after.begun {
        next.entry(*index).or_insert(*at);
    }
    for (index, last) in last {
        let distance = next[&index].saturating_sub(last);
        // The distance of two turns is 10 ms.
        assert!(
            distance.abs_diff(seconds(10)) <= Duration::from_millis(11),
            "{distance:?}"
        );
    }
}

#[test]
fn a_check_that_outlives_its_target_and_its_return_is_still_the_only_one() {
    let names = names(1);
    let targets = paced(&names, |_| seconds(1));
    let mut schedule = Schedule::default();
    schedule.replace(&targets, Duration::ZERO);
    assert!(matches!(schedule.take(Duration::ZERO), Some(Turn::Begin { .. })));
    schedule.replace(&[], Duration::ZERO);
    assert_eq!(schedule.next_due(), None);
    schedule.replace(&targets, seconds(1));
    assert_eq!(schedule.take(seconds(1)), Some(Turn::LeftOut { index: 0 }));
    schedule.ended(&names[0]);
    assert!(matches!(schedule.take(seconds(2)), Some(Turn::Begin { .. })));
}

#[derive(Debug, Clone)]
enum Step {
    /// So much time passes while everybody does his work.
    Run(Duration),
    /// So much time passes while nobody does anything.
    Stall(Duration),
    /// Another list, which begins at one name and has so many.
    Reload(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = |most: u64| (1..most).prop_map(Duration::from_millis);
    let step = prop_oneof![
        4 => time(20_000).prop_map(Step::Run),
        2 => time(60_000).prop_map(Step::Stall),
        1 => time(900).prop_map(Step::Stall),
        2 => (0..30usize, 0..30usize).prop_map(|(first, count)| Step::Reload(first, count)),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_target_is_ever_looked_at_twice_at_once_too_often_or_not_at_all(
        steps in steps(),
        intervals in prop::collection::vec(500u64..20_000, 60),
        takes in prop::collection::vec(1u64..40_000, 60),
    ) {
        let all = names(60);
        let interval = |index: usize| Duration::from_millis(intervals[index]);
        let mut schedule = Schedule::default();
        let mut now = Duration::ZERO;
        let mut list: Vec<usize> = (0..30).collect();
        let mut running: BTreeMap<usize, Duration> = BTreeMap::new();
        let mut last: BTreeMap<usize, Duration> = BTreeMap::new();
        let targets: Vec<Paced> = list.iter().map(|index| Paced { name: &all[*index], interval: interval(*index) }).collect();
        schedule.replace(&targets, now);
        for step in steps {
            let until = match step {
                Step::Stall(time) => { now += time; now }
                Step::Run(time) => now + time,
                Step::Reload(first, count) => {
                    list = (first..first + count).collect();
                    last.retain(|index, _| list.contains(index));
                    let targets: Vec<Paced> = list.iter().map(|index| Paced { name: &all[*index], interval: interval(*index) }).collect();
                    schedule.replace(&targets, now);
                    now
                }
            };
            let mut asked: BTreeMap<usize, u32> = BTreeMap::new();
            let began = now;
            loop {
                running.retain(|index, end| {
                    let is_left = *end > now;
                    if !is_left { schedule.ended(&all[*index]); }
                    is_left
                });
                while let Some(turn) = schedule.take(now) {
                    let (Turn::Begin { index, .. } | Turn::LeftOut { index } | Turn::Missed { index, .. }) = turn;
                    let target = list[index];
                    *asked.entry(target).or_default() += 1;
                    match turn {
                        Turn::Begin { late, .. } => {
                            prop_assert!(!running.contains_key(&target), "twice at once");
                            prop_assert!(late <= interval(target) / 4);
                            if let Some(last) = last.insert(target, now) {
                                // A turn may be late by a quarter, and a reload brings it forward by half.
                                prop_assert!(now.saturating_sub(last) >= interval(target) / 4, "{:?} after {:?}", now, last);
                            }
                            running.insert(target, now + Duration::from_millis(takes[target]));
                        }
                        Turn::LeftOut { .. } => prop_assert!(running.contains_key(&target)),
                        Turn::Missed { turns, .. } => prop_assert!(turns > 0),
                    }
                }
                let Some(due) = schedule.next_due() else { break };
                prop_assert!(due > now || running.values().all(|end| *end > now));
                let next_end = running.values().min().copied().unwrap_or(Duration::MAX);
                let next = due.max(now).min(next_end.max(now));
                if next > until { break }
                now = if next == now { now + Duration::from_nanos(1) } else { next };
            }
            now = now.max(until);
            let took = until.saturating_sub(began);
            for index in &list {
                // Whatever happens, each has had a turn in two of its intervals, or in the first look at all.
                if took > interval(*index) * 2 + Duration::from_secs(10) {
                    prop_assert!(asked.contains_key(index), "{index} in {took:?}");
                }
            }
        }
    }
}
