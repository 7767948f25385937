//! `tcpprobe report`: results of several sources, as logs hand them over.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Port, Ran, cannot, clean, command, loopback, run_command_with_input, run_with_input, tcpprobe,
};

/// Real verdicts on loopback, wrapped as the edges of a matrix.
struct Results {
    folder: TempDir,
    open: Value,
    refused: Value,
}

impl Results {
    fn new() -> Self {
        let host = loopback()[0];
        let (open, refused) = (Port::open(host), Port::refused(host));
        let ran = tcpprobe(&["-o", "json", &open.word(), &refused.word()]);
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        Self {
            folder: TempDir::new().unwrap(),
            open: document["targets"][0].clone(),
            refused: document["targets"][1].clone(),
        }
    }

    fn file(&self, name: &str, lines: &[String]) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn identity(source: &str) -> Value {
    json!({"source": source, "instance": null, "pod": null, "namespace": null, "node": null, "ip": null, "host": null})
}

fn edge(source: &str, expected: &str, outcome: &Value, second: u32) -> String {
    let fields = json!({
        "source": identity(source),
        "demand": {"rules": ["a rule"], "expected": [expected], "controls": [], "timeout_s": 3.0, "tries": 1},
        "tried": 1,
        "concluded": format!("2026-11-22T10:00:{second:02}Z"),
        "syn_schedule": null,
        "outcome": outcome,
    });
    record("edge", &fields)
}

fn summary(source: &str, planned: u64, done: u64) -> String {
    let fields = json!({
        "source": identity(source),
        "version": "0.1.0",
        "matrix": "m",
        "started": "2026-11-22T10:00:00Z",
        "ended": "2026-11-22T10:01:00Z",
        "planned": planned,
        "done": done,
        "shard": null,
    });
    record("summary", &fields)
}

/// The schema is the first field of every record.
fn record(kind: &str, fields: &Value) -> String {
    let fields = fields.to_string();
    format!(
        "{{\"schema\":\"tcpprobe-matrix/v1\",\"record\":\"{kind}\",{}",
        &fields[1..]
    )
}

fn report(arguments: &[&str]) -> Ran {
    tcpprobe(&[&["report"], arguments].concat())
}

#[test]
fn results_of_several_sources_become_one_answer() {
    let results = Results::new();
    let a = results.file(
        "a",
        &[
            edge("a", "reachable", &results.open, 1),
            edge("a", "refused", &results.refused, 2),
            summary("a", 2, 2),
        ],
    );
    let b = results.file(
        "b",
        &[edge("b", "reachable", &results.open, 1), summary("b", 1, 1)],
    );
    let ran = report(&[&a, &b]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(
        ran.out
            .starts_with("All 3 edges are as expected.\n2 sources × 2 targets"),
        "{ran:?}"
    );
    let missed = results.file(
        "c",
        &[edge("c", "reachable", &results.refused, 1), summary("c", 1, 1)],
    );
    let ran = report(&["-q", &a, &b, &missed]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let target = results.refused["target"].as_str().unwrap();
    assert_eq!(
        ran.out,
        format!(
            "1 of 4 edges is not as expected.\nmissed    c → {target}  refused/no-listener  expected reachable\n"
        )
    );
}

#[test]
fn logs_on_standard_input_are_the_collection() {
    let results = Results::new();
    let open = edge("a", "reachable", &results.open, 1);
    let refused = edge("a", "refused", &results.refused, 2);
    let log = format!(
        "[pod/a-1/tcpprobe] starting\n[pod/a-1/tcpprobe] {open}{refused}\n[pod/b-1/tcpprobe] {}\n[pod/a-1/tcpprobe] {}\n",
        &open[..open.len() / 2],
        summary("a", 2, 2)
    );
    let ran = run_with_input(&["report", "-"], &log);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("Both edges are as expected.\n"), "{ran:?}");
    assert!(
        ran.err
            .starts_with("tcpprobe: standard input: 1 damaged record is left out, in line 3; the first: "),
        "{ran:?}"
    );
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
}

#[test]
fn what_is_missing_makes_the_answer_incomplete() {
    let results = Results::new();
    let open = edge("a", "reachable", &results.open, 1);
    for (lines, says) in [
        (vec![open.clone()], "no summary from a:"),
        (
            vec![open.clone(), summary("a", 2, 2)],
            "1 edge of a lost: its summary counts more",
        ),
        (
            vec![open.clone(), summary("a", 2, 1)],
            "1 edge of a not looked at: the run ended early",
        ),
    ] {
        let file = results.file("a", &lines);
        let ran = report(&["-q", &file]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(3), ""), "{ran:?}");
        assert!(ran.out.contains(&format!("\nIncomplete: {says}")), "{ran:?}");
        let ran = report(&["-o", "junit", &file]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(
            ran.err.starts_with(&format!("tcpprobe: incomplete: {says}")),
            "{ran:?}"
        );
    }
}

#[test]
fn a_baseline_shows_what_broke_and_forgives_what_was_broken() {
    let results = Results::new();
    let mut closed = results.refused.clone();
    closed["target"] = results.open["target"].clone();
    let broken = edge("b", "reachable", &results.refused, 1);
    let before = results.file(
        "before",
        &[
            edge("a", "reachable", &results.open, 1),
            broken.clone(),
            summary("a", 1, 1),
            summary("b", 1, 1),
        ],
    );
    let after = results.file(
        "after",
        &[
            edge("a", "reachable", &closed, 1),
            broken,
            summary("a", 1, 1),
            summary("b", 1, 1),
        ],
    );
    let target = results.open["target"].as_str().unwrap();
    let ran = report(&["-q", "--baseline", &before, &after]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.ends_with(&format!(
            "Since the baseline: 1 broke; 1 edge as before.\nbroke     a → {target}\n"
        )),
        "{ran:?}"
    );
    let ran = report(&["-q", "--baseline", &after, &before]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("Since the baseline: 1 mended;"), "{ran:?}");
    let ran = report(&["-q", "--baseline", &after, &after]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out
            .contains("Nothing has changed since the baseline (2 edges as before).")
    );
}

#[test]
fn json_and_json_lines_are_results_again() {
    let results = Results::new();
    let first = results.file(
        "first",
        &[
            edge("a", "reachable", &results.open, 1),
            edge("a", "reachable", &results.refused, 2),
            summary("a", 2, 2),
        ],
    );
    for form in ["json", "jsonl"] {
        let written = report(&["-o", form, &first]);
        assert_eq!((written.code, written.err.as_str()), (Some(1), ""));
        let again = results.file("again", std::slice::from_ref(&written.out));
        assert_eq!(report(&["-o", form, &again]).out, written.out);
        assert_eq!(report(&[&again]).out, report(&[&first]).out);
    }
}

#[test]
fn wrong_input_is_said_with_what_would_be_right() {
    let results = Results::new();
    let none = results.file("none", &["nothing of ours".to_owned()]);
    let folder = results.folder.path().to_str().unwrap();
    for (arguments, says) in [
        (
            vec![none.as_str()],
            "give what \"tcpprobe matrix -o jsonl\" or --results wrote",
        ),
        (
            vec!["/does/not/exist"],
            "/does/not/exist cannot be read: No such file",
        ),
        (vec![folder], "is a directory: name the files in it"),
        (vec!["-", "-"], "can be read only once: name it once"),
    ] {
        let ran = report(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
    }
}

#[test]
fn a_pipe_is_read_where_there_is_no_directory_for_a_copy() {
    let results = Results::new();
    let log = [edge("a", "reachable", &results.open, 1), summary("a", 1, 1)].join("\n");
    let mut reading = command();
    reading.args(["report", "-"]).env("TMPDIR", "/does/not/exist");
    let ran = run_command_with_input(&mut reading, &log).unwrap();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
}

#[test]
fn promtool_has_nothing_to_say_of_the_metrics() {
    let results = Results::new();
    let file = results.file(
        "a",
        &[
            edge("a", "reachable", &results.open, 1),
            edge("a", "reachable", &results.refused, 2),
            edge("b \"x\" \\", "reachable", &results.open, 1),
            summary("a", 2, 2),
        ],
    );
    let metrics = report(&["-o", "prometheus", &file]).out;
    let mut promtool = clean(Command::new("promtool"));
    promtool.args(["check", "metrics"]);
    let Some(ran) = run_command_with_input(&mut promtool, &metrics) else {
        return cannot("promtool is not installed");
    };
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""));
}

#[test]
fn a_source_that_the_baseline_has_and_nobody_says_anything_of_is_not_as_expected() {
    let results = Results::new();
    let of = |source| [edge(source, "open", &results.open, 1), summary(source, 1, 1)];
    let both = results.file("both", &[of("a"), of("b")].concat());
    let one = results.file("one", &of("a"));
    let ran = report(&["-q", &one, "--baseline", &both]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.err
            .contains("incomplete: nothing from b, of which the baseline has 1 edge\n"),
        "{ran:?}"
    );
    // A matrix that has no edges for it any more is no loss.
    let none = results.file("none", &[of("a").as_slice(), &[summary("b", 0, 0)]].concat());
    let ran = report(&["-q", &none, "--baseline", &both]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
}

#[test]
fn what_results_call_themselves_does_not_speak_to_the_terminal() {
    let results = Results::new();
    let hostile = results.file("hostile", &[edge("a\u{1b}]0;x\u{7}", "open", &results.open, 1)]);
    for form in ["text", "jsonl", "prometheus"] {
        let ran = report(&["-o", form, &hostile]);
        for said in [&ran.out, &ran.err] {
            assert!(
                !said.replace('\n', "").contains(char::is_control),
                "{form}: {said:?}"
            );
        }
    }
}
