//! The text and the JSON of a look that has something to say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::diagnose::sockets::{Bounds, State, judge, judge_settings};
use crate::evidence::sockets::{Info, Owner, Settings, Socket};
use crate::report::Style;

fn leaked() -> Socket {
    let ago = Duration::from_secs(61);
    Socket {
        state: State::CloseWait,
        local: "192.0.2.1:50000".parse().unwrap(),
        remote: "192.0.2.2:5432".parse().unwrap(),
        timer: None,
        tries: 0,
        receive_queue: 1,
        send_queue: 0,
        drops: None,
        uid: 1000,
        info: Some(Info {
            heard_ago: ago,
            data_received_ago: ago,
            data_sent_ago: ago,
            ..Info::default()
        }),
        owner: Owner::Process(7),
    }
}

fn tally(sockets: usize) -> Tally {
    let bounds = Bounds {
        stuck: Duration::from_secs(60),
        silent: Duration::from_secs(600),
    };
    let settings = Settings {
        retries2: Some(15),
        abort_on_overflow: Some(1),
        ..Settings::default()
    };
    let mut tally = Tally::new(bounds, settings, BTreeSet::new());
    (0..sockets).for_each(|_| tally.note(&leaked()));
    tally
}

fn written(write: impl FnOnce(&Look<'_>, &mut Vec<u8>)) -> String {
    let (before, after) = (tally(10), tally(30));
    let over = Duration::from_secs(2);
    let process = Process {
        pid: 7,
        name: "api".to_owned(),
        command: "api --serve".to_owned(),
        descriptors: 24,
        descriptor_limit: Some(1024),
    };
    let look = Look {
        version: "0.0.0",
        at: UNIX_EPOCH,
        number: 2,
        since_last: Some(over),
        filter: &["of api".to_owned()],
        tally: &after,
        before: Some(&before),
        verdicts: &judge(&after, Some((&before, over))),
        processes: &BTreeMap::from([(7, process)]),
        settings: &judge_settings(&after),
        counters: &[Counter {
            name: "ListenOverflows",
            total: 5,
            since_last_look: Some(3),
        }],
        visibility: Visibility::default(),
    };
    let mut out = Vec::new();
    write(&look, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_verdict_comes_first_with_who_how_old_how_fast_and_until_when() {
    let text = written(|look, out| write_text(look, &Style::default(), out).unwrap());
    let begins = "\
30 TCP sockets (of api): close-wait-leak; look 2, 2 s after the last

close-wait-leak: the peer has closed, and our program does not
  Seen
    - api (pid 7): 30 sockets in CLOSE_WAIT, the oldest for at least 1 min 1 s;
      20 more than 2 s ago; 24 of 1024 descriptors are open: at this rate none
      is left in 1 min 40 s (192.0.2.1:50000 to 192.0.2.2:5432)
  What it does
";
    assert!(text.starts_with(begins), "{text}");
    for part in [
        "\n  Next\n    - ",
        "\n  Not\n    - ",
        "\nSockets by state\n  close-wait          30  +20\n",
        "\n  192.0.2.1 to 192.0.2.2:5432: 30 close-wait\n",
        "\n  tcp_retries2=15: a write to a peer that is gone hangs for 15 min 24 s\n",
        "\n! tcp_abort_on_overflow=1: a full accept queue resets connections\n    1 fails fast",
        "\n  5 connections dropped for a full accept queue: ListenOverflows, 3 since the\n",
    ] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_document_of_a_series_is_one_line() {
    let line = written(|look, out| write_json(look, Layout::Line, out).unwrap());
    assert_eq!(line.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let found = &value["verdicts"][0]["found"][0];
    assert_eq!(found["grew_by"], 20);
    assert_eq!(found["descriptors_run_out_in_s"], 100.0);
    assert_eq!(found["process"]["name"], "api");
}
