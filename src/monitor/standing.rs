//! What is known of one target: the latest check, what is confirmed, since when, and what the last hour looked like.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::{Followed, Seen};
use crate::diagnose::{Cause, Class, Judged};

/// The upper edges of the histogram of handshakes, in seconds: fine where paths are, then at the kernel's retransmission steps
/// (a SYN is sent again after 1, 3, 7 and 15 s, and answered a round trip later).
pub const HANDSHAKE_EDGES: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.999, 1.5, 2.999, 3.5,
    6.999, 7.5, 14.999,
];

/// So many minutes are remembered.
pub const MINUTES: usize = 60;

/// One check: in short, and in full.
#[derive(Debug, Clone)]
pub struct Check {
    /// In short.
    pub seen: Seen,
    /// In full: the records of its endpoints as JSON lines (`tcpprobe/v1`), for events, the page and `debug`.
    pub record: Arc<str>,
}

/// What has been seen so often in a row that it counts: a class, and whether it is as expected. A change of either is a change.
///
/// A check that could not judge (our own side failed, or time ran out) neither confirms nor denies: it is as if it had not
/// been, and [`Standing::blind`] counts it. The others count in a row, each if it is other than what is confirmed:
/// - so many with the same class and judgement confirm that one;
/// - so many that are all judged otherwise than what is confirmed confirm the last one. A target that is refused and
///   filtered in turn is down, though no class ever comes twice; and one that is open and slow in turn is up. A check that is
///   mixed ([`Seen::is_mixed`]) may be of two times, so that it does not end such a row: the next one does, or it comes twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// The class.
    pub class: Class,
    /// The cause that the latest check which agreed had.
    pub cause: Cause,
    /// Whether it is as expected; never [`Judged::CouldNotJudge`].
    pub judged: Judged,
    /// When the first of the checks that confirmed it began, since the Unix epoch.
    pub since_unix_s: Duration,
    /// When the latest check that agreed began.
    pub seen_unix_s: Duration,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The verdict of the latest check: its class or its cause.
    Verdict,
    /// What is confirmed.
    State,
}

/// A change that a check made.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Of what.
    pub kind: Kind,
    /// What it was before; absent for the first.
    pub from: Option<Cause>,
    /// What it is.
    pub to: Cause,
    /// How long it had been what it was before; absent for the first.
    pub lasted_s: Option<Duration>,
}

/// How many handshakes took how long. Bounded, whatever they take.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Handshakes {
    /// How many are in each bucket (not summed up), one for each of [`HANDSHAKE_EDGES`], then those that took longer.
    pub buckets: [u64; HANDSHAKE_EDGES.len() + 1],
    /// The time of all of them together, in seconds.
    pub sum_s: f64,
    /// How many are in each bucket of the native histogram of schema 3 (edges at powers of 2^(1/8)), by the bucket's index, in
    /// the order of the indices.
    pub native: Vec<(i32, u64)>,
}

/// One minute of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Which, in minutes since the Unix epoch.
    pub minute: u64,
    /// How many checks it had.
    pub checks: u16,
    /// How many were not as expected.
    pub missed: u16,
    /// The worst verdict: the last that was not as expected, else the last.
    pub worst: Cause,
}

/// What is known of one target.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The latest check; absent before the first one.
    pub latest: Option<Check>,
    /// What counts; absent before the first check that could judge, which is confirmed at once.
    pub confirmed: Option<Confirmed>,
    /// When the latest verdict was seen first, since the Unix epoch.
    pub verdict_since_unix_s: Duration,
    /// How many checks in a row could not judge, up to the latest one.
    pub blind: u32,
    /// The addresses of its name.
    pub addresses: Followed,
    /// The checks in a row that disagree with what is confirmed.
    rising: Option<Rising>,
    /// How many checks had which class, in the order of [`Class::ALL`].
    pub checks: [u64; Class::ALL.len()],
    /// The handshakes that were made.
    pub handshakes: Handshakes,
    /// SYNs that had to be sent again before one was answered, in all of them together.
    pub syn_retransmits: u64,
    /// The last hour, oldest first; minutes without a check are left out.
    pub minutes: VecDeque<Minute>,
    /// Checks that began later than they should have, by more than [`super::Engine::LATE`].
    pub late: u64,
    /// Checks that were left out, since the one before had not ended.
    pub left_out: u64,
}

/// Checks in a row that disagree with what is confirmed, up to the latest one.
#[derive(Debug, Clone)]
struct Rising {
    /// Those with the same class and judgement as the latest.
    alike: Run,
    class: Class,
    judged: Judged,
    /// Those that are judged otherwise than what is confirmed.
    otherwise: Run,
}

/// A check that disagrees with what is confirmed.
#[derive(Clone, Copy)]
struct Disagrees {
    class: Class,
    judged: Judged,
    /// Whether it is judged otherwise, not only of another class.
    is_otherwise: bool,
    began: Duration,
}

/// Checks in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    checks: u32,
    /// When the first of them began.
    since_unix_s: Duration,
}

impl Standing {
    /// Takes a check down; [`Confirmed`] says when `confirm` checks in a row make a change count.
    pub fn saw(&mut self, check: Check, confirm: u32) -> Vec<Change> {
        let (cause, began, judged) = (check.seen.cause, check.seen.began_unix_s, check.seen.judged);
        let class = cause.class();
        if let Some(count) = Class::ALL
            .iter()
            .position(|known| *known == class)
            .and_then(|index| self.checks.get_mut(index))
        {
            *count += 1;
        }
        if let Some(connect) = check.seen.connect_s {
            self.handshakes.add(connect);
        }
        self.syn_retransmits += u64::from(check.seen.syn_retransmits.unwrap_or(0));
        let is_mixed = check.seen.is_mixed;
        self.minute(&check.seen);
        let mut changes = Vec::new();
        let before = self.latest.replace(check).map(|check| check.seen.cause);
        if before != Some(cause) {
            let since = mem::replace(&mut self.verdict_since_unix_s, began);
            changes.push(Change {
                kind: Kind::Verdict,
                from: before,
                to: cause,
                lasted_s: before.map(|_| began.saturating_sub(since)),
            });
        }
        changes.extend(self.confirm(cause, judged, began, is_mixed, confirm));
        changes
    }

    fn confirm(
        &mut self,
        cause: Cause,
        judged: Judged,
        began: Duration,
        is_mixed: bool,
        confirm: u32,
    ) -> Option<Change> {
        if judged == Judged::CouldNotJudge {
            self.blind = self.blind.saturating_add(1);
            return None;
        }
        self.blind = 0;
        let class = cause.class();
        let since_unix_s = match &mut self.confirmed {
            None => began,
            Some(confirmed) if (confirmed.class, confirmed.judged) == (class, judged) => {
                confirmed.cause = cause;
                confirmed.seen_unix_s = began;
                self.rising = None;
                return None;
            }
            Some(confirmed) => {
                let is_otherwise = judged != confirmed.judged;
                let rising = Rising::after(
                    self.rising.take(),
                    Disagrees {
                        class,
                        judged,
                        is_otherwise,
                        began,
                    },
                );
                let Some(since) = rising.counts_since(confirm, is_mixed) else {
                    self.rising = Some(rising);
                    return None;
                };
                since
            }
        };
        let before = self.confirmed.replace(Confirmed {
            class,
            cause,
            judged,
            since_unix_s,
            seen_unix_s: began,
        });
        Some(Change {
            kind: Kind::State,
            from: before.as_ref().map(|before| before.cause),
            to: cause,
            lasted_s: before.map(|before| since_unix_s.saturating_sub(before.since_unix_s)),
        })
    }

    fn minute(&mut self, seen: &Seen) {
        let minute = seen.began_unix_s.as_secs() / 60;
        let is_missed = seen.judged != Judged::AsExpected;
        match self.minutes.back_mut() {
            Some(last) if last.minute == minute => {
                last.checks = last.checks.saturating_add(1);
                if is_missed || last.missed == 0 {
                    last.worst = seen.cause;
                }
                last.missed = last.missed.saturating_add(is_missed.into());
            }
            _ => self.minutes.push_back(Minute {
                minute,
                checks: 1,
                missed: is_missed.into(),
                worst: seen.cause,
            }),
        }
        let oldest = minute.saturating_sub(MINUTES as u64 - 1);
        while self.minutes.front().is_some_and(|first| first.minute < oldest) {
            self.minutes.pop_front();
        }
    }
}

impl Rising {
    /// With one more check that disagrees.
    fn after(before: Option<Self>, latest: Disagrees) -> Self {
        let Disagrees {
            class,
            judged,
            is_otherwise,
            began,
        } = latest;
        let (alike, otherwise) = match before {
            None => (Run::default(), Run::default()),
            Some(before) if (before.class, before.judged) == (class, judged) => {
                (before.alike, before.otherwise)
            }
            Some(before) => (Run::default(), before.otherwise),
        };
        Self {
            alike: alike.and_one(began),
            class,
            judged,
            otherwise: if is_otherwise {
                otherwise.and_one(began)
            } else {
                Run::default()
            },
        }
    }

    /// Since when it counts, if there are enough of them.
    fn counts_since(&self, confirm: u32, is_mixed: bool) -> Option<Duration> {
        let otherwise = (!is_mixed).then_some(self.otherwise);
        let mut runs = otherwise.into_iter().chain([self.alike]);
        let enough = runs.find(|run| run.checks >= confirm.max(1));
        enough.map(|run| run.since_unix_s)
    }
}

impl Run {
    fn and_one(self, began: Duration) -> Self {
        Self {
            checks: self.checks.saturating_add(1),
            since_unix_s: if self.checks == 0 {
                began
            } else {
                self.since_unix_s
            },
        }
    }
}

impl Handshakes {
    /// Takes one down.
    pub fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = HANDSHAKE_EDGES.partition_point(|edge| *edge < seconds);
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.sum_s += seconds;
        #[expect(clippy::cast_possible_truncation, reason = "a Duration is far within")]
        let index = (seconds.max(1e-9).log2() * 8.0).ceil() as i32;
        match self.native.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => self.native[at].1 += 1,
            Err(at) => self.native.insert(at, (index, 1)),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests;
