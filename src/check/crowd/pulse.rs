//! Whether we keep up: where our own processor is too slow, more endpoints at once would make answers look late or lost.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::net::clock;

/// How often we look.
const INTERVAL: Duration = Duration::from_millis(10);
/// Who sees to what has happened later than this has too much to do. A tenth of what makes a handshake slow.
const TOLERATED: Duration = Duration::from_millis(25);

/// A beat at regular intervals, and how late the last one was.
#[derive(Debug)]
pub(super) struct Pulse {
    due: Instant,
    is_late: bool,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            due: clock::now(),
            is_late: false,
        }
    }

    /// Returns at the next beat. Nothing is lost when it is dropped before.
    pub(super) async fn beat(&mut self) {
        sleep(self.due.saturating_duration_since(clock::now())).await;
        self.was_at(clock::now());
    }

    fn was_at(&mut self, now: Instant) {
        self.is_late = now.saturating_duration_since(self.due) > TOLERATED;
        self.due = now + INTERVAL;
    }

    /// Whether nothing more should be started.
    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_late_once_is_so_until_the_next_beat_in_time() {
        let mut pulse = Pulse::new();
        let began = pulse.due;
        pulse.was_at(began + Duration::from_millis(3));
        assert!(!pulse.is_late());
        pulse.was_at(began + Duration::from_millis(200));
        assert!(pulse.is_late());
        pulse.was_at(began + Duration::from_millis(211));
        assert!(!pulse.is_late());
    }
}
