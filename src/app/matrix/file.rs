//! The matrix file: read for a run, written as an example, and checked without sending a packet.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::app::document::{self, wrong};
use crate::app::gather::{services, shown};
use crate::app::{Failure, output};
use crate::cli::{Exit, MatrixArguments, MatrixForm};
use crate::matrix::file::{EXAMPLE, ExpandError, Format, Matrix};
use crate::report::Verbosity;
use crate::report::matrix::expansion::{self, Checked};

/// Reads and checks a matrix; "-" is standard input, in YAML.
pub(in crate::app) fn read(path: &Path) -> Result<Matrix, Failure> {
    parse(path, &text(path)?)
}

/// Checks a matrix that was read from a file.
pub(in crate::app) fn parse(path: &Path, text: &str) -> Result<Matrix, Failure> {
    Matrix::read(text, Format::of(path), &services()).map_err(|error| wrong(path, &error))
}

/// The text of a file.
pub(in crate::app) fn text(path: &Path) -> Result<String, Failure> {
    document::text(path, "matrix")
}

/// `--init`
pub(super) fn init() -> Result<Exit, Failure> {
    output::written(io::stdout().lock().write_all(EXAMPLE.as_bytes()))
}

/// `--check`
pub(super) fn check(arguments: &MatrixArguments) -> Result<Exit, Failure> {
    let Some(path) = &arguments.file else {
        return Err(Failure::usage("--check needs the FILE to check"));
    };
    let matrix = read(path)?;
    let expansion = matrix
        .expand(arguments.max_edges)
        .map_err(|error| wrong(path, &error))?;
    if let Some(source) = &arguments.source {
        // The run that it stands for would fail as well.
        let known = expansion.edges(Some(source)).map(|_| ());
        known.map_err(|error| no_edges(path, &error))?;
    }
    let file = shown(path);
    let checked = Checked {
        version: env!("CARGO_PKG_VERSION"),
        file: &file,
        name: matrix.name.as_deref(),
        expansion: &expansion,
        rate: arguments.rate,
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    let written = match arguments.output {
        MatrixForm::Text => {
            let verbosity = if arguments.quiet {
                Verbosity::Quiet
            } else {
                Verbosity::Normal
            };
            expansion::write_text(&checked, verbosity, output::width(), out)
        }
        MatrixForm::Json => expansion::write_json(&checked, out),
        MatrixForm::Jsonl
        | MatrixForm::Junit
        | MatrixForm::Tap
        | MatrixForm::Markdown
        | MatrixForm::Prometheus
        | MatrixForm::Html => {
            return Err(Failure::usage(
                "--check has no results: it writes its expansion with --output text or json",
            ));
        }
    };
    output::written(written.and_then(|()| out.flush()))
}

/// Why a matrix that was read has no edges for a source.
pub(in crate::app) fn no_edges(path: &Path, error: &ExpandError) -> Failure {
    match error {
        ExpandError::File(error) => wrong(path, error),
        ExpandError::Source(says) => Failure::usage(format!("{}: {says}", shown(path))),
    }
}
