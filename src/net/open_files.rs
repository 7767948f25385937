//! How many files this process may have open.

use std::io;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How many file descriptors a process may have open at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFiles {
    /// The limit.
    pub soft: u64,
    /// Up to which the process may raise it by itself.
    pub hard: u64,
}

impl OpenFiles {
    /// Lets this process have as many as it may allow itself; returns how many it had before the first such call.
    pub fn raise() -> io::Result<Self> {
        static BEFORE: OnceLock<nix::Result<(u64, u64)>> = OnceLock::new();
        let (soft, hard) = (*BEFORE.get_or_init(|| getrlimit(Resource::RLIMIT_NOFILE)))?;
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        Ok(Self { soft, hard })
    }
}

/// Lets this process have as many open files as it may allow itself, and says how many that is; where the system does not
/// say, what POSIX grants at least.
pub fn limit() -> usize {
    const LEAST: usize = 20;
    OpenFiles::raise().map_or(LEAST, |before| usize::try_from(before.hard).unwrap_or(usize::MAX))
}
