//! `tcpprobe report`.

use std::io::{self, BufWriter, Write};

use super::Failure;
use super::output::{is_read, style_of};
use crate::cli::{Colour, Exit, MatrixForm, ReportArguments};
use crate::matrix::{Answer, ChangeKind, Edges, Judgement};
use crate::report::Verbosity;
use crate::report::matrix::{self, Form};

pub(super) fn run(_: &ReportArguments) -> Result<Exit, Failure> {
    Err(Failure::could_not_judge("not yet"))
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

/// What an answer comes to. Beside a baseline, edges that come to the same as they did before do not count.
pub(super) fn exit(answer: &Answer) -> Exit {
    let of = |judgement| match judgement {
        Judgement::Met => Exit::AsExpected,
        Judgement::Unproven | Judgement::Error => Exit::CouldNotJudge,
        Judgement::Missed => Exit::NotAsExpected,
    };
    let of_gaps = if answer.gaps().is_empty() {
        Exit::AsExpected
    } else {
        Exit::CouldNotJudge
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
    edges.map(of).fold(of_gaps, Exit::and)
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
