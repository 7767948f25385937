//! What `/metrics` has once: the engine, the configuration, the process.

use super::encoder::{Encoder, Histogram, Labels, Value};
use super::family::Family;
use super::schedule::seconds;
use crate::monitor::{Board, Engine, Loaded, Usage};

/// Writes what there is once.
pub(super) fn write(encoder: &mut Encoder, board: &Board, targets: usize, usage: Usage) {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let version = encoder.labels(version);
    encoder.begin(Family::info(
        "tcpprobe_build",
        "The version of tcpprobe that runs.",
    ));
    encoder.sample(&[&version], Value::Count(1));
    one(
        encoder,
        Family::gauge("tcpprobe_targets", "Targets on the schedule."),
        Value::Count(targets as u64),
    );
    engine(encoder, board);
    configuration(encoder, board);
    process(encoder, board, usage);
}

fn engine(encoder: &mut Encoder, board: &Board) {
    let Engine {
        in_flight,
        begun,
        late,
        left_out,
        missed,
        lateness,
        lateness_sum_s,
        events_lost,
    } = board.engine();
    let counts = [
        (
            Family::gauge("tcpprobe_checks_in_flight", "Checks that are under way."),
            in_flight,
        ),
        (
            Family::counter("tcpprobe_checks_begun", "Checks of the schedule that began."),
            begun,
        ),
        (
            Family::counter(
                "tcpprobe_checks_late",
                "Checks that began more than 0.1 s after their time.",
            ),
            late,
        ),
        (
            Family::counter(
                "tcpprobe_checks_left_out",
                "Checks that were left out, since the one before of the same target had not ended.",
            ),
            left_out,
        ),
        (
            Family::counter(
                "tcpprobe_checks_missed",
                "Turns that passed by while no check could begin.",
            ),
            missed,
        ),
        (
            Family::counter(
                "tcpprobe_events_lost",
                "Lines about changes that could not be written.",
            ),
            events_lost,
        ),
    ];
    for (family, count) in counts {
        one(encoder, family, Value::Count(count));
    }
    encoder.begin(Family::histogram(
        "tcpprobe_check_lateness_seconds",
        "How long after their time checks began.",
    ));
    let edges = encoder.edges(Engine::LATENESS_EDGES);
    let histogram = Histogram {
        edges: &edges,
        buckets: &lateness,
        sum: lateness_sum_s,
        native: None,
    };
    encoder.histogram(&Labels::default(), &histogram);
}

fn configuration(encoder: &mut Encoder, board: &Board) {
    let Loaded {
        hash,
        is_success,
        success_unix_s,
        error: _,
    } = board.loaded();
    one(
        encoder,
        Family::gauge(
            "tcpprobe_config_hash",
            "A number that is another when what is configured is another.",
        ),
        Value::Count(hash),
    );
    one(
        encoder,
        Family::gauge(
            "tcpprobe_config_last_reload_successful",
            "1 where the last configuration that was read is in force, 0 where it was refused.",
        ),
        Value::Count(is_success.into()),
    );
    one(
        encoder,
        Family::gauge(
            "tcpprobe_config_last_reload_success_timestamp_seconds",
            "When the configuration that is in force was read, in Unix time.",
        ),
        seconds(success_unix_s),
    );
}

fn process(encoder: &mut Encoder, board: &Board, usage: Usage) {
    let Usage {
        cpu_s,
        resident_bytes,
        open_fds,
        max_fds,
    } = usage;
    let all = [
        (
            Family::counter(
                "process_cpu_seconds",
                "Processor time of user and system, in seconds.",
            ),
            cpu_s.map(seconds),
        ),
        (
            Family::gauge(
                "process_resident_memory_bytes",
                "Memory that is in RAM, in bytes.",
            ),
            resident_bytes.map(Value::Count),
        ),
        (
            Family::gauge("process_open_fds", "Open file descriptors."),
            open_fds.map(Value::Count),
        ),
        (
            Family::gauge(
                "process_max_fds",
                "How many file descriptors may be open at a time.",
            ),
            max_fds.map(Value::Count),
        ),
        (
            Family::gauge(
                "process_start_time_seconds",
                "When the process began, in Unix time.",
            ),
            Some(seconds(board.started_unix_s)),
        ),
    ];
    for (family, value) in all {
        if let Some(value) = value {
            one(encoder, family, value);
        }
    }
}

fn one(encoder: &mut Encoder, family: Family, value: Value) {
    encoder.begin(family);
    encoder.sample(&[], value);
}
