//! The one place where the clock is read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time now, for measuring how long something took.
#[expect(
    clippy::disallowed_methods,
    reason = "net/ is where the clock is read, and here is where net/ does it"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// The wall-clock time now, since the Unix epoch (zero on a machine whose clock is before it).
#[expect(
    clippy::disallowed_methods,
    reason = "net/ is where the clock is read, and here is where net/ does it"
)]
pub fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
