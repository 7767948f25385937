//! Everything that is known of one target (`docs/schema/tcpprobe-monitor-targets-v1.schema.json` is its schema).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::list::Entry;
use crate::diagnose::Class;
use crate::evidence::SynSchedule;
use crate::monitor::{Check, Slot};
use crate::report::monitor::event::time;
use crate::report::read;
use crate::report::text::story::{Story, tell};

/// The name of the contract.
const SCHEMA: &str = "tcpprobe-monitor-target/v1";

/// Everything that is known of one target as a JSON document at `now`, since the Unix epoch. `schedule` is how this host
/// retransmits SYNs.
pub fn target_json(slot: &Slot, schedule: Option<SynSchedule>, now: Duration) -> Vec<u8> {
    let standing = slot.standing();
    let latest = standing.latest.as_ref();
    let handshakes = &standing.handshakes;
    let document = Document {
        schema: SCHEMA,
        at: time(now),
        entry: Entry::of(slot, &standing, now),
        host: slot.watched.target.to_string(),
        expected: slot
            .watched
            .module
            .expected
            .iter()
            .map(ToString::to_string)
            .collect(),
        interval_s: slot.watched.module.interval.as_secs_f64(),
        confirm: slot.watched.module.confirm,
        checks: Class::ALL
            .iter()
            .map(|class| class.label())
            .zip(standing.checks)
            .collect(),
        handshakes: handshakes.count(),
        mean_connect_s: mean(handshakes.sum_s, handshakes.count()),
        syn_retransmits: standing.syn_retransmits,
        late: standing.late,
        left_out: standing.left_out,
        story: latest.and_then(|check| story(check, schedule)),
        record: latest.map_or_else(Vec::new, record),
    };
    // Nothing in it can fail to be written.
    serde_json::to_vec(&document).unwrap_or_default()
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    at: Option<String>,
    #[serde(flatten)]
    entry: Entry,
    host: String,
    expected: Vec<String>,
    interval_s: f64,
    confirm: u32,
    checks: BTreeMap<&'static str, u64>,
    handshakes: u64,
    mean_connect_s: Option<f64>,
    syn_retransmits: u64,
    late: u64,
    left_out: u64,
    story: Option<Story>,
    record: Vec<Box<RawValue>>,
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 handshakes")]
fn mean(sum: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// What a report says of it. A record that this program has written is one that it can read.
fn story(check: &Check, schedule: Option<SynSchedule>) -> Option<Story> {
    let outcome = read::lines(&check.record);
    debug_assert!(outcome.is_ok(), "{outcome:?}");
    Some(tell(&outcome.ok()?, schedule))
}

fn record(check: &Check) -> Vec<Box<RawValue>> {
    let lines = check.record.lines();
    lines
        .filter_map(|line| RawValue::from_string(line.to_owned()).ok())
        .collect()
}
