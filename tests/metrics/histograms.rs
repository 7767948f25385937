//! Histograms, whatever the handshakes took: buckets add up, and both kinds of them tell the same.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tcpprobe::monitor::{HANDSHAKE_EDGES, Handshakes};
use tcpprobe::report::monitor::Exposition;

use crate::board::{board, metrics, slot};
use crate::readers::python;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn buckets_rise_to_the_count_and_hold_what_is_below_their_edge(
        took in prop::collection::vec(0_u64..20_000_000, 0..40)
    ) {
        let (below, sum, count) = of_text(&took);
        prop_assert_eq!(below.len(), HANDSHAKE_EDGES.len() + 1);
        let took_s: Vec<f64> = took.iter().map(|micros| Duration::from_micros(*micros).as_secs_f64()).collect();
        let mut before = 0;
        for (edge, found) in &below {
            let expected = took_s.iter().filter(|took| *took <= edge).count() as u64;
            prop_assert_eq!(*found, expected, "le {}", edge);
            prop_assert!(*found >= before);
            before = *found;
        }
        prop_assert_eq!(before, count);
        prop_assert!((took_s.iter().sum::<f64>() - sum).abs() < 1e-6);
    }
}

#[test]
fn native_buckets_hold_what_is_between_their_edges() {
    // From a quarter of a microsecond to a minute, and exactly on edges.
    let took: Vec<u64> = (0..27)
        .map(|power| 1 << power)
        .chain([1_000_000; 3])
        .chain([0])
        .collect();
    let slot = slot("a:1", &[], &[]);
    slot.standing.lock().unwrap().handshakes = handshakes(&took);
    let Some(read) = python(
        Exposition::Protobuf,
        &metrics(&board(vec![slot]), Exposition::Protobuf),
    ) else {
        return;
    };
    let [(_, buckets)] = read.native.iter().collect::<Vec<_>>()[..] else {
        panic!("{:?}", read.native);
    };
    let factor = 2_f64.powf(0.125);
    let mut rest: Vec<f64> = took
        .iter()
        .map(|micros| Duration::from_micros(*micros).as_secs_f64().max(1e-9))
        .collect();
    for (upper, count) in buckets {
        let is_in = |took: &f64| *took <= upper * (1.0 + 1e-12) && *took > upper / factor * (1.0 + 1e-12);
        let held = rest.iter().filter(|took| is_in(took)).count() as u64;
        assert_eq!(held, *count, "up to {upper}");
        rest.retain(|took| !is_in(took));
    }
    assert!(rest.is_empty(), "{rest:?} are in no bucket");
}

#[test]
fn a_native_histogram_is_one_before_the_first_handshake_and_lateness_is_none() {
    let board = board(vec![slot("a:1", &[], &[])]);
    let Some(read) = python(Exposition::Protobuf, &metrics(&board, Exposition::Protobuf)) else {
        return;
    };
    let names: Vec<&str> = read.native.keys().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tcpprobe_handshake_seconds"]);
    assert!(read.native.values().all(Vec::is_empty));
}

/// Cumulative counts by upper edge, the sum and the count, as they are written.
fn of_text(took: &[u64]) -> (Vec<(f64, u64)>, f64, u64) {
    let slot = slot("a:1", &[], &[]);
    slot.standing.lock().unwrap().handshakes = handshakes(took);
    let text = String::from_utf8(metrics(&board(vec![slot]), Exposition::Text)).unwrap();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("tcpprobe_handshake_seconds_"));
    let mut below = Vec::new();
    let mut rest = BTreeMap::new();
    for line in lines {
        let (series, value) = line.rsplit_once(' ').unwrap();
        if let Some((_, edge)) = series.split_once("le=\"") {
            let edge = edge.trim_end_matches("\"}").parse().unwrap();
            below.push((edge, value.parse().unwrap()));
        } else {
            rest.insert(series.split_once('{').unwrap().0, value);
        }
    }
    (
        below,
        rest["sum"].parse().unwrap(),
        rest["count"].parse().unwrap(),
    )
}

fn handshakes(took: &[u64]) -> Handshakes {
    let mut handshakes = Handshakes::default();
    for micros in took {
        handshakes.add(Duration::from_micros(*micros));
    }
    handshakes
}
