//! `tcpprobe demo`: what is broken, and beside it what a run said of it.

use std::io;
use std::time::Duration;

use anstyle::AnsiColor;

use super::human::{count, hang, human_duration, wrap};
use super::read::Reread;
use super::style::Style;
use super::text;
use crate::check::TargetOutcome;
use crate::diagnose::{Cause, Confidence, Diagnosis};

/// The columns of a case's second line: its truth, and then one for each sight. Together with the marks, the blanks
/// between them and the indentation that is 80 for two sights, and the longest label fits.
const TRUTH: usize = 32;
const VERDICT: usize = 22;

/// The column in which the sentence of a case begins.
const SENTENCE: usize = 22;

/// The width of a sight's name below the cases.
const FIRST: usize = 15;

/// What is broken, and the verdict that would be the truth.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The name by which it can be asked for.
    pub name: &'a str,
    /// What is broken, in a sentence.
    pub broken: &'a str,
    /// The cause, by construction.
    pub truth: Cause,
}

/// What a run was permitted to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permitted {
    /// What any user may.
    Connect,
    /// Raw packets too.
    Raw,
}

impl Permitted {
    /// Its name in a column's heading.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect sight",
            Self::Raw => "raw sight",
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Connect => "as any user, without a capability",
            Self::Raw => "with CAP_NET_RAW in a network of its own",
        }
    }
}

/// What became of one run: what it said, or why there was none.
pub type Shown = Result<Reread, String>;

/// A run beside the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark<'a> {
    /// The verdict is the truth.
    Right(&'a Diagnosis),
    /// The verdict is another, and says of the truth that it could be it as well.
    NotRuledOut(&'a Diagnosis),
    /// The verdict is another, and rules the truth out.
    Wrong(&'a Diagnosis),
    /// There was no verdict, and why.
    NotShown(&'a str),
}

impl<'a> Mark<'a> {
    /// The mark of a run, which has one target with one address, or with a name that gave none.
    pub fn of(truth: Cause, shown: &'a Shown) -> Self {
        let target = match shown {
            Ok(reread) => reread.targets.first(),
            Err(why) => return Self::NotShown(why),
        };
        let of_name = |target: &'a TargetOutcome| target.name.as_ref()?.failed.as_ref();
        let of_address = |target: &'a TargetOutcome| Some(&target.endpoints.first()?.diagnosis);
        match target.and_then(|target| of_name(target).or_else(|| of_address(target))) {
            None => Self::NotShown("it came to no verdict"),
            Some(said) if said.cause == truth => Self::Right(said),
            Some(said) if said.not_ruled_out.contains(&truth) => Self::NotRuledOut(said),
            Some(said) => Self::Wrong(said),
        }
    }

    const fn sign(self) -> char {
        match self {
            Self::Right(_) => '=',
            Self::NotRuledOut(_) => '~',
            Self::Wrong(_) => '!',
            Self::NotShown(_) => '?',
        }
    }

    const fn colour(self) -> AnsiColor {
        match self {
            Self::Right(_) => AnsiColor::Green,
            Self::NotRuledOut(_) => AnsiColor::Yellow,
            Self::Wrong(_) => AnsiColor::Red,
            Self::NotShown(_) => AnsiColor::Magenta,
        }
    }

    /// For a column beside the truth.
    const fn in_short(self) -> &'static str {
        match self {
            Self::Right(said) => said.confidence.label(),
            Self::NotRuledOut(said) | Self::Wrong(said) => said.cause.label(),
            Self::NotShown(_) => "not shown",
        }
    }

    fn in_words(self, truth: Cause) -> String {
        match self {
            Self::Right(_) => format!("{} is the truth", full(truth)),
            Self::NotRuledOut(_) => format!("the truth is {}, which it does not rule out", full(truth)),
            Self::Wrong(said) => {
                let confidence = said.confidence;
                format!(
                    "{} ({confidence}) is wrong, and rules the truth out",
                    full(said.cause)
                )
            }
            Self::NotShown(why) => why.to_owned(),
        }
    }
}

/// How often each mark was given to one sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The sight.
    pub permitted: Permitted,
    /// Verdicts that are the truth.
    pub right: usize,
    /// Verdicts that name the truth among what they do not rule out.
    pub not_ruled_out: usize,
    /// Verdicts that rule the truth out.
    pub wrong: usize,
    /// Those of them that were called certain.
    pub wrong_and_certain: usize,
    /// Runs without a verdict.
    pub not_shown: usize,
}

impl Tally {
    /// None yet.
    pub const fn new(permitted: Permitted) -> Self {
        Self {
            permitted,
            right: 0,
            not_ruled_out: 0,
            wrong: 0,
            wrong_and_certain: 0,
            not_shown: 0,
        }
    }

    /// Counts one more run.
    pub fn add(&mut self, truth: Cause, shown: &Shown) {
        match Mark::of(truth, shown) {
            Mark::Right(_) => self.right += 1,
            Mark::NotRuledOut(_) => self.not_ruled_out += 1,
            Mark::Wrong(said) => {
                self.wrong += 1;
                self.wrong_and_certain += usize::from(said.confidence == Confidence::Certain);
            }
            Mark::NotShown(_) => self.not_shown += 1,
        }
    }
}

/// The list of the cases.
pub fn list<'a>(
    scenes: impl IntoIterator<Item = Scene<'a>>,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    for scene in scenes {
        write_scene(&scene, style, out)?;
    }
    Ok(())
}

/// What stands above the cases.
pub fn heading(sights: &[Permitted], style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let columns = sights
        .iter()
        .map(|permitted| format!(" {:<VERDICT$}", permitted.label()));
    let line = format!("  {:<TRUTH$}{}", "the truth", columns.collect::<String>());
    writeln!(out, "{}", style.heading("what is broken"))?;
    writeln!(out, "{}\n", style.heading(line.trim_end()))
}

/// One case, in two lines, and more only where a run was wrong or failed.
pub fn case(
    scene: &Scene,
    runs: &[(Permitted, Shown)],
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    write_scene(scene, style, out)?;
    write!(out, "  {:<TRUTH$}", full(scene.truth))?;
    let mut blanks = 1;
    for (_, shown) in runs {
        let mark = Mark::of(scene.truth, shown);
        let cell = format!("{} {}", mark.sign(), mark.in_short());
        write!(out, "{:blanks$}{}", "", style.coloured(&cell, mark.colour()))?;
        blanks = 1 + VERDICT.saturating_sub(cell.chars().count());
    }
    writeln!(out)?;
    for (permitted, shown) in runs {
        let mark = Mark::of(scene.truth, shown);
        match mark {
            Mark::Right(_) | Mark::NotRuledOut(_) => {}
            Mark::Wrong(_) | Mark::NotShown(_) => {
                let first = format!("  {}: ", permitted.label());
                paragraph(&first, &mark.in_words(scene.truth), style, out)?;
            }
        }
    }
    Ok(())
}

/// What stands below the cases.
pub fn closing(
    cases: usize,
    tallies: &[Tally],
    took: Duration,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let heading = "right   not sure   wrong   certain and wrong   not shown";
    writeln!(out, "\n{:<FIRST$}{}", "", style.heading(heading))?;
    for tally in tallies {
        let (right, not_sure) = (tally.right, tally.not_ruled_out);
        let (wrong, certain) = (tally.wrong, tally.wrong_and_certain);
        write!(out, "{:<FIRST$}", tally.permitted.label())?;
        write!(out, "{right:>5}{not_sure:>11}{wrong:>8}{certain:>20}")?;
        writeln!(out, "{:>12}", tally.not_shown)?;
    }
    writeln!(out)?;
    paragraph(
        "= ",
        "right: the verdict is the truth; beside it how sure it was",
        style,
        out,
    )?;
    paragraph(
        "~ ",
        "not sure: another verdict, which names the truth as what it could be as well",
        style,
        out,
    )?;
    paragraph(
        "! ",
        "wrong: another verdict, which rules the truth out",
        style,
        out,
    )?;
    for tally in tallies {
        let first = format!("{:<FIRST$}", tally.permitted.label());
        paragraph(&first, tally.permitted.meaning(), style, out)?;
    }
    let took = human_duration(took);
    let end = format!(
        "{} in {took}. `tcpprobe demo NAME` shows one in full.",
        count(cases, "case", "cases")
    );
    writeln!(out)?;
    paragraph("", &end, style, out)
}

/// One case in full: how it is broken, and the whole report of each run.
pub fn in_full(
    scene: &Scene,
    how: &str,
    runs: &[(Permitted, Shown)],
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    write_scene(scene, style, out)?;
    let truth = full(scene.truth);
    let line = style.verdict(&format!("The truth: {truth}"), &truth, scene.truth.class());
    writeln!(out, "{line}\n")?;
    for line in how.trim_end().lines() {
        writeln!(out, "{}", format!("    {line}").trim_end())?;
    }
    for (permitted, shown) in runs {
        let mark = Mark::of(scene.truth, shown);
        let title = format!("{}, {}:", permitted.label(), permitted.meaning());
        writeln!(out, "\n{}", style.heading(&title))?;
        if let Ok(reread) = shown {
            let mut writer = text::Writer::default();
            for target in &reread.targets {
                writer.target(target, reread.syn_schedule, style, out)?;
            }
        }
        let says = format!("{} {}", mark.sign(), mark.in_words(scene.truth));
        writeln!(out, "{}", style.coloured(&says, mark.colour()))?;
    }
    Ok(())
}

fn write_scene(scene: &Scene, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let indent = " ".repeat(SENTENCE);
    let name = format!("{:<width$}", scene.name, width = SENTENCE);
    for line in hang(&name, &indent, scene.broken, style.width()) {
        let line = line.replacen(scene.name, &style.heading(scene.name), 1);
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn full(cause: Cause) -> String {
    format!("{}/{cause}", cause.class())
}

fn paragraph(first: &str, text: &str, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    wrap(first, text, style.width())
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

#[cfg(test)]
mod tests;
