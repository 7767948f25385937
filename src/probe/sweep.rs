//! A TTL sweep: how far do SYNs to one port get? One four-tuple, one hop after another.

use std::net::SocketAddr;
use std::time::Duration;

use super::Ask;
use crate::evidence::{Answer, Dial, IcmpSays};

/// No path that is in use is longer than this many routers often enough to be worth the packets.
const LAST_TTL: u8 = 16;
/// How often a hop that does not answer is asked; senders of ICMP errors limit their rate.
const TRIES_PER_HOP: u8 = 2;
/// After so many hops in a row that do not answer, none will.
const SILENT_HOPS: u8 = 2;

/// One sweep under way.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    to: SocketAddr,
    ttl: u8,
    tries: u8,
    silent_hops: u8,
    source_port: Option<u16>,
    pending: bool,
    over: bool,
    /// The last TTL at which a router answered; one less than the first TTL when none has.
    reached: u8,
    arrived: bool,
}

impl Sweep {
    /// A sweep that begins with the hop at `first_ttl`.
    pub(super) fn toward(to: SocketAddr, first_ttl: u8) -> Self {
        Self {
            to,
            ttl: first_ttl,
            tries: 0,
            silent_hops: 0,
            source_port: None,
            pending: false,
            over: false,
            reached: first_ttl.saturating_sub(1),
            arrived: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Where the sweep goes.
    pub(super) fn to(&self) -> SocketAddr {
        self.to
    }

    /// The source port that all its SYNs have.
    pub(super) fn source_port(&self) -> Option<u16> {
        self.source_port
    }

    /// The last TTL at which a router answered.
    pub(super) fn reached(&self) -> u8 {
        self.reached
    }

    /// Whether the port itself answered.
    pub(super) fn has_arrived(&self) -> bool {
        self.arrived
    }

    /// The next SYN of this sweep, if it is time for one.
    pub(super) fn next(&mut self, patience: Duration) -> Option<Ask> {
        if self.over || self.pending {
            return None;
        }
        self.pending = true;
        self.tries += 1;
        Some(Ask::Hop {
            to: self.to,
            ttl: self.ttl,
            source_port: self.source_port,
            patience,
        })
    }

    pub(super) fn saw(&mut self, dial: &Dial) {
        if dial.to != self.to || !self.pending {
            return;
        }
        self.pending = false;
        self.source_port = self.source_port.or(dial.from.map(|from| from.port()));
        match &dial.answer {
            Answer::Icmp(error) if error.says == IcmpSays::TtlExceeded => {
                self.silent_hops = 0;
                self.reached = self.ttl;
                self.go_on();
            }
            Answer::Silence if self.tries < TRIES_PER_HOP => {}
            Answer::Silence => {
                self.silent_hops += 1;
                self.over = self.silent_hops >= SILENT_HOPS;
                self.go_on();
            }
            // The host, or whoever speaks for it, was reached; or our own side cannot go on.
            Answer::SynAck(_) | Answer::Rst | Answer::Icmp(_) | Answer::Local(_) => {
                self.over = true;
                self.arrived = !matches!(dial.answer, Answer::Local(_));
            }
        }
    }

    fn go_on(&mut self) {
        self.ttl += 1;
        self.tries = 0;
        self.over |= self.ttl > LAST_TTL;
    }
}
