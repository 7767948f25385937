//! All forms say the same, and what they say is what is on the board.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tcpprobe::diagnose::{Cause, Class};
use tcpprobe::monitor::{Board, HANDSHAKE_EDGES};
use tcpprobe::report::monitor::{Exposition, exposition, of_schedule};

use crate::board::{BEGAN, HOSTILE, board, full, metrics, probe, seen, slot, usage};
use crate::readers::{Series, complaints, promtool, python};

const ALL: [Exposition; 3] = [Exposition::Text, Exposition::OpenMetrics, Exposition::Protobuf];

#[test]
fn promtool_has_nothing_to_say_of_our_metrics() {
    for text in [
        metrics(&full(), Exposition::Text),
        metrics(&board(Vec::new()), Exposition::Text),
        probe(&seen(Cause::Healthy, 0), Exposition::Text),
        probe(&seen(Cause::NoListener, 0), Exposition::Text),
    ] {
        let Some(output) = promtool(&["check", "metrics"], &text) else {
            return;
        };
        assert!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "{}",
            complaints(&output)
        );
    }
}

#[test]
fn all_forms_say_the_same() {
    let answers: [&dyn Fn(Exposition) -> Vec<u8>; 4] = [
        &|form| metrics(&full(), form),
        &|form| metrics(&board(Vec::new()), form),
        &|form| probe(&seen(Cause::Healthy, 0), form),
        &|form| probe(&seen(Cause::SynDropped, 0), form),
    ];
    let hostile = series("tcpprobe_success", &[("target", HOSTILE), ("note", HOSTILE)]);
    let mut hostile_targets = 0;
    for answer in answers {
        let [text, open, protobuf] = ALL.map(|form| python(form, &answer(form)));
        let (Some(text), Some(open), Some(protobuf)) = (text, open, protobuf) else {
            return;
        };
        assert!(text.samples.len() > 10);
        assert_eq!(text.samples, open.samples);
        assert_eq!(text.samples, protobuf.samples);
        hostile_targets += text.samples.keys().filter(|series| **series == hostile).count();
        // Units and info are words of OpenMetrics, and its families have no suffix.
        for (name, [kind, unit, help]) in &open.families {
            let (suffix, elsewhere) = match kind.as_str() {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                other => ("", other),
            };
            let named = format!("{name}{suffix}");
            assert_eq!(
                protobuf.families[&named],
                [elsewhere.to_owned(), unit.clone(), help.clone()]
            );
            assert!(name.ends_with(unit.as_str()), "{name} {unit}");
            // The reader of the text format leaves the suffix of counters out.
            let named = if kind == "counter" { name } else { &named };
            assert_eq!(
                text.families[named],
                [elsewhere.to_owned(), String::new(), help.clone()]
            );
        }
        assert_eq!(open.families.len(), protobuf.families.len());
        assert_eq!(open.families.len(), text.families.len());
    }
    assert_eq!(hostile_targets, 1);
}

#[test]
fn what_is_read_back_is_what_is_on_the_board() {
    let read = read(&full());
    let of = |name: &str, labels: &[(&str, &str)]| read.get(&series(name, labels)).copied();
    let changing = ("target", "changing:1");
    for (class, checks) in [("open", 1.0), ("refused", 2.0), ("slow", 1.0), ("filtered", 0.0)] {
        let labels = [changing, ("class", class)];
        assert_eq!(of("tcpprobe_checks_total", &labels), Some(checks), "{class}");
        let is_state = f64::from(u8::from(class == "refused"));
        assert_eq!(of("tcpprobe_state", &labels), Some(is_state), "{class}");
    }
    let verdict = [
        changing,
        ("class", "slow"),
        ("cause", "retransmitted"),
        ("confidence", "likely"),
    ];
    assert_eq!(of("tcpprobe_verdict_info", &verdict), Some(1.0));
    assert_eq!(of("tcpprobe_success", &[changing]), Some(1.0));
    assert_eq!(of("tcpprobe_confirmed_success", &[changing]), Some(0.0));
    assert_eq!(
        of("tcpprobe_last_change_timestamp_seconds", &[changing]),
        Some(BEGAN.as_secs_f64() + 15.0)
    );
    assert_eq!(of("tcpprobe_last_check_rtt_seconds", &[changing]), None);
    assert_eq!(of("tcpprobe_syn_retransmits_total", &[changing]), Some(1.0));
    assert_eq!(of("tcpprobe_handshake_seconds_count", &[changing]), Some(2.0));
    assert_eq!(of("tcpprobe_config_hash", &[]), Some(20_015_998_343_868.0));
    assert_eq!(of("process_cpu_seconds_total", &[]), Some(12.345));
    assert_eq!(
        of("tcpprobe_check_lateness_seconds_bucket", &[("le", "0.001")]),
        Some(990.0)
    );
}

#[test]
fn every_class_is_there_before_the_first_check() {
    let read = read(&board(vec![slot("new:1", &[], &[])]));
    for class in Class::ALL {
        let labels = [("target", "new:1"), ("class", class.label())];
        for name in ["tcpprobe_checks_total", "tcpprobe_state"] {
            assert_eq!(read.get(&series(name, &labels)), Some(&0.0), "{name} {class}");
        }
    }
    // And nothing that is not known yet.
    let of_it = read.keys().filter(|(_, labels)| labels.contains_key("target"));
    let names: BTreeSet<&str> = of_it.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [
            "tcpprobe_checks_total",
            "tcpprobe_handshake_seconds_bucket",
            "tcpprobe_handshake_seconds_count",
            "tcpprobe_handshake_seconds_sum",
            "tcpprobe_interval_seconds",
            "tcpprobe_state",
            "tcpprobe_syn_retransmits_total",
        ]
    );
}

#[test]
fn the_users_labels_are_on_every_series_of_a_target() {
    let labels = [("env", "prod"), ("team", "pay")];
    let read = read(&board(vec![slot("a:1", &labels, &[Cause::Healthy])]));
    let mut count = 0;
    for (name, known) in read.keys().filter(|(_, labels)| labels.contains_key("target")) {
        count += 1;
        for (label, value) in labels {
            assert_eq!(known.get(label).map(String::as_str), Some(value), "{name}");
        }
    }
    // docs/monitoring.md says what a target costs.
    assert_eq!(count, 55);
}

#[test]
fn no_address_is_in_a_label() {
    let of_probe = seen(Cause::AdminProhibited, 0);
    for text in [
        metrics(&full(), Exposition::Text),
        probe(&of_probe, Exposition::Text),
    ] {
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("192.0.2."), "{text}");
    }
}

#[test]
fn a_probe_that_failed_says_why_and_one_that_did_not_is_silent_of_failures() {
    let failed = String::from_utf8(probe(&seen(Cause::Port, 0), Exposition::Text)).unwrap();
    assert!(failed.contains("\nprobe_success 0\n"), "{failed}");
    let why = "\nprobe_failure_info{reason=\"filtered\",cause=\"port\",confidence=\"likely\"} 1\n";
    assert!(failed.contains(why), "{failed}");
    assert!(!failed.contains("phase=\"connect\""), "{failed}");
    let passed = String::from_utf8(probe(&seen(Cause::Retransmitted, 0), Exposition::Text)).unwrap();
    assert!(passed.contains("\nprobe_success 1\n"), "{passed}");
    assert!(!passed.contains("probe_failure"), "{passed}");
    assert!(passed.contains("\nprobe_tcp_syn_retransmits 1\n"), "{passed}");
    assert!(
        passed.contains(
            "\nprobe_verdict_info{class=\"slow\",cause=\"retransmitted\",confidence=\"likely\"} 1\n"
        ),
        "{passed}"
    );
}

#[test]
fn the_phases_of_a_probe_are_its_duration() {
    for cause in [Cause::Healthy, Cause::Retransmitted, Cause::NxDomain] {
        let text = String::from_utf8(probe(&seen(cause, 0), Exposition::Text)).unwrap();
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        let samples = prometheus_parse::Scrape::parse(lines).unwrap().samples;
        let all = |name: &str| -> f64 {
            let found = samples.iter().filter(|sample| sample.metric == name);
            found
                .map(|sample| {
                    let prometheus_parse::Value::Gauge(value) = sample.value else {
                        panic!("{name} is no gauge");
                    };
                    value
                })
                .sum()
        };
        let (phases, took) = (all("probe_tcp_duration_seconds"), all("probe_duration_seconds"));
        assert!((phases - took).abs() < 1e-9, "{phases} {took}");
    }
}

#[test]
fn pieces_are_small_whatever_there_is_to_say() {
    let slots = (0..500).map(|number| slot(&format!("host-{number}:443"), &[], &[Cause::Healthy]));
    let many = board(slots.collect());
    for form in [Exposition::Text, Exposition::OpenMetrics] {
        let pieces: Vec<Vec<u8>> = of_schedule(&many, usage(), form).collect();
        assert!(pieces.len() > 20, "{}", pieces.len());
        for piece in &pieces {
            assert!((1..40 << 10).contains(&piece.len()), "{}", piece.len());
        }
    }
}

#[test]
fn no_line_is_there_twice() {
    for form in [Exposition::Text, Exposition::OpenMetrics] {
        let text = String::from_utf8(metrics(&full(), form)).unwrap();
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
            assert!(seen.insert(series), "{line}");
        }
        assert_eq!(text.ends_with("\n# EOF\n"), form == Exposition::OpenMetrics);
    }
}

#[test]
fn scrapers_get_what_they_ask_for() {
    let native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let cases = [
        // Prometheus 2.42, without and with native histograms.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Exposition::OpenMetrics,
        ),
        (
            &format!(
                "{native},application/openmetrics-text;version=1.0.0;q=0.8,\
                 application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            Exposition::Protobuf,
        ),
        // Prometheus 3.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Exposition::OpenMetrics,
        ),
        (
            &format!(
                "{native};q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
            ),
            Exposition::Protobuf,
        ),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2",
            Exposition::Text,
        ),
        // Browsers and curl.
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Exposition::Text,
        ),
        ("*/*", Exposition::Text),
        ("", Exposition::Text),
        // The weight counts, not the place.
        (
            "text/plain;q=0.2, Application/OpenMetrics-Text; Version=\"1.0.0\"; q=0.3",
            Exposition::OpenMetrics,
        ),
        (
            "text/plain;q=0.5,application/openmetrics-text;q=0.5",
            Exposition::Text,
        ),
        // What is not wanted, and what we do not have.
        ("application/openmetrics-text;q=0, */*;q=0.1", Exposition::Text),
        ("application/openmetrics-text;version=0.0.1", Exposition::Text),
        ("application/openmetrics-text;version=2.0.0", Exposition::Text),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            Exposition::Text,
        ),
        ("application/vnd.google.protobuf;proto=other", Exposition::Text),
        ("image/png", Exposition::Text),
        (";;;,,q=,=", Exposition::Text),
    ];
    for (accept, wanted) in cases {
        assert_eq!(exposition(Some(accept)), wanted, "{accept}");
    }
    assert_eq!(exposition(None), Exposition::Text);
}

#[test]
fn edges_are_around_the_retransmissions_of_a_syn() {
    for again in [1.0, 3.0, 7.0] {
        let above = HANDSHAKE_EDGES.partition_point(|edge| *edge <= again);
        let (below, above) = (HANDSHAKE_EDGES[above - 1], HANDSHAKE_EDGES[above]);
        assert!(
            again - below < 0.01 && above - again <= 0.5,
            "{below} {again} {above}"
        );
    }
}

/// The samples, as `prometheus-parse` reads the text format.
fn read(board: &Arc<Board>) -> BTreeMap<Series, f64> {
    let text = String::from_utf8(metrics(board, Exposition::Text)).unwrap();
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let mut read = BTreeMap::new();
    for sample in prometheus_parse::Scrape::parse(lines).unwrap().samples {
        let labels: BTreeMap<String, String> = sample
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        match sample.value {
            prometheus_parse::Value::Histogram(buckets) => {
                for bucket in buckets {
                    let le = if bucket.less_than.is_infinite() {
                        "+Inf".to_owned()
                    } else {
                        format!("{:?}", bucket.less_than)
                    };
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), le);
                    read.insert((format!("{}_bucket", sample.metric), labels), bucket.count);
                }
            }
            prometheus_parse::Value::Counter(value)
            | prometheus_parse::Value::Gauge(value)
            | prometheus_parse::Value::Untyped(value) => {
                read.insert((sample.metric, labels), value);
            }
            prometheus_parse::Value::Summary(_) => panic!("{} is no summary", sample.metric),
        }
    }
    read
}

fn series(name: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (name.to_owned(), labels.collect())
}
