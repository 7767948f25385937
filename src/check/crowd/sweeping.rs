//! The sweep before the full look: a raw SYN to every endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use super::Bounds;
use super::plan::Plan;
use crate::check::{EndpointOutcome, Options};
use crate::diagnose::diagnose;
use crate::evidence::{Evidence, Mode, Observation, Saw, Sight};
use crate::net::clock;
use crate::net::raw::{Plain, Sweep, SweepOrder, Sweeper, Swept};

/// How far the sweep is.
pub(super) enum Sweeping {
    /// There is none, or it is over.
    None,
    /// Nothing has been sent.
    Wanted(Sweeper),
    /// Something has been.
    UnderWay {
        sweep: Sweep,
        /// What is swept, in the order in which it is.
        order: Vec<u32>,
        /// What is to be looked at afterwards.
        odd: Vec<u32>,
    },
}

/// What the sweep says next.
pub(super) enum Turn {
    /// An endpoint has answered plainly.
    Answered(u32, Plain),
    /// It is over; these are to be looked at.
    Over(Vec<u32>),
}

impl Sweeping {
    /// Begins, if there is to be a sweep; says what is to be looked at without.
    pub(super) fn begin(&mut self, plan: &Plan, options: &Options, bounds: Bounds) -> Vec<u32> {
        let order = plan.shuffled();
        let Self::Wanted(sweeper) = std::mem::replace(self, Self::None) else {
            return order;
        };
        let begun = sweeper.begin(SweepOrder {
            endpoints: order.iter().map(|unit| plan.endpoint(*unit)).collect(),
            rate: bounds.rate,
            slow: options.slow,
        });
        // A system that has no room for two threads has to do without.
        let Ok(sweep) = begun else { return order };
        *self = Self::UnderWay {
            sweep,
            order,
            odd: Vec::new(),
        };
        Vec::new()
    }

    /// What the sweep has to say next; absent where there is none. Nothing is lost when this is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Turn> {
        let Self::UnderWay { sweep, order, odd } = self else {
            return None;
        };
        loop {
            match sweep.next().await {
                Some(Swept::Plain(plain)) => return Some(Turn::Answered(order[plain.index], plain)),
                Some(Swept::Odd { index }) => odd.push(order[index]),
                None => {
                    let odd = std::mem::take(odd);
                    *self = Self::None;
                    return Some(Turn::Over(odd));
                }
            }
        }
    }

    /// Has an endpoint looked at afterwards, whatever it answered.
    pub(super) fn look_at(&mut self, unit: u32) {
        if let Self::UnderWay { odd, .. } = self {
            odd.push(unit);
        }
    }
}

/// What a plain answer comes to.
pub(super) fn outcome(
    endpoint: SocketAddr,
    plain: Plain,
    timeout: Duration,
    options: &Options,
    sight: &Sight,
) -> EndpointOutcome {
    let mut observations = vec![Observation {
        at_s: Duration::ZERO,
        took_s: plain.took_s,
        saw: Saw::Raw(plain.shot),
    }];
    if let Some(look) = options.beside.known(endpoint, clock::now()) {
        observations.push(Observation {
            at_s: plain.took_s,
            took_s: Duration::ZERO,
            saw: Saw::OwnSockets(look),
        });
    }
    let evidence = Evidence {
        endpoint,
        started_unix_s: plain.started_unix_s,
        slow_s: options.slow,
        timeout_s: timeout,
        sight: Sight {
            mode: Mode::Raw,
            ..sight.clone()
        },
        observations,
    };
    EndpointOutcome {
        diagnosis: diagnose(&evidence),
        evidence,
    }
}
