//! What this host's settings make of a limit: what hangs, for how long, and what would not.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{HoldLabel, Limit};
use crate::diagnose::sockets::span;
use crate::diagnose::vocabulary::{UnknownLabel, labelled};
use crate::evidence::sockets::Settings;

labelled! {
    /// What a program does with a connection that was idle for longer than the limit.
    Behaviour {
        /// It writes, without keepalive: what a pool does that gives out an old connection.
        Write = "write",
        /// It waits for data, without keepalive: a consumer, a subscriber.
        Read = "read",
        /// It waits for data, with `SO_KEEPALIVE` and the settings of this host.
        ReadWithKeepalive = "read-with-keepalive",
    }
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The connection never is idle for that long.
    KeptAlive,
    /// It gets an error at once, or within a round trip.
    FailsAtOnce,
    /// It hangs for so long, then gets an error.
    Hangs(Duration),
    /// It hangs for good.
    HangsForEver,
}

/// What comes of one behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// What the program does.
    pub behaviour: Behaviour,
    /// What comes of it.
    pub settled: Settled,
}

/// What comes of each behaviour. Empty where nothing ends idle connections; what cannot be computed here is left out.
pub fn consequences(
    label: HoldLabel,
    by_itself: bool,
    limit: Limit,
    settings: &Settings,
) -> Vec<Consequence> {
    let all = Behaviour::ALL.iter().filter_map(|behaviour| {
        let settled = settle(label, by_itself, limit, *behaviour, settings)?;
        Some(Consequence {
            behaviour: *behaviour,
            settled,
        })
    });
    all.collect()
}

fn settle(
    label: HoldLabel,
    by_itself: bool,
    limit: Limit,
    behaviour: Behaviour,
    settings: &Settings,
) -> Option<Settled> {
    let silent = match label {
        HoldLabel::IdleDropped => true,
        HoldLabel::IdleReset | HoldLabel::IdleRejected | HoldLabel::PeerClosed => false,
        HoldLabel::Healthy | HoldLabel::TargetLost | HoldLabel::NotOpen | HoldLabel::Undecided => {
            return None;
        }
    };
    // Its end is delivered, to whoever waits for it.
    let is_told = by_itself || label == HoldLabel::PeerClosed;
    match behaviour {
        Behaviour::Write if silent => Some(Settled::Hangs(span(settings.retries2?, settings))),
        Behaviour::Write => Some(Settled::FailsAtOnce),
        Behaviour::Read if is_told => Some(Settled::FailsAtOnce),
        Behaviour::Read => Some(Settled::HangsForEver),
        Behaviour::ReadWithKeepalive => {
            let (first, interval) = (settings.keepalive_time?, settings.keepalive_interval?);
            // A peer that closes by the silence of its application does not count probes.
            if first < limit.at_least_s && label != HoldLabel::PeerClosed {
                return Some(Settled::KeptAlive);
            }
            if is_told {
                return Some(Settled::FailsAtOnce);
            }
            let probes = if silent { settings.keepalive_probes? } else { 0 };
            Some(Settled::Hangs(first + interval * probes))
        }
    }
}

/// The longest time until the first keepalive probe that keeps a connection alive also when two probes in a row are lost, in whole
/// seconds as the kernel takes them; absent where the limit is too short for that.
pub fn longest_keepalive(limit: Limit) -> Option<Duration> {
    let seconds = limit.at_least_s.as_secs() / 3;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn defaults() -> Settings {
        Settings {
            retries2: Some(15),
            keepalive_time: Some(seconds(7200)),
            keepalive_interval: Some(seconds(75)),
            keepalive_probes: Some(9),
            ..Settings::default()
        }
    }

    fn limit() -> Limit {
        Limit {
            at_least_s: seconds(345),
            at_most_s: seconds(355),
        }
    }

    fn settled(label: HoldLabel, settings: &Settings) -> Vec<Settled> {
        let all = consequences(label, label == HoldLabel::PeerClosed, limit(), settings);
        all.iter().map(|one| one.settled).collect()
    }

    #[test]
    fn with_the_defaults_a_pool_hangs_for_15_min_24_s_and_a_reader_for_2_h_11_min() {
        assert_eq!(
            settled(HoldLabel::IdleDropped, &defaults()),
            [
                Settled::Hangs(Duration::from_millis(924_600)),
                Settled::HangsForEver,
                Settled::Hangs(seconds(7875)),
            ]
        );
    }

    #[test]
    fn keepalive_below_the_limit_keeps_a_connection_alive_but_not_against_the_peers_own_timer() {
        let settings = Settings {
            keepalive_time: Some(seconds(60)),
            ..defaults()
        };
        assert_eq!(settled(HoldLabel::IdleDropped, &settings)[2], Settled::KeptAlive);
        assert_eq!(settled(HoldLabel::PeerClosed, &settings)[2], Settled::FailsAtOnce);
        assert_eq!(longest_keepalive(limit()), Some(seconds(115)));
    }

    #[test]
    fn a_reset_that_waits_for_a_question_leaves_a_reader_waiting() {
        assert_eq!(
            settled(HoldLabel::IdleReset, &defaults()),
            [
                Settled::FailsAtOnce,
                Settled::HangsForEver,
                Settled::Hangs(seconds(7200)),
            ]
        );
    }

    #[test]
    fn what_lives_has_no_consequences_and_what_cannot_be_read_is_not_computed() {
        assert!(settled(HoldLabel::Healthy, &defaults()).is_empty());
        assert_eq!(
            settled(HoldLabel::IdleDropped, &Settings::default()),
            [Settled::HangsForEver]
        );
    }
}
