//! `tcpprobe demo`: in private networks where they are permitted, and on loopback where not.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use nix::sys::signal::{Signal, kill};

use crate::support::{Ran, cannot, clean, command, finish, loopback, pid, run, tcpprobe};

/// Whether private networks are permitted here; says so if not.
fn has_namespaces() -> bool {
    let mut command = clean(Command::new("unshare"));
    command.args(["--user", "--map-root-user", "--net", "--mount", "true"]);
    let permitted = command.status().is_ok_and(|status| status.success());
    if !permitted {
        cannot("unshare(1) makes no user namespace here");
    }
    permitted
}

/// Where user namespaces are forbidden: a namespace that permits none below itself, and no power to do without one.
fn where_namespaces_are_forbidden(arguments: &[&str]) -> Option<Ran> {
    let inside = |last: &str| {
        let mut command = clean(Command::new("unshare"));
        let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && \
                      exec setpriv --bounding-set=-all --inh-caps=-all -- \"$@\"";
        command.args(["--user", "--map-root-user", "sh", "-c", forbid, "sh", last]);
        command
    };
    let possible = inside("true").status().is_ok_and(|status| status.success());
    if !possible {
        cannot("user namespaces cannot be forbidden here: no unshare(1) or setpriv(1)");
        return None;
    }
    Some(run(inside(env!("CARGO_BIN_EXE_tcpprobe")).args(arguments)))
}

#[test]
fn a_case_shows_how_it_is_broken_and_the_report_of_each_sight() {
    if !has_namespaces() {
        return;
    }
    for family in ["-4", "-6"] {
        let ran = tcpprobe(&["demo", family, "refused"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(
            ran.out.contains("The truth: refused/no-listener\n"),
            "{family}: {}",
            ran.out
        );
        for sight in ["connect sight, as any user", "raw sight, with CAP_NET_RAW"] {
            assert!(ran.out.contains(sight), "{family}: {}", ran.out);
        }
        let right = "= refused/no-listener is the truth";
        assert_eq!(ran.out.matches(right).count(), 2, "{family}: {}", ran.out);
        let address = if family == "-4" {
            "10.0.3.2:8080"
        } else {
            "[2001:db8:3::2]:8080"
        };
        assert_eq!(
            ran.out.matches(&format!("\n{address}  refused")).count(),
            2,
            "{}",
            ran.out
        );
    }
}

#[test]
fn what_fails_on_our_own_host_and_what_answers_is_told_for_what_it_is() {
    if !has_namespaces() {
        return;
    }
    for (case, truth) in [
        ("open", "open/healthy"),
        ("no-route", "unreachable/no-route"),
        ("admin-prohibited", "rejected/admin-prohibited"),
        ("nxdomain", "dns-failed/nxdomain"),
    ] {
        let ran = tcpprobe(&["demo", case]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        let right = format!("= {truth} is the truth");
        assert_eq!(ran.out.matches(&right).count(), 2, "{}", ran.out);
    }
}

#[test]
fn the_list_names_every_case_that_an_unknown_name_is_told() {
    let list = tcpprobe(&["demo", "--list"]);
    assert_eq!((list.code, list.err.as_str()), (Some(0), ""));
    let unknown = tcpprobe(&["demo", "no-such-case"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(2), ""), "{unknown:?}");
    assert!(unknown.err.contains("'no-such-case'"), "{}", unknown.err);
    let cases: Vec<&str> = list
        .out
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(cases.len() > 20, "{}", list.out);
    for case in cases {
        assert!(unknown.err.contains(case), "{case}: {}", unknown.err);
    }
}

#[test]
fn where_namespaces_are_forbidden_loopback_shows_what_it_can() {
    let Some(ran) = where_namespaces_are_forbidden(&["demo"]) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.contains("no private network can be built here"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("sudo sysctl user.max_user_namespaces="),
        "{}",
        ran.err
    );
    let families = loopback().len();
    for truth in ["open/healthy", "refused/no-listener", "backlog-full/syn-dropped"] {
        let right = ran
            .out
            .lines()
            .filter(|line| line.trim_start().starts_with(truth) && line.contains(" = "));
        assert_eq!(right.count(), families, "{truth}: {}", ran.out);
    }
    assert!(!ran.out.contains("raw sight"), "{}", ran.out);
}

#[test]
fn where_namespaces_are_forbidden_other_cases_cannot_be_judged() {
    let Some(ran) = where_namespaces_are_forbidden(&["demo", "loop"]) else {
        return;
    };
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
    assert!(
        ran.err.contains("loopback alone cannot show 'loop'"),
        "{}",
        ran.err
    );
}

#[test]
fn a_signal_ends_it_with_what_has_been_shown() {
    if !has_namespaces() {
        return;
    }
    let mut child = command().arg("demo").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut shown = String::new();
    out.read_line(&mut shown).unwrap();
    kill(pid(&child), Signal::SIGINT).unwrap();
    out.read_to_string(&mut shown).unwrap();
    let ran = finish(child);
    assert_eq!((ran.code, ran.err.as_str()), (Some(3), ""), "{ran:?}");
    assert!(shown.contains("certain and wrong"), "{shown}");
    assert!(!shown.contains("nxdomain"), "{shown}");
}
