//! Proves that every form of an answer says the same, read by parsers that are not ours.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

use junit_parser::TestStatus;
use libtest_mimic::Failed;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;
use tap_parser::{DirectiveKind, TapParser, TapStatement};

use tcpprobe::lab::{Lab, Powers, run};

use crate::facilities::{Outcome, ensure};
use crate::matrix::DEADLINE;

/// How many edges come to what.
type Counts = BTreeMap<&'static str, usize>;

/// Whether the page is shown.
#[derive(Clone, Copy)]
pub(crate) enum Pages {
    InChromium,
    NotShown,
}

/// Has the results reported in every form, and compares what the parsers count.
pub(crate) fn all_say_the_same(lab: &Lab, results: &Path, pages: Pages) -> Outcome {
    let form = |form: &str| -> Result<String, Failed> {
        let mut report = lab.command(env!("CARGO_BIN_EXE_tcpprobe"), Powers::None, None)?;
        report.args(["report", "-o", form]).arg(results);
        let finished = run(&mut report, DEADLINE)?;
        ensure(finished.status.code() == Some(1), &finished)?;
        Ok(finished.stdout)
    };
    let wanted = json_lines(&form("jsonl")?)?;
    // A matrix in which all is met would prove little.
    ensure(wanted["met"] > 0 && wanted["missed"] > 0, &wanted)?;
    let missed = format!(
        "{} of {} edges ",
        wanted["missed"],
        wanted.values().sum::<usize>()
    );
    let text = form("text")?;
    ensure(text.starts_with(&missed), text)?;
    let json: Value = serde_json::from_str(&form("json")?)?;
    let edges = json["edges"].as_array().into_iter().flatten();
    let found = [
        (
            "json",
            count(edges.filter_map(|edge| label(edge["result"].as_str()))),
        ),
        ("junit", junit(&form("junit")?)?),
        ("markdown", markdown(&form("markdown")?)),
        ("prometheus", prometheus(&form("prometheus")?)?),
    ];
    for (name, found) in found {
        ensure(found == wanted, (name, &found, &wanted))?;
    }
    tap(&form("tap")?, &wanted)?;
    // Once is enough: a browser keeps the processors from the networks of other trials.
    match pages {
        Pages::InChromium => page(&form("html")?, &wanted),
        Pages::NotShown => Ok(()),
    }
}

fn label(text: Option<&str>) -> Option<&'static str> {
    ["met", "missed", "unproven", "error"]
        .into_iter()
        .find(|label| text == Some(label))
}

fn count(results: impl Iterator<Item = &'static str>) -> Counts {
    let mut counts = Counts::from([("met", 0), ("missed", 0), ("unproven", 0), ("error", 0)]);
    for result in results {
        *counts.entry(result).or_default() += 1;
    }
    counts
}

fn json_lines(text: &str) -> Result<Counts, Failed> {
    let records: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let edges = records.iter().filter(|record| record["record"] == "edge");
    Ok(count(edges.filter_map(|edge| label(edge["result"].as_str()))))
}

fn junit(text: &str) -> Result<Counts, Failed> {
    let report = junit_parser::from_reader(text.as_bytes())?;
    let cases = report.suites.iter().flat_map(|suite| &suite.cases);
    Ok(count(cases.map(|case| match &case.status {
        TestStatus::Success => "met",
        TestStatus::Failure(_) => "missed",
        TestStatus::Error(_) => "error",
        TestStatus::Skipped(_) => "unproven",
    })))
}

/// The cells of the first table that stand for an edge.
fn markdown(text: &str) -> Counts {
    let table = Parser::new_ext(text, Options::ENABLE_TABLES)
        .skip_while(|event| !matches!(event, Event::Start(Tag::Table(_))))
        .take_while(|event| !matches!(event, Event::End(TagEnd::Table)));
    count(table.filter_map(|event| {
        let Event::Text(cell) = event else { return None };
        match cell.as_ref() {
            "✅" => Some("met"),
            "❌" => Some("missed"),
            "❔" => Some("unproven"),
            "⚠️" => Some("error"),
            _ => None,
        }
    }))
}

fn prometheus(text: &str) -> Result<Counts, Failed> {
    let scrape = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned())))?;
    let edges = scrape
        .samples
        .iter()
        .filter(|sample| sample.metric == "tcpprobe_matrix_edge");
    Ok(count(
        edges.filter_map(|sample| label(sample.labels.get("result"))),
    ))
}

/// TAP has no word for unproven: such a point is skipped.
fn tap(text: &str, wanted: &Counts) -> Outcome {
    let statements = TapParser::new()
        .parse(text)
        .map_err(|error| format!("{error:?}"))?;
    let (mut ok, mut skipped, mut not_ok) = (0, 0, 0);
    for statement in &statements {
        if let TapStatement::TestPoint(point) = statement {
            let is_skipped = point
                .directive
                .as_ref()
                .is_some_and(|directive| directive.kind == DirectiveKind::Skip);
            match (point.result, is_skipped) {
                (_, true) => skipped += 1,
                (true, false) => ok += 1,
                (false, false) => not_ok += 1,
            }
        }
    }
    let found = (ok, skipped, not_ok);
    let wanted = (
        wanted["met"],
        wanted["unproven"],
        wanted["missed"] + wanted["error"],
    );
    ensure(found == wanted, ("tap", found, wanted, text))
}

/// The list of edges that Chromium makes of the page. Where there is no Chromium, the tests of the page itself say so by
/// name.
fn page(html: &str, wanted: &Counts) -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("matrix.html");
    std::fs::write(&path, html)?;
    let mut chromium = Command::new("chromium");
    chromium
        .args("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(' '))
        .args("--disable-background-networking --disable-component-update --disable-sync".split(' '))
        .args([
            "--disable-dev-shm-usage",
            "--virtual-time-budget=10000",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            directory.path().join("data").display()
        ))
        .arg(format!("file://{}", path.display()))
        .env("HOME", directory.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_CACHE_HOME");
    let shown = match chromium.output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let rows = count(
        shown
            .split("<tr class=\"")
            .skip(1)
            .filter_map(|row| label(row.split('"').next())),
    );
    ensure(&rows == wanted, ("html", &rows, wanted))
}
