//! Many rounds: loss, percentiles, changes of verdict.

use std::io::{BufRead, BufReader};

use crate::support::{Port, command, finish, loopback, tcpprobe};

#[test]
fn a_count_gives_a_line_a_round_and_a_summary() {
    for host in loopback() {
        let port = Port::open(host);
        let ran = tcpprobe(&["--count", "3", "--interval", "50ms", &port.word()]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        let lines: Vec<&str> = ran.out.lines().collect();
        let word = port.word();
        for line in &lines[..3] {
            assert!(
                line.starts_with(&format!("{word}  open/healthy  certain  RTT ")),
                "{ran:?}"
            );
        }
        assert_eq!(
            lines[3],
            format!("{word}  3 rounds, 3 connected, 0 failed (0.0 % loss)")
        );
        for part in ["RTT min ", "avg ", "p50 ", "p95 ", "p99 ", "max "] {
            assert!(lines[4].contains(part), "{part}: {ran:?}");
        }
        assert_eq!(lines[5..], ["  open/healthy in every round"], "{ran:?}");
    }
}

#[test]
fn a_quiet_series_is_its_summary() {
    let port = Port::refused(loopback()[0]);
    let ran = tcpprobe(&["-q", "-c", "2", "-i", "10ms", &port.word()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        ran.out,
        format!(
            "{}  2 rounds, 0 connected, 2 failed (100.0 % loss)\n",
            port.word()
        )
    );
}

#[test]
fn one_round_is_a_series_too() {
    let port = Port::open(loopback()[0]);
    let ran = tcpprobe(&["--count", "1", &port.word()]);
    assert!(
        ran.out.contains("1 round, 1 connected, 0 failed (0.0 % loss)"),
        "{ran:?}"
    );
}

#[test]
fn a_port_that_opens_midway_is_a_change_of_verdict() {
    let port = Port::refused(loopback()[0]);
    let mut child = command()
        .args(["--count", "4", "--interval", "200ms", &port.word()])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    port.begin_to_listen();
    let rest = out.lines().collect::<Result<Vec<_>, _>>().unwrap().join("\n");
    let ran = finish(child);

    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    assert_eq!(first, format!("{}  refused/no-listener  likely\n", port.word()));
    assert!(
        rest.contains("4 rounds, 3 connected, 1 failed (25.0 % loss)"),
        "{rest}"
    );
    assert!(
        rest.contains("0.000 s  round 1     refused/no-listener for 1 round\n"),
        "{rest}"
    );
    assert!(
        rest.contains(" s  round 2     open/healthy for 3 rounds"),
        "{rest}"
    );
}

#[test]
fn several_targets_have_a_summary_each() {
    let (open, refused) = (Port::open(loopback()[0]), Port::refused(loopback()[0]));
    let ran = tcpprobe(&["-c", "2", "-i", "10ms", &open.word(), &refused.word()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out
            .contains(&format!("{}  2 rounds, 2 connected", open.word())),
        "{ran:?}"
    );
    assert!(
        ran.out
            .contains(&format!("{}  2 rounds, 0 connected", refused.word())),
        "{ran:?}"
    );
}

#[test]
fn the_summary_of_a_verbose_series_stands_apart() {
    let port = Port::open(loopback()[0]);
    let ran = tcpprobe(&["-v", "-c", "1", &port.word()]);
    assert!(
        ran.out.contains(&format!("\n\n{}  1 round, ", port.word())),
        "{ran:?}"
    );
    let once = tcpprobe(&["-v", &port.word()]);
    assert!(!once.out.ends_with("\n\n"), "{once:?}");
}
