//! `tcpprobe explain` and `docs/verdicts.md`: the same texts, as plain text and as Markdown.

use std::io;

use super::human::{hang, wrap};
use super::style::Style;
use crate::diagnose::explain::{Topic, causes_of, explain, explain_class, explain_finding};
use crate::diagnose::{Cause, Class, FindingKind};

/// Writes the explanation of a topic, or the list of all verdicts when there is none.
pub fn write(topic: Option<Topic>, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    match topic {
        None => {
            list_all(style, out)?;
            super::sockets::write_list(style, out)?;
            super::hold::write_hold_list(style, out)
        }
        Some(Topic::Cause(cause)) => one_cause(cause, style, out),
        Some(Topic::Finding(kind)) => one_finding(kind, style, out),
        Some(Topic::Class(class)) => {
            writeln!(out, "{}", style.verdict(class.label(), class.label(), class))?;
            paragraph("", explain_class(class), style, out)?;
            for cause in causes_of(class) {
                writeln!(out)?;
                one_cause(cause, style, out)?;
            }
            Ok(())
        }
    }
}

/// Writes `docs/verdicts.md`.
pub fn write_markdown(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "# Verdicts\n")?;
    writeln!(
        out,
        "Made from `src/diagnose/explain` by `UPDATE_DOCS=1 cargo test`; change the texts there.\n"
    )?;
    writeln!(
        out,
        "In commands, ADDRESS and PORT stand for the target's, CLIENT for our own address.\n"
    )?;
    writeln!(out, "| verdict | in short |\n| --- | --- |")?;
    for cause in Cause::ALL {
        let (class, in_short) = (cause.class(), explain(*cause).in_short);
        writeln!(out, "| [`{class}/{cause}`](#{}) | {in_short} |", anchor(*cause))?;
    }
    for class in Class::ALL {
        writeln!(out, "\n## {class}\n\n{}", explain_class(*class))?;
        for cause in causes_of(*class) {
            markdown_cause(cause, out)?;
        }
    }
    writeln!(
        out,
        "\n## Findings\n\nTrue and useful, but not the verdict.\n\n| finding | in short |\n| --- | --- |"
    )?;
    for kind in FindingKind::ALL {
        writeln!(
            out,
            "| [`{kind}`](#{kind}) | {} |",
            explain_finding(*kind).in_short
        )?;
    }
    FindingKind::ALL
        .iter()
        .try_for_each(|kind| markdown_finding(*kind, out))
}

fn list_all(style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let more = "`tcpprobe explain CLASS` or `tcpprobe explain CLASS/CAUSE` says more about each of these.";
    paragraph("", more, style, out)?;
    for class in Class::ALL {
        writeln!(out, "\n{}", style.verdict(class.label(), class.label(), *class))?;
        for cause in causes_of(*class) {
            for line in wrap(
                &format!("  {:<22}", cause.label()),
                explain(cause).in_short,
                style.width(),
            ) {
                writeln!(out, "{line}")?;
            }
        }
    }
    writeln!(out, "\n{}", style.heading("Findings of a check"))?;
    for kind in FindingKind::ALL {
        let first = format!("  {:<27}", kind.label());
        for line in wrap(&first, explain_finding(*kind).in_short, style.width()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn one_finding(kind: FindingKind, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let texts = explain_finding(kind);
    for line in hang("", "  ", &format!("{kind}: {}", texts.in_short), style.width()) {
        writeln!(out, "{line}")?;
    }
    for (heading, text) in [("What it is", texts.meaning), ("How it is told", texts.how_told)] {
        writeln!(out, "\n  {}", style.heading(heading))?;
        paragraph("    ", text, style, out)?;
    }
    items(texts.what_to_do, texts.what_not_to_do, style, out)
}

fn one_cause(cause: Cause, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let texts = explain(cause);
    let label = format!("{}/{cause}", cause.class());
    for line in hang("", "  ", &format!("{label}: {}", texts.in_short), style.width()) {
        writeln!(out, "{}", style.verdict(&line, &label, cause.class()))?;
    }
    for (heading, text) in [
        ("What it is", texts.meaning),
        ("How it is told apart", texts.how_told),
        ("What it looks like", texts.looks_like),
    ] {
        writeln!(out, "\n  {}", style.heading(heading))?;
        paragraph("    ", text, style, out)?;
    }
    items(texts.what_to_do, texts.what_not_to_do, style, out)
}

fn items(to_do: &[&str], not_to_do: &[&str], style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    for (heading, items) in [("What to do", to_do), ("What not to do", not_to_do)] {
        if !items.is_empty() {
            writeln!(out, "\n  {}", style.heading(heading))?;
        }
        for item in items {
            paragraph("    - ", item, style, out)?;
        }
    }
    Ok(())
}

fn paragraph(first: &str, text: &str, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    wrap(first, text, style.width())
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

fn markdown_cause(cause: Cause, out: &mut impl io::Write) -> io::Result<()> {
    let texts = explain(cause);
    let class = cause.class();
    writeln!(out, "\n### {class}/{cause}\n\n{}\n", texts.meaning)?;
    writeln!(out, "**How it is told apart.** {}\n", texts.how_told)?;
    writeln!(out, "**What it looks like.** {}", texts.looks_like)?;
    markdown_items(texts.what_to_do, texts.what_not_to_do, out)
}

fn markdown_finding(kind: FindingKind, out: &mut impl io::Write) -> io::Result<()> {
    let texts = explain_finding(kind);
    writeln!(out, "\n### {kind}\n\n{}\n", texts.meaning)?;
    writeln!(out, "**How it is told.** {}", texts.how_told)?;
    markdown_items(texts.what_to_do, texts.what_not_to_do, out)
}

fn markdown_items(to_do: &[&str], not_to_do: &[&str], out: &mut impl io::Write) -> io::Result<()> {
    for (heading, items) in [("What to do", to_do), ("What not to do", not_to_do)] {
        if !items.is_empty() {
            writeln!(out, "\n**{heading}.**\n")?;
        }
        for item in items {
            writeln!(out, "- {item}")?;
        }
    }
    Ok(())
}

/// GitHub's anchor of a heading: lower case, punctuation other than hyphens left out.
fn anchor(cause: Cause) -> String {
    format!("{}{cause}", cause.class())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(topic: Option<Topic>, width: usize) -> String {
        let mut out = Vec::new();
        write(
            topic,
            &Style {
                width,
                ..Style::default()
            },
            &mut out,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_verdicts_in_the_documentation_are_those_of_the_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verdicts.md");
        let mut expected = Vec::new();
        write_markdown(&mut expected).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        let found = std::fs::read(path).unwrap();
        assert!(
            found == expected,
            "docs/verdicts.md is out of date: run UPDATE_DOCS=1 cargo test"
        );
    }

    #[test]
    fn the_list_names_every_verdict() {
        let list = text_of(None, 80);
        for cause in Cause::ALL {
            assert!(list.contains(&format!("  {cause} ")), "{cause}");
        }
    }

    #[test]
    fn the_list_names_every_finding() {
        let list = text_of(None, 80);
        for kind in FindingKind::ALL {
            assert!(list.contains(&format!("  {kind} ")), "{kind}");
        }
    }

    #[test]
    fn a_class_explains_all_its_causes() {
        let text = text_of(Some(Topic::Class(Class::Refused)), 80);
        assert!(text.starts_with("refused\nA RST answered our SYN."));
        assert!(text.contains("\nrefused/no-listener: ") && text.contains("\nrefused/middlebox-reset: "));
    }

    #[test]
    fn one_cause_reads_like_this() {
        assert_eq!(
            text_of(Some(Topic::Cause(Cause::Undecided)), 72),
            "\
unknown/undecided: time ran out before anything could be said

  What it is
    The run ended, by its deadline or by an interrupt, before there was
    enough evidence for any verdict.

  How it is told apart
    By what is missing: too few tries, spread over too little time.

  What it looks like
    filtered, which needs silence to several tries over more than a
    second.

  What to do
    - Give it more time: `tcpprobe --timeout 5s ADDRESS:PORT`.

  What not to do
    - Do not count it as a failure of the target.
"
        );
    }
}
