//! When which target is looked at: spread evenly over its interval, never twice at once, and never in a burst.
//!
//! Pure: time is a `Duration` since some moment that whoever asks chose, and it only grows. Wall time has no say in it.
//!
//! Targets of one interval are put in the order of a hash of their names, and begin one after the other at even distances. The
//! order is the same in every process and after every reload, so that neither bunches anything: with one target more, the
//! turns of all others move by less than the distance of two.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use hmac_sha256::Hash;

/// A target as the schedule sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paced<'a> {
    /// Its name; no two have the same.
    pub name: &'a str,
    /// From the beginning of one check to that of the next.
    pub interval: Duration,
}

/// When which target is looked at.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    turns: Vec<Entry>,
    /// The next turn of each target.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// The names of those whose check is under way, in the list or not in it any more.
    running: HashSet<String>,
    /// From one beginning to the next at least, where turns have piled up: half of what it is on the average.
    distance: Duration,
    /// When all that began would have, one distance after the other.
    paid_until: Duration,
}

/// What is to be done with a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The target is to be looked at, so long after it was due.
    Begin {
        /// Its place in the list.
        index: usize,
        /// How late it is.
        late: Duration,
    },
    /// Its last check has not ended: this one is left out.
    LeftOut {
        /// Its place in the list.
        index: usize,
    },
    /// So many of its turns passed by while nobody asked. What would be a burst is not made up for.
    Missed {
        /// Its place in the list.
        index: usize,
        /// How many.
        turns: u64,
    },
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    interval: Duration,
    /// Where in each interval its turn is.
    phase: Duration,
    /// When its latest check began; absent before the first one.
    begun: Option<Duration>,
}

impl Schedule {
    /// A turn that nobody asked for within so much of the interval is missed.
    const LATEST: u32 = 4;
    /// A turn that nobody asked for within that time is missed, however long the interval is.
    const LATEST_AT_ALL: Duration = Duration::from_secs(1);
    /// The first look at new targets takes no longer than that, if they are few …
    const FIRST: Duration = Duration::from_secs(10);
    /// … and so long for each of them, if they are many.
    const FIRST_EACH: Duration = Duration::from_millis(10);
    /// So much may begin at once as fits into that time: timers are no finer than some milliseconds.
    const BURST: Duration = Duration::from_millis(20);
    /// However few targets there are, turns that piled up are no further apart.
    const FURTHEST: Duration = Duration::from_millis(5);

    /// Puts another list of targets in the place of this one. A target that stays keeps the distance to its last check, and the
    /// check that it may have under way. New targets have their first turn soon, whatever their interval is.
    pub fn replace(&mut self, targets: &[Paced], now: Duration) {
        let before: HashMap<String, Option<Duration>> = self
            .turns
            .drain(..)
            .map(|entry| (entry.name, entry.begun))
            .collect();
        let phases = phases(targets);
        self.turns = targets
            .iter()
            .zip(phases)
            .map(|(target, phase)| Entry {
                name: target.name.to_owned(),
                interval: target.interval,
                phase,
                begun: before.get(target.name).copied().flatten(),
            })
            .collect();
        let new = self.turns.iter().filter(|entry| entry.begun.is_none()).count();
        let new = u32::try_from(new).unwrap_or(u32::MAX);
        let first = Self::FIRST.max(Self::FIRST_EACH.saturating_mul(new));
        self.due = self
            .turns
            .iter()
            .enumerate()
            .map(|(index, entry)| Reverse((entry.next(now, first), index)))
            .collect();
        let a_second: f64 = targets
            .iter()
            .map(|target| target.interval.as_secs_f64().recip())
            .sum();
        let distance = Duration::try_from_secs_f64((2.0 * a_second).recip()).unwrap_or(Self::FURTHEST);
        self.distance = distance.min(Self::FURTHEST);
    }

    /// When the next turn may be taken; absent without targets.
    pub fn next_due(&self) -> Option<Duration> {
        let Reverse((due, _)) = self.due.peek()?;
        Some((*due).max(self.paid_until))
    }

    /// The next turn that is due, if one is; to be asked again until none is.
    pub fn take(&mut self, now: Duration) -> Option<Turn> {
        let Reverse((due, index)) = *self.due.peek()?;
        let late = now.checked_sub(due)?;
        if now < self.paid_until {
            return None;
        }
        self.due.pop();
        let entry = &mut self.turns[index];
        if late > (entry.interval / Self::LATEST).min(Self::LATEST_AT_ALL) {
            let next = entry.at_or_after(now);
            self.due.push(Reverse((next, index)));
            // The first turn of all may be anywhere before the second.
            let turns = next
                .saturating_sub(due)
                .as_nanos()
                .div_ceil(entry.interval.as_nanos().max(1));
            let turns = u64::try_from(turns).unwrap_or(u64::MAX).max(1);
            return Some(Turn::Missed { index, turns });
        }
        // Half an interval is what a first look, or a reload, may bring the next one forward.
        self.due
            .push(Reverse((entry.at_or_after(due + entry.interval / 2), index)));
        if !self.running.insert(entry.name.clone()) {
            return Some(Turn::LeftOut { index });
        }
        entry.begun = Some(now);
        self.paid_until = self.paid_until.max(now.saturating_sub(Self::BURST)) + self.distance;
        Some(Turn::Begin { index, late })
    }

    /// The check of a target has ended.
    pub fn ended(&mut self, name: &str) {
        self.running.remove(name);
    }
}

impl Entry {
    /// Its next turn in a list that begins at `now`; `first` is how long the first look at all that is new takes.
    fn next(&self, now: Duration, first: Duration) -> Duration {
        match self.begun {
            Some(begun) => self.at_or_after((begun + self.interval / 2).max(now)),
            None if self.interval <= first => self.at_or_after(now),
            None => {
                let share = self.phase.as_secs_f64() / self.interval.as_secs_f64();
                now + first.mul_f64(share.clamp(0.0, 1.0))
            }
        }
    }

    /// The first of its regular turns that is not before `moment`.
    fn at_or_after(&self, moment: Duration) -> Duration {
        let interval = self.interval.as_nanos().max(1);
        let moment = moment.as_nanos();
        let phase = self.phase.as_nanos();
        let rounds = moment.saturating_sub(phase).div_ceil(interval);
        nanoseconds(phase + rounds * interval)
    }
}

/// Where in its interval each target has its turn.
fn phases(targets: &[Paced]) -> Vec<Duration> {
    let mut groups: BTreeMap<Duration, Vec<usize>> = BTreeMap::new();
    for (index, target) in targets.iter().enumerate() {
        groups.entry(target.interval).or_default().push(index);
    }
    let hashes: Vec<[u8; 32]> = targets
        .iter()
        .map(|target| Hash::hash(target.name.as_bytes()))
        .collect();
    let mut phases = vec![Duration::ZERO; targets.len()];
    for (place, (interval, mut group)) in groups.into_iter().enumerate() {
        group.sort_by_key(|index| (hashes[*index], targets[*index].name));
        let count = group.len() as u128;
        let interval = interval.as_nanos();
        let offset = golden(place, interval);
        for (rank, index) in group.into_iter().enumerate() {
            let phase = (interval * rank as u128 / count + offset) % interval.max(1);
            phases[index] = nanoseconds(phase);
        }
    }
    phases
}

/// Intervals of different length begin at different places, so that a hundred of them with one target each are no bunch: the
/// multiples of the golden ratio are spread however many there are.
fn golden(place: usize, interval: u128) -> u128 {
    const RATIO: u128 = 618_033_988;
    (place as u128 * RATIO % 1_000_000_000) * interval / 1_000_000_000
}

fn nanoseconds(nanoseconds: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
