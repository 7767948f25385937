//! What an investigation asks for.

use std::net::SocketAddr;
use std::time::Duration;

use crate::evidence::Question;

/// A probe to be carried out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A connection to the port in question, from a fresh source port.
    Connect,
    /// The same, kept open for so long before it is closed: does the peer reset it on its own?
    ConnectAndHold(Duration),
    /// A connection to another port of the host.
    Control(SocketAddr),
    /// A SYN to `to` that may live for `ttl` hops, from `source_port` if one is named: one sweep keeps one
    /// four-tuple, so that a load-balanced path (ECMP) stays the same.
    Hop {
        /// Where to.
        to: SocketAddr,
        /// For how many hops.
        ttl: u8,
        /// The source port of the sweep, once its first SYN has been sent.
        source_port: Option<u16>,
        /// How long to wait.
        patience: Duration,
    },
    /// A connection to the port in question whose SYN may live for one hop.
    TtlOne {
        /// How long to wait.
        patience: Duration,
    },
    /// A segment that we make ourselves.
    Raw {
        /// What it asks.
        question: Question,
        /// Where to.
        to: SocketAddr,
        /// Our side of the connection that it pretends to belong to, for [`Question::Challenge`].
        on: Option<SocketAddr>,
        /// How long to wait.
        patience: Duration,
    },
    /// An echo request.
    Echo {
        /// How long to wait.
        patience: Duration,
    },
    /// The listening socket of the port, which is on our own host.
    Listener,
    /// Our own kernel's route, which costs little.
    Route,
    /// Our own host's route, neighbour, listening socket and counters. Asked again, it tells what changed.
    Host,
}

impl Ask {
    /// How many packets of ours it may take until it has its outcome.
    pub(crate) fn cost(&self) -> u32 {
        match self {
            // The SYN and two retransmissions; when it is made an ACK and a FIN instead.
            Self::Connect | Self::ConnectAndHold(_) | Self::Control(_) => 3,
            Self::Raw {
                question: Question::HalfOpen,
                ..
            } => 2,
            Self::Raw { .. } | Self::Hop { .. } | Self::TtlOne { .. } | Self::Echo { .. } => 1,
            Self::Listener | Self::Route | Self::Host => 0,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Carry out these probes, then call again when one of them has an outcome, or at that time.
    Go {
        /// Probes to start now.
        asks: Vec<Ask>,
        /// When to call again at the latest, since the first packet.
        wake: Duration,
    },
    /// Enough is known, or no time is left: conclude what is still under way.
    Done,
}
