//! A look at the sockets for a person: the verdicts first, then the numbers.

use std::io;

use anstyle::AnsiColor;

use super::{Look, words};
use crate::diagnose::sockets::explain::{explain_label, explain_setting};
use crate::diagnose::sockets::{Notice, Severity, State, Verdict};
use crate::report::human::{count, human_duration, wrap};
use crate::report::style::Style;

/// So many listeners and peers are shown.
const SHOWN: usize = 10;

/// Writes one look.
pub fn write_text(look: &Look<'_>, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let mut lines: Vec<String> = wrap("", &summary(look), style.width())
        .iter()
        .map(|line| style.heading(line))
        .collect();
    for verdict in look.verdicts {
        lines.push(String::new());
        lines.extend(of_verdict(verdict, look, style));
    }
    for (heading, body) in [
        ("Sockets by state", states(look)),
        ("Listeners, the fullest first", listeners(look, style)),
        ("Peers with the most sockets", peers(look, style)),
        ("Settings that decide", settings(look, style)),
        ("Counters of this namespace", counters(look, style)),
        ("Not seen", not_seen(look, style)),
    ] {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(style.heading(heading));
            lines.extend(body);
        }
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn summary(look: &Look<'_>) -> String {
    let total = usize::try_from(look.tally.total()).unwrap_or(usize::MAX);
    let mut says = vec![count(total, "TCP socket", "TCP sockets")];
    if !look.filter.is_empty() {
        says.push(format!(" ({})", look.filter.join(", ")));
    }
    let labels: Vec<&str> = look
        .verdicts
        .iter()
        .map(|verdict| verdict.label.label())
        .collect();
    if labels.is_empty() {
        says.push(": nothing is stuck, full or leaking".to_owned());
    } else {
        says.push(format!(": {}", labels.join(", ")));
    }
    if let Some(since) = look.since_last {
        says.push(format!(
            "; look {}, {} after the last",
            look.number,
            human_duration(since)
        ));
    }
    says.concat()
}

fn of_verdict(verdict: &Verdict, look: &Look<'_>, style: &Style) -> Vec<String> {
    let text = explain_label(verdict.label);
    let label = verdict.label.label();
    let colour = match verdict.label.severity() {
        Severity::Failing => AnsiColor::Red,
        Severity::Straining => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    let mut lines = wrap("", &format!("{label}: {}", text.in_short), style.width());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(label, &style.coloured(label, colour), 1);
    }
    lines.push(format!("  {}", style.heading("Seen")));
    for found in &verdict.found {
        lines.extend(wrap("    - ", &words::found(verdict, found, look), style.width()));
    }
    if verdict.more > 0 {
        lines.push(format!("    - and {} more", verdict.more));
    }
    lines.push(format!("  {}", style.heading("What it does")));
    lines.extend(wrap("    ", text.users, style.width()));
    for (heading, items) in [("Next", text.what_to_do), ("Not", text.what_not_to_do)] {
        lines.push(format!("  {}", style.heading(heading)));
        for item in items {
            lines.extend(wrap("    - ", item, style.width()));
        }
    }
    lines
}

fn states(look: &Look<'_>) -> Vec<String> {
    let rows = State::ALL.iter().filter_map(|state| {
        let number = look.tally.of(*state);
        let before = look.before.map(|before| before.of(*state));
        if number == 0 && before.unwrap_or(0) == 0 {
            return None;
        }
        let change = before.map_or_else(String::new, |before| {
            format!(
                "  {:+}",
                number.cast_signed().saturating_sub(before.cast_signed())
            )
        });
        Some(format!("  {:<13} {number:>8}{change}", state.label()))
    });
    rows.collect()
}

fn listeners(look: &Look<'_>, style: &Style) -> Vec<String> {
    let mut all = look.tally.listeners.clone();
    // By how much of the limit is used; a backlog of 0 holds one connection.
    all.sort_by_key(|one| {
        let used = u64::from(one.queue) * 1000 / (u64::from(one.limit) + 1);
        (std::cmp::Reverse((used, one.drops)), one.local)
    });
    let more = all.len().saturating_sub(SHOWN);
    let rows = all.iter().take(SHOWN).flat_map(|one| {
        let drops = one.drops.filter(|drops| *drops > 0);
        let drops = drops.map_or_else(String::new, |drops| format!(", {drops} packets dropped"));
        let says = format!(
            "{}, {}: {} of {} wait{drops}",
            one.local,
            words::holder(one, look),
            one.queue,
            one.limit
        );
        wrap("  ", &says, style.width())
    });
    rows.chain((more > 0).then(|| format!("  and {more} more")))
        .collect()
}

fn peers(look: &Look<'_>, style: &Style) -> Vec<String> {
    let most = look.tally.peers.most(SHOWN);
    let more = look.tally.peers.len().saturating_sub(most.len());
    let rows = most.iter().flat_map(|(peer, counts)| {
        let says = format!("{}: {}", words::peer(*peer), words::states(counts));
        wrap("  ", &says, style.width())
    });
    rows.chain((more > 0).then(|| format!("  and {more} more")))
        .collect()
}

fn settings(look: &Look<'_>, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    for judged in look.settings {
        let says = format!("{}: {}", words::values(judged), words::setting(judged));
        let mark = match judged.notice {
            Notice::Usual => "  ",
            Notice::Worth => "! ",
        };
        lines.extend(wrap(mark, &says, style.width()));
        if judged.notice == Notice::Worth {
            lines.extend(wrap(
                "    ",
                explain_setting(judged.setting).trade_off,
                style.width(),
            ));
        }
    }
    lines
}

fn counters(look: &Look<'_>, style: &Style) -> Vec<String> {
    let rows = look
        .counters
        .iter()
        .filter(|counter| counter.total > 0)
        .flat_map(|counter| {
            let growth = counter
                .since_last_look
                .map_or_else(String::new, |growth| format!(", {growth} since the last look"));
            let says = format!(
                "{} {}: {}{growth}",
                counter.total,
                words::counter(counter.name),
                counter.name
            );
            wrap("  ", &says, style.width())
        });
    rows.collect()
}

/// What this look could not know, so that nobody takes it for nothing.
fn not_seen(look: &Look<'_>, style: &Style) -> Vec<String> {
    let mut says = Vec::new();
    if look.tally.owners_unseen > 0 {
        says.push(format!(
            "Who holds {}: processes of other users, or none of our /proc ({} not to be read). As root, or in the pod's \
             own process namespace, they are named.",
            count(usize::try_from(look.tally.owners_unseen).unwrap_or(usize::MAX), "socket", "sockets"),
            count(usize::try_from(look.visibility.processes_denied).unwrap_or(usize::MAX), "process is", "processes are")
        ));
    }
    if look.visibility.cut {
        says.push("There are more descriptors than are remembered: some processes are not named.".to_owned());
    }
    if look.tally.peers.not_counted > 0 {
        says.push(format!(
            "{} sockets belong to peers beyond the first {}, and are not counted by peer.",
            look.tally.peers.not_counted,
            look.tally.peers.len()
        ));
    }
    for verdict in look.verdicts.iter().filter(|verdict| verdict.ungrouped > 0) {
        says.push(format!(
            "{} sockets may count towards {} as well, in groups of their own.",
            verdict.ungrouped, verdict.label
        ));
    }
    says.iter()
        .flat_map(|one| wrap("  - ", one, style.width()))
        .collect()
}
