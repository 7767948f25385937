//! Measures how long it takes to write the metrics of 10,000 targets, in each form: `cargo bench --bench metrics`.
#![expect(clippy::print_stdout, reason = "its table is what it is for")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tcpprobe::diagnose::{Cause, Confidence, Judged};
use tcpprobe::monitor::{Board, Check, Loaded, Lookups, Module, Seen, Slot, Usage, Watched};
use tcpprobe::net::clock;
use tcpprobe::report::monitor::{Exposition, of_schedule};
use tcpprobe::target::{Services, Target};

const TARGETS: u64 = 10_000;
const ROUNDS: usize = 20;

fn main() {
    let board = board();
    println!("| form | lines | bytes | pieces | longest piece | median of {ROUNDS} | lines a second |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for form in [Exposition::Text, Exposition::OpenMetrics, Exposition::Protobuf] {
        let (mut lines, mut bytes, mut pieces, mut longest) = (0, 0, 0, 0);
        for piece in of_schedule(&board, Usage::default(), Exposition::Text) {
            lines += piece.split(|byte| *byte == b'\n').count() - 1;
        }
        for piece in of_schedule(&board, Usage::default(), form) {
            pieces += 1;
            bytes += piece.len();
            longest = longest.max(piece.len());
        }
        let mut took: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let began = clock::now();
                for piece in of_schedule(&board, Usage::default(), form) {
                    std::hint::black_box(piece);
                }
                began.elapsed()
            })
            .collect();
        took.sort();
        let median = took[ROUNDS / 2];
        let rate = u32::try_from(lines).map_or(0.0, f64::from) / median.as_secs_f64();
        println!("| {form:?} | {lines} | {bytes} | {pieces} | {longest} | {median:?} | {rate:.0} |");
    }
}

fn board() -> Arc<Board> {
    let services = Services::well_known();
    let module = Arc::new(Module::default());
    let slots = (0..TARGETS).filter_map(|number| {
        let name = format!("service-{number}.shop.example:443");
        let slot = Slot::new(Watched {
            target: Target::parse(&name, &services).ok()?,
            name,
            module: Arc::clone(&module),
            labels: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
        });
        if let Ok(mut standing) = slot.standing.lock() {
            for round in 0..40 {
                standing.saw(check(number * 40 + round), 2);
            }
        }
        Some(Arc::new(slot))
    });
    let board = Board::new(Duration::ZERO);
    board.replace(slots.collect(), BTreeMap::new(), Loaded::default());
    Arc::new(board)
}

/// Round trips of 0.2 to 10 ms, so that native histograms have buckets to write.
fn check(number: u64) -> Check {
    let took = Duration::from_micros(200 + number * 7_919 % 9_800);
    Check {
        seen: Seen {
            began_unix_s: Duration::from_millis(1_790_000_000_000 + number),
            took_s: took * 3,
            tried: 1,
            judged: Judged::AsExpected,
            cause: Cause::Healthy,
            confidence: Confidence::Certain,
            is_mixed: false,
            from: None,
            address: None,
            addresses: 1,
            lookups: Some(Lookups {
                took_s: took,
                v4_s: Some(took),
                v6_s: None,
            }),
            connect_s: Some(took),
            rtt_s: Some(took),
            syn_retransmits: Some(0),
            findings: Vec::new(),
        },
        record: Arc::from(""),
    }
}
