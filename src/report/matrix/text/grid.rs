//! Sources by targets, a letter an edge; where there are too many of either, counts.

use std::collections::BTreeMap;

use anstyle::AnsiColor;

use crate::diagnose::Class;
use crate::matrix::{Answer, Cell, Judgement};
use crate::report::matrix::words::letter;
use crate::report::style::Style;

/// More targets than this are counted by rule.
const TARGETS: usize = 60;
/// More sources than this are counted where all of their edges are as expected.
const SOURCES: usize = 40;
/// Between columns.
const GAP: usize = 2;

/// The grid and what its letters mean; empty without edges.
pub(super) fn lines(answer: &Answer, style: &Style) -> Vec<String> {
    if answer.cells.is_empty() {
        return Vec::new();
    }
    let rows = Rows::of(answer, style);
    let names: Vec<String> = answer.targets.iter().map(ToString::to_string).collect();
    let heads: usize = names.iter().map(|name| width(name) + GAP).sum();
    let mut lines = if rows.lead() + heads <= style.width() {
        block(answer, &rows, &names, GAP, 0, style)
    } else if names.len() <= TARGETS {
        numbered(answer, &rows, &names, style)
    } else {
        by_rule(answer, &rows, style)
    };
    lines.extend(rows.left_out(answer));
    if names.len() <= TARGETS || rows.lead() + heads <= style.width() {
        let tally = "n/m: n of m edges are not as expected".to_owned();
        lines.extend([String::new(), legend(answer, &rows, style), tally]);
    }
    lines
}

/// The sources that have a row, with their labels.
struct Rows {
    shown: Vec<(u32, String, String)>,
    label: usize,
    tally: usize,
}

impl Rows {
    fn of(answer: &Answer, style: &Style) -> Self {
        let mut shown: Vec<(u32, usize)> = (0..)
            .zip(&answer.sources)
            .map(|(row, _)| (row, unexpected(answer.row(row).iter())))
            .collect();
        if shown.len() > SOURCES {
            shown.retain(|(_, unexpected)| *unexpected > 0);
            shown.sort_by_key(|(row, unexpected)| (std::cmp::Reverse(*unexpected), *row));
            shown.truncate(SOURCES);
            shown.sort_unstable();
        }
        let most = (style.width() / 3).max(12);
        let shown: Vec<(u32, String, String)> = shown
            .into_iter()
            .map(|(row, unexpected)| {
                let label = shortened(&answer.sources[row as usize].to_string(), most);
                (row, label, format!("{unexpected}/{}", answer.row(row).len()))
            })
            .collect();
        let widest = |of: fn(&(u32, String, String)) -> &String| {
            shown.iter().map(|row| width(of(row))).max().unwrap_or(0)
        };
        let (label, tally) = (widest(|row| &row.1), widest(|row| &row.2));
        Self { shown, label, tally }
    }

    /// How wide everything before the first column is.
    fn lead(&self) -> usize {
        self.label + GAP + self.tally
    }

    /// Everything before the first column.
    fn begin(&self, label: &str, tally: &str) -> String {
        let pad = " ".repeat(self.label - width(label) + GAP);
        format!("{label}{pad}{tally:>tally_width$}", tally_width = self.tally)
    }

    /// What is said of the sources without a row.
    fn left_out(&self, answer: &Answer) -> Option<String> {
        let more = answer.sources.len() - self.shown.len();
        if more == 0 {
            return None;
        }
        let fine = (0..)
            .zip(&answer.sources)
            .filter(|(row, _)| unexpected(answer.row(*row).iter()) == 0)
            .count();
        let others = more - fine;
        let noun = |number| if number == 1 { "source" } else { "sources" };
        let fine_text = format!("{fine} {} with all edges as expected", noun(fine));
        Some(match (fine, others) {
            (_, 0) => format!("… and {fine_text}"),
            (0, _) => format!("… and {others} more {}", noun(others)),
            _ => format!("… and {others} more {}, and {fine_text}", noun(others)),
        })
    }
}

/// One block of columns, each under its head; `from` is the first one.
fn block(
    answer: &Answer,
    rows: &Rows,
    heads: &[String],
    between: usize,
    from: usize,
    style: &Style,
) -> Vec<String> {
    let gap = " ".repeat(between);
    let mut head = " ".repeat(rows.lead());
    for name in heads {
        head += &gap;
        head += name;
    }
    let mut lines = vec![head.trim_end().to_owned()];
    for (row, label, tally) in &rows.shown {
        let line = rows.begin(label, tally);
        let mut marks = String::new();
        let mut pending = 0;
        for (column, name) in (from..).zip(heads) {
            let cell = at(answer, *row, column);
            // Under the last character of a number, the first of a name.
            let is_number = name.trim_start().chars().all(|letter| letter.is_ascii_digit());
            let (before, after) = if is_number {
                (width(name) - 1, 0)
            } else {
                (0, width(name) - 1)
            };
            pending += between + before;
            if let Some(cell) = cell {
                marks += &" ".repeat(pending);
                marks += &mark(cell, style);
                pending = 0;
            } else {
                pending += 1;
            }
            pending += after;
        }
        lines.push(line + &marks);
    }
    lines
}

/// Columns with numbers, in as many blocks as are needed, and what the numbers stand for.
fn numbered(answer: &Answer, rows: &Rows, names: &[String], style: &Style) -> Vec<String> {
    let digits = names.len().to_string().len();
    let heads: Vec<String> = (1..=names.len())
        .map(|number| format!("{number:>digits$}"))
        .collect();
    let room = style.width().saturating_sub(rows.lead()) / (digits + 1);
    let mut lines = Vec::new();
    for (number, heads) in heads.chunks(room.max(1)).enumerate() {
        if number > 0 {
            lines.push(String::new());
        }
        lines.extend(block(answer, rows, heads, 1, number * room.max(1), style));
    }
    lines.push(String::new());
    let longest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let key = digits + 1 + longest;
    let columns = ((style.width() + GAP) / (key + GAP)).max(1);
    let depth = names.len().div_ceil(columns);
    for line in 0..depth {
        let entries = (line..names.len()).step_by(depth).map(|index| {
            let pad = " ".repeat(longest - width(&names[index]));
            format!("{:>digits$} {}{pad}", index + 1, names[index])
        });
        let entries: Vec<String> = entries.collect();
        lines.push(entries.join(&" ".repeat(GAP)).trim_end().to_owned());
    }
    lines
}

/// Counts instead of letters: how many of a source's edges under a rule are not as expected.
fn by_rule(answer: &Answer, rows: &Rows, style: &Style) -> Vec<String> {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in &answer.cells {
        *rules.entry(rule(cell)).or_default() += usize::from(is_unexpected(cell));
    }
    let mut heads: Vec<(&str, usize)> = rules.into_iter().collect();
    heads.sort_by_key(|(_, unexpected)| std::cmp::Reverse(*unexpected));
    let gap = " ".repeat(GAP);
    let column = |name: &str| width(name).clamp(COUNT, RULE) + GAP;
    let mut room = style.width().saturating_sub(rows.lead());
    let mut shown = Vec::new();
    for (name, _) in &heads {
        if column(name) > room {
            break;
        }
        room -= column(name);
        shown.push(*name);
    }
    let mut lines = vec!["Edges not as expected, of all, by source and rule:".to_owned()];
    let mut head = " ".repeat(rows.lead());
    for name in &shown {
        let name = begun(name, RULE);
        let pad = " ".repeat(COUNT.saturating_sub(width(&name)));
        head.extend([&gap, &pad, &name].map(String::as_str));
    }
    lines.push(head);
    for (row, label, tally) in &rows.shown {
        let mut line = rows.begin(label, tally);
        for name in &shown {
            let cells = || answer.row(*row).iter().filter(|cell| rule(cell) == *name);
            let (all, missed) = (cells().count(), unexpected(cells()));
            let text = match (all, missed) {
                (0, _) => String::new(),
                (_, 0) => ".".to_owned(),
                _ => format!("{missed}/{all}"),
            };
            let pad = " ".repeat((column(name)).saturating_sub(width(&text)));
            let text = match missed {
                0 => style.dim(&text),
                _ => style.loud(&text, AnsiColor::Red),
            };
            line.extend([pad, text]);
        }
        lines.push(line.trim_end().to_owned());
    }
    if shown.len() < heads.len() {
        lines.push(format!("… and {} more rules", heads.len() - shown.len()));
    }
    lines
}

/// The widest that the name of a rule may be, and the narrowest that a column of counts is.
const RULE: usize = 24;
const COUNT: usize = 9;

fn rule(cell: &Cell) -> &str {
    cell.demand.rules.first().map_or("", String::as_str)
}

/// What the letters mean that are there.
fn legend(answer: &Answer, rows: &Rows, style: &Style) -> String {
    let mut there: BTreeMap<(Judgement, Option<Class>), &Cell> = BTreeMap::new();
    let shown = rows.shown.iter().flat_map(|(row, _, _)| answer.row(*row));
    for cell in shown {
        let class = match cell.judged.judgement {
            Judgement::Met | Judgement::Error => None,
            Judgement::Missed | Judgement::Unproven => cell.verdict.map(|(cause, _)| cause.class()),
        };
        there.entry((cell.judged.judgement, class)).or_insert(cell);
    }
    let entries: Vec<String> = there
        .iter()
        .map(|((judgement, class), cell)| {
            let class = class.map_or("no verdict", Class::label);
            let says = match judgement {
                Judgement::Met => "as expected".to_owned(),
                Judgement::Missed => class.to_owned(),
                Judgement::Unproven => format!("{class}, unproven"),
                Judgement::Error => "error".to_owned(),
            };
            format!("{} {says}", mark(cell, style))
        })
        .collect();
    entries.join("   ")
}

/// The letter of an edge.
fn mark(cell: &Cell, style: &Style) -> String {
    let letter = cell.verdict.map_or('?', |(cause, _)| letter(cause.class()));
    match cell.judged.judgement {
        Judgement::Met => style.dim("."),
        Judgement::Missed => style.loud(&letter.to_string(), AnsiColor::Red),
        Judgement::Unproven => style.coloured(&letter.to_ascii_lowercase().to_string(), AnsiColor::Yellow),
        Judgement::Error => style.loud("!", AnsiColor::Magenta),
    }
}

fn at(answer: &Answer, row: u32, column: usize) -> Option<&Cell> {
    let cells = answer.row(row);
    let place = cells.binary_search_by_key(&column, |cell| cell.target as usize);
    place.ok().map(|place| &cells[place])
}

fn unexpected<'a>(cells: impl Iterator<Item = &'a Cell>) -> usize {
    cells.filter(|cell| is_unexpected(cell)).count()
}

fn is_unexpected(cell: &Cell) -> bool {
    cell.judged.judgement != Judgement::Met
}

/// The end of a name, which is what differs among those of many.
fn shortened(name: &str, most: usize) -> String {
    let length = width(name);
    if length <= most {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 1 - most).collect();
    format!("…{end}")
}

/// The start of a sentence.
fn begun(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most - 1).collect();
    format!("{}…", start.trim_end())
}

fn width(text: &str) -> usize {
    text.chars().count()
}
