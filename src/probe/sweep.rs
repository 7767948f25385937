//! A TTL sweep: how far do SYNs to one port get? One four-tuple, one hop after another.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Ask, Limits};
use crate::evidence::{Answer, Dial, IcmpSays};

/// How often a hop that does not answer is asked; senders of ICMP errors limit their rate.
const TRIES_PER_HOP: u8 = 2;
/// After so many hops in a row that do not answer, none will.
const SILENT_HOPS: u8 = 2;
/// What the sweep of the port in question may cost.
const SYNS: u8 = 11;
/// What the sweep that it is compared with may cost: two hops that may be silent, the one before and the host.
const SYNS_TO_COMPARE: u8 = 6;

/// One sweep under way.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    to: SocketAddr,
    ttl: u8,
    tries: u8,
    /// When the hop in question was asked first.
    asked_at: Duration,
    silent_hops: u8,
    first_silent: Option<SilentHop>,
    source_port: Option<u16>,
    pending: bool,
    syns_left: u8,
    stage: Stage,
}

/// A hop that did not answer.
#[derive(Debug, Clone, Copy)]
struct SilentHop {
    ttl: u8,
    asked_at: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// One hop after another.
    Climbing,
    /// The hops do not answer any more; the first of them is asked once more when its sender of ICMP errors must be
    /// able to send one again.
    AskingAgain,
    /// That has been done.
    AskedAgain,
    Over,
}

impl Sweep {
    /// A sweep of the port in question, from the first hop on.
    pub(super) fn toward(to: SocketAddr) -> Self {
        Self {
            to,
            ttl: 1,
            tries: 0,
            asked_at: Duration::ZERO,
            silent_hops: 0,
            first_silent: None,
            source_port: None,
            pending: false,
            syns_left: SYNS,
            stage: Stage::Climbing,
        }
    }

    /// A sweep of another port, to compare: it begins at the last hop that answered this one.
    pub(super) fn compared(&self, to: SocketAddr) -> Option<Self> {
        let silent = self.first_silent?;
        Some(Self {
            ttl: silent.ttl.saturating_sub(1).max(1),
            syns_left: SYNS_TO_COMPARE,
            ..Self::toward(to)
        })
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over || self.syns_left == 0 && !self.pending
    }

    /// No SYN may be spent on it any more.
    pub(super) fn stop(&mut self) {
        self.syns_left = 0;
    }

    /// When the next SYN is due, if nothing else has to happen before.
    pub(super) fn due(&self, limits: &Limits) -> Option<Duration> {
        if self.pending || self.is_over() {
            return None;
        }
        match self.stage {
            Stage::AskingAgain => Some(self.first_silent?.asked_at + limits.icmp_again),
            Stage::Climbing | Stage::AskedAgain => Some(Duration::ZERO),
            Stage::Over => None,
        }
    }

    /// The next SYN of this sweep, if it is time for one.
    pub(super) fn next(&mut self, now: Duration, limits: &Limits) -> Option<Ask> {
        if self.due(limits)? > now {
            return None;
        }
        if self.stage == Stage::AskingAgain {
            self.stage = Stage::AskedAgain;
            self.ttl = self.first_silent?.ttl;
            self.tries = TRIES_PER_HOP - 1;
        }
        if self.tries == 0 {
            self.asked_at = now;
        }
        self.pending = true;
        self.syns_left -= 1;
        self.tries += 1;
        Some(Ask::Hop {
            to: self.to,
            ttl: self.ttl,
            source_port: self.source_port,
            patience: limits.hop,
        })
    }

    pub(super) fn saw(&mut self, dial: &Dial) {
        if dial.to != self.to {
            return;
        }
        self.pending = false;
        self.source_port = self.source_port.or(dial.from.map(|from| from.port()));
        match &dial.answer {
            Answer::Icmp(error) if error.says == IcmpSays::TtlExceeded => {
                self.silent_hops = 0;
                self.first_silent = None;
                self.go_on();
            }
            Answer::Silence if self.tries < TRIES_PER_HOP => {}
            Answer::Silence => self.hop_is_silent(),
            // The host, or whoever speaks for it, was reached; or our own side cannot go on.
            Answer::SynAck(_) | Answer::Rst | Answer::Icmp(_) | Answer::Local(_) => self.stage = Stage::Over,
        }
    }

    fn hop_is_silent(&mut self) {
        if self.stage == Stage::AskedAgain {
            self.stage = Stage::Over;
            return;
        }
        self.first_silent.get_or_insert(SilentHop {
            ttl: self.ttl,
            asked_at: self.asked_at,
        });
        self.silent_hops += 1;
        if self.silent_hops >= SILENT_HOPS {
            self.stage = Stage::AskingAgain;
        } else {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        self.ttl += 1;
        self.tries = 0;
    }
}
