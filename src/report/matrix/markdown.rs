//! GitHub-flavoured Markdown, for a pull request or a job's summary.

use std::io;

use super::stories::{Story, stories};
use super::{text, words};
use crate::matrix::{Answer, Cell, ChangeKind, Edges, Judgement};
use crate::report::style::Style;

/// With more targets than this there is a table of counts instead of a grid.
const TARGETS: usize = 24;
/// More rows of a table than this are counted.
const ROWS: usize = 200;
/// More stories than this are counted: a comment on GitHub has at most 65,536 characters.
const STORIES: usize = 12;

/// Writes the whole answer.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let gaps = answer.gaps();
    writeln!(out, "# {}", escaped(&words::totals(answer.totals())))?;
    writeln!(out, "\n{}", escaped(&words::circumstances(answer)))?;
    for gap in &gaps {
        writeln!(out, "\n**Incomplete:** {}.", escaped(&gap.to_string()))?;
    }
    if answer.targets.len() <= TARGETS {
        grid(answer, out)?;
    } else {
        counts(answer, out)?;
    }
    changes(answer, out)?;
    for (judgement, heading) in [
        (Judgement::Missed, "Not as expected"),
        (Judgement::Error, "Errors"),
        (Judgement::Unproven, "Unproven"),
    ] {
        list(answer, judgement, heading, out)?;
        if judgement != Judgement::Unproven {
            tell(answer, edges, judgement, out)?;
        }
    }
    Ok(())
}

/// Sources by targets, a letter an edge.
fn grid(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    if answer.cells.is_empty() {
        return Ok(());
    }
    let heads = answer.targets.iter().map(|target| escaped(&target.to_string()));
    let heads: Vec<String> = heads.collect();
    writeln!(out, "\n| | {} |", heads.join(" | "))?;
    writeln!(out, "|---{}|", "|:-:".repeat(heads.len()))?;
    for (row, source) in (0..).zip(&answer.sources).take(ROWS) {
        let mut marks = vec![""; answer.targets.len()];
        for cell in answer.row(row) {
            marks[cell.target as usize] = mark(cell);
        }
        writeln!(
            out,
            "| {} | {} |",
            escaped(&source.to_string()),
            marks.join(" | ")
        )?;
    }
    more(answer.sources.len(), "source", "sources", out)?;
    writeln!(out, "\n✅ as expected, ❌ not as expected, ❔ unproven, ⚠️ error")
}

const fn mark(cell: &Cell) -> &'static str {
    match cell.judged.judgement {
        Judgement::Met => "✅",
        Judgement::Missed => "❌",
        Judgement::Unproven => "❔",
        Judgement::Error => "⚠️",
    }
}

/// How many edges of each source come to what.
fn counts(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "\n| Source | Edges | Not as expected | Unproven | Errors |")?;
    writeln!(out, "|---|--:|--:|--:|--:|")?;
    for (row, source) in (0..).zip(&answer.sources).take(ROWS) {
        let mut totals = crate::matrix::Totals::default();
        for cell in answer.row(row) {
            totals.add(cell.judged.judgement);
        }
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            escaped(&source.to_string()),
            totals.edges(),
            totals.missed,
            totals.unproven,
            totals.errors
        )?;
    }
    more(answer.sources.len(), "source", "sources", out)
}

fn changes(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    let Some(changes) = &answer.changes else {
        return Ok(());
    };
    writeln!(out, "\n## Changes\n\n{}", escaped(&words::changes(changes)))?;
    if changes.changed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| Change | Source | Target | Was | Is |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for change in changes.changed.iter().take(ROWS) {
        let kind = match change.kind {
            ChangeKind::Broke => "**broke**",
            ChangeKind::Mended
            | ChangeKind::Judged
            | ChangeKind::Verdict
            | ChangeKind::Appeared
            | ChangeKind::Vanished => change.kind.label(),
        };
        writeln!(
            out,
            "| {kind} | {} | {} | {} | {} |",
            escaped(&change.source.to_string()),
            escaped(&change.target.to_string()),
            escaped(&words::was(change.was)),
            escaped(&words::was(change.is))
        )?;
    }
    more(changes.changed.len(), "change", "changes", out)
}

/// A table of the edges that come to `judgement`.
fn list(answer: &Answer, judgement: Judgement, heading: &str, out: &mut impl io::Write) -> io::Result<()> {
    let cells = || {
        let cells = answer.cells.iter();
        cells.filter(|cell| cell.judged.judgement == judgement)
    };
    let number = cells().count();
    if number == 0 {
        return Ok(());
    }
    writeln!(out, "\n## {heading}")?;
    writeln!(out, "\n| Source | Target | Verdict | Expected | Rules | Why |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for cell in cells().take(ROWS) {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            escaped(&answer.source_of(cell).to_string()),
            escaped(&answer.target_of(cell).to_string()),
            escaped(&words::verdict_of(cell)),
            escaped(&cell.demand.expected.to_string()),
            escaped(&cell.demand.rules.join(", ")),
            escaped(&cell.judged.why.map_or_else(String::new, |why| why.to_string()))
        )?;
    }
    more(number, "edge", "edges", out)
}

/// The stories, folded away.
fn tell(
    answer: &Answer,
    edges: &dyn Edges,
    judgement: Judgement,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let stories: Vec<Story> = stories(answer, judgement);
    for story in stories.iter().take(STORIES) {
        let cell = story.example();
        let summary = format!("{}: {}", words::edge(answer, cell), words::verdict_of(cell));
        let summary = in_html(&summary);
        let lines = text::in_full(answer, edges, story, &Style::default())?;
        let fence = fence(&lines);
        writeln!(out, "\n<details><summary>{summary}</summary>\n\n{fence}text")?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{fence}\n\n</details>")?;
    }
    if stories.len() > STORIES {
        writeln!(out, "\n… and {} more stories", stories.len() - STORIES)?;
    }
    Ok(())
}

/// A fence that no line of the text can close.
fn fence(lines: &[String]) -> String {
    let runs = lines.iter().flat_map(|line| line.split(|letter| letter != '`'));
    let longest = runs.map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn more(number: usize, one: &str, many: &str, out: &mut impl io::Write) -> io::Result<()> {
    match number.saturating_sub(ROWS) {
        0 => Ok(()),
        1 => writeln!(out, "\n… and 1 more {one}"),
        more => writeln!(out, "\n… and {more} more {many}"),
    }
}

/// Text as it is within an element of HTML, where Markdown's own signs are none.
fn in_html(text: &str) -> String {
    text.replace(char::is_control, " ")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text as it is, also within a table.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
