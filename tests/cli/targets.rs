//! Every way to name a target.

use std::fs;

use crate::support::{Port, loopback, run_with_input, tcpprobe};

#[test]
fn host_and_port_are_one_word_or_two() {
    for host in loopback() {
        let port = Port::open(host);
        let number = port.address.port().to_string();
        let expected = format!("{}  open/healthy", port.word());
        for words in [
            vec![port.word()],
            vec![host.to_string(), number.clone()],
            vec![host.to_string(), number.clone(), port.word()],
        ] {
            let ran = tcpprobe(&words);
            assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
            assert!(ran.out.starts_with(&expected), "{words:?}: {ran:?}");
        }
        if host.is_ipv6() {
            let ran = tcpprobe(&[format!("[{host}]"), number]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
    }
}

#[test]
fn a_port_may_be_the_name_of_a_service() {
    // Whether somebody listens there does not matter.
    let ran = tcpprobe(&["-q", "127.0.0.1:https", "127.0.0.1", "domain"]);
    let targets: Vec<&str> = ran
        .out
        .lines()
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert_eq!(targets, ["127.0.0.1:443", "127.0.0.1:53"], "{ran:?}");
}

#[test]
fn localhost_needs_no_server_and_has_the_family_that_is_asked_for() {
    for host in loopback() {
        let port = Port::open(host);
        let family = if host.is_ipv4() { "-4" } else { "-6" };
        let target = format!("localhost:{}", port.address.port());
        let ran = tcpprobe(&[family, "--resolv-conf", "/does/not/exist", &target]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            ran.out.starts_with(&format!("{target} ({host})  open/healthy")),
            "{ran:?}"
        );
    }
}

#[test]
fn a_file_has_a_target_a_line_and_comments() {
    let (one, other) = (Port::open(loopback()[0]), Port::refused(loopback()[0]));
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "# what we need\n\n{}   # the shop\n\t127.0.0.1 {}\n",
        one.word(),
        other.address.port()
    );
    fs::write(&file, text).unwrap();
    let path = file.path().to_str().unwrap();
    let ran = tcpprobe(&["-q", "--file", path]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{ran:?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(
        lines[0].starts_with(&format!("{}  open/healthy", one.word())),
        "{ran:?}"
    );
    assert!(
        lines[1].starts_with(&format!("{}  refused/", other.word())),
        "{ran:?}"
    );

    let both = tcpprobe(&["-q", "-f", path, "-f", path, &one.word()]);
    assert_eq!(both.out.lines().count(), 5, "{both:?}");
}

#[test]
fn a_dash_reads_targets_from_standard_input() {
    let port = Port::open(loopback()[0]);
    for arguments in [["-q", "-"].as_slice(), &["-q", "-f", "-"]] {
        let ran = run_with_input(arguments, &format!("{} # here\n", port.word()));
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(0), ""),
            "{arguments:?}: {ran:?}"
        );
        assert!(
            ran.out.starts_with(&format!("{}  open/healthy", port.word())),
            "{ran:?}"
        );
    }
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_file_and_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "127.0.0.1:1\n# fine\nlocalhost\n").unwrap();
    let path = file.path().to_str().unwrap();
    let ran = tcpprobe(&["-f", path]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert_eq!(
        ran.err,
        format!(
            "tcpprobe: {path}:3: `localhost` has no port: write `localhost:PORT`, with a port number or a service name\n"
        )
    );

    let ran = run_with_input(&["-"], "127.0.0.1:99999\n");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err
            .starts_with("tcpprobe: standard input:1: 99999 is no port"),
        "{ran:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let ran = tcpprobe(&["-f", "/does/not/exist"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.starts_with("tcpprobe: /does/not/exist: cannot be read: "),
        "{ran:?}"
    );
}

#[test]
fn an_empty_list_is_no_target() {
    let ran = run_with_input(&["-"], "# nothing yet\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no target"), "{ran:?}");
}

#[test]
fn our_own_address_and_interface_can_be_chosen() {
    for host in loopback() {
        let port = Port::open(host);
        let ran = tcpprobe(&["--source", &host.to_string(), "-o", "jsonl", &port.word()]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let ran = tcpprobe(&["--interface", "lo", &port.word()]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let port = Port::open(loopback()[0]);
    let ran = tcpprobe(&["--source", "127.0.0.9", "-o", "jsonl", &port.word()]);
    assert!(ran.out.contains(r#""from":"127.0.0.9:"#), "{ran:?}");
}
