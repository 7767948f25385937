//! The matrix file: read for a run, written as an example, and checked without sending a packet.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::app::gather::{services, shown};
use crate::app::{Failure, output};
use crate::cli::Exit;
use crate::matrix::file::{EXAMPLE, FileError, Format, LARGEST_FILE, Matrix};

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
    let bytes =
        bytes(path).map_err(|error| Failure::usage(format!("{}: cannot be read: {error}", shown(path))))?;
    if bytes.len() as u64 > LARGEST_FILE {
        let most = LARGEST_FILE >> 20;
        return Err(Failure::usage(format!(
            "{}: larger than {most} MiB: that is no matrix",
            shown(path)
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        wrong(path, &FileError::not_utf8(error.as_bytes(), valid))
    })
}

/// What is wrong with a file, as compilers say it: `FILE:LINE:COLUMN: …`.
pub(in crate::app) fn wrong(path: &Path, error: &FileError) -> Failure {
    Failure::usage(format!("{}:{error}", shown(path)))
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than permitted, so that too much is known for what it is.
    let most = LARGEST_FILE + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// `--init`
pub(super) fn init() -> Result<Exit, Failure> {
    output::written(io::stdout().lock().write_all(EXAMPLE.as_bytes()))
}
