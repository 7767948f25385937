//! Which connections are to be idle for how long, and when it is known: a ladder of idle times, then ever finer parts of the gap
//! between what lived and what died. Sans-IO.
//!
//! A connection that was asked is done, since asking refreshes whatever remembers it. So every idle time has a connection of its
//! own, and several are idle at the same time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnose::hold::closes_by_age;

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The limit, up to so long.
    Limit {
        /// The longest idle time.
        max: Duration,
        /// So many connections at once at most (from 3).
        connections: usize,
        /// How near to get to the limit; absent is 1.6 % of it, and a second at least.
        within: Option<Duration>,
    },
    /// Whether one connection lives for so long.
    Once {
        /// The idle time.
        after: Duration,
    },
}

/// A connection to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: usize,
    /// In which round (from 1).
    pub round: u32,
    /// How long to wait before it is opened.
    pub delay: Duration,
    /// After how long to ask it.
    pub after: Duration,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was asked after so long, and lives.
    Lived(Duration),
    /// It was asked after so long, and does not.
    Died(Duration),
    /// It was begun at this time and ended by itself at this age.
    Ended {
        /// Since the first connection was begun.
        began: Duration,
        /// Since its handshake.
        age: Duration,
    },
    /// Nothing that says anything of idle time.
    Nothing,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Connections to open.
    pub open: Vec<Order>,
    /// Connections that are not needed any more.
    pub abandon: Vec<usize>,
    /// When to ask again at the latest, although nothing happened.
    pub wake: Option<Duration>,
    /// Nothing more is wanted.
    pub is_done: bool,
}

/// The shortest idle time: the kernel's keepalive counts in seconds.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// What a question takes at most: probes, FIN, a new connection, closing.
pub const QUESTION: Duration = Duration::from_secs(14);
/// The ladder begins with this part of its longest time.
const FIRST_RUNG: u32 = 30;
/// Each rung is at least so many times the one before.
const APART: f64 = 1.1;
/// After so many parts of the gap it is as narrow as it gets.
const ROUNDS: u32 = 5;
/// How near to get, as a part of the limit.
const WITHIN: f64 = 0.016;

/// The ladder and what follows it.
#[derive(Debug, Clone)]
pub struct Plan {
    wanted: Wanted,
    round: u32,
    stage: Stage,
    opened: usize,
    /// Those that have no fate yet, with when they are to be asked.
    pending: BTreeMap<usize, Pending>,
    fates: Vec<(u32, Fate)>,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    begins: Duration,
    after: Duration,
    abandoned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Ladder,
    /// Parts of the gap.
    Narrowing,
    /// Connections that ended by themselves are repeated at another moment.
    Confirming,
    Done,
}

impl Plan {
    /// For what is wanted.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            round: 0,
            stage: Stage::New,
            opened: 0,
            pending: BTreeMap::new(),
            fates: Vec::new(),
        }
    }

    /// A connection has come to its end.
    pub fn saw(&mut self, id: usize, fate: Fate) {
        if self.pending.remove(&id).is_some() {
            self.fates.push((self.round, fate));
        }
    }

    /// What is to be done at this time since the first connection was begun.
    pub fn step(&mut self, now: Duration) -> Step {
        match self.stage {
            Stage::New => {
                self.stage = Stage::Ladder;
                let rungs = self.rungs();
                self.begin(now, &rungs)
            }
            Stage::Done => Step {
                is_done: true,
                ..Step::default()
            },
            Stage::Ladder | Stage::Narrowing | Stage::Confirming => self.go_on(now),
        }
    }

    /// The idle times of the ladder, the shortest first.
    pub fn rungs(&self) -> Vec<Duration> {
        match self.wanted {
            Wanted::Once { after } => vec![after],
            Wanted::Limit { max, connections, .. } => {
                let first = (max / FIRST_RUNG).max(SHORTEST).min(max).as_secs_f64();
                let ratio = max.as_secs_f64() / first;
                let steps = connections.saturating_sub(1).max(1);
                let fitting = (ratio.ln() / APART.ln()).floor().max(1.0);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a logarithm, at least 1"
                )]
                let steps = steps.min(fitting as usize);
                let rung = |number: usize| {
                    #[expect(clippy::cast_precision_loss, reason = "a small number")]
                    let part = number as f64 / steps as f64;
                    Duration::from_secs_f64(first * ratio.powf(part))
                };
                let mut rungs: Vec<Duration> = (0..steps).map(rung).chain([max]).collect();
                rungs.dedup();
                rungs
            }
        }
    }

    /// How long it takes at most, whatever the limit is.
    pub fn takes_at_most(&self) -> Duration {
        let (Wanted::Limit { max, .. } | Wanted::Once { after: max }) = self.wanted;
        let rungs = self.rungs();
        let stagger = apart(max) * u32::try_from(rungs.len()).unwrap_or(u32::MAX);
        let question = QUESTION + stagger;
        let Wanted::Limit { connections, .. } = self.wanted else {
            return max + question;
        };
        let mut longest = max + question;
        let mut below = Duration::ZERO;
        for rung in rungs {
            let mut gap = rung.saturating_sub(below);
            let mut rounds = 0;
            let parts = u32::try_from(connections).unwrap_or(u32::MAX);
            while rounds < ROUNDS && (rounds == 0 || gap > 2 * self.within(below)) {
                gap /= parts;
                rounds += 1;
            }
            longest = longest.max((rung + question) * (rounds + 1));
            below = rung;
        }
        // What ends by itself is waited for in the whole ladder, and then repeated for a little longer.
        longest.max(2 * (max + grace(max)) + question)
    }

    /// The longest idle time that was lived through, below every one that was not.
    fn lived(&self) -> Duration {
        let died = self.died();
        let lived = self.fates.iter().filter_map(|(_, fate)| match fate {
            Fate::Lived(idle) => Some(*idle),
            Fate::Died(_) | Fate::Ended { .. } | Fate::Nothing => None,
        });
        let below = |idle: &Duration| died.is_none_or(|died| *idle < died);
        lived.filter(below).max().unwrap_or_default()
    }

    fn longest_lived(&self) -> Duration {
        let lived = self.fates.iter().filter_map(|(_, fate)| match fate {
            Fate::Lived(idle) => Some(*idle),
            Fate::Died(_) | Fate::Ended { .. } | Fate::Nothing => None,
        });
        lived.max().unwrap_or_default()
    }

    /// The shortest idle time that ended a connection.
    fn died(&self) -> Option<Duration> {
        self.fates.iter().filter_map(|(_, fate)| ended(*fate)).min()
    }

    fn died_in_this_round(&self) -> Option<Duration> {
        let fates = self.fates.iter().filter(|(round, _)| *round == self.round);
        fates.filter_map(|(_, fate)| ended(*fate)).min()
    }

    fn closings(&self) -> Vec<(Duration, Duration)> {
        let fates = self.fates.iter().filter_map(|(_, fate)| match fate {
            Fate::Ended { began, age } => Some((*began, *age)),
            Fate::Lived(_) | Fate::Died(_) | Fate::Nothing => None,
        });
        fates.collect()
    }

    fn within(&self, lived: Duration) -> Duration {
        let wanted = match self.wanted {
            Wanted::Limit { within, .. } => within,
            Wanted::Once { .. } => None,
        };
        wanted.unwrap_or_else(|| lived.mul_f64(WITHIN).max(Duration::from_secs(1)))
    }

    fn go_on(&mut self, now: Duration) -> Step {
        let mut step = Step::default();
        if let Some(died) = self.died_in_this_round() {
            // What is idle for longer has nothing to say that is not known, unless it is being asked already, or is about to end
            // by itself at the same age.
            let by_itself = !self.closings().is_empty();
            for (id, pending) in &mut self.pending {
                let patience = if by_itself {
                    died + grace(died)
                } else {
                    pending.after
                };
                let until = pending.begins + pending.after.min(patience);
                if pending.after <= died || pending.abandoned {
                    continue;
                }
                if by_itself && now < until {
                    step.wake = Some(step.wake.map_or(until, |wake: Duration| wake.min(until)));
                } else if by_itself && pending.after > patience || !by_itself && now < until {
                    pending.abandoned = true;
                    step.abandon.push(*id);
                }
            }
        }
        if !self.pending.is_empty() {
            return step;
        }
        self.next_round(now)
    }

    fn next_round(&mut self, now: Duration) -> Step {
        let done = Step {
            is_done: true,
            ..Step::default()
        };
        let (Wanted::Limit { connections, .. }, Some(died)) = (self.wanted, self.died()) else {
            self.stage = Stage::Done;
            return done;
        };
        let lived = self.lived();
        let closings = self.closings();
        let by_itself = closings.iter().any(|(_, age)| *age == died);
        // More would not make it agree.
        let contradicts = self.longest_lived() > died + grace(died);
        let is_over = match self.stage {
            Stage::New | Stage::Done | Stage::Confirming => true,
            Stage::Ladder if by_itself => closes_by_age(&closings) == Some(true),
            Stage::Ladder => false,
            Stage::Narrowing => {
                by_itself || died.saturating_sub(lived) <= 2 * self.within(lived) || self.round > ROUNDS
            }
        };
        if is_over || contradicts {
            self.stage = Stage::Done;
            return done;
        }
        if by_itself {
            self.stage = Stage::Confirming;
            let longer = died + grace(died);
            return self.begin(now, &[longer, longer + apart(longer)]);
        }
        self.stage = Stage::Narrowing;
        let parts = u32::try_from(connections).unwrap_or(u32::MAX).max(2);
        let gap = died.saturating_sub(lived);
        // The end of the gap is asked again: what ended the connection may have been something that happens once.
        let times: Vec<Duration> = (1..=parts)
            .map(|number| (lived + gap * number / parts).max(SHORTEST))
            .collect();
        self.begin(now, &times)
    }

    /// The longest first, so that none delays the end; a little apart, so that a moment can be told from an age.
    fn begin(&mut self, now: Duration, times: &[Duration]) -> Step {
        self.round += 1;
        let pause = times.iter().max().copied().map_or(Duration::ZERO, apart);
        let mut step = Step::default();
        for (number, after) in (0_u32..).zip(times.iter().rev()) {
            let id = self.opened;
            self.opened += 1;
            let delay = pause * number;
            self.pending.insert(
                id,
                Pending {
                    begins: now + delay,
                    after: *after,
                    abandoned: false,
                },
            );
            step.open.push(Order {
                id,
                round: self.round,
                delay,
                after: *after,
            });
        }
        step
    }
}

fn ended(fate: Fate) -> Option<Duration> {
    match fate {
        Fate::Died(idle) => Some(idle),
        Fate::Ended { age, .. } => Some(age),
        Fate::Lived(_) | Fate::Nothing => None,
    }
}

/// From one connection to the next.
fn apart(longest: Duration) -> Duration {
    (longest / 600).clamp(Duration::from_millis(50), Duration::from_secs(1))
}

/// How much later than another a connection may end by a coarse timer.
fn grace(age: Duration) -> Duration {
    age.mul_f64(0.1).max(Duration::from_secs(3))
}
