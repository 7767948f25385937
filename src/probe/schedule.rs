//! When to ask: the moments of an investigation, and the asks that wait for theirs.

use std::time::Duration;

use super::Ask;
use crate::evidence::{Evidence, Saw};

/// The moments of an investigation, since its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a first connection may take before we look further.
    pub patience: Duration,
    /// When to try again: spread over more than a second, since a short outage or a rate limit fakes silence.
    pub tries: [Duration; 3],
    /// When to try three times more, if the path loses packets.
    pub more_tries: [Duration; 3],
    /// When silence is judged, if the host answers elsewhere.
    pub settled: Duration,
    /// The same after more tries.
    pub settled_late: Duration,
    /// How long a hop is waited for.
    pub hop: Duration,
    /// When a hop that did not answer is asked again: senders of ICMP errors limit themselves to about one a second.
    pub icmp_again: Duration,
    /// How long an answer from within one hop is waited for: what is that near answers at once.
    pub ttl_one: Duration,
    /// How long an echo reply is waited for.
    pub echo: Duration,
    /// The pause before something is looked at again.
    pub again: Duration,
}

impl Limits {
    /// The moments for a run that may take `timeout`; they shrink with it when it is under two seconds.
    pub fn within(timeout: Duration) -> Self {
        let scale = (timeout.as_secs_f64() / 2.0).min(1.0);
        let at = |milliseconds: u64| Duration::from_millis(milliseconds).mul_f64(scale);
        Self {
            patience: at(250),
            tries: [at(250), at(600), at(1100)],
            // The kernel has retransmitted the SYN of at least three connections by then.
            settled: at(1850),
            more_tries: [at(1450), at(1700), at(1950)],
            settled_late: at(2400).min(timeout),
            hop: at(200),
            icmp_again: at(1050),
            ttl_one: at(20),
            echo: at(800),
            again: at(250),
        }
    }

    /// When the last try starts.
    pub(super) fn last_try(&self) -> Duration {
        self.tries[2]
    }
}

/// Asks that wait for their moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    waiting: Vec<(Duration, Ask)>,
    ttl_one_sent: bool,
}

impl Schedule {
    pub(super) fn add(&mut self, at: Duration, ask: Ask) {
        self.waiting.push((at, ask));
    }

    /// Takes what is due.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Ask> {
        let (due, waiting) = self
            .waiting
            .drain(..)
            .partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.waiting = waiting;
        let due: Vec<Ask> = due.into_iter().map(|(_, ask)| ask).collect();
        self.ttl_one_sent |= due.iter().any(|ask| matches!(ask, Ask::TtlOne { .. }));
        due
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    /// What all that waits may cost, in packets.
    pub(super) fn cost(&self) -> u32 {
        self.waiting.iter().map(|(_, ask)| ask.cost()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn holds(&self, wanted: impl Fn(&Ask) -> bool) -> bool {
        self.waiting.iter().any(|(_, ask)| wanted(ask))
    }

    pub(super) fn has_sent_ttl_one(&self) -> bool {
        self.ttl_one_sent
    }

    pub(super) fn waits_for_ttl_one(&self, evidence: &Evidence) -> bool {
        self.ttl_one_sent
            && !evidence
                .observations
                .iter()
                .any(|seen| matches!(seen.saw, Saw::TtlOne(_)))
    }
}
