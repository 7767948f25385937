//! What labels, states and settings mean: for `tcpprobe explain`, and as the tables of `docs/sockets.md`.

use std::io;

use crate::diagnose::sockets::explain::{Topic, explain_label, explain_setting, explain_state};
use crate::diagnose::sockets::{Label, Setting, State};
use crate::report::human::{hang, wrap};
use crate::report::style::Style;

/// A heading and its text.
type Section = (&'static str, &'static str);
/// A heading and its items.
type List = (&'static str, &'static [&'static str]);

/// Writes the explanation of a topic.
pub fn write_topic(topic: Topic, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let (title, sections, lists): (String, Vec<Section>, Vec<List>) = match topic {
        Topic::Label(label) => {
            let text = explain_label(label);
            (
                format!("{label}: {}", text.in_short),
                vec![
                    ("What it is", text.meaning),
                    ("How it is told", text.how_told),
                    ("What it does", text.users),
                ],
                vec![
                    ("What to do", text.what_to_do),
                    ("What not to do", text.what_not_to_do),
                ],
            )
        }
        Topic::State(state) => {
            let text = explain_state(state);
            (
                format!("{}: {}", state.label(), text.in_short),
                vec![
                    ("What it is", text.meaning),
                    ("As it should be", text.normal),
                    ("When it is not", text.suspicious),
                ],
                Vec::new(),
            )
        }
        Topic::Setting(setting) => {
            let text = explain_setting(setting);
            (
                format!("{setting}: {}", text.in_short),
                vec![
                    ("What it decides", text.meaning),
                    ("What a change brings and costs", text.trade_off),
                ],
                Vec::new(),
            )
        }
    };
    for line in hang("", "  ", &title, style.width()) {
        writeln!(out, "{}", style.heading(&line))?;
    }
    for (heading, text) in sections {
        writeln!(out, "\n  {}", style.heading(heading))?;
        write_wrapped("    ", text, style, out)?;
    }
    for (heading, items) in lists {
        writeln!(out, "\n  {}", style.heading(heading))?;
        for item in items {
            write_wrapped("    - ", item, style, out)?;
        }
    }
    Ok(())
}

/// Writes every label, state and setting in a line or two.
pub fn write_list(style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let labels = Label::ALL
        .iter()
        .map(|one| (one.label(), explain_label(*one).in_short));
    let states = State::ALL
        .iter()
        .map(|one| (one.label(), explain_state(*one).in_short));
    let settings = Setting::ALL
        .iter()
        .map(|one| (one.label(), explain_setting(*one).in_short));
    for (heading, rows) in [
        (
            "Sockets of this host (tcpprobe sockets)",
            labels.collect::<Vec<_>>(),
        ),
        ("States of a TCP socket", states.collect()),
        ("Settings of the kernel", settings.collect()),
    ] {
        writeln!(out, "\n{}", style.heading(heading))?;
        for (name, in_short) in rows {
            write_wrapped(&format!("  {name:<22} "), in_short, style, out)?;
        }
    }
    Ok(())
}

/// Writes what `docs/sockets.md` has of it.
pub fn write_markdown(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "| label | severity | what it says |\n| --- | --- | --- |")?;
    for label in Label::ALL {
        let in_short = explain_label(*label).in_short;
        writeln!(
            out,
            "| [`{label}`](#{label}) | {} | {in_short} |",
            label.severity()
        )?;
    }
    for label in Label::ALL {
        let text = explain_label(*label);
        writeln!(out, "\n### {label}\n\n{}\n", text.meaning)?;
        writeln!(out, "**How it is told.** {}\n", text.how_told)?;
        writeln!(out, "**What it does.** {}", text.users)?;
        for (heading, items) in [
            ("What to do", text.what_to_do),
            ("What not to do", text.what_not_to_do),
        ] {
            writeln!(out, "\n**{heading}.**\n")?;
            items.iter().try_for_each(|item| writeln!(out, "- {item}"))?;
        }
    }
    writeln!(
        out,
        "\n## The states\n\n| state | what it is | as it should be | when it is not |\n| --- | --- | --- | --- |"
    )?;
    for state in State::ALL {
        let text = explain_state(*state);
        let (meaning, normal) = (text.meaning, text.normal);
        writeln!(
            out,
            "| `{}` | {meaning} | {normal} | {} |",
            state.label(),
            text.suspicious
        )?;
    }
    writeln!(
        out,
        "\n## The settings\n\n| setting | what it decides | what a change brings and costs |\n| --- | --- | --- |"
    )?;
    for setting in Setting::ALL {
        let text = explain_setting(*setting);
        writeln!(out, "| `{setting}` | {} | {} |", text.meaning, text.trade_off)?;
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
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sockets.md");
        let found = std::fs::read_to_string(path).unwrap();
        let (before, rest) = found.split_once(FROM).unwrap();
        let (_, after) = rest.split_once(TO).unwrap();
        let mut tables = Vec::new();
        write_markdown(&mut tables).unwrap();
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
            "docs/sockets.md is out of date: run UPDATE_DOCS=1 cargo test"
        );
    }

    #[test]
    fn the_list_and_every_topic_fit_the_width() {
        let style = Style::default();
        let mut out = Vec::new();
        write_list(&style, &mut out).unwrap();
        for label in Label::ALL {
            write_topic(Topic::Label(*label), &style, &mut out).unwrap();
        }
        for state in State::ALL {
            write_topic(Topic::State(*state), &style, &mut out).unwrap();
        }
        for setting in Setting::ALL {
            write_topic(Topic::Setting(*setting), &style, &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("\nclose-wait-leak: the peer has closed, and our program does not\n"));
    }
}
