//! `tcpprobe doctor`: as text for a person, as JSON for a program, and the table of `docs/privileges.md`.

mod found;
mod json;
mod privileges;

pub use json::write_json;
pub use privileges::write_markdown;

use std::io;

use super::human::{count, list, wrap};
use super::style::Style;
use crate::diagnose::doctor::{Availability, DISTINCTIONS, Examination, Judged, Means, Note, Remedy, Told};
use crate::evidence::facilities::Facilities;

/// Writes it for a person: the sum in the first line, then what can be told apart, what to change, and what was found.
pub fn write_text(
    found: &Facilities,
    examination: &Examination,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let summary = summary(examination);
    let mut lines: Vec<String> = wrap("", &summary, style.width())
        .iter()
        .map(|line| style.heading(line))
        .collect();
    lines.push(String::new());
    lines.extend(examination.distinctions.iter().flat_map(|one| row(one, style)));
    lines.extend(changes(examination, style));
    lines.extend(section("Besides", besides(examination, style), style));
    lines.extend(section("Found", found::lines(found, style), style));
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The first line.
fn summary(examination: &Examination) -> String {
    let (mode, then) = if examination.has(Means::Raw) {
        ("connect() and raw probes", ", but ")
    } else {
        ("connect() only", ": ")
    };
    let lacking: Vec<String> = lacks(examination)
        .iter()
        .filter_map(|lack| lack.means.first())
        .map(|means| format!("no {}", means.name()))
        .collect();
    let lacking = if lacking.is_empty() {
        String::new()
    } else {
        format!("{then}{}", lacking.join(", "))
    };
    let (yes, partly) = (examination.count(Told::Yes), examination.count(Told::Partly));
    let partly = if partly > 0 {
        format!(", {partly} in part")
    } else {
        String::new()
    };
    format!(
        "Here: {mode}{lacking}. {yes} of {} distinctions{partly}.",
        DISTINCTIONS.len()
    )
}

/// A line of the table; below it how far it goes, where that is not all the way.
fn row(judged: &Judged, style: &Style) -> Vec<String> {
    const LEVEL: usize = 8;
    let told = judged.way.told;
    let first = format!("  {:LEVEL$}", told.label());
    let below = " ".repeat(LEVEL + 4);
    let mut lines = wrap(&first, judged.distinction.name, style.width());
    if let Some(line) = lines.first_mut() {
        *line = style.told(line, told);
    }
    if told != Told::Yes || style.verbose() {
        lines.extend(wrap(&below, judged.way.how, style.width()));
    }
    lines
}

/// Means that lack for the same reason, and would tell more.
struct Lack<'a> {
    means: Vec<Means>,
    why: &'a str,
    remedies: &'a [Remedy],
}

/// The most telling ones first.
fn lacks(examination: &Examination) -> Vec<Lack<'_>> {
    let mut lacks: Vec<Lack> = Vec::new();
    for (means, availability) in &examination.means {
        let Availability::Missing { why, remedies } = availability else {
            continue;
        };
        if examination.gain(*means) == 0 {
            continue;
        }
        match lacks.iter_mut().find(|lack| lack.why == why) {
            Some(lack) => lack.means.push(*means),
            None => lacks.push(Lack {
                means: vec![*means],
                why,
                remedies,
            }),
        }
    }
    lacks
}

fn changes(examination: &Examination, style: &Style) -> Vec<String> {
    let lacks = lacks(examination);
    let mut body = Vec::new();
    for (index, lack) in lacks.iter().enumerate() {
        let names: Vec<String> = lack.means.iter().map(|means| means.name().to_owned()).collect();
        let text = format!("{}: {}.", list(&names), lack.why);
        body.extend(wrap(&format!("    {}. ", index + 1), &text, style.width()));
        let same = lacks.iter().position(|other| other.remedies == lack.remedies);
        match same.filter(|same| *same < index && !lack.remedies.is_empty()) {
            Some(same) => body.push(format!("       What helps with {} helps here too.", same + 1)),
            None => body.extend(lack.remedies.iter().flat_map(|one| remedy(*one, 7, style))),
        }
    }
    section("What would tell more", body, style)
}

/// Below an item of a list, whose text begins in column `indent`.
fn remedy(remedy: Remedy, indent: usize, style: &Style) -> Vec<String> {
    let indent = " ".repeat(indent);
    let mut lines = wrap(&indent, remedy.says(), style.width());
    let commands = remedy.lines().iter();
    lines.extend(commands.map(|line| format!("{indent}  {}", style.command(line))));
    lines
}

fn besides(examination: &Examination, style: &Style) -> Vec<String> {
    let item = |text: &str| wrap("    - ", text, style.width());
    let mut lines = Vec::new();
    match &examination.demo {
        Availability::Given => {
            lines.extend(item(
                "private networks can be made: `tcpprobe demo` shows every failure here",
            ));
        }
        Availability::Missing { why, remedies } => {
            lines.extend(item(&format!(
                "no private network can be made, so `tcpprobe demo` has loopback alone: {why}"
            )));
            lines.extend(remedies.iter().flat_map(|one| remedy(*one, 6, style)));
        }
    }
    for note in &examination.notes {
        lines.extend(item(&says(*note)));
    }
    lines
}

fn says(note: Note) -> String {
    match note {
        Note::EffectiveFileCapability => {
            "the program's file gives CAP_NET_RAW as +ep, in force from the first \
                                          instruction: +p is enough, and better (setcap cap_net_raw+p)"
                .to_owned()
        }
        Note::FewPorts(ports) => format!(
            "only {} to connect from (net.ipv4.ip_local_port_range)",
            count(ports as usize, "port", "ports")
        ),
        Note::FewDescriptors(limit) => {
            format!("only {limit} descriptors at a time (ulimit -n): check many targets in parts")
        }
    }
}

fn section(heading: &str, body: Vec<String>, style: &Style) -> Vec<String> {
    if body.is_empty() {
        return body;
    }
    let head = [String::new(), format!("  {}", style.heading(heading))];
    head.into_iter().chain(body).collect()
}

#[cfg(test)]
mod tests;
