//! For a person at two in the morning: the totals, the grid, then what is not as expected and why.

mod grid;

use std::io;

use super::stories::{Story, stories};
use super::words;
use crate::diagnose::Class;
use crate::diagnose::advice::Advice;
use crate::matrix::{Answer, ChangeKind, Edge, Edges, Judgement};
use crate::report::human::{human_duration, list, wrap};
use crate::report::style::{Style, Verbosity};
use crate::report::text::{endpoint, one_verdict};

/// More stories than this are counted, not told.
const TOLD: usize = 12;
/// More changes of one kind than this are counted, not listed.
const LISTED: usize = 20;

/// Writes the whole answer.
pub(super) fn write(
    answer: &Answer,
    edges: &dyn Edges,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let totals = answer.totals();
    let gaps = answer.gaps();
    let incomplete = if gaps.is_empty() { "" } else { " Incomplete." };
    let says = format!("{}{incomplete}", words::totals(totals));
    writeln!(out, "{}", style.heading(&says))?;
    if style.verbosity == Verbosity::Quiet {
        quiet(answer, style, out)?;
    } else {
        writeln!(out, "{}", words::circumstances(answer))?;
        let grid = grid::lines(answer, style);
        if !grid.is_empty() {
            writeln!(out)?;
            paragraph(style, &grid, out)?;
        }
        changes(answer, style, out)?;
        for judgement in [Judgement::Missed, Judgement::Error, Judgement::Unproven] {
            tell(answer, edges, judgement, style, out)?;
        }
    }
    if !gaps.is_empty() {
        if style.verbosity != Verbosity::Quiet {
            writeln!(out)?;
        }
        for gap in &gaps {
            paragraph(
                style,
                &wrap("Incomplete: ", &format!("{gap}."), style.width()),
                out,
            )?;
        }
    }
    Ok(())
}

/// A line for each edge that is not as expected, and for each that broke.
fn quiet(answer: &Answer, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    for judgement in [Judgement::Missed, Judgement::Error, Judgement::Unproven] {
        let cells = answer.cells.iter();
        for cell in cells.filter(|cell| cell.judged.judgement == judgement) {
            let why = cell.judged.why.map(|why| format!("  {}", why.label()));
            let line = format!(
                "{judgement:<8}  {}  {}  expected {}{}",
                words::edge(answer, cell),
                words::verdict_of(cell),
                cell.demand.expected,
                why.unwrap_or_default()
            );
            paragraph(style, &[line], out)?;
        }
    }
    let Some(changes) = &answer.changes else {
        return Ok(());
    };
    writeln!(out, "{}", words::changes(changes))?;
    for change in changes.of(ChangeKind::Broke) {
        let line = format!("broke     {} → {}", change.source, change.target);
        paragraph(style, &[line], out)?;
    }
    Ok(())
}

fn changes(answer: &Answer, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let Some(changes) = &answer.changes else {
        return Ok(());
    };
    writeln!(out)?;
    paragraph(style, &wrap("", &words::changes(changes), style.width()), out)?;
    for kind in ChangeKind::ALL {
        for change in changes.of(*kind).take(LISTED) {
            let label = format!("{:<8}", kind.label());
            let label = match kind {
                ChangeKind::Broke => style.loud(&label, anstyle::AnsiColor::Red),
                ChangeKind::Mended => style.coloured(&label, anstyle::AnsiColor::Green),
                ChangeKind::Judged | ChangeKind::Verdict | ChangeKind::Appeared | ChangeKind::Vanished => {
                    label
                }
            };
            let line = format!(
                "  {label}  {} → {}: {}, was {}",
                change.source,
                change.target,
                words::was(change.is),
                words::was(change.was)
            );
            paragraph(style, &[line], out)?;
        }
        let more = changes.count(*kind).saturating_sub(LISTED);
        if more > 0 {
            writeln!(out, "  {:<8}  {more} more: -o jsonl lists them all", kind.label())?;
        }
    }
    Ok(())
}

/// The stories of the edges that come to `judgement`.
fn tell(
    answer: &Answer,
    edges: &dyn Edges,
    judgement: Judgement,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let stories = stories(answer, judgement);
    let told = if style.verbose() {
        stories.len()
    } else {
        TOLD.min(stories.len())
    };
    let (told, rest) = stories.split_at(told);
    for story in told {
        writeln!(out)?;
        let lines = match judgement {
            Judgement::Met | Judgement::Missed | Judgement::Error => in_full(answer, edges, story, style)?,
            Judgement::Unproven => in_short(answer, story, style),
        };
        paragraph(style, &lines, out)?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    let number: usize = rest.iter().map(|story| story.cells.len()).sum();
    let text = format!(
        "{} more of {} are not told here: -v tells all, -q lists every edge.",
        match rest.len() {
            1 => "1 story".to_owned(),
            more => format!("{more} stories"),
        },
        words::counted(
            number as u64,
            &format!("{judgement} edge"),
            &format!("{judgement} edges")
        ),
    );
    writeln!(out)?;
    paragraph(style, &wrap("", &text, style.width()), out)
}

/// The example with all of its evidence.
pub(super) fn in_full(
    answer: &Answer,
    edges: &dyn Edges,
    story: &Story,
    style: &Style,
) -> io::Result<Vec<String>> {
    let cell = story.example();
    let edge = edges.edge(cell.at)?;
    let label = words::edge(answer, cell);
    let mut notes = vec![expected(&edge, story)];
    notes.extend(
        cell.judged
            .why
            .map(|why| format!("{}.", capitalised(&why.to_string()))),
    );
    notes.extend(addresses(&edge));
    notes.extend(story.others(answer));
    let Some(diagnosis) = edge.verdict() else {
        let mut lines = wrap("", &format!("{label}  no verdict"), style.width());
        lines.extend(notes.iter().flat_map(|note| wrap("  ", note, style.width())));
        return Ok(lines.iter().map(|line| words::clean(line, style)).collect());
    };
    let mut lines = one_verdict(&label, &notes, &edge.outcome, diagnosis, edge.syn_schedule, style);
    let got_through = matches!(diagnosis.cause.class(), Class::Open | Class::Slow);
    if got_through && edge.demand.expected.is_negative() {
        lines.extend(endpoint::next(&[look_at_policies()], style));
    }
    Ok(lines.iter().map(|line| words::clean(line, style)).collect())
}

/// Without evidence: nothing is wrong with it but that it is not proven.
fn in_short(answer: &Answer, story: &Story, style: &Style) -> Vec<String> {
    let cell = story.example();
    let verdict = words::verdict_of(cell);
    let why = cell.judged.why.map_or_else(String::new, |why| why.to_string());
    let text = format!("{verdict}, unproven: {why}.");
    let first = format!("{}  ", words::edge(answer, cell));
    let mut lines = crate::report::human::hang(&first, "  ", &text, style.width());
    if let Some((cause, _)) = cell.verdict {
        for line in &mut lines {
            *line = style.verdict(line, &verdict, cause.class());
        }
    }
    let notes = [
        Some(rules(&cell.demand.expected.to_string(), story)),
        story.others(answer),
    ];
    let notes = notes.iter().flatten();
    lines.extend(notes.flat_map(|note| wrap("  ", note, style.width())));
    lines
}

/// `Expected reachable, by rule 'db'; looked at 3 times.`
fn expected(edge: &Edge, story: &Story) -> String {
    let rules = rules(&edge.demand.expected.to_string(), story);
    match edge.tried {
        0 | 1 => rules,
        tried => format!("{} Looked at {tried} times.", rules),
    }
}

fn rules(expected: &str, story: &Story) -> String {
    let rules: Vec<String> = story.rules().iter().map(|rule| format!("'{rule}'")).collect();
    match rules.len() {
        0 => format!("Expected {expected}."),
        1 => format!("Expected {expected}, by rule {}.", rules[0]),
        _ => format!("Expected {expected}, by rules {}.", words::some(&rules, 4)),
    }
}

/// What the other addresses of a name came to.
fn addresses(edge: &Edge) -> Option<String> {
    let endpoints = &edge.outcome.endpoints;
    if endpoints.len() < 2 {
        return None;
    }
    let each: Vec<String> = endpoints
        .iter()
        .map(|one| {
            let verdict = endpoint::verdict_label(&one.diagnosis);
            format!("{} is {verdict}", one.evidence.endpoint.ip())
        })
        .collect();
    let wait = edge
        .outcome
        .name
        .as_ref()
        .and_then(|name| name.wait_without_happy_eyeballs_s)
        .map_or_else(String::new, |wait| {
            format!(" A client without Happy Eyeballs waits {}.", human_duration(wait))
        });
    Some(format!("Of its addresses, {}.{wait}", list(&each)))
}

fn look_at_policies() -> Advice {
    Advice {
        says: "Whatever is to block this lets it through. In a cluster: is there a policy that selects the \
               target's pod, does it leave out this source, and does the network plugin enforce policies?"
            .to_owned(),
        command: Some("kubectl get networkpolicy -A".to_owned()),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn paragraph(style: &Style, lines: &[String], out: &mut impl io::Write) -> io::Result<()> {
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{}", words::clean(line, style)))
}
