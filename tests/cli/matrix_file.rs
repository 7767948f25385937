//! `tcpprobe matrix --init` and `--check`: the example, what a file expands to, and what is wrong with it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::support::{Ran, run, run_with_input, tcpprobe};

/// A folder with one file.
struct File {
    folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn check(&self, more: &[&str]) -> Ran {
        let mut arguments = vec!["matrix", "--check", self.name()];
        arguments.extend(more);
        tcpprobe(&arguments)
    }
}

#[test]
fn the_example_is_written_and_is_right() {
    let example = tcpprobe(&["matrix", "--init"]);
    assert_eq!((example.code, example.err.as_str()), (Some(0), ""));
    assert!(
        example.out.starts_with("# Who may reach whom."),
        "{}",
        example.out
    );

    let file = File::new("shop.yaml", &example.out);
    let checked = file.check(&[]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
    let first = format!("{} is right: 2 sources, 45 targets, 75 edges.", file.name());
    assert_eq!(checked.out.lines().next(), Some(first.as_str()));
    for row in [
        "frontend 44 ≤ 2320 ≤ 232 ms",
        "frontend [2001:db8::7]:443 reachable the frontend may use its backends",
        "admin 10.0.0.14:22 blocked or refused ssh is for nobody, but for one host",
        "admin api.shop:443 reachable control of ssh is for nobody, but for one host",
    ] {
        let same = |line: &str| line.split_whitespace().eq(row.split_whitespace());
        assert!(checked.out.lines().any(same), "{row}\n{}", checked.out);
    }
    assert!(!checked.out.contains("10.0.0.5:22"), "{}", checked.out);

    let quiet = file.check(&["--quiet"]);
    assert!(quiet.out.lines().count() < 12, "{}", quiet.out);
    let piped = run_with_input(&["matrix", "--check", "-"], &example.out);
    assert!(
        piped.out.starts_with("standard input is right: 2 sources"),
        "{}",
        piped.out
    );
}

#[test]
fn the_json_of_a_check_holds_to_its_schema_and_names_every_edge() {
    let schema = include_str!("../../docs/schema/tcpprobe-matrix-check-v1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for text in [
        tcpprobe(&["matrix", "--init"]).out,
        "rules: [{ to: \"[::1]:1,2\", tries: 3 }]".to_owned(),
    ] {
        let ran = File::new("m.yaml", text).check(&["-o", "json", "--rate", "100"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let counted: u64 = document["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| source["edges"].as_u64().unwrap())
            .sum();
        assert_eq!(document["edges"].as_array().unwrap().len() as u64, counted);
    }
    let one = File::new("m.json", "{\"rules\": [{\"to\": \"[::1]:1,2\", \"tries\": 3}]}");
    let document: Value = serde_json::from_str(&one.check(&["-o", "json", "--rate", "100"]).out).unwrap();
    assert_eq!(document["sources"][0]["packets_at_most"], 240);
    assert_eq!(document["sources"][0]["packets_at_rate_s"], 2.4);
    assert_eq!(document["edges"][1]["target"], "[::1]:2");
    assert_eq!(document["edges"][1]["source"], Value::Null);
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_column() {
    for (name, text, says) in [
        (
            "a.yaml",
            "rules:\n- to: db:80\n  timout: 3s\n",
            "3:3: `timout` is no key of a rule: did you mean `timeout`?",
        ),
        (
            "a.toml",
            "[[rules]]\nto = 'db:80'\ntries = 0\n",
            "3:9: `tries` is a number from 1 to 100, and this is the number 0",
        ),
        (
            "a.json",
            "{\"rules\":\n  []}",
            "1:2: there are no `rules`: write at least one, with what it is about under `to`, such as `- to: db:5432`",
        ),
        (
            "a",
            "",
            "1:1: the file is empty: `tcpprobe matrix --init` writes an example to begin with",
        ),
    ] {
        let file = File::new(name, text);
        let ran = file.check(&[]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert_eq!(ran.out, "");
        assert_eq!(ran.err, format!("tcpprobe: {}:{says}\n", file.name()));
    }
    let file = File::new("a.yaml", b"name: x\n# \xff\n");
    assert_eq!(
        file.check(&[]).err,
        format!(
            "tcpprobe: {}:2:3: this is no UTF-8: save the file as UTF-8\n",
            file.name()
        )
    );
}

#[test]
fn a_file_that_cannot_be_read_and_one_that_is_too_large_are_told() {
    let file = File::new("a.yaml", "");
    let missing = file.folder.path().join("b.yaml");
    let ran = tcpprobe(&["matrix", "--check", missing.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("b.yaml: cannot be read: No such file"),
        "{}",
        ran.err
    );
    let ran = tcpprobe(&["matrix", "--check", "/dev/zero"]);
    assert_eq!(
        ran.err,
        "tcpprobe: /dev/zero: larger than 16 MiB: that is no matrix\n"
    );
}

#[test]
fn a_check_fails_where_the_run_would() {
    let file = File::new(
        "a.yaml",
        "sources: [frontend]\nrules: [{ to: \"10.0.0.0/24:1-4\" }]\n",
    );
    let ran = file.check(&["--max-edges", "1000"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err
            .contains(":2:15: the matrix has more edges than the 1000 that --max-edges permits"),
        "{}",
        ran.err
    );
    let ran = file.check(&["--source", "backend"]);
    assert_eq!(
        ran.err,
        format!(
            "tcpprobe: {}: there is no source `backend` in this matrix: its sources are frontend\n",
            file.name()
        )
    );
    let ran = file.check(&["-o", "tap"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--output text or json"), "{}", ran.err);
}

#[test]
fn a_check_sends_nothing() {
    // Without any network at all it does the same.
    let Some(mut command) = super::support::command_without_routes() else {
        return;
    };
    let file = File::new("a.yaml", "rules: [{ to: \"no.such.name.invalid:80\" }]\n");
    let ran = run(command.args(["matrix", "--check", file.name()]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn what_a_file_calls_its_rules_does_not_speak_to_the_terminal() {
    let file = File::new(
        "a.yaml",
        "rules:\n- { name: \"one\\e[31m\\ntwo\", to: \"db:80\" }\n- { name: \"\\e[31m\", to: \"db:80\" }\n",
    );
    let ran = file.check(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.replace('\n', "").contains(char::is_control), "{ran:?}");
    assert!(ran.out.contains("one [31m two"), "{ran:?}");
}
