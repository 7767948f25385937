//! What happens, as lines of JSON (`docs/schema/tcpprobe-event-v1.schema.json` is their schema).

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::diagnose::{Cause, Class, Confidence, Judged};
use crate::monitor::{Change, Check, Confirmed, Engine, Kind, Loaded, Moved, Watched};
use crate::report::record::{Verdict, rfc3339};

/// The name of the contract.
const SCHEMA: &str = "tcpprobe-event/v1";

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The process has begun.
    Started(&'a Loaded, usize),
    /// The configuration was read again: with so many targets it is in force, or another stays in force.
    Reloaded(&'a Loaded, usize),
    /// A check changed what is known of a target.
    Changed(Changed<'a>),
    /// The name of a target has other addresses.
    Moved(&'a Watched, &'a Moved),
    /// So many events before this one could not be written.
    Lost(u64),
    /// The process ends; how its schedule was kept. So many checks were under way and not far enough to be sure of anything.
    Ended(&'a Engine, u64),
}

/// A change, and the check that made it.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'a> {
    /// The target.
    pub watched: &'a Watched,
    /// What changed.
    pub change: &'a Change,
    /// The check.
    pub check: &'a Check,
    /// What is confirmed after it.
    pub confirmed: Option<&'a Confirmed>,
}

/// Writes an event as one line of JSON, that of a change with the evidence of the check that made it. `at` is when it happened, since
/// the Unix epoch.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_event(event: &Event, at: Duration, out: &mut impl io::Write) -> io::Result<()> {
    let head = |record| Head {
        schema: SCHEMA,
        record,
        at: time(at),
    };
    match event {
        Event::Started(loaded, targets) => line(
            &StartedRecord {
                head: head("started"),
                version: env!("CARGO_PKG_VERSION"),
                targets: *targets,
                configuration: hash(loaded),
            },
            out,
        ),
        Event::Reloaded(loaded, targets) => line(
            &ReloadedRecord {
                head: head("reloaded"),
                success: loaded.is_success,
                error: loaded.error.as_deref(),
                targets: *targets,
                configuration: hash(loaded),
            },
            out,
        ),
        Event::Changed(changed) => line(&ChangeRecord::of(head("change"), changed)?, out),
        Event::Moved(watched, moved) => line(
            &AddressesRecord {
                head: head("addresses"),
                target: &watched.name,
                labels: &watched.labels,
                appeared: &moved.appeared,
                gone: &moved.gone,
            },
            out,
        ),
        Event::Lost(events) => line(
            &LostRecord {
                head: head("lost"),
                events: *events,
            },
            out,
        ),
        Event::Ended(engine, dropped) => line(
            &EndedRecord {
                head: head("ended"),
                begun: engine.begun,
                late: engine.late,
                left_out: engine.left_out,
                missed: engine.missed,
                events_lost: engine.events_lost,
                dropped: *dropped,
            },
            out,
        ),
    }
}

fn line(record: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Head {
    schema: &'static str,
    record: &'static str,
    at: Option<String>,
}

#[derive(Serialize)]
struct StartedRecord {
    #[serde(flatten)]
    head: Head,
    version: &'static str,
    targets: usize,
    configuration: String,
}

#[derive(Serialize)]
struct ReloadedRecord<'a> {
    #[serde(flatten)]
    head: Head,
    success: bool,
    error: Option<&'a str>,
    targets: usize,
    configuration: String,
}

#[derive(Serialize)]
struct AddressesRecord<'a> {
    #[serde(flatten)]
    head: Head,
    target: &'a str,
    labels: &'a BTreeMap<String, String>,
    appeared: &'a [IpAddr],
    gone: &'a [IpAddr],
}

#[derive(Serialize)]
struct LostRecord {
    #[serde(flatten)]
    head: Head,
    events: u64,
}

#[derive(Serialize)]
struct EndedRecord {
    #[serde(flatten)]
    head: Head,
    begun: u64,
    late: u64,
    left_out: u64,
    missed: u64,
    events_lost: u64,
    dropped: u64,
}

#[derive(Serialize)]
struct ChangeRecord<'a> {
    schema: &'static str,
    record: &'static str,
    at: Option<String>,
    kind: &'static str,
    target: &'a str,
    labels: &'a BTreeMap<String, String>,
    module: &'a str,
    from: Option<Verdict>,
    to: Verdict,
    lasted_s: Option<f64>,
    confidence: Confidence,
    judged: &'static str,
    confirmed: Option<ConfirmedRecord>,
    began: Option<String>,
    took_s: f64,
    tried: u32,
    evidence: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct ConfirmedRecord {
    class: Class,
    cause: Cause,
    judged: &'static str,
    since: Option<String>,
    seen: Option<String>,
}

impl<'a> ChangeRecord<'a> {
    fn of(head: Head, changed: &Changed<'a>) -> io::Result<Self> {
        let Changed {
            watched,
            change,
            check,
            confirmed,
        } = *changed;
        let seen = &check.seen;
        let evidence = check
            .record
            .lines()
            .map(|line| RawValue::from_string(line.to_owned()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            schema: head.schema,
            record: head.record,
            at: head.at,
            kind: match change.kind {
                Kind::Verdict => "verdict",
                Kind::State => "state",
            },
            target: &watched.name,
            labels: &watched.labels,
            module: &watched.module.name,
            from: change.from.map(verdict),
            to: verdict(change.to),
            lasted_s: change.lasted_s.map(|lasted| lasted.as_secs_f64()),
            confidence: seen.confidence,
            judged: label(seen.judged),
            confirmed: confirmed.map(|confirmed| ConfirmedRecord {
                class: confirmed.class,
                cause: confirmed.cause,
                judged: label(confirmed.judged),
                since: time(confirmed.since_unix_s),
                seen: time(confirmed.seen_unix_s),
            }),
            began: time(seen.began_unix_s),
            took_s: seen.took_s.as_secs_f64(),
            tried: seen.tried,
            evidence,
        })
    }
}

fn verdict(cause: Cause) -> Verdict {
    Verdict {
        class: cause.class(),
        cause,
    }
}

pub(super) fn label(judged: Judged) -> &'static str {
    match judged {
        Judged::AsExpected => "as-expected",
        Judged::CouldNotJudge => "could-not-judge",
        Judged::NotAsExpected => "not-as-expected",
    }
}

/// Twelve digits: the same number as in the metrics, as people write hashes.
pub(super) fn hash(loaded: &Loaded) -> String {
    format!("{:012x}", loaded.hash)
}

pub(super) fn time(since_epoch: Duration) -> Option<String> {
    UNIX_EPOCH.checked_add(since_epoch).and_then(rfc3339)
}

#[cfg(test)]
mod tests;
