//! JSON: a line an edge and a summary a run, or all of it as one document.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::record::{self, SCHEMA, SummaryRecord};
use crate::diagnose::{Cause, Class, Confidence};
use crate::matrix::{Answer, Change, Changes, Edges, Run, Totals, Was};

/// Writes each edge as a line, then what has changed since the baseline, then a summary for each run that counts.
pub(super) fn write_lines(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    for cell in &answer.cells {
        let edge = edges.edge(cell.at)?;
        record::write_line(&record::edge(&edge, &cell.judged), out)?;
    }
    for change in answer.changes.iter().flat_map(|changes| &changes.changed) {
        record::write_line(&ChangeRecord::of(change), out)?;
    }
    for run in answer.standing_runs() {
        record::write_line(&summary(answer, run), out)?;
    }
    Ok(())
}

/// Writes one document. Each edge is on a line of its own, so that the document can be searched, compared and read again
/// as lines can.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let totals = answer.totals();
    // `schema` is first in a record; a document is none.
    write!(
        out,
        "{{\"record\":\"answer\",\"schema\":\"{SCHEMA}\",\"version\":"
    )?;
    serde_json::to_writer(&mut *out, env!("CARGO_PKG_VERSION"))?;
    write!(out, ",\n\"results\":")?;
    serde_json::to_writer(&mut *out, &results(totals))?;
    write!(out, ",\n\"complete\":{}", answer.gaps().is_empty())?;
    write!(out, ",\n\"gaps\":")?;
    let gaps: Vec<String> = answer.gaps().iter().map(ToString::to_string).collect();
    serde_json::to_writer(&mut *out, &gaps)?;
    write!(out, ",\n\"changes\":")?;
    serde_json::to_writer(&mut *out, &answer.changes.as_ref().map(ChangesRecord::of))?;
    write!(out, ",\n\"runs\":[")?;
    for (index, run) in answer.standing_runs().into_iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &summary(answer, run))?;
    }
    write!(out, "\n],\n\"edges\":[")?;
    for (index, cell) in answer.cells.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let edge = edges.edge(cell.at)?;
        serde_json::to_writer(&mut *out, &record::edge(&edge, &cell.judged))?;
    }
    writeln!(out, "\n]}}")
}

/// The summary of a run, with what all edges of its source come to.
fn summary<'a>(answer: &'a Answer, run: &'a Run) -> SummaryRecord<'a> {
    let mut totals = Totals::default();
    let mut classes: BTreeMap<Class, u64> = BTreeMap::new();
    let row = answer
        .sources
        .iter()
        .position(|source| source.is_same_source(&run.source))
        .and_then(|row| u32::try_from(row).ok());
    for cell in row.map_or(&[][..], |row| answer.row(row)) {
        totals.add(cell.judged.judgement);
        if let Some((cause, _)) = cell.verdict {
            *classes.entry(cause.class()).or_default() += 1;
        }
    }
    record::summary(run, totals, &classes)
}

fn results(totals: Totals) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([
        ("met", totals.met),
        ("missed", totals.missed),
        ("unproven", totals.unproven),
        ("error", totals.errors),
    ])
}

#[derive(Serialize)]
struct ChangesRecord {
    unchanged: u64,
    changed: Vec<ChangeRecord>,
}

#[derive(Serialize)]
struct ChangeRecord {
    schema: &'static str,
    record: &'static str,
    kind: &'static str,
    source: String,
    target: String,
    was: Option<WasRecord>,
    is: Option<WasRecord>,
}

#[derive(Serialize)]
struct WasRecord {
    result: &'static str,
    class: Option<Class>,
    cause: Option<Cause>,
    confidence: Option<Confidence>,
}

impl ChangesRecord {
    fn of(changes: &Changes) -> Self {
        Self {
            unchanged: changes.unchanged,
            changed: changes.changed.iter().map(ChangeRecord::of).collect(),
        }
    }
}

impl ChangeRecord {
    fn of(change: &Change) -> Self {
        Self {
            schema: SCHEMA,
            record: "change",
            kind: change.kind.label(),
            source: change.source.to_string(),
            target: change.target.to_string(),
            was: change.was.map(WasRecord::of),
            is: change.is.map(WasRecord::of),
        }
    }
}

impl WasRecord {
    fn of(was: Was) -> Self {
        Self {
            result: was.judgement.label(),
            class: was.verdict.map(|(cause, _)| cause.class()),
            cause: was.verdict.map(|(cause, _)| cause),
            confidence: was.verdict.map(|(_, confidence)| confidence),
        }
    }
}
