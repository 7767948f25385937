//! How long a client with the system's own settings hangs on silence.

use std::time::Duration;

use crate::diagnose::{Cause, Class};
use crate::evidence::SynSchedule;

/// `TCP_TIMEOUT_INIT`: the retransmission timeout of the first SYN (RFC 6298).
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);

/// `TCP_RTO_MAX`.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Time until `connect()` fails with ETIMEDOUT when nothing answers, by the kernel's own rules and without the few
/// milliseconds that each timer fires late (131 s by this sum were 133.4 s on the wire).
///
/// `tcp_write_timeout()` gives up at the timeout after `tcp_syn_retries` + `tcp_syn_linear_timeouts`
/// retransmissions. `tcp_retransmit_timer()` leaves the timeout as it is for the linear ones and doubles it after
/// each later one, up to `TCP_RTO_MAX`.
pub fn default_client_hang(schedule: SynSchedule) -> Duration {
    timeouts(schedule).sum()
}

/// What is left of that time when so many SYNs were sent again and the next is due in `next`.
pub fn rest_of_connect(schedule: SynSchedule, already: u32, next: Duration) -> Duration {
    let done = usize::try_from(already).unwrap_or(usize::MAX).saturating_add(1);
    next + timeouts(schedule).skip(done).sum::<Duration>()
}

/// Whether a client hangs in `connect()` until its kernel gives up, as nothing ever answers.
pub const fn hangs_silently(cause: Cause) -> bool {
    matches!(cause, Cause::SynDropped) || matches!(cause.class(), Class::Filtered)
}

fn timeouts(schedule: SynSchedule) -> impl Iterator<Item = Duration> {
    let linear = schedule.linear_timeouts.unwrap_or(0);
    let retransmissions = schedule.retries.saturating_add(linear);
    let mut timeout = FIRST_TIMEOUT;
    (0..=retransmissions).map(move |already| {
        if already > linear {
            timeout = (timeout * 2).min(LONGEST_TIMEOUT);
        }
        timeout
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(retries: u32, linear_timeouts: Option<u32>) -> SynSchedule {
        SynSchedule {
            retries,
            linear_timeouts,
        }
    }

    fn syns_at(schedule: SynSchedule) -> Vec<u64> {
        let retransmitted = timeouts(schedule).scan(Duration::ZERO, |at, timeout| {
            *at += timeout;
            Some(at.as_secs())
        });
        let mut all: Vec<u64> = std::iter::once(0).chain(retransmitted).collect();
        all.pop();
        all
    }

    #[test]
    fn since_linux_6_5_the_first_retransmissions_come_every_second() {
        let defaults = schedule(6, Some(4));
        assert_eq!(syns_at(defaults), [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]);
        assert_eq!(default_client_hang(defaults), Duration::from_secs(131));
    }

    #[test]
    fn older_kernels_double_from_the_start() {
        let defaults = schedule(6, None);
        assert_eq!(syns_at(defaults), [0, 1, 3, 7, 15, 31, 63]);
        assert_eq!(default_client_hang(defaults), Duration::from_secs(127));
        assert_eq!(
            default_client_hang(schedule(6, Some(0))),
            Duration::from_secs(127)
        );
    }

    #[test]
    fn no_single_timeout_is_longer_than_120_s() {
        assert_eq!(
            default_client_hang(schedule(8, None)),
            Duration::from_secs(127 + 120 + 120)
        );
        assert_eq!(timeouts(schedule(127, Some(127))).max(), Some(LONGEST_TIMEOUT));
    }
}
