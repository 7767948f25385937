//! What the endpoints that are looked at in the same time know of each other: how many there are, and what the path to
//! each host loses.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Pace;
use crate::diagnose::SHORTEST_WAIT;
use crate::evidence::{Answer, Controls, IcmpError, IcmpSays, Observation, Question, Reply, ReplySays, Saw};
use crate::probe::Ask;

/// Who has fewer endpoints of a host to reject has not reached the limit of its ICMP errors (Linux: six, then one a second).
const ICMP_BURST: usize = 6;

/// The company of one round.
#[derive(Debug)]
pub struct Company {
    /// Other targets that are looked at in the same time.
    others: u32,
    pace: Pace,
    rejections: Rejections,
    hosts: Mutex<HashMap<IpAddr, Ledger>>,
}

/// Whether what rejected one endpoint may have rejected another of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rejections {
    /// Many are looked at within a second, and who rejects them limits the rate of its ICMP errors: silence may be a rejection.
    Shared,
    /// Each has its own time, and the error that it is due.
    Own,
}

/// SYNs to other ports of one host: all of them when all endpoints keep one, or one endpoint's.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// Those that were sent; those that the kernel sends again are not among them.
    sent: Count,
    /// Those of them that were answered.
    answered: Count,
    /// Those that the kernel had to send again before it was answered.
    sent_again: u32,
    /// The endpoints of the host that were looked at, but for those that its TCP has answered: these cost nobody an ICMP error.
    without_answer: HashSet<SocketAddr>,
    /// What rejected an endpoint, and which.
    rejection: Option<(SocketAddr, IcmpError)>,
}

/// How many packets were sent, by whether an answer to them should have come by now.
#[derive(Debug, Clone, Default)]
struct Count {
    due: u32,
    /// When those were sent that are not due yet.
    waiting: Vec<Instant>,
}

impl Company {
    /// For a target beside so many others, all of which keep that pace.
    pub fn of(others: u32, pace: Pace) -> Self {
        Self {
            others,
            pace,
            rejections: Rejections::Shared,
            hosts: Mutex::default(),
        }
    }

    /// The same, of targets whose checks are spread over time: a sender of ICMP errors has one for each of them, so that the
    /// silence of one port is no rejection because another port of its host is rejected.
    #[must_use]
    pub fn spread(self) -> Self {
        Self {
            rejections: Rejections::Own,
            ..self
        }
    }

    /// The pace that all keep.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(super) fn others(&self) -> u32 {
        self.others
    }

    /// Writes something into the host's ledger.
    pub(super) fn note(&self, host: IpAddr, entry: impl FnOnce(&mut Ledger)) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        entry(hosts.entry(host).or_default());
    }

    /// No endpoint of the host is left to be looked at.
    pub(super) fn forget(&self, host: IpAddr) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.remove(&host);
    }

    /// How many hosts there are ledgers of.
    #[cfg(test)]
    pub(super) fn hosts(&self) -> usize {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the controls of other endpoints of a host have come to by `now`; absent where there are none, or where it
    /// answers none.
    pub(super) fn controls_of_others(
        &self,
        host: IpAddr,
        own: &mut Ledger,
        now: Instant,
    ) -> Option<Controls> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (hosts.get_mut(&host)?.controls(now), own.controls(now));
        let others = Controls {
            answered: all.answered.saturating_sub(own.answered),
            unanswered: all.unanswered.saturating_sub(own.unanswered),
        };
        (others.answered > 0).then_some(others)
    }

    /// What rejected another endpoint of the host, if so many may have been rejected that the sender's limit may have kept
    /// this one's ICMP error away.
    pub(super) fn rejection_of_others(&self, endpoint: SocketAddr) -> Option<IcmpError> {
        if self.rejections == Rejections::Own {
            return None;
        }
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.get(&endpoint.ip())?;
        let (rejected, error) = host.rejection.as_ref()?;
        (host.without_answer.len() > ICMP_BURST && *rejected != endpoint).then(|| error.clone())
    }
}

impl Ledger {
    /// A probe is about to start.
    pub(super) fn starts(&mut self, ask: &Ask, endpoint: SocketAddr, now: Instant) {
        if matches!(ask, Ask::Connect) {
            self.without_answer.insert(endpoint);
        }
        let is_control = match ask {
            Ask::Control(_) => true,
            Ask::Raw { question, to, .. } => *question == Question::Syn && *to != endpoint,
            Ask::Connect
            | Ask::ConnectAndHold(_)
            | Ask::Hop { .. }
            | Ask::TtlOne { .. }
            | Ask::Echo { .. }
            | Ask::Listener
            | Ask::Route
            | Ask::Host => false,
        };
        if is_control {
            self.sent.add(now);
        }
    }

    /// A probe has its outcome.
    pub(super) fn ended(&mut self, observation: &Observation, endpoint: SocketAddr, now: Instant) {
        let sent = now.checked_sub(observation.took_s).unwrap_or(now);
        if let Saw::Connect(dial) = &observation.saw
            && let Some(error) = dial.answer.icmp()
            && error.says != IcmpSays::TtlExceeded
            && !error.from_self
        {
            self.rejection = Some((endpoint, error.clone()));
        }
        if let Saw::Connect(dial) = &observation.saw
            && matches!(dial.answer, Answer::SynAck(_) | Answer::Rst)
        {
            self.without_answer.remove(&endpoint);
        }
        if let Saw::Control(dial) = &observation.saw
            && matches!(dial.answer, Answer::SynAck(_) | Answer::Rst)
        {
            self.answered.add(sent);
            self.sent_again += dial.syns.saturating_sub(1);
        }
        if let Saw::Raw(shot) = &observation.saw
            && shot.question == Question::Syn
            && shot.to != endpoint
        {
            // Whoever answers by ICMP does not do so every time.
            let by_tcp = |reply: &Reply| !matches!(reply.says, ReplySays::Icmp(_));
            let replies = shot.replies().unwrap_or_default();
            if replies.iter().any(by_tcp) {
                self.answered.add(sent);
            }
        }
    }

    /// Of those that should have been answered by now: who counts all answers, and of the others only those that have been
    /// given up, finds less loss than there is.
    fn controls(&mut self, now: Instant) -> Controls {
        let answered = self.answered.due(now);
        Controls {
            answered,
            unanswered: self.sent.due(now).saturating_sub(answered) + self.sent_again,
        }
    }
}

impl Count {
    fn add(&mut self, sent: Instant) {
        self.waiting.push(sent);
    }

    /// Those that were sent long enough ago.
    fn due(&mut self, now: Instant) -> u32 {
        let before = self.waiting.len();
        self.waiting
            .retain(|sent| now.saturating_duration_since(*sent) < SHORTEST_WAIT);
        let due = u32::try_from(before - self.waiting.len()).unwrap_or(u32::MAX);
        self.due = self.due.saturating_add(due);
        self.due
    }
}
