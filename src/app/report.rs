//! `tcpprobe report`: results of any number of runs and sources, merged into one answer.

pub(super) mod results;

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::Failure;
use super::output::{is_read, style_of};
use crate::cli::{Colour, Exit, MatrixForm, ReportArguments};
use crate::matrix::{Answer, ChangeKind, Changes, Edges, Judgement};
use crate::report::Verbosity;
use crate::report::matrix::{self, Form};

pub(super) fn run(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let (mut answer, results) = results::read(&arguments.results)?;
    if let Some(baseline) = &arguments.baseline {
        compare(&mut answer, baseline)?;
    }
    let manner = Manner {
        form: arguments.output,
        color: arguments.color,
        verbosity: match (arguments.quiet, arguments.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        },
    };
    conclude(&answer, &results, manner)
}

/// Notes what has changed in an answer since the results of an earlier run.
pub(super) fn compare(answer: &mut Answer, baseline: &Path) -> Result<(), Failure> {
    let (old, _) = results::read(&[baseline])?;
    answer.changes = Some(Changes::between(&old, answer));
    Ok(())
}

/// How an answer is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) form: MatrixForm,
    pub(super) color: Colour,
    pub(super) verbosity: Verbosity,
}

/// Writes an answer to standard output, what it lacks to standard error, and says what it comes to.
pub(super) fn conclude(answer: &Answer, edges: &dyn Edges, manner: Manner) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let style = style_of(manner.color, manner.verbosity);
    let written = matrix::write(form(manner.form), answer, edges, &style, &mut out);
    is_read(written.and_then(|()| out.flush()))?;
    if manner.form != MatrixForm::Text {
        for gap in answer.gaps() {
            super::complain(&format!("incomplete: {gap}"));
        }
    }
    Ok(exit(answer))
}

/// What an answer comes to.
pub(super) fn exit(answer: &Answer) -> Exit {
    if answer.gaps().is_empty() {
        exit_of_edges(answer)
    } else {
        exit_of_edges(answer).and(Exit::CouldNotJudge)
    }
}

/// What its edges come to. Beside a baseline, those that come to the same as they did before do not count.
pub(super) fn exit_of_edges(answer: &Answer) -> Exit {
    let of = |judgement| match judgement {
        Judgement::Met => Exit::AsExpected,
        Judgement::Unproven | Judgement::Error => Exit::CouldNotJudge,
        Judgement::Missed => Exit::NotAsExpected,
    };
    let edges: Box<dyn Iterator<Item = Judgement>> = match &answer.changes {
        None => Box::new(answer.cells.iter().map(|cell| cell.judged.judgement)),
        Some(changes) => Box::new(
            changes
                .changed
                .iter()
                .filter(|change| change.kind != ChangeKind::Verdict)
                .filter_map(|change| Some(change.is?.judgement)),
        ),
    };
    edges.map(of).fold(Exit::AsExpected, Exit::and)
}

fn form(form: MatrixForm) -> Form {
    match form {
        MatrixForm::Text => Form::Text,
        MatrixForm::Json => Form::Json,
        MatrixForm::Jsonl => Form::Jsonl,
        MatrixForm::Junit => Form::Junit,
        MatrixForm::Tap => Form::Tap,
        MatrixForm::Markdown => Form::Markdown,
        MatrixForm::Prometheus => Form::Prometheus,
        MatrixForm::Html => Form::Html,
    }
}
