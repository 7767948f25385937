//! Verdicts, expectations and the exit code.

use crate::support::{Port, command_without_routes, loopback, run, tcpprobe};

#[test]
fn an_open_port_is_one_line_and_exit_code_0() {
    for host in loopback() {
        let port = Port::open(host);
        let ran = tcpprobe(&[port.word()]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(
            ran.out
                .starts_with(&format!("{}  open/healthy: handshake RTT ", port.word())),
            "{ran:?}"
        );
        assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    }
}

#[test]
fn a_refused_port_is_exit_code_1_and_tells_why_and_what_next() {
    for host in loopback() {
        let port = Port::refused(host);
        let ran = tcpprobe(&[port.word()]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
        assert!(
            ran.out
                .starts_with(&format!("{}  refused/no-listener (likely): ", port.word()))
        );
        for part in ["\n  Seen\n", "\n  Why\n", "\n  Next\n", "ss -ltnp"] {
            assert!(ran.out.contains(part), "{part}: {}", ran.out);
        }
        assert!(ran.out.lines().count() <= 12, "too long:\n{}", ran.out);
    }
}

#[test]
fn a_full_accept_queue_of_our_own_host_is_certain() {
    for host in loopback() {
        let port = Port::full(host);
        let ran = tcpprobe(&[port.word()]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
        let first = format!("{}  backlog-full/syn-dropped (certain): ", port.word());
        assert!(ran.out.starts_with(&first), "{ran:?}");
        assert_eq!(ran.out.matches("  listening socket: ").count(), 1, "{}", ran.out);
        assert!(ran.out.contains("1 waiting, backlog 0 (full)"), "{}", ran.out);
        assert!(ran.out.contains("1 connection waits"), "{}", ran.out);
    }
}

#[test]
fn without_a_route_no_packet_leaves() {
    let Some(mut command) = command_without_routes() else {
        return;
    };
    let ran = run(command.args(["192.0.2.1:80", "[2001:db8::1]:80"]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    assert_eq!(
        ran.out.matches("unreachable/no-route (certain)").count(),
        2,
        "{}",
        ran.out
    );
    assert!(ran.out.contains("ip route get 2001:db8::1"), "{}", ran.out);
    assert!(!ran.out.contains("Could also be"), "{}", ran.out);
}

#[test]
fn a_name_without_a_server_to_ask_is_no_fault_of_the_port() {
    let ran = tcpprobe(&["--resolv-conf", "/does/not/exist", "shop:80"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    assert!(
        ran.out
            .starts_with("shop:80  dns-failed/dns-unreachable (likely): "),
        "{ran:?}"
    );
    assert!(ran.out.contains("/does/not/exist"), "{ran:?}");
}

#[test]
fn what_says_nothing_of_the_target_is_exit_code_3() {
    let port = Port::open(loopback()[0]);
    // Nine descriptors are what it takes to start: none is left for a connection.
    let mut shell = std::process::Command::new("sh");
    shell
        .args([
            "-c",
            "ulimit -n 9; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_tcpprobe"),
        ])
        .args(["-q", &port.word()])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let ran = run(&mut shell);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("local-error/no-descriptors"), "{ran:?}");
}

#[test]
fn an_expected_refusal_is_exit_code_0() {
    let port = Port::refused(loopback()[0]);
    for expected in [
        "refused",
        "refused/no-listener",
        "open,refused",
        "filtered,refused/no-listener",
    ] {
        let ran = tcpprobe(&["--expect", expected, &port.word()]);
        assert_eq!(ran.code, Some(0), "{expected}: {ran:?}");
    }
    for unexpected in ["open", "refused/middlebox-reset", "open,filtered"] {
        let ran = tcpprobe(&["-e", unexpected, &port.word()]);
        assert_eq!(ran.code, Some(1), "{unexpected}: {ran:?}");
    }
}

#[test]
fn an_open_port_is_wrong_where_a_refusal_is_expected() {
    let port = Port::open(loopback()[0]);
    assert_eq!(tcpprobe(&["-e", "refused", &port.word()]).code, Some(1));
    assert_eq!(
        tcpprobe(&["-e", "refused", "-e", "open", &port.word()]).code,
        Some(0)
    );
}

#[test]
fn a_slow_port_counts_as_open_but_not_as_healthy() {
    let port = Port::open(loopback()[0]);
    let slow = |more: &[&str]| {
        let word = port.word();
        let all: Vec<&str> = ["--slow", "1ns", &word].iter().chain(more).copied().collect();
        tcpprobe(&all)
    };
    let ran = slow(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with(&format!("{}  slow/", port.word())), "{ran:?}");
    assert_eq!(slow(&["-e", "slow"]).code, Some(0));
    assert_eq!(slow(&["-e", "open/healthy"]).code, Some(1));
}

#[test]
fn one_failure_among_several_targets_decides_the_exit_code() {
    let (open, refused) = (Port::open(loopback()[0]), Port::refused(loopback()[0]));
    let ran = tcpprobe(&[open.word(), refused.word(), open.word()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.out.matches("open/healthy").count(), 2, "{ran:?}");
}

#[test]
fn too_little_time_is_exit_code_3_and_asks_for_more() {
    let port = Port::full(loopback()[0]);
    let ran = tcpprobe(&["--timeout", "20ms", &port.word()]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.out.contains("unknown/undecided"), "{ran:?}");
    assert!(
        ran.out
            .contains(&format!("tcpprobe --timeout 5s {}", port.word())),
        "{ran:?}"
    );
}

#[test]
fn a_port_that_is_held_open_still_costs_one_handshake() {
    let port = Port::open(loopback()[0]);
    let ran = tcpprobe(&["--hold", "700ms", "-o", "jsonl", &port.word()]);
    let endpoint: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(endpoint["cause"], "healthy", "{ran:?}");
    assert_eq!(endpoint["evidence"].as_array().unwrap().len(), 1, "{ran:?}");
}
