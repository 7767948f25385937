//! How fast SYNs may leave. Pure.

use std::time::Duration;

/// So much ahead of the pace is no flood for the first router.
const BURST: Duration = Duration::from_millis(2);

/// Packets a second, and never more in a row than a few milliseconds' worth.
#[derive(Debug)]
pub(super) struct Cadence {
    nanoseconds_a_packet: u64,
    /// When all that was sent would have been, packet by packet; in nanoseconds since the sweep began.
    paid_until: u64,
}

impl Cadence {
    /// At most so many packets a second (from 1).
    pub(super) fn of(rate: u32) -> Self {
        Self {
            nanoseconds_a_packet: 1_000_000_000_u64.div_ceil(u64::from(rate.max(1))),
            paid_until: 0,
        }
    }

    /// How many packets may leave at once.
    pub(super) fn may_leave(&self, now: Duration) -> usize {
        let now = nanoseconds(now);
        let Some(ahead) = now.checked_sub(self.paid_until) else {
            return 0;
        };
        let packets = ahead.min(nanoseconds(BURST)) / self.nanoseconds_a_packet + 1;
        usize::try_from(packets).unwrap_or(usize::MAX)
    }

    /// So many packets leave.
    pub(super) fn spend(&mut self, packets: usize, now: Duration) {
        let earliest = nanoseconds(now).saturating_sub(nanoseconds(BURST));
        let cost = u64::try_from(packets)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.nanoseconds_a_packet);
        self.paid_until = self.paid_until.max(earliest).saturating_add(cost);
    }

    /// When the next packet may leave.
    pub(super) fn next(&self) -> Duration {
        Duration::from_nanos(self.paid_until)
    }
}

/// Enough for five hundred years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many leave within that time when all that may leave does.
    fn sent_within(rate: u32, time: Duration, pause: Duration) -> usize {
        let mut cadence = Cadence::of(rate);
        let (mut sent, mut now) = (0, Duration::ZERO);
        while now < time {
            let packets = cadence.may_leave(now);
            cadence.spend(packets, now);
            sent += packets;
            now = (now + pause).max(cadence.next());
        }
        sent
    }

    #[test]
    fn as_many_leave_as_may_and_no_more() {
        for rate in [1, 7, 1_000, 100_000, 3_000_000] {
            let sent = sent_within(rate, Duration::from_secs(3), Duration::from_micros(500));
            let wanted = 3 * usize::try_from(rate).unwrap();
            let burst = wanted / 1_000 + 1;
            assert!(
                sent <= wanted + burst && sent + wanted / 50 + 1 >= wanted,
                "{rate}: {sent}"
            );
        }
    }

    #[test]
    fn who_was_kept_waiting_does_not_catch_up_with_a_flood() {
        let cadence = Cadence::of(10_000);
        assert_eq!(cadence.may_leave(Duration::from_secs(60)), 21);
    }

    #[test]
    fn what_others_sent_is_paid_for() {
        let mut cadence = Cadence::of(1_000);
        cadence.spend(100, Duration::ZERO);
        assert_eq!(cadence.may_leave(Duration::from_millis(99)), 0);
        assert_eq!(cadence.may_leave(Duration::from_millis(100)), 1);
    }
}
