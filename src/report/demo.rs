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

/// A verdict beside the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The verdict is the truth.
    Right,
    /// The verdict is another, and says of the truth that it could be it as well.
    NotRuledOut,
    /// The verdict is another, and rules the truth out.
    Wrong,
    /// There was no verdict.
    NotShown,
}

impl Mark {
    /// The mark of a run.
    pub fn of(truth: Cause, shown: &Shown) -> Self {
        match verdict(shown) {
            None => Self::NotShown,
            Some(said) if said.cause == truth => Self::Right,
            Some(said) if said.not_ruled_out.contains(&truth) => Self::NotRuledOut,
            Some(_) => Self::Wrong,
        }
    }

    const fn sign(self) -> char {
        match self {
            Self::Right => '=',
            Self::NotRuledOut => '~',
            Self::Wrong => '!',
            Self::NotShown => '?',
        }
    }

    const fn colour(self) -> AnsiColor {
        match self {
            Self::Right => AnsiColor::Green,
            Self::NotRuledOut => AnsiColor::Yellow,
            Self::Wrong => AnsiColor::Red,
            Self::NotShown => AnsiColor::Magenta,
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
            Mark::Right => self.right += 1,
            Mark::NotRuledOut => self.not_ruled_out += 1,
            Mark::Wrong => {
                self.wrong += 1;
                let is_certain = verdict(shown).is_some_and(|said| said.confidence == Confidence::Certain);
                self.wrong_and_certain += usize::from(is_certain);
            }
            Mark::NotShown => self.not_shown += 1,
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
        let cell = format!("{} {}", mark.sign(), in_short(mark, shown));
        write!(out, "{:blanks$}{}", "", style.coloured(&cell, mark.colour()))?;
        blanks = 1 + VERDICT.saturating_sub(cell.chars().count());
    }
    writeln!(out)?;
    for (permitted, shown) in runs {
        let first = format!("  {}: ", permitted.label());
        let more = match (Mark::of(scene.truth, shown), shown) {
            (Mark::Right | Mark::NotRuledOut, _) => continue,
            (Mark::Wrong, shown) => remark(scene.truth, shown),
            (Mark::NotShown, Err(why)) => why.clone(),
            (Mark::NotShown, Ok(_)) => "it came to no verdict".to_owned(),
        };
        for line in wrap(&first, &more, style.width()) {
            writeln!(out, "{line}")?;
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
    let columns = ["right", "not sure", "wrong", "certain and wrong", "not shown"];
    let line = format!("\n{:<FIRST$}{}", "", columns.join("   "));
    writeln!(out, "{}", style.heading(&line))?;
    for tally in tallies {
        write!(out, "{:<FIRST$}", tally.permitted.label())?;
        let numbers = [
            tally.right,
            tally.not_ruled_out,
            tally.wrong,
            tally.wrong_and_certain,
            tally.not_shown,
        ];
        for (number, (column, title)) in numbers.iter().zip((0..).zip(columns)) {
            let width = title.len() + if column == 0 { 0 } else { 3 };
            write!(out, "{number:>width$}")?;
        }
        writeln!(out)?;
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
        match shown {
            Ok(reread) => {
                let mut writer = text::Writer::default();
                for target in &reread.targets {
                    writer.target(target, reread.syn_schedule, style, out)?;
                }
                let says = format!("{} {}", mark.sign(), remark(scene.truth, shown));
                writeln!(out, "{}", style.coloured(&says, mark.colour()))?;
            }
            Err(why) => paragraph("", why, style, out)?,
        }
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

fn in_short(mark: Mark, shown: &Shown) -> &'static str {
    match (mark, verdict(shown)) {
        (Mark::Right, Some(said)) => said.confidence.label(),
        (Mark::NotRuledOut | Mark::Wrong, Some(said)) => said.cause.label(),
        (Mark::NotShown, _) | (_, None) => "not shown",
    }
}

/// The verdict beside the truth, in words.
fn remark(truth: Cause, shown: &Shown) -> String {
    let Some(said) = verdict(shown) else {
        return "no verdict".to_owned();
    };
    let (said_it, truth_is) = (full(said.cause), full(truth));
    match Mark::of(truth, shown) {
        Mark::Right => format!("{said_it} is the truth"),
        Mark::NotRuledOut => format!("the truth is {truth_is}, which it does not rule out"),
        Mark::Wrong | Mark::NotShown => {
            format!(
                "{said_it} ({}) is wrong, and rules the truth out",
                said.confidence
            )
        }
    }
}

/// The verdict of a run, which has one target with one address, or with a name that gave none.
fn verdict(shown: &Shown) -> Option<&Diagnosis> {
    let target: &TargetOutcome = shown.as_ref().ok()?.targets.first()?;
    let name = target.name.as_ref().and_then(|name| name.failed.as_ref());
    name.or_else(|| target.endpoints.first().map(|endpoint| &endpoint.diagnosis))
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
mod tests {
    use super::*;
    use crate::report::fixtures;

    const SCENE: Scene = Scene {
        name: "refused-by-router",
        broken: "A router answers with a RST in the name of the host.",
        truth: Cause::MiddleboxReset,
    };

    /// A run that says what the fixture of a refused port says, which does not rule out a middlebox.
    fn refused() -> Shown {
        run(fixtures::refused())
    }

    fn certain() -> Shown {
        let mut target = fixtures::refused();
        target.endpoints[0].diagnosis.confidence = Confidence::Certain;
        run(target)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what is shown may have failed")]
    fn run(target: TargetOutcome) -> Shown {
        Ok(Reread {
            syn_schedule: None,
            targets: vec![target],
        })
    }

    fn text_of(write: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_verdict_is_right_or_not_sure_or_wrong() {
        assert_eq!(Mark::of(Cause::NoListener, &refused()), Mark::Right);
        assert_eq!(Mark::of(Cause::MiddleboxReset, &refused()), Mark::NotRuledOut);
        assert_eq!(Mark::of(Cause::Port, &refused()), Mark::Wrong);
        assert_eq!(Mark::of(Cause::NoListener, &Err("no".to_owned())), Mark::NotShown);
        let nothing = Ok(Reread {
            syn_schedule: None,
            targets: Vec::new(),
        });
        assert_eq!(Mark::of(Cause::NoListener, &nothing), Mark::NotShown);
    }

    #[test]
    fn a_name_that_failed_has_a_verdict() {
        assert_eq!(Mark::of(Cause::NxDomain, &run(fixtures::nxdomain())), Mark::Right);
    }

    #[test]
    fn a_case_has_a_line_for_what_is_broken_and_one_for_the_verdicts() {
        let style = Style::default();
        let runs = [(Permitted::Connect, refused()), (Permitted::Raw, refused())];
        let text = text_of(|out| {
            heading(&[Permitted::Connect, Permitted::Raw], &style, out)?;
            case(&SCENE, &runs, &style, out)?;
            let truth = Cause::NoListener;
            case(&Scene { truth, ..SCENE }, &runs, &style, out)
        });
        assert_eq!(
            text,
            "\
what is broken
  the truth                        connect sight          raw sight

refused-by-router     A router answers with a RST in the name of the host.
  refused/middlebox-reset          ~ no-listener          ~ no-listener
refused-by-router     A router answers with a RST in the name of the host.
  refused/no-listener              = likely               = likely
"
        );
    }

    #[test]
    fn what_is_wrong_or_failed_is_said_in_words() {
        let scene = Scene {
            truth: Cause::Port,
            ..SCENE
        };
        let runs = [
            (Permitted::Connect, certain()),
            (Permitted::Raw, Err("links: no".to_owned())),
        ];
        assert_eq!(
            text_of(|out| case(&scene, &runs, &Style::default(), out)),
            "\
refused-by-router     A router answers with a RST in the name of the host.
  filtered/port                    ! no-listener          ? not shown
  connect sight: refused/no-listener (certain) is wrong, and rules the truth out
  raw sight: links: no
"
        );
    }

    #[test]
    fn every_verdict_fits_its_column() {
        for cause in Cause::ALL {
            assert!(full(*cause).len() <= TRUTH, "{cause}");
            assert!(cause.label().len() + 2 <= VERDICT, "{cause}");
        }
        assert_eq!(2 + TRUTH + 2 * (1 + VERDICT), 80);
    }

    #[test]
    fn the_sum_counts_what_was_certain_and_wrong_apart() {
        let mut tally = Tally::new(Permitted::Connect);
        tally.add(Cause::NoListener, &certain());
        tally.add(Cause::MiddleboxReset, &refused());
        tally.add(Cause::Port, &refused());
        tally.add(Cause::Port, &certain());
        tally.add(Cause::Port, &Err("no".to_owned()));
        let text = text_of(|out| {
            closing(
                5,
                std::slice::from_ref(&tally),
                Duration::from_millis(14_200),
                &Style::default(),
                out,
            )
        });
        assert_eq!(
            text,
            "
               right   not sure   wrong   certain and wrong   not shown
connect sight      1          1       2                   1           1

= right: the verdict is the truth; beside it how sure it was
~ not sure: another verdict, which names the truth as what it could be as well
! wrong: another verdict, which rules the truth out
connect sight  as any user, without a capability

5 cases in 14.2 s. `tcpprobe demo NAME` shows one in full.
"
        );
    }

    #[test]
    fn a_case_in_full_has_its_file_and_the_whole_report() {
        let runs = [(Permitted::Connect, refused())];
        let text = text_of(|out| in_full(&SCENE, "[network]\n\nx = 1\n", &runs, &Style::default(), out));
        let (before, report) = text.split_once("10.0.3.7:81  ").unwrap();
        assert_eq!(
            before,
            "\
refused-by-router     A router answers with a RST in the name of the host.
The truth: refused/middlebox-reset

    [network]

    x = 1

connect sight, as any user, without a capability:
"
        );
        assert!(report.starts_with("refused/no-listener (likely)"), "{report}");
        let end = "\n~ the truth is refused/middlebox-reset, which it does not rule out\n";
        assert!(report.ends_with(end), "{report}");
    }

    #[test]
    fn colours_have_no_width() {
        let plain = Style::default();
        let colour = Style {
            colour: true,
            ..plain
        };
        let runs = [(Permitted::Connect, refused())];
        let coloured = text_of(|out| case(&SCENE, &runs, &colour, out));
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(
            anstream::adapter::strip_str(&coloured).to_string(),
            text_of(|out| case(&SCENE, &runs, &plain, out))
        );
    }
}
