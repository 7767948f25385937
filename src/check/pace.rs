//! How fast packets may leave: what starts waits for its turn, and what is under way delays those that have not begun.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::net::clock;

/// So much ahead of the pace is no flood for the first router.
const BURST: Duration = Duration::from_millis(8);

/// Packets a second, as an average over a second: an investigation that is under way asks when it has to, and whoever has
/// not begun waits the longer. Clones are the same pace.
#[derive(Debug, Clone)]
pub struct Pace {
    packets_per_second: u32,
    /// When all that was sent would have been, packet by packet.
    paid_until: Rc<Cell<Instant>>,
}

impl Pace {
    /// At most so many packets a second (from 1).
    pub fn of(packets_per_second: u32) -> Self {
        Self {
            packets_per_second: packets_per_second.max(1),
            // Whoever has not begun yet is ahead of nobody.
            paid_until: Rc::new(Cell::new(
                clock::now().checked_sub(BURST).unwrap_or_else(clock::now),
            )),
        }
    }

    /// How long it takes until something may start; zero when it may.
    pub fn due_in(&self, now: Instant) -> Duration {
        self.paid_until.get().saturating_duration_since(now)
    }

    /// So many packets leave.
    pub fn spend(&self, packets: u32, now: Instant) {
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let cost = Duration::from_secs(u64::from(packets)) / self.packets_per_second;
        self.paid_until.set(self.paid_until.get().max(earliest) + cost);
    }

    /// Returns when something may start that takes so many packets, which are then spent.
    pub async fn turn(&self, packets: u32) {
        loop {
            let now = clock::now();
            let pause = self.due_in(now);
            if pause.is_zero() {
                self.spend(packets, now);
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_leaves_in_any_second_than_the_pace_and_a_burst() {
        for rate in [1, 7, 1_000, 1_000_000] {
            let pace = Pace::of(rate);
            let began = clock::now();
            let mut now = began;
            let mut sent = 0;
            while now < began + Duration::from_secs(3) {
                if pace.due_in(now).is_zero() {
                    pace.spend(4, now);
                    sent += 4;
                } else {
                    now += pace.due_in(now);
                }
            }
            let most = f64::from(rate) * (3.0 + BURST.as_secs_f64()) + 4.0;
            let least = f64::from(rate) * 3.0 - 4.0;
            assert!((least..=most).contains(&f64::from(sent)), "{rate}: {sent}");
        }
    }

    #[test]
    fn what_is_under_way_delays_who_has_not_begun() {
        let pace = Pace::of(100);
        let now = clock::now();
        pace.spend(51, now);
        assert!(pace.due_in(now) > Duration::from_millis(490));
    }
}
