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
    let bytes =
        bytes(path).map_err(|error| Failure::usage(format!("{}: cannot be read: {error}", shown(path))))?;
    let wrong = |error| wrong(path, &error);
    if bytes.len() as u64 > LARGEST_FILE {
        let most = LARGEST_FILE >> 20;
        return Err(Failure::usage(format!(
            "{}: larger than {most} MiB: that is no matrix",
            shown(path)
        )));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| FileError::not_utf8(&bytes, error.valid_up_to()))
        .map_err(wrong)?;
    Matrix::read(text, Format::of(path), &services()).map_err(wrong)
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
