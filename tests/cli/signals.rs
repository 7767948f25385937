//! Who interrupts a run is told what is known, at once.

use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};

use crate::support::{Port, command, finish, loopback, pid};

const BOTH: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];

#[test]
fn a_signal_between_two_rounds_ends_the_series_with_its_summary() {
    for signal in BOTH {
        let port = Port::open(loopback()[0]);
        let mut child = command()
            .args(["--interval", "1h", &port.word()])
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        kill(pid(&child), signal).unwrap();
        let rest = out.lines().collect::<Result<Vec<_>, _>>().unwrap().join("\n");
        let ran = finish(child);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{signal}: {ran:?}");
        assert!(
            rest.contains("1 round, 1 connected, 0 failed (0.0 % loss)"),
            "{signal}: {rest}"
        );
    }
}

#[test]
fn a_signal_while_a_connection_is_held_open_ends_the_check_with_its_verdict() {
    for signal in BOTH {
        let port = Port::open(loopback()[0]);
        let child = command()
            .args(["--hold", "1h", "--timeout", "2h", &port.word()])
            .spawn()
            .unwrap();
        // From here on the check hangs: it waits for a peer that neither closes nor resets.
        let _peer = port.accept();
        kill(pid(&child), signal).unwrap();
        let ran = finish(child);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{signal}: {ran:?}");
        assert!(
            ran.out.starts_with(&format!("{}  open/healthy", port.word())),
            "{signal}: {ran:?}"
        );
    }
}

#[test]
fn a_signal_while_one_target_hangs_tells_of_all() {
    let (quick, hanging) = (Port::refused(loopback()[0]), Port::open(loopback()[0]));
    let child = command()
        .args(["--hold", "1h", "--timeout", "2h", "-o", "json"])
        .args([hanging.word(), quick.word()])
        .spawn()
        .unwrap();
    let _peer = hanging.accept();
    kill(pid(&child), Signal::SIGINT).unwrap();
    let ran = finish(child);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["targets"].as_array().unwrap().len(), 2, "{ran:?}");
    assert_eq!(document["targets"][0]["endpoints"][0]["class"], "open", "{ran:?}");
}
