//! `tcpprobe k8s`, and what pods run.

use std::fs;

use nix::sys::signal::{Signal, kill};

use crate::support::{Port, Ran, command, finish, loopback, pid, run_with_input, tcpprobe};

const MATRIX: &str = "\
sources:
  frontend: { labels: { app: frontend } }
  backend: {}
rules:
  - to: 10.0.0.1:80
";

/// Runs `tcpprobe k8s` with the matrix on standard input.
fn k8s(arguments: &[&str]) -> Ran {
    let all = [&["k8s", "--matrix", "-"], arguments].concat();
    run_with_input(&all, MATRIX)
}

#[test]
fn every_kind_of_workload_is_printed_with_its_commands_above() {
    for (arguments, kind) in [
        (&["job"][..], "kind: Job"),
        (&["indexed-job", "--shards", "3"], "completions: 3"),
        (&["daemonset"], "kind: DaemonSet"),
        (&["cronjob", "--schedule", "@daily"], "schedule: \"@daily\""),
    ] {
        let ran = k8s(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.out.contains(kind), "{kind}: {}", ran.out);
        assert!(ran.out.starts_with("# "), "{}", ran.out);
        assert!(ran.out.contains("\n#   kubectl apply --server-side -f FILE\n"));
        // The same every time.
        assert_eq!(k8s(arguments).out, ran.out);
    }
}

#[test]
fn one_source_can_be_had_alone() {
    let ran = k8s(&["job", "--source", "backend"]);
    assert!(ran.out.contains("name: tcpprobe-backend\n") && !ran.out.contains("tcpprobe-frontend\n"));
}

#[test]
fn what_cannot_be_meant_is_named_with_what_would_be_right() {
    let cases: [(&[&str], &[&str]); 16] = [
        (&[], &["KIND"]),
        (&["pod"], &["'pod'", "daemonset"]),
        (&["cronjob"], &["--schedule"]),
        (
            &["cronjob", "--schedule", "0 0 2 * * *"],
            &["6 fields", "30 2 * * *"],
        ),
        (&["job", "--schedule", "@daily"], &["--schedule is for a cronjob"]),
        (&["indexed-job"], &["--shards"]),
        (&["indexed-job", "--shards", "0"], &["--shards"]),
        (&["indexed-job", "--shards", "99999"], &["1 to 10000"]),
        (&["job", "--shards", "2"], &["--shards is for an indexed-job"]),
        (
            &["job", "--source", "front"],
            &["--source front", "frontend, backend"],
        ),
        (&["job", "--keep", "7"], &["unit is missing", "7days"]),
        (
            &["job", "--", "--rat", "5"],
            &["'--rat'", "tcpprobe matrix --help"],
        ),
        (
            &["job", "--", "--output", "json"],
            &["--output has no place here"],
        ),
        (&["job", "--name", "Shop"], &["--name Shop", "small letters"]),
        (
            &["job", "--with", "probe"],
            &["--with is for a monitor", "k8s monitor --config"],
        ),
        (&["monitor"], &["--config"]),
    ];
    for (arguments, words) in cases {
        let ran = k8s(arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {ran:?}"
        );
        for word in words {
            assert!(
                ran.err.contains(word),
                "{arguments:?} lacks {word:?}: {}",
                ran.err
            );
        }
    }
}

#[test]
fn a_monitor_is_printed_with_its_commands_above_and_what_is_asked_for_besides() {
    let config = "targets: [ \"db:5432\" ]\n";
    let k8s = |arguments: &[&str]| {
        run_with_input(
            &[&["k8s", "monitor", "--config", "-"], arguments].concat(),
            config,
        )
    };
    let ran = k8s(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let kinds = |text: &str| -> Vec<String> {
        let kinds = text.lines().filter_map(|line| line.strip_prefix("kind: "));
        kinds.map(str::to_owned).collect()
    };
    assert_eq!(kinds(&ran.out), ["ConfigMap", "Deployment", "Service"]);
    assert!(
        ran.out
            .contains("\n#   kubectl rollout status deployment/tcpprobe-monitor\n")
    );
    let all = k8s(&[
        "--with",
        "probe,servicemonitor",
        "--with",
        "networkpolicy",
        "--namespace",
        "watch",
    ]);
    assert_eq!(
        kinds(&all.out)[3..],
        ["ServiceMonitor", "Probe", "NetworkPolicy"],
        "{all:?}"
    );
    assert!(all.out.contains("- db:5432\n"), "{}", all.out);
}

#[test]
fn what_a_monitor_in_a_pod_cannot_have_is_named_with_what_would_be_right() {
    let cases: [(&[&str], &str, &[&str]); 8] = [
        (
            &["--matrix", "m.yaml"],
            "",
            &["--matrix is for a matrix", "--config"],
        ),
        (&["--keep", "1day"], "", &["--keep is for a matrix"]),
        (&["--with", "servicemonitors"], "", &["servicemonitor"]),
        (&["--with", "probe"], "targets: [ \"db:5432\" ]", &["--namespace"]),
        (
            &["--prometheus-namespace", "a"],
            "targets: [ \"db:5432\" ]",
            &["--with networkpolicy"],
        ),
        (
            &["--", "--listen", "0.0.0.0:80"],
            "targets: [ \"db:5432\" ]",
            &["--listen has no place here"],
        ),
        (
            &["--", "--interval", "1m"],
            "targets: [ \"db:5432\" ]",
            &["--interval", "interval: 1m"],
        ),
        (
            &[],
            "targets: [ \"db:5432\" ]\nmodule: {}\n",
            &["standard input:2:1:"],
        ),
    ];
    for (arguments, config, words) in cases {
        let all = [&["k8s", "monitor", "--config", "-"], arguments].concat();
        let ran = run_with_input(&all, config);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {ran:?}"
        );
        for word in words {
            assert!(
                ran.err.contains(word),
                "{arguments:?} lacks {word:?}: {}",
                ran.err
            );
        }
    }
}

#[test]
fn what_is_wrong_with_the_matrix_is_said_with_its_place() {
    let ran = run_with_input(&["k8s", "job", "--matrix", "-"], "rules:\n  - too: 10.0.0.1:80\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("standard input:2:"), "{}", ran.err);
    let ran = tcpprobe(&["k8s", "job", "--matrix", "/nowhere.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("/nowhere.yaml: cannot be read"), "{}", ran.err);
}

#[test]
fn a_pod_that_must_not_fail_takes_what_was_missed_for_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matrix.yaml");
    let port = Port::refused(loopback()[0]);
    fs::write(&file, format!("rules: [{{to: \"{}\"}}]\n", port.word())).unwrap();
    let file = file.to_str().unwrap();
    let missed = tcpprobe(&["matrix", file, "-o", "jsonl", "-q"]);
    assert_eq!(missed.code, Some(1), "{missed:?}");
    let taken = tcpprobe(&["pod", "once", file, "-o", "jsonl", "-q"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert_eq!(taken.out.lines().count(), missed.out.lines().count());
    // What cannot be meant stays an error.
    assert_eq!(tcpprobe(&["pod", "once", "/nowhere.yaml"]).code, Some(2));
}

#[test]
fn a_pod_waits_until_it_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let child = command().args(["pod", "wait"]).spawn().unwrap();
        let pid = pid(&child);
        // A signal that comes before it is asked for ends a process, unless that is process 1 as in a container.
        let status = format!("/proc/{pid}/status");
        let is_caught = || {
            let status = fs::read_to_string(&status).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let mask = u64::from_str_radix(line.unwrap().trim(), 16).unwrap();
            mask >> (signal as i32 - 1) & 1 == 1
        };
        while !is_caught() {
            std::thread::yield_now();
        }
        kill(pid, signal).unwrap();
        let ran = finish(child);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""));
    }
}
