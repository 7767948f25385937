//! A matrix from its file to its results: what is written when, what is gone on with, and as whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Port, Ran, command, finish, loopback, pid, run};

/// A directory with a matrix in it, whose rules are these.
struct Place {
    directory: TempDir,
}

impl Place {
    fn with(matrix: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("matrix.yaml"), matrix).unwrap();
        Self { directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn matrix(&self) -> String {
        self.file("matrix.yaml").display().to_string()
    }

    /// Runs the matrix to its end, line by line.
    fn run(&self, arguments: &[&str]) -> Ran {
        run(command()
            .args(["matrix", &self.matrix(), "-o", "jsonl"])
            .args(arguments))
    }
}

/// A rule for each expectation.
fn rules(rules: &[(&str, Vec<String>)]) -> String {
    let mut text = "rules:\n".to_owned();
    for (expected, targets) in rules {
        writeln!(text, "- {{ expect: [{expected}], to: {} }}", list(targets)).unwrap();
    }
    text
}

fn list(words: &[String]) -> String {
    serde_json::to_string(words).unwrap()
}

fn words(ports: &[Port]) -> Vec<String> {
    ports.iter().map(Port::word).collect()
}

fn open(count: usize) -> Vec<Port> {
    (0..count).map(|_| Port::open(loopback()[0])).collect()
}

fn records(lines: &str) -> Vec<Value> {
    let records = lines.lines().map(serde_json::from_str);
    records.collect::<Result<_, _>>().unwrap()
}

/// The edges of some records; the last record of an edge counts.
fn edges(lines: &str) -> BTreeMap<String, Value> {
    let records = records(lines).into_iter();
    records
        .filter(|record| record["record"] == "edge")
        .map(|record| (record["target"].as_str().unwrap().to_owned(), record))
        .collect()
}

fn results(lines: &str) -> BTreeMap<String, String> {
    let edges = edges(lines).into_iter();
    edges
        .map(|(target, edge)| (target, edge["result"].as_str().unwrap().to_owned()))
        .collect()
}

fn summary(lines: &str) -> Value {
    records(lines).pop().unwrap()
}

#[test]
fn the_exit_code_says_what_all_edges_come_to() {
    for address in loopback() {
        let ports = (Port::open(address), Port::refused(address));
        let (open, refused) = (|| vec![ports.0.word()], || vec![ports.1.word()]);
        let nowhere = || vec!["nowhere.invalid:1".to_owned()];
        let cases = [
            (vec![("reachable", open()), ("refused", refused())], 0),
            (vec![("reachable", refused()), ("blocked", nowhere())], 1),
            (vec![("blocked", nowhere()), ("reachable", open())], 3),
        ];
        for (matrix, code) in cases {
            let ran = Place::with(&rules(&matrix)).run(&["--quiet"]);
            assert_eq!(ran.code, Some(code), "{matrix:?}: {ran:?}");
        }
    }
}

#[test]
fn an_endpoint_that_is_named_twice_is_probed_once() {
    let port = Port::open(loopback()[0]);
    let number = port.address.port();
    let targets = vec![format!("127.0.0.1:{number}"), format!("localhost:{number}")];
    let place = Place::with(&rules(&[("reachable,refused", targets)]));
    let ran = place.run(&[]);
    assert_eq!((ran.code, results(&ran.out).len()), (Some(0), 2), "{ran:?}");
    assert_eq!(port.accepted(), 1, "{ran:?}");
}

#[test]
fn a_run_that_was_killed_is_gone_on_with_where_it_was() {
    let ports = open(40);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let kept = place.file("results.jsonl");
    let name = kept.display().to_string();
    // Ten edges a second.
    let mut child = command()
        .args(["matrix", &place.matrix(), "-o", "jsonl", "--rate", "40"])
        .args(["--results", &name])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..4 {
        out.next().unwrap().unwrap();
    }
    kill(pid(&child), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    let before = fs::read_to_string(&kept).unwrap();
    let done: BTreeSet<String> = edges(&before).into_keys().collect();
    assert!((4..40).contains(&done.len()), "{before}");
    // As if it had been killed in the middle of a line.
    let mut file = OpenOptions::new().append(true).open(&kept).unwrap();
    write!(file, "{}", &before.lines().last().unwrap()[..100]).unwrap();
    let accepted_before: Vec<usize> = ports.iter().map(Port::accepted).collect();

    let ran = place.run(&["--resume", &name]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let after = fs::read_to_string(&kept).unwrap();
    assert!(after.starts_with(&before), "what was there has changed: {after}");
    assert_eq!(edges(&after).len(), 40, "{after}");
    assert_eq!(records(&after).len(), 41, "an edge was done again: {after}");
    assert_eq!(summary(&after)["done"], 40, "{after}");
    for (port, before) in ports.iter().zip(accepted_before) {
        let expected = usize::from(!done.contains(&port.word()));
        assert_eq!(port.accepted(), expected, "{}, {before} before", port.word());
    }
}

#[test]
fn a_signal_ends_a_run_with_a_partial_result_that_says_so() {
    for (signal, expected, code) in [(Signal::SIGTERM, "reachable", 3), (Signal::SIGINT, "refused", 1)] {
        let ports = open(30);
        let place = Place::with(&rules(&[(expected, words(&ports))]));
        // A packet a second: it would take two minutes.
        let mut child = command()
            .args(["matrix", &place.matrix(), "-o", "jsonl", "--rate", "1"])
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = String::new();
        out.read_line(&mut lines).unwrap();
        kill(pid(&child), signal).unwrap();
        out.lines()
            .for_each(|line| writeln!(lines, "{}", line.unwrap()).unwrap());
        let ran = finish(child);
        let summary = summary(&lines);
        assert_eq!(ran.code, Some(code), "{signal}: {ran:?}");
        assert_eq!(
            (&summary["partial"], &summary["planned"]),
            (&Value::from(true), &Value::from(30))
        );
        assert_eq!(summary["done"], edges(&lines).len(), "{signal}: {lines}");
    }
}

#[test]
fn a_file_that_holds_something_is_not_written_over() {
    let ports = open(1);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let kept = place.file("notes.txt");
    fs::write(&kept, "mine").unwrap();
    let ran = place.run(&["--results", &kept.display().to_string()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("--resume"), "{ran:?}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    assert_eq!(ports[0].accepted(), 0);
}

#[test]
fn what_holds_no_results_is_not_gone_on_with_and_stays_as_it_is() {
    let ports = open(1);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let kept = place.file("notes.txt");
    for mine in ["mine", "two lines\nthe last without an end", "a line\n"] {
        fs::write(&kept, mine).unwrap();
        let ran = place.run(&["--resume", &kept.display().to_string()]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains("no results"), "{ran:?}");
        assert_eq!(fs::read_to_string(&kept).unwrap(), mine);
    }
    assert_eq!(ports[0].accepted(), 0);
}

#[test]
fn what_follows_results_and_is_none_stays_there() {
    let ports = open(2);
    let place = Place::with(&rules(&[("reachable", vec![ports[0].word()])]));
    let kept = place.file("results.jsonl");
    let name = kept.display().to_string();
    assert_eq!(place.run(&["--results", &name]).code, Some(0));
    let before = fs::read_to_string(&kept).unwrap() + "a note of mine";
    fs::write(&kept, &before).unwrap();
    fs::write(place.matrix(), rules(&[("reachable", words(&ports))])).unwrap();
    assert_eq!(place.run(&["--resume", &name]).code, Some(0));
    let after = fs::read_to_string(&kept).unwrap();
    assert!(after.starts_with(&(before + "\n{")), "{after}");
}

#[test]
fn a_control_is_looked_at_again_where_what_it_proves_is_left() {
    let ports = open(2);
    let control = ports[0].word();
    let place = Place::with(&rules(&[("reachable", vec![control.clone()])]));
    let kept = place.file("results.jsonl").display().to_string();
    assert_eq!(place.run(&["--results", &kept]).code, Some(0));
    let rule = format!(
        "- {{ expect: refused, to: \"{}\", control: \"{control}\" }}\n",
        ports[1].word()
    );
    let matrix = rules(&[("reachable", vec![control])]) + &rule;
    fs::write(place.matrix(), matrix).unwrap();
    // Those since the last time they were asked for: of both runs, then none.
    for (code, accepted) in [(Some(1), 2), (Some(1), 0)] {
        let ran = place.run(&["--resume", &kept]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ports[0].accepted(), accepted, "{ran:?}");
        let summary = summary(&ran.out);
        assert_eq!(
            (&summary["planned"], &summary["done"]),
            (&2.into(), &2.into()),
            "{ran:?}"
        );
    }
}

#[test]
fn results_of_another_source_or_matrix_are_not_gone_on_with() {
    let ports = open(2);
    let [first, second] =
        [0, 1].map(|index: usize| Place::with(&rules(&[("reachable", vec![ports[index].word()])])));
    let kept = first.file("results.jsonl").display().to_string();
    assert_eq!(first.run(&["--results", &kept, "--source", "a"]).code, Some(0));
    let before = fs::read_to_string(&kept).unwrap();
    let other_source = first.run(&["--resume", &kept, "--source", "b"]);
    let other_matrix = second.run(&["--resume", &kept, "--source", "a"]);
    for (ran, says) in [
        (other_source, "the results of a"),
        (other_matrix, "another matrix"),
    ] {
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), before);
    assert_eq!([ports[0].accepted(), ports[1].accepted()], [1, 0]);
}

#[test]
fn a_demand_that_has_changed_judges_what_was_seen_before() {
    let ports = open(1);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let kept = place.file("results.jsonl").display().to_string();
    assert_eq!(place.run(&["--results", &kept]).code, Some(0));
    fs::write(place.matrix(), rules(&[("refused", words(&ports))])).unwrap();
    let ran = place.run(&["--resume", &kept]);
    let expected = BTreeMap::from([(ports[0].word(), "missed".to_owned())]);
    assert_eq!(
        (ran.code, results(&ran.out)),
        (Some(1), expected.clone()),
        "{ran:?}"
    );
    assert_eq!(results(&fs::read_to_string(&kept).unwrap()), expected);
    assert_eq!(ports[0].accepted(), 1, "it was looked at again");
}

#[test]
fn every_record_says_who_looked() {
    let ports = open(1);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let start = || {
        let mut command = command();
        command.args(["matrix", &place.matrix(), "-o", "jsonl"]);
        command
    };
    let pod = [
        ("POD_NAME", "probe-x7"),
        ("POD_NAMESPACE", "shop"),
        ("NODE_NAME", "node-3"),
        ("POD_IP", "2001:db8::7"),
    ];
    let of_pod = run(start().envs(pod));
    let named = run(start()
        .envs(pod)
        .envs([("TCPPROBE_SOURCE", "frontend"), ("TCPPROBE_INSTANCE", "a")]));
    let flagged = run(start()
        .env("TCPPROBE_SOURCE", "frontend")
        .args(["--source", "admin"]));
    for (ran, source, instance) in [
        (of_pod, "probe-x7", Value::Null),
        (named, "frontend", Value::from("a")),
        (flagged, "admin", Value::Null),
    ] {
        let records = records(&ran.out);
        assert_eq!(records.len(), 2, "{ran:?}");
        for record in records {
            let identity = &record["source"];
            assert_eq!(
                (&identity["source"], &identity["instance"]),
                (&Value::from(source), &instance)
            );
            if source != "admin" {
                assert_eq!(identity["pod"], "probe-x7");
                assert_eq!(identity["namespace"], "shop");
                assert_eq!(identity["node"], "node-3");
                assert_eq!(identity["ip"], "2001:db8::7");
            }
        }
    }
    let nobody = run(&mut start());
    let host = nix::sys::utsname::uname().unwrap().nodename().to_owned();
    assert_eq!(summary(&nobody.out)["source"]["source"], host.to_str().unwrap());
    let wrong = run(start().env("POD_IP", "somewhere"));
    assert!(wrong.code == Some(2) && wrong.err.contains("POD_IP"), "{wrong:?}");
}

#[test]
fn a_matrix_of_several_sources_wants_to_know_which_one_this_is() {
    let ports = open(1);
    let matrix = format!(
        "sources: {{ frontend: {{}}, admin: {{}} }}\n{}",
        rules(&[("reachable", words(&ports))])
    );
    let place = Place::with(&matrix);
    for (arguments, says) in [
        (&[][..], "frontend, admin"),
        (&["--source", "fronted"], "no source 'fronted'"),
    ] {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
    }
    assert_eq!(place.run(&["--source", "admin"]).code, Some(0));
    assert_eq!(ports[0].accepted(), 1);
}

#[test]
fn shards_share_no_edge_and_are_all_of_it_together() {
    let ports = open(10);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let mut seen = Vec::new();
    for index in 0..3 {
        let shard = format!("{index}/3");
        let by_flag = place.run(&["--shard", &shard]);
        let of_job = run(command().args(["matrix", &place.matrix(), "-o", "jsonl"]).envs([
            ("TCPPROBE_SHARD_COUNT", "3"),
            ("JOB_COMPLETION_INDEX", &index.to_string()),
        ]));
        assert_eq!(
            (by_flag.code, of_job.code),
            (Some(0), Some(0)),
            "{by_flag:?} {of_job:?}"
        );
        assert_eq!(results(&by_flag.out), results(&of_job.out));
        let summary = summary(&by_flag.out);
        assert_eq!(
            summary["shard"],
            serde_json::json!({ "index": index, "count": 3 })
        );
        assert_eq!(summary["planned"], results(&by_flag.out).len());
        seen.extend(results(&by_flag.out).into_keys());
    }
    let mut all = words(&ports);
    all.sort();
    seen.sort();
    assert_eq!(seen, all);
    for wrong in ["3/3", "1", "x/3"] {
        let ran = place.run(&["--shard", wrong]);
        assert!(ran.code == Some(2) && ran.err.contains("INDEX/COUNT"), "{ran:?}");
    }
}

#[test]
fn no_more_packets_leave_than_the_rate_permits() {
    let ports = open(50);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let ran = place.run(&["--rate", "400"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let time = |name: &str| {
        let time = summary(&ran.out)[name].as_str().unwrap().to_owned();
        humantime::parse_rfc3339(&time).unwrap()
    };
    let took = time("ended").duration_since(time("started")).unwrap();
    // The last handshake and eight milliseconds may be ahead of the pace.
    let least = Duration::from_secs_f64(f64::from(49 * 4) / 400.0 - 0.008);
    assert!(took >= least, "{took:?}");
}

#[test]
fn the_termination_log_gets_the_totals_and_as_many_edges_as_fit() {
    for (count, all_fit) in [(3, true), (200, false)] {
        let ports = open(count);
        let place = Place::with(&rules(&[("refused", words(&ports))]));
        let log = place.file("termination-log");
        let ran = place.run(&["--termination-log", &log.display().to_string()]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let text = fs::read_to_string(&log).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(text.len() <= 4096 && text.ends_with('\n'), "{text}");
        assert!(lines[0].contains(&format!("{count} missed")), "{text}");
        let last = lines.last().unwrap();
        let listed = lines.iter().filter(|line| line.starts_with("missed ")).count();
        if all_fit {
            assert_eq!((lines.len(), listed), (4, 3), "{text}");
        } else {
            assert_eq!(*last, format!("and {} more", count - listed), "{text}");
            assert_eq!(lines.len(), listed + 2, "{text}");
            assert!(text.len() > 3900, "{}", text.len());
        }
    }
}

#[test]
fn progress_is_plain_lines_without_a_terminal_and_nothing_where_that_is_wished() {
    let ports = open(5);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    // A start every second.
    let start = |quiet: &[&str]| {
        command()
            .args(["matrix", &place.matrix(), "-o", "jsonl", "--rate", "4"])
            .args(quiet)
            .spawn()
            .unwrap()
    };
    let (loud, quiet) = (start(&[]), start(&["--quiet"]));
    let both = [loud, quiet].map(|child| thread::spawn(|| finish(child)));
    let [loud, quiet] = both.map(|ran| ran.join().unwrap());
    let said = loud
        .err
        .lines()
        .all(|line| line.starts_with("tcpprobe: ") && line.contains(" of 5 edges"));
    assert!(
        said && loud.err.contains("left") && !loud.err.contains('\x1b'),
        "{loud:?}"
    );
    assert_eq!(quiet.err, "", "{quiet:?}");
}

#[test]
fn a_name_that_fails_is_no_proven_block_whatever_is_open_elsewhere() {
    let ports = open(1);
    let matrix = format!(
        "rules:\n- {{ expect: blocked, to: 'nowhere.invalid:1', control: '{}' }}\n",
        ports[0].word()
    );
    let ran = Place::with(&matrix).run(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let edge = &edges(&ran.out)["nowhere.invalid:1"];
    assert_eq!(
        (&edge["result"], &edge["why"]),
        (&Value::from("unproven"), &Value::from("name-failed"))
    );
}

#[test]
fn what_a_closed_pipe_cuts_off_is_kept_in_the_results() {
    let ports = open(30);
    let place = Place::with(&rules(&[("reachable", words(&ports))]));
    let kept = place.file("results.jsonl");
    let mut child = command()
        .args(["matrix", &place.matrix(), "-o", "jsonl", "--rate", "400"])
        .args([Path::new("--results"), &kept])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = finish(child);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(edges(&fs::read_to_string(&kept).unwrap()).len(), 30);
}

#[test]
fn a_matrix_is_looked_at_as_the_options_of_a_single_check_say() {
    let port = Port::open(loopback()[0]);
    let place = Place::with(&format!(
        "rules: [{{ to: '{}', expect: open/healthy }}]",
        port.word()
    ));
    let other_family = place.run(&["-6"]);
    assert_eq!(other_family.code, Some(2), "{other_family:?}");
    assert!(
        other_family.err.contains("is an IPv4 address, but -6"),
        "{other_family:?}"
    );
    assert_eq!(place.run(&["-4"]).code, Some(0));
    let nothing_is_that_fast = place.run(&["--slow", "1ns"]);
    assert_eq!(nothing_is_that_fast.code, Some(1), "{nothing_is_that_fast:?}");
    assert!(nothing_is_that_fast.out.contains("\"class\":\"slow\""));
}
