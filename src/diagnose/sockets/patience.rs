//! How long the kernel goes on trying, by its own rules.

use std::time::Duration;

use crate::diagnose::advice::rest_of_connect;
use crate::evidence::sockets::{Owner, Settings, Socket, State, Timer};

/// `TCP_RTO_MIN`, with which the kernel computes how long a number of retries is (`tcp_model_timeout`).
const SHORTEST: Duration = Duration::from_millis(200);
/// `TCP_RTO_MAX`, where `tcp_rto_max_ms` says nothing else.
const LONGEST: Duration = Duration::from_secs(120);
/// What `tcp_orphan_retries` 0 stands for (`tcp_orphan_retries()`).
const ORPHAN_RETRIES: u32 = 8;

/// How long retransmissions go on at least after the first of them, by a number of retries: 15 are 15 min 24 s.
pub(in crate::diagnose) fn span(retries: u32, settings: &Settings) -> Duration {
    let longest = settings.rto_max.unwrap_or(LONGEST).max(SHORTEST);
    let doublings = (longest.as_millis() / SHORTEST.as_millis()).max(1).ilog2();
    let doubled = retries.min(doublings);
    SHORTEST * ((2_u32 << doubled) - 1) + longest * retries.saturating_sub(doublings)
}

/// The retries for a connection that no program holds any more.
pub(super) fn orphan_retries(settings: &Settings) -> Option<u32> {
    settings
        .orphan_retries
        .map(|retries| if retries == 0 { ORPHAN_RETRIES } else { retries })
}

/// After a SYN came: until the kernel forgets it, when nothing answers its SYN-ACKs. They go out again after a second,
/// doubled each time (`reqsk_timeout`).
pub(super) fn half_open(retries: u32) -> Duration {
    (0..=retries)
        .map(|number| Duration::from_secs(2_u64.saturating_pow(number)).min(LONGEST))
        .sum()
}

/// In how long the kernel gives the connection up if nothing comes, unless its program has set a time of its own
/// (`TCP_USER_TIMEOUT`, `TCP_SYNCNT`), which nobody else can see. Absent where it does not give up by itself.
pub fn gives_up_in(socket: &Socket, settings: &Settings) -> Option<Duration> {
    let (Timer::Retransmit, next) = socket.timer? else {
        return None;
    };
    let retries = match socket.state {
        State::SynSent => return Some(rest_of_connect(settings.syn_schedule?, socket.tries.into(), next)),
        State::FinWait1 | State::Closing | State::LastAck if socket.owner == Owner::Nobody => {
            orphan_retries(settings)?
        }
        State::Established | State::CloseWait | State::FinWait1 | State::Closing | State::LastAck => {
            settings.retries2?
        }
        // The kernel tells how often it sent the SYN-ACK again, which each further SYN makes it do, and not how often its
        // timer fired.
        State::SynReceived | State::FinWait2 | State::TimeWait | State::Listen => return None,
    };
    Some(rest(socket, next, span(retries, settings), settings))
}

/// As `tcp_write_timeout()` decides at each timeout: whether the first retransmission was so long ago.
fn rest(socket: &Socket, next: Duration, span: Duration, settings: &Settings) -> Duration {
    let longest = settings.rto_max.unwrap_or(LONGEST).max(SHORTEST);
    let Some(info) = socket.info else { return span };
    let mut timeout = info.rto.max(Duration::from_millis(1));
    let first = timeout / 2_u32.saturating_pow(info.backoff.into());
    let before: Duration = (1..u32::from(socket.tries))
        .map(|number| (first * 2_u32.saturating_pow(number.min(20))).min(longest))
        .sum();
    let mut since_first = if socket.tries == 0 {
        Duration::ZERO
    } else {
        before + timeout.max(next)
    };
    let mut tries = u32::from(socket.tries);
    let mut waiting = next;
    // Every timer fires a few milliseconds late, so that a sum of timeouts just below the span is above it on the wire.
    while tries == 0 || since_first + SHORTEST < span {
        tries += 1;
        timeout = (timeout * 2).min(longest);
        waiting += timeout;
        since_first += timeout;
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::socket;
    use super::*;
    use crate::evidence::SynSchedule;
    use crate::evidence::sockets::Info;

    fn settings() -> Settings {
        Settings {
            retries2: Some(15),
            orphan_retries: Some(0),
            synack_retries: Some(5),
            syn_schedule: Some(SynSchedule {
                retries: 6,
                linear_timeouts: Some(4),
            }),
            ..Settings::default()
        }
    }

    fn retransmitting(state: State, tries: u8, next: Duration) -> Socket {
        let rto = Duration::from_millis(200) * 2_u32.pow(tries.into());
        Socket {
            timer: Some((Timer::Retransmit, next)),
            tries,
            info: Some(Info {
                rto: rto.min(LONGEST),
                backoff: tries,
                ..Info::default()
            }),
            ..socket(state)
        }
    }

    #[test]
    fn fifteen_retries_are_15_min_24_s_and_eight_are_1_min_42_s() {
        assert_eq!(span(15, &settings()), Duration::from_millis(924_600));
        assert_eq!(span(8, &settings()), Duration::from_millis(102_200));
        assert_eq!(half_open(5), Duration::from_secs(63));
    }

    #[test]
    fn a_lower_ceiling_for_timeouts_makes_it_shorter() {
        let settings = Settings {
            rto_max: Some(Duration::from_secs(1)),
            ..settings()
        };
        // Doubled twice, to 0.8 s, then thirteen of one second.
        assert_eq!(span(15, &settings), Duration::from_millis(14_400));
    }

    #[test]
    fn the_rest_grows_shorter_as_retransmissions_go_by() {
        let in_whole = |tries, next| {
            gives_up_in(
                &retransmitting(State::Established, tries, Duration::from_millis(next)),
                &settings(),
            )
            .unwrap()
        };
        let (early, late) = (in_whole(3, 1600), in_whole(6, 12_800));
        // 0.4 + 0.8 s of retransmissions lie between the first and the third.
        assert!(
            early > Duration::from_secs(900) && early < Duration::from_secs(930),
            "{early:?}"
        );
        assert!(late + Duration::from_secs(9) < early, "{late:?}");
    }

    #[test]
    fn a_connection_without_a_program_is_given_up_sooner() {
        let held = retransmitting(State::LastAck, 3, Duration::from_secs(1));
        let orphan = Socket {
            owner: Owner::Nobody,
            ..held.clone()
        };
        assert!(gives_up_in(&orphan, &settings()) < gives_up_in(&held, &settings()));
    }

    #[test]
    fn a_syn_has_its_own_schedule() {
        let second = Duration::from_secs(1);
        let rest = |tries| gives_up_in(&retransmitting(State::SynSent, tries, second), &settings());
        assert_eq!(rest(0), Some(Duration::from_secs(131)));
        assert_eq!(rest(1), Some(Duration::from_secs(130)));
        assert_eq!(
            gives_up_in(&retransmitting(State::SynReceived, 1, second), &settings()),
            None
        );
    }

    #[test]
    fn what_waits_for_no_retransmission_is_not_given_up() {
        assert_eq!(gives_up_in(&socket(State::Established), &settings()), None);
    }
}
