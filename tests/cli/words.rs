//! `--help`, `--version` and `explain`.

use crate::support::tcpprobe;

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn help_fits_80_columns_and_names_the_exit_codes() {
    for option in ["--help", "-h"] {
        let ran = tcpprobe(&[option]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        assert!(widest(&ran.out) <= 80, "{option}: {}", widest(&ran.out));
        for part in [
            "Usage: tcpprobe [OPTIONS] [TARGET]...",
            "Examples:",
            "Exit codes:",
            "  0  all is as expected",
            "  1  something is not",
            "  2  the command line",
            "  3  could not judge",
        ] {
            assert!(ran.out.contains(part), "{option} lacks {part:?}:\n{}", ran.out);
        }
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    for option in ["--version", "-V"] {
        let ran = tcpprobe(&[option]);
        assert_eq!(ran.code, Some(0));
        assert_eq!(ran.out, format!("tcpprobe {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn explain_lists_all_verdicts() {
    let ran = tcpprobe(&["explain"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(widest(&ran.out) <= 80, "{}", ran.out);
    for label in ["open", "no-listener", "syn-dropped", "nxdomain", "undecided"] {
        assert!(
            ran.out
                .lines()
                .any(|line| line.split_whitespace().next() == Some(label)),
            "{label}: {}",
            ran.out
        );
    }
}

#[test]
fn explain_tells_all_causes_of_a_class() {
    let ran = tcpprobe(&["explain", "refused"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("refused\n"), "{}", ran.out);
    for cause in ["refused/no-listener: ", "refused/middlebox-reset: "] {
        assert!(ran.out.contains(cause), "{}", ran.out);
    }
}

#[test]
fn explain_tells_what_a_cause_means_and_what_to_do() {
    let ran = tcpprobe(&["explain", "backlog-full/syn-dropped"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("backlog-full/syn-dropped: "), "{}", ran.out);
    for heading in [
        "What it is",
        "How it is told apart",
        "What it looks like",
        "What to do",
        "What not to do",
    ] {
        assert!(
            ran.out.contains(&format!("\n  {heading}\n")),
            "{heading}: {}",
            ran.out
        );
    }
}

#[test]
fn every_class_has_an_explanation() {
    let list = tcpprobe(&["explain"]).out;
    let classes = list
        .lines()
        .filter(|line| !line.is_empty() && line.split(' ').count() == 1);
    for class in classes {
        let text = tcpprobe(&["explain", class]).out;
        assert!(!text.is_empty(), "{class}");
    }
}

#[test]
fn explain_knows_the_labels_states_and_settings_of_sockets() {
    for (asked, begins) in [
        ("close-wait-leak", "close-wait-leak: the peer has closed"),
        ("TIME_WAIT", "time-wait: closed on both sides"),
        ("net.ipv4.tcp_retries2", "tcp_retries2: how long a dead peer"),
    ] {
        let ran = tcpprobe(&["explain", asked]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        assert!(ran.out.starts_with(begins), "{}", ran.out);
    }
    let list = tcpprobe(&["explain"]).out;
    for name in ["zero-window", "close-wait", "somaxconn"] {
        assert!(list.contains(&format!("\n  {name} ")), "{name}: {list}");
    }
}

#[test]
fn what_is_wrong_with_the_filters_of_sockets_is_told_with_what_would_be_right() {
    for (arguments, says) in [
        (["--state", "open"], "the states are listen, syn-sent"),
        (["--dst", "web"], "'web' is no address"),
        (["--dport", "90-80"], "write the smaller port first"),
        (["--watch", "5"], "the unit is missing"),
        (["--count", "2"], "--watch"),
    ] {
        let ran = tcpprobe(&[&["sockets"], &arguments[..]].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
}

#[test]
fn explain_knows_what_becomes_of_idle_connections() {
    for asked in ["idle-dropped", "hold/idle-dropped"] {
        let ran = tcpprobe(&["explain", asked]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        assert!(
            ran.out.starts_with("hold/idle-dropped: something forgets"),
            "{}",
            ran.out
        );
    }
    let list = tcpprobe(&["explain"]).out;
    assert!(list.contains("\n  hold/peer-closed "), "{list}");
}
