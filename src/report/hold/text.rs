//! What idle connections come to, for a person: the verdict, what was seen, what it does here, what to do.

use std::fmt::Write as _;
use std::io;

use anstyle::AnsiColor;

use super::{HoldReport, words};
use crate::check::HoldOutcome;
use crate::diagnose::Confidence;
use crate::diagnose::hold::HoldLabel;
use crate::diagnose::hold::explain::explain_hold;
use crate::evidence::hold::{End, Held};
use crate::report::human::{count, hang, human_duration, wrap};
use crate::report::style::Style;
use crate::report::text;

/// Writes it.
pub fn write_text(report: &HoldReport<'_>, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    for line in verdict(report, style) {
        writeln!(out, "{line}")?;
    }
    let Some(outcome) = report.outcome else {
        return text::Writer::default().target(report.check, report.syn_schedule, style, out);
    };
    let diagnosis = &outcome.diagnosis;
    let because = diagnosis.because.iter().map(|reason| reason.says.clone());
    let consequences = report.consequences();
    let here = consequences
        .iter()
        .map(|one| words::consequence(one, diagnosis.label, report.settings));
    let here = here.chain(
        report
            .limit()
            .and_then(|limit| words::remedy(diagnosis.label, limit)),
    );
    let text = explain_hold(diagnosis.label);
    let next: Vec<String> = text.what_to_do.iter().map(|item| fill(item, report)).collect();
    let findings = diagnosis
        .findings
        .iter()
        .map(|one| format!("{}: {}", one.kind, one.says));
    for (heading, items) in [
        ("Seen", seen(outcome)),
        ("Why", because.collect()),
        ("Could also be", diagnosis.not_ruled_out.clone()),
        ("Besides", findings.collect()),
        ("On this host", here.collect()),
        (
            "Next",
            if diagnosis.label == HoldLabel::Healthy {
                Vec::new()
            } else {
                next
            },
        ),
    ] {
        section(heading, &items, style, out)?;
    }
    let made = outcome.holding.held.len();
    let ended = if outcome.holding.interrupted {
        ", ended early"
    } else {
        ""
    };
    let summary = format!(
        "{} to {} in {}{ended}.",
        count(made, "connection", "connections"),
        outcome.holding.endpoint,
        human_duration(outcome.holding.took_s)
    );
    wrap("  ", &summary, style.width())
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

fn verdict(report: &HoldReport<'_>, style: &Style) -> Vec<String> {
    let label = report.label();
    let in_short = explain_hold(label).in_short;
    let target = &report.check.target;
    let diagnosis = report.outcome.map(|outcome| &outcome.diagnosis);
    let sure = match diagnosis.map(|diagnosis| diagnosis.confidence) {
        Some(Confidence::Certain) | None => String::new(),
        Some(other) => format!(" ({other})"),
    };
    let mut says = format!("{label}{sure}");
    if let Some(limit) = report.limit() {
        let _ = write!(says, " after {}", words::limit(limit));
    }
    if let Some(sender) = diagnosis.and_then(|diagnosis| diagnosis.sender) {
        let _ = write!(says, ", by: {sender}");
    }
    let _ = write!(says, ": {in_short}");
    match (label, report.outcome) {
        (HoldLabel::Healthy, Some(outcome)) => {
            let _ = write!(says, " ({})", human_duration(outcome.holding.max_s));
        }
        (HoldLabel::Undecided, Some(outcome)) => {
            if let Some(lived) = outcome.diagnosis.lived_s {
                let _ = write!(says, "; alive after {}", human_duration(lived));
            }
        }
        _ => {}
    }
    let colour = match label {
        HoldLabel::Healthy => AnsiColor::Green,
        HoldLabel::IdleDropped | HoldLabel::IdleReset | HoldLabel::IdleRejected | HoldLabel::NotOpen => {
            AnsiColor::Red
        }
        HoldLabel::PeerClosed => AnsiColor::Yellow,
        HoldLabel::TargetLost | HoldLabel::Undecided => AnsiColor::Magenta,
    };
    let mut lines = hang(&format!("{target}  "), "  ", &says, style.width());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(label.label(), &style.loud(label.label(), colour), 1);
    }
    lines
}

/// The connections by how long they were idle, those that fared alike in one line; those that were not asked are counted.
fn seen(outcome: &HoldOutcome) -> Vec<String> {
    let is_told = |held: &&Held| !matches!(held.end, End::CutShort);
    let mut held: Vec<&Held> = outcome.holding.held.iter().filter(is_told).collect();
    held.sort_by_key(|held| held.idle_s);
    let alike = held.chunk_by(|one, other| words::fared_alike(one, other));
    let mut lines: Vec<String> = alike.map(words::group).collect();
    let more = outcome.holding.held.len() - held.len();
    if more > 0 {
        lines.push(format!("{} not asked", count(more, "more was", "more were")));
    }
    lines
}

fn section(heading: &str, items: &[String], style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {}", style.heading(heading))?;
    for item in items {
        for line in wrap("    - ", item, style.width()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The target instead of the words that stand for it.
pub(super) fn fill(text: &str, report: &HoldReport<'_>) -> String {
    text.replace("ADDRESS:PORT", &report.check.target.to_string())
}
