//! Idle connections to one endpoint: opens, leaves alone and asks what the plan wants, until it is known after how long they
//! are forgotten.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::Options;
use crate::diagnose::hold::{HoldDiagnosis, judge};
use crate::evidence::hold::{Asked, End, Held, Holding};
use crate::evidence::{Ability, Answer, Dial, Question, Shot};
use crate::net::clock;
use crate::net::dial::{self, Call, Hold, Idle, Source};
use crate::net::finish::{Finish, Finisher, finisher};
use crate::net::raw::Order as RawOrder;
use crate::net::sight::sight;
use crate::probe::hold::{Fate, Order, Plan, Wanted};

/// What was seen of idle connections, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldOutcome {
    /// What was seen.
    pub holding: Holding,
    /// What it means.
    pub diagnosis: HoldDiagnosis,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HoldProgress<'a> {
    /// Since the first connection was begun.
    pub elapsed: Duration,
    /// In which round (from 1).
    pub round: u32,
    /// Connections that have come to their end.
    pub held: &'a [Held],
    /// Connections that are idle, or being asked.
    pub open: usize,
}

/// A SYN is given up after this; by then it was sent four times (three times before Linux 6.5).
const PATIENCE: Duration = Duration::from_millis(3_500);
/// How long a raw probe waits for its answer.
const RAW_PATIENCE: Duration = Duration::from_secs(1);
const RAW_TRIES: u32 = 2;

/// Leaves connections to the endpoint idle until it is known how long they may be, or until `interrupt` says to conclude.
/// `tell` is called about once a second.
pub async fn hold(
    endpoint: SocketAddr,
    wanted: Wanted,
    options: &Options,
    mut interrupt: Finish,
    mut tell: impl FnMut(HoldProgress<'_>),
) -> HoldOutcome {
    let (Wanted::Limit { max, .. } | Wanted::Once { after: max }) = wanted;
    let started_unix_s = clock::unix_now();
    let line = Line {
        endpoint,
        options,
        started: clock::now(),
        control: Mutex::new(None),
    };
    let mut plan = Plan::new(wanted);
    let mut held: Vec<Held> = Vec::new();
    let mut finishers: BTreeMap<usize, Finisher> = BTreeMap::new();
    let mut under_way = FuturesUnordered::new();
    let mut round = 0;
    loop {
        let interrupted = interrupt.is_requested();
        if !interrupted {
            let step = plan.step(line.elapsed());
            for order in step.open {
                round = order.round;
                let (finisher, finish) = finisher();
                finishers.insert(order.id, finisher);
                under_way.push(line.carry_out(order, finish));
            }
            for id in step.abandon {
                if let Some(finisher) = finishers.get(&id) {
                    finisher.finish();
                }
            }
            if step.is_done {
                break;
            }
        }
        if under_way.is_empty() {
            break;
        }
        tell(HoldProgress {
            elapsed: line.elapsed(),
            round,
            held: &held,
            open: under_way.len(),
        });
        tokio::select! {
            Some((id, one)) = under_way.next() => {
                finishers.remove(&id);
                plan.saw(id, fate(&one));
                held.push(one);
            }
            // The plan wants to be asked at some moment; a second later is as good.
            () = sleep(Duration::from_secs(1)) => {}
            () = interrupt.requested(), if !interrupted => {
                finishers.values().for_each(Finisher::finish);
            }
        }
    }
    let was_reset = held.iter().any(|one| matches!(one.end, End::Reset { .. }));
    let shots = if was_reset && !interrupt.is_requested() {
        line.who_resets(&interrupt).await
    } else {
        Vec::new()
    };
    let holding = Holding {
        endpoint,
        started_unix_s,
        max_s: max,
        took_s: line.elapsed(),
        interrupted: interrupt.is_requested(),
        sight: sight(endpoint.is_ipv4(), &options.raw),
        held,
        shots,
    };
    HoldOutcome {
        diagnosis: judge(&holding),
        holding,
    }
}

/// Leaves one connection idle for so long, then asks whether it lives: with a second connection as control where it does not.
pub async fn hold_once(
    endpoint: SocketAddr,
    after: Duration,
    options: &Options,
    interrupt: Finish,
) -> HoldOutcome {
    hold(endpoint, Wanted::Once { after }, options, interrupt, |_| {}).await
}

/// What all connections share.
struct Line<'a> {
    endpoint: SocketAddr,
    options: &'a Options,
    started: Instant,
    /// The latest control, and when it was begun.
    control: Mutex<Option<(Instant, Dial)>>,
}

impl Line<'_> {
    fn elapsed(&self) -> Duration {
        clock::now() - self.started
    }

    fn call(&self) -> Call {
        Call {
            to: self.endpoint,
            source: Source {
                address: self.options.source,
                port: None,
                interface: self.options.interface.clone(),
            },
            ttl: None,
            hold: Hold::Exactly(Duration::ZERO),
            patience: Some(PATIENCE),
        }
    }

    async fn carry_out(&self, order: Order, mut finish: Finish) -> (usize, Held) {
        tokio::select! {
            () = sleep(order.delay) => {}
            () = finish.requested() => {}
        }
        let began = clock::now();
        let idle = dial::hold(&self.call(), order.after, finish.clone()).await;
        let control = if ended(&idle.end) {
            // One that was begun before the question does not show that the target was there when it was asked.
            self.control_since(began + idle.idle, finish).await
        } else {
            None
        };
        let at = idle.made.unwrap_or(began) - self.started;
        (order.id, held(order, at, idle, control))
    }

    async fn control_since(&self, moment: Instant, finish: Finish) -> Option<Dial> {
        let mut latest = self.control.lock().await;
        if let Some((began, dial)) = &*latest
            && *began >= moment
        {
            return Some(dial.clone());
        }
        let began = clock::now();
        let dial = dial::dial(&self.call(), finish.clone(), |_, _| {}).await;
        if dial.answer == Answer::Silence && finish.is_requested() {
            return None;
        }
        *latest = Some((began, dial.clone()));
        Some(dial)
    }

    /// The TTLs of the host's SYN-ACK and of the RST to an ACK of no connection.
    async fn who_resets(&self, interrupt: &Finish) -> Vec<Shot> {
        let mut shots = Vec::new();
        let (Ability::Yes, Ok(raw)) = (self.options.raw.ability(), self.options.raw.raw()) else {
            return shots;
        };
        for question in [Question::Syn, Question::Ack] {
            for _ in 0..RAW_TRIES {
                let order = RawOrder {
                    question,
                    to: self.endpoint,
                    size: None,
                    on: None,
                    source: self.call().source,
                    ttl: None,
                    patience: RAW_PATIENCE,
                };
                let shot = raw.shoot(&order, interrupt.clone()).await;
                let is_answered = shot.replies().is_some_and(|replies| !replies.is_empty());
                shots.push(shot);
                if is_answered {
                    break;
                }
            }
        }
        shots
    }
}

/// Whether the connection is no more, so that somebody has to show that the target is.
fn ended(end: &End) -> bool {
    match end {
        End::Silent { .. } | End::Reset { .. } | End::Rejected { .. } | End::Closed { .. } => true,
        End::NotMade { .. } | End::Alive { .. } | End::CutShort | End::CouldNotAsk { .. } => false,
    }
}

fn held(order: Order, at: Duration, idle: Idle, control: Option<Dial>) -> Held {
    Held {
        round: order.round,
        at_s: at,
        from: idle.from,
        wanted_s: order.after,
        syns: idle.syns,
        idle_s: idle.idle,
        quiet_s: idle.quiet,
        peer_segments: idle.peer_segments,
        end: idle.end,
        control,
    }
}

/// For the plan, a connection is as old as it was wanted to be: how long the peer was silent is for the verdict.
fn fate(held: &Held) -> Fate {
    match &held.end {
        End::Alive { .. } => Fate::Lived(held.wanted_s),
        End::Reset { to: Asked::Nothing }
        | End::Closed { to: Asked::Nothing }
        | End::Rejected {
            to: Asked::Nothing, ..
        } => Fate::Ended {
            began: held.at_s,
            age: held.idle_s,
        },
        End::Silent { .. } | End::Reset { .. } | End::Closed { .. } | End::Rejected { .. } => {
            Fate::Died(held.wanted_s)
        }
        End::NotMade { .. } | End::CutShort | End::CouldNotAsk { .. } => Fate::Nothing,
    }
}

#[cfg(test)]
mod tests;
