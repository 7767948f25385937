//! `/metrics`: what our own schedule and process come to, family by family, since both text formats want a family in one place.
//!
//! A little of each target is copied when the answer begins, so that its metrics agree with each other, whatever the checks of
//! the meantime see. Only the histogram is read when its turn comes. It agrees with itself.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Exposition;
use super::encoder::{Edges, Encoder, Histogram, Labels, Value};
use super::family::Family;
use super::own;
use crate::diagnose::{Cause, Class, Confidence, FindingKind, Judged};
use crate::monitor::{Board, HANDSHAKE_EDGES, Slot, Usage};

/// A piece is taken as soon as it is this long.
const PIECE: usize = 32 << 10;

/// The families that have samples of each target, and what writes those of one.
const PER_TARGET: &[(Family, Write)] = &[
    (
        Family::counter(
            "tcpprobe_checks",
            "Checks of the target by the class of their verdict.",
        ),
        checks,
    ),
    (
        Family::gauge(
            "tcpprobe_state",
            "1 for the class that is confirmed, which --confirm checks in a row had; 0 for the others.",
        ),
        state,
    ),
    (
        Family::info(
            "tcpprobe_verdict",
            "The verdict of the latest check, and how sure it is.",
        ),
        verdict,
    ),
    (
        Family::info(
            "tcpprobe_finding",
            "What the latest check found beside its verdict; absent where that is nothing.",
        ),
        findings,
    ),
    (
        Family::gauge(
            "tcpprobe_success",
            "1 where the latest check found what is expected, else 0.",
        ),
        success,
    ),
    (
        Family::gauge(
            "tcpprobe_confirmed_success",
            "1 where the class that is confirmed is what is expected, else 0.",
        ),
        confirmed_success,
    ),
    (
        Family::gauge(
            "tcpprobe_last_change_timestamp_seconds",
            "When the first check began that had the class which is confirmed, in Unix time.",
        ),
        last_change,
    ),
    (
        Family::gauge(
            "tcpprobe_last_check_timestamp_seconds",
            "When the latest check began, in Unix time.",
        ),
        last_check,
    ),
    (
        Family::gauge(
            "tcpprobe_last_check_duration_seconds",
            "How long the latest check took: the name, all tries, and looks at what did not answer.",
        ),
        last_duration,
    ),
    (
        Family::gauge(
            "tcpprobe_last_check_rtt_seconds",
            "Round trip of the latest handshake by the kernel; absent without one or after a retransmission.",
        ),
        last_rtt,
    ),
    (
        Family::gauge(
            "tcpprobe_last_check_resolve_seconds",
            "How long the latest check waited for the addresses of the name; absent for an address.",
        ),
        last_resolve,
    ),
    (
        Family::gauge(
            "tcpprobe_interval_seconds",
            "From the beginning of one check of the target to that of the next.",
        ),
        interval,
    ),
    (
        Family::counter(
            "tcpprobe_syn_retransmits",
            "SYNs that had to be sent again before one was answered.",
        ),
        syn_retransmits,
    ),
    (
        Family::histogram(
            "tcpprobe_handshake_seconds",
            "How long handshakes took, with edges before and behind the retransmissions at 1, 3, 7 and 15 s.",
        ),
        handshakes,
    ),
];

/// The answer, piece by piece.
pub(super) struct Schedule {
    board: Arc<Board>,
    usage: Usage,
    rows: Vec<Row>,
    words: Words,
    encoder: Encoder,
    next: Next,
}

/// What is written next.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// What there is once.
    Own,
    /// Of this family, this target.
    Target { family: usize, row: usize },
    /// Nothing.
    Nothing,
}

type Write = fn(&mut Encoder, &Row, &Words);

/// A target: its labels, and what was known of it when the answer began.
struct Row {
    slot: Arc<Slot>,
    labels: Labels,
    checks: [u64; Class::ALL.len()],
    syn_retransmits: u64,
    confirmed: Option<(Class, Judged, Duration)>,
    latest: Option<Latest>,
}

/// The latest check.
struct Latest {
    began_unix_s: Duration,
    took_s: Duration,
    judged: Judged,
    cause: Cause,
    confidence: Confidence,
    findings: Vec<FindingKind>,
    rtt_s: Option<Duration>,
    resolve_s: Option<Duration>,
}

/// Labels that many samples have.
struct Words {
    classes: Vec<Labels>,
    handshakes: Edges,
}

impl Schedule {
    pub(super) fn new(board: &Arc<Board>, usage: Usage, form: Exposition) -> Self {
        let encoder = Encoder::new(form);
        let rows = board
            .slots()
            .iter()
            .map(|slot| Row::new(slot, &encoder))
            .collect();
        let class = |class: &Class| encoder.labels([("class", class.label())]);
        let words = Words {
            classes: Class::ALL.iter().map(class).collect(),
            handshakes: encoder.edges(HANDSHAKE_EDGES),
        };
        Self {
            board: Arc::clone(board),
            usage,
            rows,
            words,
            encoder,
            next: Next::Own,
        }
    }

    fn step(&mut self) {
        self.next = match self.next {
            Next::Own => {
                own::write(&mut self.encoder, &self.board, self.rows.len(), self.usage);
                Next::Target { family: 0, row: 0 }
            }
            Next::Target { family, row } => {
                let Some((known, write)) = PER_TARGET.get(family) else {
                    self.encoder.finish();
                    self.next = Next::Nothing;
                    return;
                };
                if row == 0 {
                    self.encoder.begin(*known);
                }
                match self.rows.get(row) {
                    Some(target) => {
                        write(&mut self.encoder, target, &self.words);
                        Next::Target { family, row: row + 1 }
                    }
                    None => Next::Target {
                        family: family + 1,
                        row: 0,
                    },
                }
            }
            Next::Nothing => Next::Nothing,
        };
    }
}

impl Iterator for Schedule {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        while self.encoder.ready() < PIECE && !matches!(self.next, Next::Nothing) {
            self.step();
        }
        Some(self.encoder.take()).filter(|piece| !piece.is_empty())
    }
}

impl Row {
    fn new(slot: &Arc<Slot>, encoder: &Encoder) -> Self {
        let watched = &slot.watched;
        let own = [("target", watched.name.as_str())];
        let users = watched
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let labels = encoder.labels(own.into_iter().chain(users));
        let standing = slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let confirmed = standing.confirmed.as_ref();
        let latest = standing.latest.as_ref().map(|check| &check.seen);
        Self {
            slot: Arc::clone(slot),
            labels,
            checks: standing.checks,
            syn_retransmits: standing.syn_retransmits,
            confirmed: confirmed.map(|known| (known.class, known.judged, known.since_unix_s)),
            latest: latest.map(|seen| Latest {
                began_unix_s: seen.began_unix_s,
                took_s: seen.took_s,
                judged: seen.judged,
                cause: seen.cause,
                confidence: seen.confidence,
                findings: seen.findings.clone(),
                rtt_s: seen.rtt_s,
                resolve_s: seen.lookups.map(|lookups| lookups.took_s),
            }),
        }
    }
}

fn checks(encoder: &mut Encoder, row: &Row, words: &Words) {
    for (class, count) in words.classes.iter().zip(row.checks) {
        encoder.sample(&[&row.labels, class], Value::Count(count));
    }
}

fn state(encoder: &mut Encoder, row: &Row, words: &Words) {
    let confirmed = row.confirmed.as_ref().map(|(class, _, _)| *class);
    for (label, class) in words.classes.iter().zip(Class::ALL) {
        let is_it = confirmed == Some(*class);
        encoder.sample(&[&row.labels, label], Value::Count(is_it.into()));
    }
}

fn verdict(encoder: &mut Encoder, row: &Row, _: &Words) {
    let Some(latest) = &row.latest else {
        return;
    };
    let words = encoder.labels(verdict_labels(latest.cause, latest.confidence));
    encoder.sample(&[&row.labels, &words], Value::Count(1));
}

fn findings(encoder: &mut Encoder, row: &Row, _: &Words) {
    for finding in row.latest.iter().flat_map(|latest| &latest.findings) {
        let word = encoder.labels([("finding", finding.label())]);
        encoder.sample(&[&row.labels, &word], Value::Count(1));
    }
}

fn success(encoder: &mut Encoder, row: &Row, _: &Words) {
    let judged = row.latest.as_ref().map(|latest| latest.judged);
    one_of(encoder, row, judged.map(success_of));
}

fn confirmed_success(encoder: &mut Encoder, row: &Row, _: &Words) {
    let judged = row.confirmed.as_ref().map(|(_, judged, _)| *judged);
    one_of(encoder, row, judged.map(success_of));
}

fn last_change(encoder: &mut Encoder, row: &Row, _: &Words) {
    let since = row.confirmed.as_ref().map(|(_, _, since)| *since);
    one_of(encoder, row, since.map(seconds));
}

fn last_check(encoder: &mut Encoder, row: &Row, _: &Words) {
    let began = row.latest.as_ref().map(|latest| latest.began_unix_s);
    one_of(encoder, row, began.map(seconds));
}

fn last_duration(encoder: &mut Encoder, row: &Row, _: &Words) {
    let took = row.latest.as_ref().map(|latest| latest.took_s);
    one_of(encoder, row, took.map(seconds));
}

fn last_rtt(encoder: &mut Encoder, row: &Row, _: &Words) {
    let rtt = row.latest.as_ref().and_then(|latest| latest.rtt_s);
    one_of(encoder, row, rtt.map(seconds));
}

fn last_resolve(encoder: &mut Encoder, row: &Row, _: &Words) {
    let resolve = row.latest.as_ref().and_then(|latest| latest.resolve_s);
    one_of(encoder, row, resolve.map(seconds));
}

fn interval(encoder: &mut Encoder, row: &Row, _: &Words) {
    one_of(encoder, row, Some(seconds(row.slot.watched.module.interval)));
}

fn syn_retransmits(encoder: &mut Encoder, row: &Row, _: &Words) {
    one_of(encoder, row, Some(Value::Count(row.syn_retransmits)));
}

fn handshakes(encoder: &mut Encoder, row: &Row, words: &Words) {
    let standing = row.slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
    let handshakes = standing.handshakes.clone();
    drop(standing);
    let histogram = Histogram {
        edges: &words.handshakes,
        buckets: &handshakes.buckets,
        sum: handshakes.sum_s,
        native: Some(&handshakes.native),
    };
    encoder.histogram(&row.labels, &histogram);
}

/// The one sample of a target, where there is something to say.
fn one_of(encoder: &mut Encoder, row: &Row, value: Option<Value>) {
    if let Some(value) = value {
        encoder.sample(&[&row.labels], value);
    }
}

/// The closed words of a verdict.
pub(super) fn verdict_labels(cause: Cause, confidence: Confidence) -> [(&'static str, &'static str); 3] {
    [
        ("class", cause.class().label()),
        ("cause", cause.label()),
        ("confidence", confidence.label()),
    ]
}

/// 1 or 0. What could not be judged is no success; its class says whose fault it is.
pub(super) fn success_of(judged: Judged) -> Value {
    match judged {
        Judged::AsExpected => Value::Count(1),
        Judged::CouldNotJudge | Judged::NotAsExpected => Value::Count(0),
    }
}

/// A length or point of time.
pub(super) fn seconds(duration: Duration) -> Value {
    Value::Number(duration.as_secs_f64())
}
