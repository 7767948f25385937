//! The rounds of a run: one, so many as were asked for, or until somebody says stop.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::stream::{self, StreamExt};
use tokio::time::sleep;

use super::Failure;
use super::output::Printer;
use crate::check::{self, Company, Options, PACKETS_A_CONNECTION, Pace, TargetOutcome, check_target};
use crate::cli::{CheckArguments, Exit};
use crate::diagnose::advice::default_client_hang;
use crate::diagnose::{Cause, Expectation};
use crate::evidence::SynSchedule;
use crate::net::finish::Finish;
use crate::net::{clock, open_files, settings};
use crate::report::{Report, Round, Series};
use crate::target::Target;

/// So many targets are looked at in the same time at most.
const TARGETS_AT_ONCE: usize = 1024;
/// What one target may need in the worst case: connections, controls, pings, timers.
const DESCRIPTORS_A_TARGET: usize = 16;
/// Many packets at once are a flood for the first router.
const PACKETS_PER_SECOND: u32 = 16_000;

pub(super) async fn run(
    targets: &[Target],
    options: &Options,
    arguments: &CheckArguments,
    mut printer: Printer,
    mut interrupt: Finish,
) -> Result<Exit, Failure> {
    let began = clock::now();
    let started = UNIX_EPOCH + clock::unix_now();
    let schedule = settings::syn_schedule();
    let interval = arguments.interval.unwrap_or(Duration::from_secs(1));
    let repeats = arguments.count.is_some() || arguments.interval.is_some();
    let mut series = Vec::new();
    let mut exit = Exit::AsExpected;
    let mut number = 0;
    let outcomes = loop {
        let at = clock::now() - began;
        let outcomes = round(targets, options, schedule, &mut printer, &interrupt).await?;
        number += 1;
        exit = outcomes
            .iter()
            .map(|outcome| judge(outcome, &arguments.expect))
            .fold(exit, Exit::and);
        if repeats {
            record(&mut series, &outcomes, at);
        }
        let is_last = if repeats {
            arguments.count == Some(number)
        } else {
            true
        };
        if is_last || printer.is_closed() {
            break outcomes;
        }
        let next = at + interval;
        tokio::select! {
            () = sleep(next.saturating_sub(clock::now() - began)) => {}
            () = interrupt.requested() => break outcomes,
        }
        if interrupt.is_requested() {
            break outcomes;
        }
    };
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        started,
        targets: &outcomes,
        syn_schedule: schedule,
        series: &series,
    };
    printer.conclude(&report)?;
    Ok(exit)
}

/// The event loop cannot be set up, so nothing can be looked at: that is the answer for every target.
pub(super) fn could_not_begin(
    targets: &[Target],
    options: &Options,
    arguments: &CheckArguments,
    mut printer: Printer,
    error: &io::Error,
) -> Result<Exit, Failure> {
    let schedule = settings::syn_schedule();
    let outcomes: Vec<TargetOutcome> = targets
        .iter()
        .map(|target| check::could_not_begin(target, options, "epoll_create1", error))
        .collect();
    for outcome in &outcomes {
        printer.target(outcome, schedule)?;
    }
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        started: UNIX_EPOCH + clock::unix_now(),
        targets: &outcomes,
        syn_schedule: schedule,
        series: &[],
    };
    printer.conclude(&report)?;
    Ok(outcomes
        .iter()
        .map(|outcome| judge(outcome, &arguments.expect))
        .fold(Exit::AsExpected, Exit::and))
}

/// Looks at all targets once; each is written as soon as it and all before it are known.
async fn round(
    targets: &[Target],
    options: &Options,
    schedule: Option<SynSchedule>,
    printer: &mut Printer,
    interrupt: &Finish,
) -> Result<Vec<TargetOutcome>, Failure> {
    let hang = schedule.map(default_client_hang);
    let at_once = (open_files::limit() / DESCRIPTORS_A_TARGET).clamp(1, TARGETS_AT_ONCE);
    let others = targets.len().min(at_once) - 1;
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    let company = Company::of(others, Pace::of(PACKETS_PER_SECOND));
    let mut checks = stream::iter(targets)
        .map(|target| async {
            company.pace().turn(PACKETS_A_CONNECTION).await;
            check_target(target, options, &company, hang, interrupt.clone()).await
        })
        .buffered(at_once);
    let mut outcomes = Vec::with_capacity(targets.len());
    while let Some(outcome) = checks.next().await {
        let outcome = outcome.map_err(Failure::could_not_judge)?;
        printer.target(&outcome, schedule)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn judge(outcome: &TargetOutcome, expected: &[Expectation]) -> Exit {
    let failed_name = outcome.name.as_ref().and_then(|name| name.failed.as_ref());
    let endpoints = outcome.endpoints.iter().map(|endpoint| endpoint.diagnosis.cause);
    let causes: Vec<Cause> = failed_name
        .map(|diagnosis| diagnosis.cause)
        .into_iter()
        .chain(endpoints)
        .collect();
    Exit::of_name(&causes, expected)
}

/// Adds one round to the series of each endpoint. An address that appears later begins a series of its own.
fn record(series: &mut Vec<Series>, outcomes: &[TargetOutcome], at: Duration) {
    for outcome in outcomes {
        let failed_name = outcome.name.as_ref().and_then(|name| name.failed.as_ref());
        let name = failed_name.map(|diagnosis| (None, diagnosis.cause, None));
        let endpoints = outcome.endpoints.iter().map(|endpoint| {
            let rtt = endpoint.evidence.handshake_rtt();
            (Some(endpoint.evidence.endpoint), endpoint.diagnosis.cause, rtt)
        });
        for (address, cause, handshake_rtt_s) in name.into_iter().chain(endpoints) {
            let round = Round {
                at_s: at,
                cause,
                handshake_rtt_s,
            };
            let known = series
                .iter_mut()
                .find(|known| known.target == outcome.target && known.address == address);
            match known {
                Some(known) => known.rounds.push(round),
                None => series.push(Series {
                    target: outcome.target.clone(),
                    address,
                    rounds: vec![round],
                }),
            }
        }
    }
}
