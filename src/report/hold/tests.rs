//! The forms of what idle connections come to.

use std::time::{Duration, SystemTime};

use super::{HoldReport, write_json, write_text};
use crate::check::{HoldOutcome, TargetOutcome};
use crate::diagnose::hold::judge;
use crate::evidence::hold::{Asked, End, Held, Holding};
use crate::evidence::sockets::Settings;
use crate::evidence::{Answer, Saw};
use crate::report::{Style, fixtures};

fn settings() -> Settings {
    Settings {
        retries2: Some(15),
        keepalive_time: Some(Duration::from_secs(7200)),
        keepalive_interval: Some(Duration::from_secs(75)),
        keepalive_probes: Some(9),
        ..Settings::default()
    }
}

fn held(number: u32, idle: u64, end: End, check: &TargetOutcome) -> Held {
    let idle = Duration::from_secs(idle);
    let is_alive = matches!(end, End::Alive { .. });
    let dials = check.endpoints[0].evidence.observations.iter().filter_map(|one| {
        let Saw::Connect(dial) = &one.saw else { return None };
        Some(dial.clone())
    });
    let control = dials.into_iter().next().filter(|_| !is_alive);
    Held {
        round: 1,
        at_s: Duration::from_secs(number.into()),
        from: None,
        wanted_s: idle,
        syns: 1,
        idle_s: idle,
        quiet_s: idle,
        peer_segments: Some(0),
        end,
        control,
    }
}

fn alive() -> End {
    End::Alive {
        after_s: Duration::from_millis(1),
        probes: 1,
        to: Asked::Keepalive,
    }
}

fn outcome(check: &TargetOutcome, ends: &[(u64, End)]) -> HoldOutcome {
    let held = (0..)
        .zip(ends)
        .map(|(number, (idle, end))| held(number, *idle, end.clone(), check));
    let holding = Holding {
        endpoint: check.endpoints[0].evidence.endpoint,
        started_unix_s: Duration::ZERO,
        max_s: Duration::from_secs(900),
        took_s: Duration::from_secs(724),
        interrupted: false,
        sight: check.endpoints[0].evidence.sight.clone(),
        held: held.collect(),
        shots: Vec::new(),
    };
    HoldOutcome {
        diagnosis: judge(&holding),
        holding,
    }
}

fn report<'a>(
    check: &'a TargetOutcome,
    settings: &'a Settings,
    outcome: Option<&'a HoldOutcome>,
) -> HoldReport<'a> {
    HoldReport {
        version: "1.2.3",
        started: SystemTime::UNIX_EPOCH,
        check,
        syn_schedule: None,
        settings,
        outcome,
    }
}

fn text(report: &HoldReport<'_>) -> String {
    let mut out = Vec::new();
    write_text(report, &Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_limit_reads_like_this() {
    let (check, settings) = (fixtures::open(), settings());
    let silent = End::Silent { probes: 5, fins: 4 };
    let outcome = outcome(
        &check,
        &[
            (260, alive()),
            (346, alive()),
            (354, silent.clone()),
            (355, silent),
            (400, End::CutShort),
        ],
    );
    assert_eq!(
        text(&report(&check, &settings, Some(&outcome))),
        "\
10.0.3.7:8080  idle-dropped (likely) after 350.0 ± 4.0 s: something forgets idle
  connections, and drops what comes later without a word
  Seen
    - idle for 4 min 20 s and 5 min 46 s: alive, answered within 1 ms
    - idle for 5 min 54 s and 5 min 55 s: silent to 5 keepalive probes and 4
      FINs; a new connection was made
    - 1 more was not asked
  Why
    - 2 connections, idle for 5 min 54 s and more, did not answer at least 9
      keepalive probes and FINs
    - one that was idle for 5 min 46 s was alive
    - a new connection could be made afterwards: the host and the path were
      alive, and what ended was the old connection's
  Could also be
    - the host itself or its own firewall forgets connections: from here that
      looks like a box on the way
  On this host
    - a program that writes on a connection that was idle for longer (a pool)
      hangs for 15 min 24 s (net.ipv4.tcp_retries2=15)
    - a program that only waits for data on one, without keepalive, hangs for
      ever: nobody tells it
    - the same with SO_KEEPALIVE and no times of its own hangs for 2 h 11 min
      (net.ipv4.tcp_keepalive_time=7200, _intvl=75, _probes=9)
    - With SO_KEEPALIVE, TCP_KEEPIDLE and TCP_KEEPINTVL of 115 s or less in the
      client, or a pool that closes what was idle for 3 min 50 s, none of this
      happens; TCP_USER_TIMEOUT bounds how long a write hangs in any case.
  Next
    - Turn keepalive on in the client, with a first probe (TCP_KEEPIDLE) after a
      third of the limit: that keeps the entry alive, and notices a dead peer
      too. It costs a packet and its answer for each connection and interval.
    - Or have the pool close what has been idle for less than the limit (its
      idle timeout, not its maximum lifetime).
    - Bound what a write may hang with TCP_USER_TIMEOUT (30 s, for example),
      whatever else is done: it ends connections over longer interruptions that
      they would have survived.
    - Where the box is yours, a longer limit costs it memory for each connection
      that is merely idle.
  5 connections to 10.0.3.7:8080 in 12 min 4 s.
"
    );
}

#[test]
fn without_a_connection_the_ordinary_report_follows() {
    let (check, settings) = (fixtures::refused(), settings());
    let text = text(&report(&check, &settings, None));
    assert!(
        text.starts_with(
            "10.0.3.7:81  not-open: no connection could be made\n10.0.3.7:81  refused/no-listener (likely)"
        ),
        "{text}"
    );
}

#[test]
fn the_document_names_label_limit_and_what_hangs() {
    let (check, settings) = (fixtures::open(), settings());
    let reset = End::Reset { to: Asked::Keepalive };
    let outcome = outcome(&check, &[(60, alive()), (62, reset.clone()), (63, reset)]);
    let mut out = Vec::new();
    write_json(&report(&check, &settings, Some(&outcome)), &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["label"], "idle-reset");
    assert_eq!(document["confidence"], "certain");
    assert_eq!(document["sender"], "unknown");
    assert_eq!(document["limit"]["middle_s"], 61.0);
    assert_eq!(document["limit"]["uncertainty_s"], 1.0);
    assert_eq!(document["keepalive_s"], 20);
    assert_eq!(document["on_this_host"][1]["outcome"], "hangs-for-ever");
    assert_eq!(document["held"][1]["to"], "keepalive");
    assert!(matches!(
        outcome.holding.held[1].control.as_ref().map(|dial| &dial.answer),
        Some(Answer::SynAck(_))
    ));
}
