//! What the labels of `tcpprobe hold` mean: for `tcpprobe explain`, and as the tables of `docs/hold.md`.

use std::io;

use crate::diagnose::hold::HoldLabel;
use crate::diagnose::hold::explain::explain_hold;
use crate::report::human::{hang, wrap};
use crate::report::style::Style;

/// Writes one label.
pub fn write_hold_topic(label: HoldLabel, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let text = explain_hold(label);
    let first = hang(
        "",
        "  ",
        &format!("hold/{label}: {}", text.in_short),
        style.width(),
    );
    for line in first {
        writeln!(
            out,
            "{}",
            line.replacen(label.label(), &style.heading(label.label()), 1)
        )?;
    }
    for (heading, prose) in [("What it is", text.meaning), ("How it is told", text.how_told)] {
        writeln!(out, "\n  {}", style.heading(heading))?;
        write_wrapped("    ", prose, style, out)?;
    }
    for (heading, items) in [
        ("What to do", text.what_to_do),
        ("What not to do", text.what_not_to_do),
    ] {
        writeln!(out, "\n  {}", style.heading(heading))?;
        for item in items {
            write_wrapped("    - ", item, style, out)?;
        }
    }
    Ok(())
}

/// Writes every label in a line or two.
pub fn write_hold_list(style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "\n{}", style.heading("Idle connections (tcpprobe hold)"))?;
    for label in HoldLabel::ALL {
        let name = format!("hold/{label}");
        write_wrapped(
            &format!("  {name:<22} "),
            explain_hold(*label).in_short,
            style,
            out,
        )?;
    }
    Ok(())
}

/// Writes what `docs/hold.md` has of it.
pub fn write_hold_markdown(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "| label | what it says |\n| --- | --- |")?;
    for label in HoldLabel::ALL {
        writeln!(
            out,
            "| [`{label}`](#{label}) | {} |",
            explain_hold(*label).in_short
        )?;
    }
    for label in HoldLabel::ALL {
        let text = explain_hold(*label);
        writeln!(out, "\n### {label}\n\n{}\n", text.meaning)?;
        writeln!(out, "**How it is told.** {}", text.how_told)?;
        for (heading, items) in [
            ("What to do", text.what_to_do),
            ("What not to do", text.what_not_to_do),
        ] {
            writeln!(out, "\n**{heading}.**\n")?;
            items.iter().try_for_each(|item| writeln!(out, "- {item}"))?;
        }
    }
    Ok(())
}

fn write_wrapped(first: &str, text: &str, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    wrap(first, text, style.width())
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "<!-- UPDATE_DOCS=1 cargo test writes from here -->\n";
    const TO: &str = "<!-- to here -->";

    #[test]
    fn the_explanations_in_the_documentation_are_those_of_the_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hold.md");
        let found = std::fs::read_to_string(path).unwrap();
        let (before, rest) = found.split_once(FROM).unwrap();
        let (_, after) = rest.split_once(TO).unwrap();
        let mut tables = Vec::new();
        write_hold_markdown(&mut tables).unwrap();
        let expected = format!(
            "{before}{FROM}\n{}\n{TO}{after}",
            String::from_utf8(tables).unwrap()
        );
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
            return;
        }
        assert!(
            found == expected,
            "docs/hold.md is out of date: run UPDATE_DOCS=1 cargo test"
        );
    }

    #[test]
    fn the_list_and_every_topic_fit_the_width() {
        let style = Style::default();
        let mut out = Vec::new();
        write_hold_list(&style, &mut out).unwrap();
        for label in HoldLabel::ALL {
            write_hold_topic(*label, &style, &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("\nhold/peer-closed: the peer closes idle connections in good order\n"));
    }
}
