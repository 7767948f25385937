//! How many files this process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process have as many open files as it may allow itself, and says how many that is; where the system does not
/// say, what POSIX grants at least.
pub fn limit() -> usize {
    const LEAST: usize = 20;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return LEAST;
    };
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}
