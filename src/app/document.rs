//! The text of a file that a user wrote, and what is said when there is none.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use super::gather::shown;
use crate::document::{FileError, LARGEST_FILE};

/// The text of a file; "-" is standard input. `what` is what it should hold, as in "matrix".
pub(super) fn text(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes =
        bytes(path).map_err(|error| Failure::usage(format!("{}: cannot be read: {error}", shown(path))))?;
    if bytes.len() as u64 > LARGEST_FILE {
        let most = LARGEST_FILE >> 20;
        return Err(Failure::usage(format!(
            "{}: larger than {most} MiB: that is no {what}",
            shown(path)
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        wrong(path, &FileError::not_utf8(error.as_bytes(), valid))
    })
}

/// What is wrong with a file, as compilers say it: `FILE:LINE:COLUMN: …`.
pub(super) fn wrong(path: &Path, error: &FileError) -> Failure {
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
