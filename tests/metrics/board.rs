//! A board on which something of every kind is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tcpprobe::diagnose::{Cause, Confidence, FindingKind, Judged};
use tcpprobe::monitor::{Board, Check, Engine, Loaded, Lookups, Module, Seen, Slot, Usage, Watched};
use tcpprobe::report::monitor::{Exposition, of_probe, of_schedule};
use tcpprobe::target::{Services, Target};

/// When all of it happened.
pub(crate) const BEGAN: Duration = Duration::from_secs(1_790_000_000);

/// A name that nobody should have.
pub(crate) const HOSTILE: &str = "a\"b\\c\nd{e=\"f\"} 1 # ä 端";

/// A check that came to this, so many seconds after [`BEGAN`].
pub(crate) fn seen(cause: Cause, after_s: u64) -> Seen {
    let class = cause.class().label();
    let has_handshake = ["open", "slow"].contains(&class);
    let is_slow = class == "slow";
    Seen {
        began_unix_s: BEGAN + Duration::from_secs(after_s),
        took_s: Duration::from_millis(1250),
        tried: 2,
        judged: match class {
            "open" | "slow" => Judged::AsExpected,
            "local-error" | "unknown" => Judged::CouldNotJudge,
            _ => Judged::NotAsExpected,
        },
        cause,
        confidence: Confidence::Likely,
        is_mixed: false,
        from: Some("192.0.2.77".parse().unwrap()),
        address: Some("192.0.2.1".parse().unwrap()),
        addresses: 2,
        lookups: Some(Lookups {
            took_s: Duration::from_micros(1500),
            v4_s: Some(Duration::from_micros(1500)),
            v6_s: Some(Duration::from_micros(900)),
        }),
        connect_s: has_handshake.then_some(Duration::from_micros(if is_slow { 1_031_000 } else { 700 })),
        rtt_s: (has_handshake && !is_slow).then_some(Duration::from_micros(650)),
        syn_retransmits: has_handshake.then_some(is_slow.into()),
        findings: if is_slow {
            vec![FindingKind::PathLoss, FindingKind::OwnCloseWait]
        } else {
            Vec::new()
        },
    }
}

/// A target that was looked at, once for each of `causes`.
pub(crate) fn slot(name: &str, labels: &[(&str, &str)], causes: &[Cause]) -> Arc<Slot> {
    let services = Services::well_known();
    let slot = Slot::new(Watched {
        target: Target::parse("db.example:5432", &services).unwrap(),
        name: name.to_owned(),
        module: Arc::new(Module::default()),
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    });
    let mut standing = slot.standing.lock().unwrap();
    for (index, cause) in (0..).zip(causes) {
        let check = Check {
            seen: seen(*cause, index * 15),
            record: Arc::from(""),
        };
        standing.saw(check, 2);
    }
    drop(standing);
    Arc::new(slot)
}

/// A board with these targets.
pub(crate) fn board(slots: Vec<Arc<Slot>>) -> Arc<Board> {
    let board = Board::new(BEGAN);
    let loaded = Loaded {
        hash: 0x1234_5678_9abc,
        is_success: true,
        success_unix_s: BEGAN,
        error: None,
    };
    board.replace(slots, BTreeMap::new(), loaded);
    board.note(|engine| {
        engine.in_flight = 3;
        engine.begun = 1000;
        engine.late = 2;
        engine.left_out = 1;
        engine.lateness = [0; Engine::LATENESS_EDGES.len() + 1];
        engine.lateness[0] = 990;
        engine.lateness[Engine::LATENESS_EDGES.len()] = 10;
        engine.lateness_sum_s = 61.5;
    });
    Arc::new(board)
}

/// Every verdict that there is, a target that was never looked at, one that changes, and one with a hostile name.
pub(crate) fn full() -> Arc<Board> {
    let mut slots: Vec<_> = Cause::ALL
        .iter()
        .map(|cause| slot(&format!("{cause}.example:443"), &[("env", "test")], &[*cause]))
        .collect();
    slots.push(slot("never:1", &[], &[]));
    slots.push(slot(
        "changing:1",
        &[],
        &[
            Cause::Healthy,
            Cause::NoListener,
            Cause::NoListener,
            Cause::Retransmitted,
        ],
    ));
    slots.push(slot(HOSTILE, &[("note", HOSTILE)], &[Cause::Healthy]));
    board(slots)
}

/// What `/metrics` answers.
pub(crate) fn metrics(board: &Arc<Board>, form: Exposition) -> Vec<u8> {
    of_schedule(board, usage(), form).flatten().collect()
}

/// What `/probe` answers.
pub(crate) fn probe(seen: &Seen, form: Exposition) -> Vec<u8> {
    of_probe(seen, &Module::default(), form)
}

pub(crate) fn usage() -> Usage {
    Usage {
        cpu_s: Some(Duration::from_millis(12_345)),
        resident_bytes: Some(41_943_040),
        open_fds: Some(17),
        max_fds: Some(1024),
    }
}

/// The names of all metrics that a monitor ever writes, and the labels that each has.
pub(crate) fn known() -> BTreeMap<String, BTreeSet<String>> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let texts = [
        metrics(&full(), Exposition::Text),
        probe(&seen(Cause::NoListener, 0), Exposition::Text),
        probe(&seen(Cause::Healthy, 0), Exposition::Text),
        probe(&seen(Cause::SynLost, 0), Exposition::Text),
    ];
    for text in texts {
        let text = String::from_utf8(text).unwrap();
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        for sample in prometheus_parse::Scrape::parse(lines).unwrap().samples {
            let labels = sample.labels.keys().cloned();
            match &sample.value {
                prometheus_parse::Value::Histogram(_) => {
                    // By that name a native histogram is known.
                    known
                        .entry(sample.metric.clone())
                        .or_default()
                        .extend(labels.clone());
                    for part in ["bucket", "sum", "count"] {
                        let known = known.entry(format!("{}_{part}", sample.metric)).or_default();
                        known.extend(labels.clone());
                        known.extend((part == "bucket").then(|| "le".to_owned()));
                    }
                }
                prometheus_parse::Value::Counter(_)
                | prometheus_parse::Value::Gauge(_)
                | prometheus_parse::Value::Summary(_)
                | prometheus_parse::Value::Untyped(_) => {
                    known.entry(sample.metric.clone()).or_default().extend(labels);
                }
            }
        }
    }
    known
}
