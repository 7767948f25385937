//! The list of all targets, small for each (`docs/schema/tcpprobe-monitor-targets-v1.schema.json` is its schema).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::diagnose::{Cause, Class, Confidence, Judged};
use crate::monitor::{Board, Confirmed, Engine, Loaded, MINUTES, Minute, Module, Seen, Slot, Standing};
use crate::report::matrix::letter;
use crate::report::monitor::event::{hash, label, time};
use crate::report::text::endpoint::{in_words, whence};

/// The name of the contract.
const SCHEMA: &str = "tcpprobe-monitor-targets/v1";
/// What a check says is on the board a moment after it ended: whoever asks for what is new gets the last moments twice.
const MOMENT: Duration = Duration::from_secs(2);
/// A minute without a check, in a strip.
const NOTHING: char = '.';

/// All targets as a JSON document at `now`, since the Unix epoch; with the `cursor` of an earlier document those alone that had
/// a check since it was written. A cursor of another configuration or of another process gives all.
pub fn targets_json(board: &Board, since: Option<&str>, now: Duration) -> Vec<u8> {
    let loaded = board.loaded();
    let cursor = Cursor::of(board, &loaded, now);
    let since = since.and_then(Cursor::read).filter(|since| since.fits(&cursor));
    let slots = board.slots();
    let entries = slots.iter().filter_map(|slot| {
        let standing = slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = since.as_ref().is_none_or(|since| since.is_before(&standing));
        is_wanted.then(|| Entry::of(slot, &standing, now))
    });
    let document = Document {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        at: time(now),
        started: time(board.started_unix_s),
        cursor: cursor.write(),
        complete: since.is_none(),
        configuration: Configuration::of(&loaded),
        schedule: Schedule::of(&board.engine()),
        modules: board
            .modules()
            .iter()
            .map(|(name, module)| (name.clone(), ModulePart::of(module)))
            .collect(),
        count: slots.len(),
        targets: entries.collect(),
    };
    // Nothing in it can fail to be written.
    serde_json::to_vec(&document).unwrap_or_default()
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    at: Option<String>,
    started: Option<String>,
    cursor: String,
    complete: bool,
    configuration: Configuration,
    schedule: Schedule,
    modules: BTreeMap<String, ModulePart>,
    count: usize,
    targets: Vec<Entry>,
}

#[derive(Serialize)]
struct Configuration {
    hash: String,
    success: bool,
    taken: Option<String>,
    error: Option<String>,
}

impl Configuration {
    fn of(loaded: &Loaded) -> Self {
        Self {
            hash: hash(loaded),
            success: loaded.is_success,
            taken: time(loaded.success_unix_s),
            error: loaded.error.clone(),
        }
    }
}

#[derive(Serialize)]
struct Schedule {
    in_flight: u64,
    begun: u64,
    late: u64,
    left_out: u64,
    missed: u64,
    events_lost: u64,
}

impl Schedule {
    fn of(engine: &Engine) -> Self {
        Self {
            in_flight: engine.in_flight,
            begun: engine.begun,
            late: engine.late,
            left_out: engine.left_out,
            missed: engine.missed,
            events_lost: engine.events_lost,
        }
    }
}

#[derive(Serialize)]
struct ModulePart {
    interval_s: f64,
    timeout_s: f64,
    slow_s: f64,
    hold_s: Option<f64>,
    tries: u32,
    confirm: u32,
    expected: Vec<String>,
}

impl ModulePart {
    fn of(module: &Module) -> Self {
        Self {
            interval_s: module.interval.as_secs_f64(),
            timeout_s: module.timeout.as_secs_f64(),
            slow_s: module.slow.as_secs_f64(),
            hold_s: module.hold.map(|hold| hold.as_secs_f64()),
            tries: module.tries,
            confirm: module.confirm,
            expected: module.expected.iter().map(ToString::to_string).collect(),
        }
    }
}

/// One target.
#[derive(Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    module: String,
    labels: BTreeMap<String, String>,
    pub(super) confirmed: Option<State>,
    pub(super) latest: Option<Latest>,
    blind: u32,
    pub(super) strip: String,
}

/// What counts.
#[derive(Serialize)]
pub(super) struct State {
    pub(super) class: Class,
    pub(super) cause: Cause,
    judged: &'static str,
    since: Option<String>,
    seen: Option<String>,
    #[serde(skip)]
    pub(super) since_unix_s: Duration,
}

/// The latest check.
#[derive(Serialize)]
pub(super) struct Latest {
    class: Class,
    cause: Cause,
    confidence: Confidence,
    judged: &'static str,
    from: Option<IpAddr>,
    address: Option<IpAddr>,
    addresses: usize,
    pub(super) says: String,
    since: Option<String>,
    began: Option<String>,
    took_s: f64,
    tried: u32,
    connect_s: Option<f64>,
    rtt_s: Option<f64>,
    #[serde(skip)]
    pub(super) began_unix_s: Duration,
}

impl Entry {
    pub(super) fn of(slot: &Slot, standing: &Standing, now: Duration) -> Self {
        Self {
            name: slot.watched.name.clone(),
            module: slot.watched.module.name.clone(),
            labels: slot.watched.labels.clone(),
            confirmed: standing.confirmed.as_ref().map(State::of),
            latest: standing
                .latest
                .as_ref()
                .map(|check| Latest::of(&check.seen, standing.verdict_since_unix_s)),
            blind: standing.blind,
            strip: strip(standing.minutes.iter(), now),
        }
    }
}

impl State {
    fn of(confirmed: &Confirmed) -> Self {
        Self {
            class: confirmed.class,
            cause: confirmed.cause,
            judged: label(confirmed.judged),
            since: time(confirmed.since_unix_s),
            seen: time(confirmed.seen_unix_s),
            since_unix_s: confirmed.since_unix_s,
        }
    }
}

impl Latest {
    fn of(seen: &Seen, since: Duration) -> Self {
        Self {
            class: seen.cause.class(),
            cause: seen.cause,
            confidence: seen.confidence,
            judged: label(seen.judged),
            from: seen.from,
            address: seen.address,
            addresses: seen.addresses,
            says: sentence(seen),
            since: time(since),
            began: time(seen.began_unix_s),
            took_s: seen.took_s.as_secs_f64(),
            tried: seen.tried,
            connect_s: seen.connect_s.map(|took| took.as_secs_f64()),
            rtt_s: seen.rtt_s.map(|rtt| rtt.as_secs_f64()),
            began_unix_s: seen.began_unix_s,
        }
    }
}

/// The verdict as the first line of a report says it: `filtered at 10.0.3.1 or beyond: …`.
fn sentence(seen: &Seen) -> String {
    let whence = seen
        .address
        .map_or_else(String::new, |host| whence(seen.cause, seen.from, host));
    let words = in_words(seen.cause, seen.connect_s, seen.rtt_s);
    format!("{}{whence}: {words}", seen.cause.class())
}

/// The last hour up to the minute of `now`, a letter a minute: that of the class, as a capital where a check was not as expected.
fn strip<'a>(minutes: impl Iterator<Item = &'a Minute>, now: Duration) -> String {
    let mut strip = [NOTHING; MINUTES];
    let current = now.as_secs() / 60;
    for minute in minutes {
        // A clock that was set back has minutes ahead of it.
        let Some(ago) = current.checked_sub(minute.minute) else {
            continue;
        };
        let place = usize::try_from(ago)
            .ok()
            .and_then(|ago| (MINUTES - 1).checked_sub(ago));
        if let Some(place) = place.and_then(|place| strip.get_mut(place)) {
            let letter = letter(minute.worst.class());
            *place = match (minute.missed, letter) {
                (0, letter) => letter.to_ascii_lowercase(),
                (_, letter) => letter,
            };
        }
    }
    strip.iter().collect()
}

/// Up to where somebody has read.
struct Cursor {
    /// Of which process and of which configuration.
    of: String,
    at: Duration,
}

impl Cursor {
    fn of(board: &Board, loaded: &Loaded, now: Duration) -> Self {
        let (started, taken) = (
            board.started_unix_s.as_millis(),
            loaded.success_unix_s.as_millis(),
        );
        Self {
            of: format!("{started:x}-{taken:x}-{:x}", loaded.hash),
            at: now,
        }
    }

    fn write(&self) -> String {
        format!("{}-{:x}", self.of, self.at.as_millis())
    }

    fn read(text: &str) -> Option<Self> {
        let (of, at) = text.rsplit_once('-')?;
        Some(Self {
            of: of.to_owned(),
            at: Duration::from_millis(u64::from_str_radix(at, 16).ok()?),
        })
    }

    /// Whether what has changed since then is all that is missing.
    fn fits(&self, current: &Self) -> bool {
        self.of == current.of && self.at <= current.at
    }

    fn is_before(&self, standing: &Standing) -> bool {
        standing
            .latest
            .as_ref()
            .is_some_and(|check| check.seen.began_unix_s + check.seen.took_s + MOMENT >= self.at)
    }
}

/// All targets in the order in which a person reads them: what is wrong first.
pub(super) struct Listed {
    pub(super) slots: Vec<(Rank, Arc<Slot>)>,
}

/// How much a target asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It is not as expected, and that is confirmed.
    Wrong,
    /// The latest check is not as expected, which is not confirmed.
    Doubtful,
    /// The latest check could not judge.
    Blind,
    /// There was no check that could.
    New,
    /// It is as expected.
    Fine,
}

impl Rank {
    pub(super) fn of(standing: &Standing) -> Self {
        let latest = standing.latest.as_ref().map(|check| check.seen.judged);
        let confirmed = standing.confirmed.as_ref().map(|confirmed| confirmed.judged);
        match (confirmed, latest) {
            (Some(Judged::NotAsExpected), _) => Self::Wrong,
            (_, Some(Judged::NotAsExpected)) => Self::Doubtful,
            (_, Some(Judged::CouldNotJudge)) | (Some(Judged::CouldNotJudge), _) => Self::Blind,
            (None, _) | (_, None) => Self::New,
            (Some(Judged::AsExpected), Some(Judged::AsExpected)) => Self::Fine,
        }
    }
}

impl Listed {
    pub(super) fn of(board: &Board) -> Self {
        let slots = board.slots();
        let rank = |slot: &Arc<Slot>| {
            let standing = slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
            (Rank::of(&standing), Arc::clone(slot))
        };
        let mut slots: Vec<(Rank, Arc<Slot>)> = slots.iter().map(rank).collect();
        slots.sort_by(|(rank, one), (other_rank, other)| {
            (rank, &one.watched.name).cmp(&(other_rank, &other.watched.name))
        });
        Self { slots }
    }

    pub(super) fn count(&self, rank: Rank) -> usize {
        self.slots.iter().filter(|(other, _)| *other == rank).count()
    }
}
