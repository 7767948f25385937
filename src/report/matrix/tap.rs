//! Test Anything Protocol, version 14: one test point an edge.
//!
//! What is not proven is skipped, trouble of our own is a failure whose severity is `error`. What makes the answer
//! incomplete are test points of their own at the end.

use std::io;

use super::since::Since;
use super::stories::Story;
use super::{text, words};
use crate::matrix::{Answer, Cell, Edges, Judgement};
use crate::report::style::Style;

/// Writes the whole answer.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let since = Since::of(answer);
    let gaps = answer.gaps();
    writeln!(out, "TAP version 14")?;
    writeln!(out, "1..{}", answer.cells.len() + gaps.len())?;
    for (number, cell) in (1..).zip(&answer.cells) {
        point(answer, cell, number, &since, out)?;
        if cell.judged.judgement != Judgement::Met {
            diagnostics(answer, cell, edges, out)?;
        }
    }
    for (number, gap) in (answer.cells.len() + 1..).zip(&gaps) {
        writeln!(
            out,
            "not ok {number} - {}",
            escaped(&format!("incomplete: {gap}"))
        )?;
    }
    Ok(())
}

fn point(
    answer: &Answer,
    cell: &Cell,
    number: usize,
    since: &Since,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let edge = words::edge(answer, cell);
    let finding = words::finding(cell);
    let says = escaped(&format!("{edge}: {finding}{}", since.says(answer, cell)));
    match cell.judged.judgement {
        Judgement::Met => writeln!(out, "ok {number} - {says}"),
        Judgement::Unproven => writeln!(out, "ok {number} - {says} # SKIP not proven"),
        Judgement::Missed | Judgement::Error => writeln!(out, "not ok {number} - {says}"),
    }
}

/// A YAML block; its values are JSON, which YAML takes as it is.
fn diagnostics(answer: &Answer, cell: &Cell, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let severity = match cell.judged.judgement {
        Judgement::Met | Judgement::Unproven => "comment",
        Judgement::Missed => "fail",
        Judgement::Error => "error",
    };
    let story = Story { cells: vec![cell] };
    let lines = text::in_full(answer, edges, &story, &Style::default())?;
    writeln!(out, "  ---")?;
    writeln!(out, "  severity: {severity}")?;
    writeln!(
        out,
        "  source: {}",
        serde_json::to_string(&answer.source_of(cell).to_string())?
    )?;
    writeln!(
        out,
        "  target: {}",
        serde_json::to_string(&answer.target_of(cell).to_string())?
    )?;
    writeln!(
        out,
        "  verdict: {}",
        serde_json::to_string(&words::verdict_of(cell))?
    )?;
    writeln!(
        out,
        "  expected: {}",
        serde_json::to_string(&cell.demand.expected.to_string())?
    )?;
    writeln!(out, "  rules: {}", serde_json::to_string(&cell.demand.rules)?)?;
    writeln!(out, "  seen:")?;
    for line in lines {
        writeln!(out, "    - {}", serde_json::to_string(&line)?)?;
    }
    writeln!(out, "  ...")
}

/// A description ends at its line, and a `#` would begin a directive.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '\\' | '#' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
