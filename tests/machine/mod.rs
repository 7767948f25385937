//! What a measurement was made on.

use std::{fs, thread};

/// The kernel and the number of cores, in a sentence.
pub(crate) fn described() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = kernel
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!("Linux {version}, {cores} cores.")
}
