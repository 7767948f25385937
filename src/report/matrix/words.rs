//! What the forms that people read have in common: totals, verdicts and expectations in words.

use std::time::{Duration, UNIX_EPOCH};

use crate::diagnose::{Cause, Class};
use crate::matrix::{Answer, Cell, ChangeKind, Changes, Totals, Was};
use crate::report::human::{count, list};
use crate::report::style::Style;

/// The totals in a sentence.
pub(super) fn totals(totals: Totals) -> String {
    let edges = totals.edges();
    let noun = if edges == 1 { "edge" } else { "edges" };
    if edges == 0 {
        return "No edge is known.".to_owned();
    }
    if totals.met == edges {
        return match edges {
            1 => "The only edge is as expected.".to_owned(),
            2 => "Both edges are as expected.".to_owned(),
            _ => format!("All {edges} edges are as expected."),
        };
    }
    let verb = if totals.missed == 1 { "is" } else { "are" };
    let missed = match totals.missed {
        0 => "None".to_owned(),
        missed => missed.to_string(),
    };
    let mut parts = vec![format!("{missed} of {edges} {noun} {verb} not as expected")];
    if totals.unproven > 0 {
        parts.push(format!("{} unproven", totals.unproven));
    }
    if totals.errors > 0 {
        parts.push(counted(totals.errors, "error", "errors"));
    }
    parts.join("; ") + "."
}

/// How much was looked at, when and by what.
pub(super) fn circumstances(answer: &Answer) -> String {
    let size = format!(
        "{} × {}",
        count(answer.sources.len(), "source", "sources"),
        count(answer.targets.len(), "target", "targets")
    );
    let looked = answer.cells.iter().map(|cell| cell.concluded_unix_s);
    let (first, last) = (looked.clone().min(), looked.max());
    match (first.and_then(second), last.and_then(second)) {
        (Some(first), Some(last)) if first == last => format!("{size}, looked at {first}"),
        (Some(first), Some(last)) => format!("{size}, looked at from {first} to {last}"),
        _ => size,
    }
}

/// A wall-clock time to the second; absent for one that the clock could not say.
pub(super) fn second(unix_s: Duration) -> Option<String> {
    let time = UNIX_EPOCH.checked_add(unix_s).filter(|_| !unix_s.is_zero())?;
    crate::report::record::rfc3339(time).map(|text| format!("{} {} UTC", &text[..10], &text[11..19]))
}

/// `class/cause`, or that there is none.
pub(super) fn verdict(cause: Option<Cause>) -> String {
    cause.map_or_else(
        || "no verdict".to_owned(),
        |cause| format!("{}/{cause}", cause.class()),
    )
}

/// `class/cause` of an edge.
pub(super) fn verdict_of(cell: &Cell) -> String {
    verdict(cell.verdict.map(|(cause, _)| cause))
}

/// `frontend → db:5432`.
pub(super) fn edge(answer: &Answer, cell: &Cell) -> String {
    format!("{} → {}", answer.source_of(cell), answer.target_of(cell))
}

/// `filtered/port, expected reachable`, and why it could not be judged.
pub(super) fn finding(cell: &Cell) -> String {
    let text = format!("{}, expected {}", verdict_of(cell), cell.demand.expected);
    match cell.judged.why {
        Some(why) => format!("{text}; {why}"),
        None => text,
    }
}

/// Of some items the first few, and how many there are besides.
pub(super) fn some(items: &[String], at_most: usize) -> String {
    if items.len() <= at_most {
        return list(items);
    }
    let more = format!("{} more", items.len() - at_most);
    list(&[&items[..at_most], &[more]].concat())
}

/// What has changed, in a sentence.
pub(super) fn changes(changes: &Changes) -> String {
    let kinds = ChangeKind::ALL.iter().filter_map(|kind| {
        let count = changes.count(*kind);
        (count > 0).then(|| format!("{count} {}", change(*kind)))
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() {
        return format!("Nothing has changed since the baseline ({}).", unchanged(changes));
    }
    format!("Since the baseline: {}; {}.", list(&kinds), unchanged(changes))
}

/// A kind of change as a word after a number, or as a label.
pub(super) fn change(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Broke => "broke",
        ChangeKind::Mended => "mended",
        ChangeKind::Judged => "judged otherwise",
        ChangeKind::Verdict => "with another verdict",
        ChangeKind::Appeared => "appeared",
        ChangeKind::Vanished => "vanished",
    }
}

/// `met open/healthy`, or that there was nothing.
pub(super) fn was(was: Option<Was>) -> String {
    was.map_or_else(
        || "nothing".to_owned(),
        |was| {
            format!(
                "{} {}",
                was.judgement,
                verdict(was.verdict.map(|(cause, _)| cause))
            )
        },
    )
}

fn unchanged(changes: &Changes) -> String {
    format!("{} as before", counted(changes.unchanged, "edge", "edges"))
}

/// `1 edge`, `2 edges`.
pub(super) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// The letter of a class in a grid.
pub(in crate::report) const fn letter(class: Class) -> char {
    match class {
        Class::Open => 'O',
        Class::Slow => 'S',
        Class::Refused => 'R',
        Class::Rejected => 'J',
        Class::Unreachable => 'U',
        Class::Filtered => 'F',
        Class::BacklogFull => 'B',
        Class::Reset => 'X',
        Class::IdleDeath => 'I',
        Class::DnsFailed => 'D',
        Class::LocalError => 'L',
        Class::Unknown => '?',
    }
}

/// A line without control characters but our own colours: names and evidence may come from anybody's log.
pub(super) fn clean(line: &str, style: &Style) -> String {
    if !line.chars().any(char::is_control) {
        return line.to_owned();
    }
    let mut clean = String::new();
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let colour = colour_code(rest).filter(|_| style.colour);
        let taken = colour.map_or(letter.len_utf8(), str::len);
        match colour {
            Some(code) => clean.push_str(code),
            None if letter.is_control() => clean.push(' '),
            None => clean.push(letter),
        }
        rest = &rest[taken..];
    }
    clean
}

/// The sequence that sets a colour, if a text begins with one (ECMA-48, SGR).
fn colour_code(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    parameters[end..].starts_with('m').then(|| &text[..end + 3])
}
