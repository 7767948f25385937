//! One self-contained page: a grid of source × target, and behind each cell what was seen there and what to do next.
//!
//! The page loads nothing, and runs its own script alone (`Content-Security-Policy`). What it shows comes from the network
//! in part: names and texts reach it as escaped HTML or as data, and its script makes text of them, never HTML.
//!
//! An answer of a hundred thousand edges is read edge by edge and packed in chunks (`html/pack.rs`); a chunk is unpacked in
//! the page when one of its cells is opened.

mod pack;

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use super::words;
use crate::matrix::{Answer, Edges, Judgement, Run, Totals};
use crate::report::web::{Escaped, policy_hash};

/// The page; `{{slot}}` is filled in.
const PAGE: &str = include_str!("html/page.html");
/// How it looks.
const STYLE: &str = include_str!("html/style.css");
/// What it does, in the order in which its files use each other.
const SCRIPT: &str = concat!(
    include_str!("html/data.js"),
    include_str!("html/filter.js"),
    include_str!("html/look.js"),
    include_str!("html/picture.js"),
    include_str!("html/grid.js"),
    include_str!("html/panel.js"),
    include_str!("html/list.js"),
    include_str!("html/main.js"),
);

/// Writes the whole page.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    for (index, piece) in PAGE.split("{{").enumerate() {
        let text = match piece.split_once("}}") {
            Some((slot, text)) if index > 0 => {
                fill(slot, answer, edges, out)?;
                text
            }
            _ => piece,
        };
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn fill(slot: &str, answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    match slot {
        "policy" => write!(
            out,
            "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
            policy_hash(SCRIPT),
            policy_hash(STYLE)
        ),
        "title" => write!(out, "{}", Escaped(&title(answer))),
        "headline" => write!(out, "{}", Escaped(&headline(answer.totals()))),
        "mood" => out.write_all(mood(answer).as_bytes()),
        "totals" => write!(out, "{}", Escaped(&totals(answer))),
        "when" => write!(out, "{}", Escaped(&when(answer))),
        "warnings" => warnings(answer, out),
        "style" => out.write_all(STYLE.as_bytes()),
        "data" => pack::write(answer, edges, out),
        "script" => out.write_all(SCRIPT.as_bytes()),
        unknown => Err(io::Error::other(format!("the page has no slot '{unknown}'"))),
    }
}

fn title(answer: &Answer) -> String {
    let mut names: Vec<&str> = answer
        .runs
        .iter()
        .filter_map(|run| run.matrix.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        "Who can reach whom".to_owned()
    } else {
        names.join(", ")
    }
}

/// The worst thing first.
fn headline(totals: Totals) -> String {
    let edges = totals.edges();
    match (edges, totals.missed, totals.met) {
        (0, _, _) => "No edge was looked at".to_owned(),
        (1, 0, 1) => "The only edge is as expected".to_owned(),
        (_, 0, met) if met == edges => format!("All {} edges are as expected", thousands(edges)),
        (_, 0, _) => format!(
            "No edge is known to be wrong, but {} of {} could not be judged",
            thousands(totals.unproven + totals.errors),
            thousands(edges)
        ),
        (_, 1, _) => format!("1 of {} is not as expected", counted(edges, "edge")),
        (_, missed, _) => format!(
            "{} of {} are not as expected",
            thousands(missed),
            counted(edges, "edge")
        ),
    }
}

/// The word by which the style knows how bad it is.
fn mood(answer: &Answer) -> &'static str {
    let totals = answer.totals();
    if totals.missed > 0 {
        "bad"
    } else if totals.met == totals.edges() && totals.met > 0 && answer.gaps().is_empty() {
        "good"
    } else {
        "unsure"
    }
}

fn totals(answer: &Answer) -> String {
    let totals = answer.totals();
    let parts = [
        (totals.met, "as expected"),
        (totals.missed, "not as expected"),
        (totals.unproven, "unproven"),
        (totals.errors, "failed on our own side"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", thousands(number)))
        .collect();
    let sources = counted(answer.sources.len() as u64, "source");
    let targets = counted(answer.targets.len() as u64, "target");
    let said = format!("{sources} × {targets}: {}.", parts.join(", "));
    match &answer.changes {
        None => said,
        Some(changes) => format!("{said} {}", words::changes(changes)),
    }
}

/// When it was looked, and with what.
fn when(answer: &Answer) -> String {
    let looks = || answer.cells.iter().map(|cell| cell.concluded_unix_s);
    let runs = || answer.standing_runs().into_iter();
    // A clock that could not say it says zero.
    let is_known = |time: &Duration| !time.is_zero();
    let begins = runs()
        .map(|run| run.started_unix_s)
        .chain(looks())
        .filter(is_known)
        .min();
    let ends = runs().map(|run| run.ended_unix_s).chain(looks()).max();
    let mut versions: Vec<&str> = runs().map(|run: &Run| run.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let with = match versions.as_slice() {
        [] => "by tcpprobe".to_owned(),
        some => format!("by tcpprobe {}", some.join(", ")),
    };
    let (Some(begins), Some(ends)) = (begins.and_then(minute), ends.and_then(minute)) else {
        return format!("Looked at {with}.");
    };
    let until = match (begins.split_once(' '), ends.split_once(' ')) {
        _ if begins == ends => String::new(),
        (Some((day, _)), Some((same, time))) if day == same => format!(" to {time}"),
        _ => format!(" to {ends}"),
    };
    format!("Looked at {begins}{until} UTC {with}.")
}

/// `2023-11-14 22:13`; absent where no calendar has it.
fn minute(unix_s: Duration) -> Option<String> {
    let text = crate::report::record::rfc3339(UNIX_EPOCH.checked_add(unix_s)?)?;
    let text = text.get(..16)?;
    Some(text.replacen('T', " ", 1))
}

/// What is missing has to be seen before anything else is read.
fn warnings(answer: &Answer, out: &mut impl io::Write) -> io::Result<()> {
    let gaps = answer.gaps();
    if gaps.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<div id=\"gaps\" role=\"alert\"><strong>Incomplete.</strong> This is not the whole matrix:<ul>"
    )?;
    for gap in &gaps {
        write!(out, "<li>{}</li>", Escaped(&gap.to_string()))?;
    }
    write!(out, "</ul></div>")
}

/// `12,345`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// What a judgement is called on the page.
const fn judgement_in_words(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Met => "as expected",
        Judgement::Missed => "not as expected",
        Judgement::Unproven => "unproven",
        Judgement::Error => "error",
    }
}

#[cfg(test)]
mod tests;
