//! Where results go: standard output, in the form and style that was asked for.

use std::io::{self, BufWriter, IsTerminal, Write};

use super::Failure;
use crate::check::TargetOutcome;
use crate::cli::{CheckArguments, Colour, Exit, Output};
use crate::evidence::SynSchedule;
use crate::report::{Report, Style, Verbosity, json, series, text};

/// Writes each result when it is known.
pub(super) struct Printer {
    out: BufWriter<io::Stdout>,
    form: Output,
    style: Style,
    text: text::Writer,
    /// Several rounds: a line for each endpoint and round, and the summary at the end.
    repeats: bool,
    /// Whoever read our output has gone; that is no error.
    closed: bool,
}

impl Printer {
    pub(super) fn new(arguments: &CheckArguments) -> Self {
        Self {
            out: BufWriter::new(io::stdout()),
            form: arguments.output,
            style: style(arguments),
            text: text::Writer::default(),
            repeats: arguments.count.is_some() || arguments.interval.is_some(),
            closed: false,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// One target of one round.
    pub(super) fn target(
        &mut self,
        outcome: &TargetOutcome,
        schedule: Option<SynSchedule>,
    ) -> Result<(), Failure> {
        let written = match self.form {
            Output::Json => return Ok(()),
            Output::Jsonl => json::write_target_lines(outcome, schedule, &mut self.out),
            Output::Text if self.repeats && self.style.verbosity == Verbosity::Quiet => return Ok(()),
            Output::Text => {
                let verbosity = if self.repeats && self.style.verbosity == Verbosity::Normal {
                    Verbosity::Quiet
                } else {
                    self.style.verbosity
                };
                let style = Style {
                    verbosity,
                    ..self.style
                };
                self.text.target(outcome, schedule, &style, &mut self.out)
            }
        };
        self.note(written)
    }

    /// The end of the run.
    pub(super) fn conclude(&mut self, report: &Report) -> Result<(), Failure> {
        let written = match self.form {
            Output::Json => json::write(report, &mut self.out),
            Output::Jsonl => json::write_series_lines(report, &mut self.out),
            Output::Text if report.series.is_empty() => Ok(()),
            Output::Text => self.text.set_apart(&mut self.out).and_then(|()| {
                report
                    .series
                    .iter()
                    .try_for_each(|one| series::write_text(one, &self.style, &mut self.out))
            }),
        };
        self.note(written)
    }

    fn note(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        self.closed |= !is_read(written.and_then(|()| self.out.flush()))?;
        Ok(())
    }
}

/// What a text that is no result comes to.
pub(super) fn written(result: io::Result<()>) -> Result<Exit, Failure> {
    is_read(result).map(|_| Exit::AsExpected)
}

/// Whether somebody still reads what was written. Whoever did may have gone; that is no error.
pub(super) fn is_read(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::could_not_judge(format!(
            "standard output cannot be written: {error}"
        ))),
    }
}

pub(super) fn style(arguments: &CheckArguments) -> Style {
    let verbosity = if arguments.quiet {
        Verbosity::Quiet
    } else if arguments.verbose {
        Verbosity::Verbose
    } else {
        Verbosity::Normal
    };
    style_of(arguments.color, verbosity)
}

/// The style of standard output.
pub(super) fn style_of(choice: Colour, verbosity: Verbosity) -> Style {
    let stdout = io::stdout();
    let colour = match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never && stdout.is_terminal()
        }
    };
    Style {
        colour,
        width: width(),
        verbosity,
    }
}

/// Where to break lines, in columns.
pub(super) fn width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    // Lines longer than a hundred columns are hard to read however wide the screen.
    columns.or(terminal).unwrap_or(80).min(100)
}
