//! `tcpprobe report`: results of any number of runs and sources, merged into one answer.

pub(super) mod results;

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::Failure;
use super::output::{is_read, style_of};
use crate::cli::{Colour, Exit, MatrixForm, ReportArguments};
use crate::matrix::{Answer, ChangeKind, Changes, Edges, Identity, Judgement};
use crate::report::Verbosity;
use crate::report::matrix::{self, Form};

pub(super) fn run(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let (mut answer, results) = results::read(&arguments.results)?;
    let mut exit_of_sources = Exit::AsExpected;
    if let Some(baseline) = &arguments.baseline {
        for (source, edges) in silent(&compare(&mut answer, baseline)?, &answer) {
            super::complain(&format!(
                "incomplete: nothing from {source}, of which the baseline has {edges}"
            ));
            exit_of_sources = Exit::CouldNotJudge;
        }
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
    Ok(conclude(&answer, &results, manner)?.and(exit_of_sources))
}

/// Notes what has changed in an answer since the results of an earlier run, and returns what that one came to.
pub(super) fn compare(answer: &mut Answer, baseline: &Path) -> Result<Answer, Failure> {
    let (old, _) = results::read(&[baseline])?;
    answer.changes = Some(Changes::between(&old, answer));
    Ok(old)
}

/// The sources of an earlier answer that a new one has no record of, and how many edges they had: a log that got lost, more
/// likely than a matrix without them.
fn silent<'a>(old: &'a Answer, new: &Answer) -> Vec<(&'a Identity, String)> {
    let is_there = |source: &Identity| {
        let mut known = new.sources.iter().map(AsRef::as_ref);
        known.any(|known: &Identity| known.is_same_source(source))
            || new.runs.iter().any(|run| run.source.is_same_source(source))
    };
    (0..)
        .zip(&old.sources)
        .filter(|(_, source)| !is_there(source))
        .map(|(row, source)| (source.as_ref(), edges(old.row(row).len())))
        .collect()
}

fn edges(number: usize) -> String {
    match number {
        1 => "1 edge".to_owned(),
        number => format!("{number} edges"),
    }
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
    match written.and_then(|()| out.flush()) {
        // Not the system's: results that are not what they were when they were read first.
        Err(error) if error.kind() == io::ErrorKind::Other => return Err(Failure::could_not_judge(error)),
        written => is_read(written)?,
    };
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
