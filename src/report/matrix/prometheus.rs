//! Prometheus text, for node_exporter's textfile collector or a Pushgateway.
//!
//! Labels are bounded: source and target as the matrix names them, and the closed words of result, class and cause. Neither
//! addresses that a name resolved to nor texts of errors are among them. There is one series an edge up to
//! [`SERIES`]; of a larger matrix only the edges that are not as expected have one, up to as many, and the counts by source
//! say the rest. Series have no time stamps, which the textfile collector refuses; the time of the last look is a metric.

use std::collections::BTreeMap;
use std::io;

use crate::diagnose::Cause;
use crate::matrix::{Answer, Cell, ChangeKind, Judgement};

/// No more edges than this have a series.
const SERIES: usize = 10_000;

/// Writes the whole answer.
pub(super) fn write(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    edges(answer, out)?;
    verdicts(answer, out)?;
    each_edge(answer, out)?;
    head(
        out,
        "last_look_timestamp_seconds",
        "When the last edge of a source was looked at, in Unix time.",
    )?;
    for (row, source) in (0..).zip(&answer.sources) {
        let looks = answer.row(row).iter().map(|cell| cell.concluded_unix_s);
        let last = looks.max().unwrap_or_default().as_secs_f64();
        sample(
            out,
            "last_look_timestamp_seconds",
            &[("source", &source.to_string())],
            last,
        )?;
    }
    head(
        out,
        "planned_edges",
        "How many edges the runs of a source were to look at.",
    )?;
    let mut planned: BTreeMap<String, u64> = BTreeMap::new();
    for run in answer.standing_runs() {
        *planned.entry(run.source.to_string()).or_default() += run.planned;
    }
    for (source, planned) in &planned {
        sample(out, "planned_edges", &[("source", source)], number(*planned))?;
    }
    head(
        out,
        "partial",
        "1 where edges are missing: a run ended early, or lines of it were lost.",
    )?;
    sample(
        out,
        "partial",
        &[],
        f64::from(u8::from(!answer.gaps().is_empty())),
    )?;
    if let Some(changes) = &answer.changes {
        head(
            out,
            "changed_edges",
            "How many edges are not as they were in the baseline.",
        )?;
        for kind in ChangeKind::ALL {
            sample(
                out,
                "changed_edges",
                &[("kind", kind.label())],
                number(changes.count(*kind) as u64),
            )?;
        }
    }
    Ok(())
}

/// Counts by source and result; all results are there, so that a count that falls to 0 is seen.
fn edges(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    head(out, "edges", "How many edges of a source come to what.")?;
    for (row, source) in (0..).zip(&answer.sources) {
        for judgement in Judgement::ALL {
            let cells = answer.row(row).iter();
            let count = cells.filter(|cell| cell.judged.judgement == *judgement).count();
            let labels = [
                ("source", source.to_string()),
                ("result", judgement.label().to_owned()),
            ];
            sample(out, "edges", &borrowed(&labels), number(count as u64))?;
        }
    }
    Ok(())
}

/// Counts by source and verdict.
fn verdicts(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    head(out, "verdicts", "How many edges of a source have which verdict.")?;
    for (row, source) in (0..).zip(&answer.sources) {
        let mut counts: BTreeMap<Option<Cause>, u64> = BTreeMap::new();
        for cell in answer.row(row) {
            *counts.entry(cell.verdict.map(|(cause, _)| cause)).or_default() += 1;
        }
        for (cause, count) in counts {
            let [class, cause] = verdict(cause);
            let source = source.to_string();
            let labels = [("source", source.as_str()), ("class", class), ("cause", cause)];
            sample(out, "verdicts", &labels, number(count))?;
        }
    }
    Ok(())
}

fn each_edge(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    let all_fit = answer.cells.len() <= SERIES;
    let wanted = |cell: &&Cell| all_fit || cell.judged.judgement != Judgement::Met;
    head(
        out,
        "edge",
        "1 for an edge, with what it comes to and its verdict.",
    )?;
    for cell in answer.cells.iter().filter(wanted).take(SERIES) {
        let [class, cause] = verdict(cell.verdict.map(|(cause, _)| cause));
        let labels = [
            ("source", answer.source_of(cell).to_string()),
            ("target", answer.target_of(cell).to_string()),
            ("result", cell.judged.judgement.label().to_owned()),
            ("class", class.to_owned()),
            ("cause", cause.to_owned()),
        ];
        sample(out, "edge", &borrowed(&labels), 1.0)?;
    }
    let left_out = answer.cells.iter().filter(wanted).count().saturating_sub(SERIES);
    head(
        out,
        "edges_without_series",
        "How many edges that are not as expected have no series of their own.",
    )?;
    sample(out, "edges_without_series", &[], number(left_out as u64))
}

/// Class and cause; empty, which to Prometheus is absent, where the run ended before there was any.
fn verdict(cause: Option<Cause>) -> [&'static str; 2] {
    cause.map_or(["", ""], |cause| [cause.class().label(), cause.label()])
}

fn head(out: &mut impl io::Write, name: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# HELP tcpprobe_matrix_{name} {help}")?;
    writeln!(out, "# TYPE tcpprobe_matrix_{name} gauge")
}

fn sample(out: &mut impl io::Write, name: &str, labels: &[(&str, &str)], value: f64) -> io::Result<()> {
    write!(out, "tcpprobe_matrix_{name}")?;
    let labels: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    if !labels.is_empty() {
        write!(out, "{{{}}}", labels.join(","))?;
    }
    writeln!(out, " {value}")
}

fn borrowed<'a>(labels: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    labels
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect()
}

/// As the text format wants label values.
fn escaped(value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    value.replace(char::is_control, " ")
}

#[expect(clippy::cast_precision_loss, reason = "counts of edges are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
