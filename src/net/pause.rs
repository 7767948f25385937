//! Waiting for a short time, exactly.
#![expect(unsafe_code, reason = "AsyncFd wants a promise about its descriptor")]

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The runtime's own timer counts whole milliseconds and rounds up: up to two of them when one is asked for.
const WORTH_A_TIMER: Duration = Duration::from_millis(20);

/// Returns when the time is over, for a short time at most tens of microseconds later.
pub(super) async fn pause(duration: Duration) {
    if duration.is_zero() {
        return;
    }
    if duration < WORTH_A_TIMER
        && let Ok(timer) = timer(duration)
        && timer.readable().await.is_ok()
    {
        return;
    }
    tokio::time::sleep(duration).await;
}

fn timer(duration: Duration) -> io::Result<AsyncFd<OwnedFd>> {
    let timer = TimerFd::new(
        ClockId::CLOCK_MONOTONIC,
        TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
    )?;
    timer.set(
        Expiration::OneShot(TimeSpec::from_duration(duration)),
        TimerSetTimeFlags::empty(),
    )?;
    // SAFETY: the descriptor belongs to the `OwnedFd`, which keeps it open and the same until it is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(OwnedFd::from(timer), Interest::READABLE) };
    Ok(registered?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::clock;

    #[tokio::test]
    async fn no_pause_ends_before_its_time() {
        for micros in [0, 50, 1_000, 21_000] {
            let duration = Duration::from_micros(micros);
            let began = clock::now();
            pause(duration).await;
            assert!(clock::now() - began >= duration);
        }
    }
}
