//! What all targets come to at the moment: written by who checks, read by who is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Module, Standing, Watched};

/// A target, and what is known of it.
#[derive(Debug)]
pub struct Slot {
    /// The target, and how it is looked at.
    pub watched: Watched,
    /// What is known of it.
    pub standing: Mutex<Standing>,
}

/// Our own side: how well the schedule is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Engine {
    /// Checks that are under way.
    pub in_flight: u64,
    /// Checks that began, ever.
    pub begun: u64,
    /// Checks that began later than [`Self::LATE`] after their time.
    pub late: u64,
    /// Checks that were left out, since the one of the same target before had not ended.
    pub left_out: u64,
    /// Turns that passed by while nothing could begin: this process was stopped, or too much was under way.
    pub missed: u64,
    /// How late checks began, counted by [`Self::LATENESS_EDGES`], then those that were later.
    pub lateness: [u64; Self::LATENESS_EDGES.len() + 1],
    /// The lateness of all checks together, in seconds.
    pub lateness_sum_s: f64,
    /// Events that nobody took: standard output or the file of events could not be written.
    pub events_lost: u64,
}

impl Engine {
    /// A check that begins later than this after its time is late.
    pub const LATE: Duration = Duration::from_millis(100);
    /// The upper edges of the histogram of lateness, in seconds.
    pub const LATENESS_EDGES: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

    /// A check begins, so long after its time.
    pub fn begins(&mut self, late: Duration) {
        self.begun += 1;
        self.late += u64::from(late > Self::LATE);
        let seconds = late.as_secs_f64();
        let bucket = Self::LATENESS_EDGES.partition_point(|edge| *edge < seconds);
        if let Some(count) = self.lateness.get_mut(bucket) {
            *count += 1;
        }
        self.lateness_sum_s += seconds;
    }
}

/// The configuration that is in force, and what became of the last attempt to replace it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loaded {
    /// A number that is another when what is configured is another: the first 48 bits of a hash over it.
    pub hash: u64,
    /// Whether the last attempt was taken.
    pub is_success: bool,
    /// When one was last taken, since the Unix epoch.
    pub success_unix_s: Duration,
    /// Why the last attempt was not taken.
    pub error: Option<String>,
}

/// What all targets come to at the moment. Shared by all threads; no lock is held for longer than it takes to copy a little.
#[derive(Debug)]
pub struct Board {
    /// When the process began, since the Unix epoch.
    pub started_unix_s: Duration,
    shown: Mutex<Shown>,
    engine: Mutex<Engine>,
}

/// What is in force.
#[derive(Debug, Default)]
struct Shown {
    slots: Arc<[Arc<Slot>]>,
    modules: BTreeMap<String, Arc<Module>>,
    loaded: Loaded,
}

impl Board {
    /// An empty one.
    pub fn new(started_unix_s: Duration) -> Self {
        Self {
            started_unix_s,
            shown: Mutex::default(),
            engine: Mutex::default(),
        }
    }

    /// The targets, in the order of the configuration.
    pub fn slots(&self) -> Arc<[Arc<Slot>]> {
        Arc::clone(&lock(&self.shown).slots)
    }

    /// The modules by name.
    pub fn modules(&self) -> BTreeMap<String, Arc<Module>> {
        lock(&self.shown).modules.clone()
    }

    /// The state of the configuration.
    pub fn loaded(&self) -> Loaded {
        lock(&self.shown).loaded.clone()
    }

    /// Puts a configuration in force, whole. Whoever replaces a target's slot keeps what is known of it.
    pub fn replace(&self, slots: Vec<Arc<Slot>>, modules: BTreeMap<String, Arc<Module>>, loaded: Loaded) {
        let mut shown = lock(&self.shown);
        *shown = Shown {
            slots: slots.into(),
            modules,
            loaded,
        };
    }

    /// A configuration was refused; the one before stays in force.
    pub fn refused(&self, why: String) {
        let mut shown = lock(&self.shown);
        shown.loaded.is_success = false;
        shown.loaded.error = Some(why);
    }

    /// How well the schedule is kept.
    pub fn engine(&self) -> Engine {
        lock(&self.engine).clone()
    }

    /// Changes what is known of that.
    pub fn note(&self, change: impl FnOnce(&mut Engine)) {
        change(&mut lock(&self.engine));
    }
}

impl Slot {
    /// A target of which nothing is known yet.
    pub fn new(watched: Watched) -> Self {
        Self {
            watched,
            standing: Mutex::default(),
        }
    }

    /// Changes what is known.
    pub fn change<T>(&self, change: impl FnOnce(&mut Standing) -> T) -> T {
        change(&mut lock(&self.standing))
    }

    /// The same target, watched in another way: what is known of it stays.
    #[must_use]
    pub fn watched_as(&self, watched: Watched) -> Self {
        Self {
            watched,
            standing: Mutex::new(self.standing()),
        }
    }

    /// A copy of what is known.
    pub fn standing(&self) -> Standing {
        lock(&self.standing).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
