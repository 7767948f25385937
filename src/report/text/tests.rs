//! What a person reads.

use std::time::UNIX_EPOCH;

use super::*;
use crate::report::fixtures;

const SCHEDULE: Option<SynSchedule> = Some(SynSchedule {
    retries: 6,
    linear_timeouts: Some(4),
});

fn text(outcome: &TargetOutcome, verbosity: Verbosity) -> String {
    let style = Style {
        verbosity,
        ..Style::default()
    };
    target_lines(outcome, SCHEDULE, &style).join("\n") + "\n"
}

#[test]
fn dump() {
    for outcome in fixtures::all() {
        println!("{}", text(&outcome, Verbosity::Normal));
    }
    println!("-------- -v\n");
    for outcome in fixtures::all() {
        println!("{}", text(&outcome, Verbosity::Verbose));
    }
    let _ = UNIX_EPOCH;
}
