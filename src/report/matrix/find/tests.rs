//! Records in logs of every kind.

use std::io::Read;

use proptest::prelude::*;

use super::{Finder, Found};
use crate::report::matrix::fixtures::{run, small};
use crate::report::matrix::record;

/// What was found, in short: an edge by its target, a run by its source, damage by its line.
fn found_by(reader: impl Read) -> Vec<String> {
    let mut finder = Finder::new(reader);
    let mut found = Vec::new();
    while let Some(one) = finder.find().unwrap() {
        found.push(match one {
            Found::Edge { edge, .. } => edge.target().to_string(),
            Found::Run(run) => format!("run of {}", run.source),
            Found::Damaged { line, .. } => format!("damaged in {line}"),
        });
    }
    found
}

fn found(text: &[u8]) -> Vec<String> {
    let whole = found_by(text);
    assert_eq!(found_by(InPieces(text, 7)), whole, "in pieces");
    whole
}

/// Gives a few bytes at a time, as a pipe may.
struct InPieces<'a>(&'a [u8], usize);

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = buffer.len().min(self.1);
        self.0.read(&mut buffer[..room])
    }
}

/// The records of three edges of one source, and its summary.
fn records() -> [String; 4] {
    let edges = small();
    let answer = edges.answer();
    let mut cells = answer.cells.iter().filter(|cell| cell.source == 1);
    let summary = run(&answer.sources[1], 3, 3);
    let summary = record::summary(&summary, answer.totals(), &std::collections::BTreeMap::new());
    let mut edge = || {
        let cell = cells.next().unwrap();
        let edge = &edges.0[usize::try_from(cell.at).unwrap()];
        serde_json::to_string(&record::edge(edge, &cell.judged)).unwrap()
    };
    [edge(), edge(), edge(), serde_json::to_string(&summary).unwrap()]
}

const ALL: [&str; 4] = ["10.0.3.7:22", "10.0.3.7:81", "10.0.3.7:8080", "run of frontend"];

#[test]
fn records_a_line_are_found_whatever_is_between_them() {
    let [a, b, c, summary] = records();
    let text = format!("starting\n{a}\n\n{{\"level\":\"info\"}}\n{b}\nwarning: {{\n{c}\r\n{summary}\nbye\n");
    assert_eq!(found(text.as_bytes()), ALL);
}

#[test]
fn prefixes_and_suffixes_of_any_kind_are_left_out() {
    let [a, b, c, summary] = records();
    let text = format!(
        "[pod/a-1/tcpprobe] {a}\n2026-11-22T10:00:00.123Z stdout F {b}\n\u{1b}[32ma-1 | \u{1b}[0m{c} (x2)\n<14>1 - {summary}"
    );
    assert_eq!(found(text.as_bytes()), ALL);
}

#[test]
fn several_records_may_be_on_one_line_or_one_record_on_several() {
    let [a, b, c, summary] = records();
    assert_eq!(found(format!("{a}{b} {c},{summary}").as_bytes()), ALL);
    // As jq prints it, which keeps the order of fields.
    let pretty = |record: &str| {
        let body = record
            .replacen("{\"schema\":\"", "{\n  \"schema\": \"", 1)
            .replace(",\"demand\":", ",\n  \"demand\": ");
        assert_ne!(body, record);
        body
    };
    assert_eq!(found(pretty(&a).as_bytes()), ALL[..1]);
}

#[test]
fn a_record_that_was_cut_is_damaged_and_hides_none_that_follows() {
    let [a, b, c, summary] = records();
    for cut in [40, a.len() / 3, a.len() / 2, a.len() - 1] {
        let text = format!("first line\n{}\n{b}\n{c}\n{summary}\n", &a[..cut]);
        assert_eq!(
            found(text.as_bytes()),
            ["damaged in 2", ALL[1], ALL[2], ALL[3]],
            "cut after {cut}"
        );
        let text = format!("{a}\n{b}\n{c}\n{}", &summary[..summary.len() / 2]);
        assert_eq!(found(text.as_bytes()), [ALL[0], ALL[1], ALL[2], "damaged in 4"]);
    }
}

#[test]
fn a_record_within_another_is_found_and_the_other_is_damaged() {
    let [a, b, c, summary] = records();
    let (begin, end) = a.split_at(a.len() / 2);
    let text = format!("{begin}{b}{end}\n{c}\n{summary}\n");
    assert_eq!(found(text.as_bytes()), ["damaged in 1", ALL[1], ALL[2], ALL[3]]);
}

#[test]
fn bytes_that_are_no_text_do_not_matter_outside_of_records() {
    let [a, b, ..] = records();
    let mut text = b"\xff\xfe\x80\0 ".to_vec();
    text.extend(a.as_bytes());
    text.extend(b"\xff\n");
    text.extend(b.as_bytes());
    assert_eq!(found(&text), ALL[..2]);
}

#[test]
fn another_version_and_another_kind_are_damaged_and_changes_are_left_out() {
    let [a, b, ..] = records();
    let newer = a.replacen("matrix/v1", "matrix/v2", 1);
    let other = a.replacen("\"edge\"", "\"other\"", 1);
    let change = "{\"schema\":\"tcpprobe-matrix/v1\",\"record\":\"change\",\"kind\":\"broke\"}";
    let text = format!("{newer}\n{change}\n{other}\n{b}\n");
    assert_eq!(found(text.as_bytes()), ["damaged in 1", "damaged in 3", ALL[1]]);
}

#[test]
fn a_place_is_where_the_record_can_be_read_again() {
    let [a, b, ..] = records();
    let text = format!("prefix {a}\nä {b} rest");
    let mut finder = Finder::new(InPieces(text.as_bytes(), 5));
    for wanted in [&a, &b] {
        let Some(Found::Edge { at, length, .. }) = finder.find().unwrap() else {
            panic!("an edge is missing");
        };
        let at = usize::try_from(at).unwrap();
        assert_eq!(&text[at..at + length], wanted);
    }
}

#[test]
fn a_text_larger_than_what_is_read_at_once_is_read_to_its_end() {
    let [a, b, ..] = records();
    let noise = "noise about nothing {\"schema\":1}\n".repeat(40_000);
    let text = format!("{a}\n{noise}{b}\n{noise}{}\n{noise}{a}", &a[..100]);
    let line = 1 + 1 + 40_000 + 1 + 40_000;
    assert_eq!(
        found_by(text.as_bytes()),
        [ALL[0], ALL[1], &format!("damaged in {line}"), ALL[0]]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whole_records_are_found_between_any_texts(
        between in prop::collection::vec("(\\PC|[{}\":,\\\\\n]|\"schema\":|\\{\"schema\":\"tcpprobe-matrix/v1\"){0,20}", 4),
        piece in 1usize..5000,
    ) {
        let [a, b, c, _] = records();
        let text = format!("{}\n{a}{}\n{b}\n{}{c}{}", between[0], between[1], between[2], between[3]);
        let found = found_by(InPieces(text.as_bytes(), piece));
        let edges: Vec<&String> = found.iter().filter(|one| !one.starts_with("damaged")).collect();
        prop_assert_eq!(edges, ALL[..3].iter().collect::<Vec<_>>());
    }
}
