//! A connection that is left idle beside the ordinary look at an endpoint.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Company, Options, PACKETS_A_CONNECTION, hold_once};
use crate::diagnose::hold::HoldLabel;
use crate::evidence::{Observation, Saw};
use crate::net::clock;
use crate::net::finish::Finish;

/// What was seen of it.
pub(super) struct IdleLook {
    /// All of it.
    pub(super) observation: Observation,
    /// Whether new connections failed too, so that it says nothing of idleness.
    pub(super) lost_target: bool,
}

/// Leaves a connection idle for so long, then asks whether it lives.
pub(super) async fn look(
    endpoint: SocketAddr,
    after: Duration,
    options: &Options,
    company: &Company,
    started: Instant,
    interrupt: Finish,
) -> IdleLook {
    company.pace().spend(PACKETS_A_CONNECTION, clock::now());
    let began = clock::now();
    let outcome = hold_once(endpoint, after, options, interrupt).await;
    for held in &outcome.holding.held {
        let control = held.control.as_ref().and_then(|dial| dial.from);
        for from in held.from.into_iter().chain(control) {
            options.beside.ended(from, endpoint);
        }
    }
    IdleLook {
        lost_target: matches!(
            outcome.diagnosis.label,
            HoldLabel::TargetLost | HoldLabel::NotOpen
        ),
        observation: Observation {
            at_s: began.saturating_duration_since(started),
            took_s: clock::now().saturating_duration_since(began),
            saw: Saw::Idle {
                holding: Box::new(outcome.holding),
            },
        },
    }
}
