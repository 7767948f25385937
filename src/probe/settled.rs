//! When enough is known: whether the verdict would stay the same if the investigation went on.

use std::time::Duration;

use super::raw::has_tcp_answer;
use super::sweep::Sweep;
use super::{Investigation, Stage};
use crate::diagnose::{Confidence, diagnose};
use crate::evidence::{Answer, Dial, Evidence, IcmpSays, Observation, Ping, Saw};

impl Investigation {
    /// Whether the verdict would stay the same if we went on.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        match self.stage {
            Stage::New | Stage::Opening => false,
            Stage::Confirming => self.schedule.is_empty() && self.is_confirmed(now),
            Stage::LookingFurther => self.has_plain_answer() || self.is_proven() || self.is_seen_through(now),
        }
    }

    /// The looks that confirm a first answer take two round trips; a connection that is not made by then is silence.
    fn is_confirmed(&self, now: Duration) -> bool {
        let asked_at = self
            .evidence
            .observations
            .first()
            .map_or(Duration::ZERO, |first| first.at_s + first.took_s);
        let waiting = self.connects_pending > 0
            || self.raw_pending > 0
            || self.life_pending > 0 && !self.host_has_answered()
            || self.schedule.waits_for_ttl_one(&self.evidence);
        !waiting || now >= asked_at + 3 * self.limits.again
    }

    /// Somebody said no.
    fn has_plain_answer(&self) -> bool {
        let rejected = |dial: &Dial| {
            let error = dial.answer.icmp();
            dial.to == self.evidence.endpoint
                && error.is_some_and(|error| error.says != IcmpSays::TtlExceeded)
        };
        let on_the_way = self
            .evidence
            .observations
            .iter()
            .any(|observation| matches!(&observation.saw, Saw::Hop(dial) if rejected(dial)));
        on_the_way
            || self.raw_syn_is_refused()
            || self
                .connects()
                .any(|dial| matches!(dial.answer, Answer::Rst | Answer::Icmp(_)))
    }

    fn is_proven(&self) -> bool {
        let silent = self
            .connects()
            .next()
            .is_none_or(|dial| dial.answer == Answer::Silence);
        silent
            && self.is_local()
            && diagnose(&self.with_pending_as_silent()).confidence == Confidence::Certain
    }

    /// What the evidence would be if all that is pending stayed silent.
    fn with_pending_as_silent(&self) -> Evidence {
        let mut evidence = self.evidence.clone();
        let silent = Dial {
            to: evidence.endpoint,
            from: None,
            ttl: None,
            syns: 1,
            answer: Answer::Silence,
        };
        let pending = Observation {
            at_s: Duration::ZERO,
            took_s: self.limits.settled,
            saw: Saw::Connect(silent),
        };
        evidence
            .observations
            .extend((0..self.connects_pending).map(|_| pending.clone()));
        evidence
    }

    fn is_seen_through(&self, now: Duration) -> bool {
        let all_asked = self.schedule.is_empty();
        let answered = self
            .connects()
            .filter(|dial| matches!(dial.answer, Answer::SynAck(_)))
            .count();
        if answered > 0 {
            // Late, but none lost: two answers and the path's own round trip tell it all.
            let none_lost = self.raw_syns_are_answered(now)
                && self
                    .connects()
                    .all(|dial| dial.syns == 1 && dial.answer != Answer::Silence);
            if none_lost && self.first_is_concluded() && answered >= 2 && self.host_has_answered() {
                return true;
            }
            return all_asked
                && self.connects_pending == 0
                && now >= self.limits.last_try() + self.limits.again
                || now >= self.limits.settled;
        }
        if self.endings_pending > 0 {
            return now >= self.limits.settled;
        }
        let swept = self.sweeps.iter().all(Sweep::is_over);
        let settled = if self.tried_more_often {
            self.limits.settled_late
        } else {
            self.limits.settled
        };
        all_asked && swept && now >= settled && self.host_has_answered()
    }

    /// When the answer to [`Self::is_settled`] may change by the mere passing of time.
    pub(super) fn next_judgement(&self, now: Duration) -> Duration {
        let ending = self
            .connected_by
            .map_or(self.limits.patience, |connected| self.ending_is_due(connected));
        let moments = [
            self.limits.patience,
            ending,
            self.limits.last_try() + self.limits.again,
            self.limits.settled,
            self.limits.settled_late,
            self.evidence
                .observations
                .first()
                .map_or(self.evidence.timeout_s, |first| {
                    first.at_s + first.took_s + 3 * self.limits.again
                }),
        ];
        moments
            .into_iter()
            .filter(|moment| *moment > now)
            .min()
            .unwrap_or(self.evidence.timeout_s)
    }

    /// Whether the very first SYN, which is the one that a client would have sent, has met its fate.
    fn first_is_concluded(&self) -> bool {
        self.evidence.observations.iter().any(|observation| {
            matches!(observation.saw, Saw::Connect(_)) && observation.at_s < self.limits.patience
        })
    }

    pub(super) fn host_has_answered(&self) -> bool {
        self.evidence
            .observations
            .iter()
            .any(|observation| match &observation.saw {
                Saw::Control(dial) => matches!(dial.answer, Answer::Rst | Answer::SynAck(_)),
                Saw::Echo(ping) => *ping == Ping::Reply,
                Saw::Raw(shot) => shot.to != self.evidence.endpoint && has_tcp_answer(shot),
                Saw::Connect(_)
                | Saw::Hop(_)
                | Saw::TtlOne(_)
                | Saw::OtherControls(_)
                | Saw::OtherRejection(_)
                | Saw::Route(_)
                | Saw::Neighbour(_)
                | Saw::Listener(_)
                | Saw::Counters(_)
                | Saw::OwnSockets(_)
                | Saw::Size(_)
                | Saw::LinkMtu(_)
                | Saw::Idle { .. } => false,
            })
    }
}
