//! `tcpprobe hold`.

mod progress;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use super::gather::{GatherError, fits, look, services};
use super::{Failure, open_raw_sockets, output, stop_requested};
use crate::check::{Company, HoldPlan, HoldWanted, Options, Pace, TargetOutcome, check_target, hold};
use crate::cli::{DocumentForm, Exit, HoldArguments, ModeArgument};
use crate::diagnose::advice::default_client_hang;
use crate::diagnose::hold::HoldLabel;
use crate::diagnose::{Cause, Class, Expectation};
use crate::net::dns::Families;
use crate::net::finish::{Finish, finisher};
use crate::net::{clock, interfaces, settings, sockets};
use crate::report::Verbosity;
use crate::report::hold::{HoldReport, write_json, write_text};
use crate::target::Target;
use progress::Progress;

/// One target is no flood.
const PACKETS_PER_SECOND: u32 = 1_000;

pub(super) fn run(arguments: &HoldArguments) -> Result<Exit, Failure> {
    let targets = Target::parse_words(&arguments.target, &services()).map_err(Failure::usage)?;
    let [target] = &targets[..] else {
        return Err(Failure::usage(
            "one target at a time: connections to each have to be idle for as long",
        ));
    };
    let options = options(arguments)?;
    fits(target, &options).map_err(Failure::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::could_not_judge)?;
    runtime.block_on(async {
        if arguments.look.mode == ModeArgument::Raw {
            open_raw_sockets(&options.raw, "--mode raw")?;
        }
        // Before anything is sent: who sees a packet of ours may already send a signal.
        let stop = stop_requested();
        let (finisher, interrupt) = finisher();
        let looking = look_and_hold(target, &options, arguments, interrupt);
        tokio::pin!(looking);
        tokio::select! {
            exit = &mut looking => return exit,
            () = stop => finisher.finish(),
        }
        looking.await
    })
}

fn options(arguments: &HoldArguments) -> Result<Options, Failure> {
    let mut options = look(&arguments.look).map_err(Failure::usage)?;
    let Some(address) = arguments.source else {
        return Ok(options);
    };
    if !interfaces::is_own_address(address) {
        return Err(Failure::usage(GatherError::Source { address }));
    }
    options.families = match (address.is_ipv4(), options.families) {
        (true, Families::V6) | (false, Families::V4) => {
            return Err(Failure::usage(format!(
                "--source {address} is of the other address family than -4 or -6 asks for"
            )));
        }
        (true, _) => Families::V4,
        (false, _) => Families::V6,
    };
    options.source = Some(address);
    Ok(options)
}

async fn look_and_hold(
    target: &Target,
    options: &Options,
    arguments: &HoldArguments,
    interrupt: Finish,
) -> Result<Exit, Failure> {
    let started = UNIX_EPOCH + clock::unix_now();
    let schedule = settings::syn_schedule();
    let hang = schedule.map(default_client_hang);
    let company = Company::of(0, Pace::of(PACKETS_PER_SECOND));
    let check = check_target(target, options, &company, hang, interrupt.clone())
        .await
        .map_err(Failure::could_not_judge)?;
    let wanted = wanted(arguments);
    let outcome = match open_endpoint(&check) {
        None => None,
        Some(endpoint) => {
            let at_most = HoldPlan::new(wanted).takes_at_most();
            let mut progress = Progress::begin(endpoint, wanted, at_most);
            let outcome = hold(endpoint, wanted, options, interrupt, |now| progress.tick(now)).await;
            progress.clear();
            Some(outcome)
        }
    };
    let report = HoldReport {
        version: env!("CARGO_PKG_VERSION"),
        started,
        check: &check,
        syn_schedule: schedule,
        settings: &sockets::settings(),
        outcome: outcome.as_ref(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match arguments.output {
        DocumentForm::Json => write_json(&report, &mut out),
        DocumentForm::Text => write_text(
            &report,
            &output::style_of(arguments.color, Verbosity::Normal),
            &mut out,
        ),
    };
    output::is_read(written.and_then(|()| out.flush()))?;
    Ok(exit(&report))
}

fn wanted(arguments: &HoldArguments) -> HoldWanted {
    match arguments.after {
        Some(after) => HoldWanted::Once { after },
        None => HoldWanted::Limit {
            max: arguments.max,
            connections: arguments.connections.into(),
            within: arguments
                .within
                .map(|within| within.max(Duration::from_millis(1))),
        },
    }
}

/// The first address, in the order in which a client would try them, to which connections can be made.
fn open_endpoint(check: &TargetOutcome) -> Option<SocketAddr> {
    let mut endpoints = check.endpoints.iter();
    let open = endpoints.find(|one| matches!(one.diagnosis.cause.class(), Class::Open | Class::Slow));
    open.map(|one| one.evidence.endpoint)
}

fn exit(report: &HoldReport<'_>) -> Exit {
    match report.label() {
        HoldLabel::Healthy => Exit::AsExpected,
        HoldLabel::IdleDropped | HoldLabel::IdleReset | HoldLabel::IdleRejected | HoldLabel::PeerClosed => {
            Exit::NotAsExpected
        }
        HoldLabel::TargetLost | HoldLabel::Undecided => Exit::CouldNotJudge,
        HoldLabel::NotOpen => {
            let causes: Vec<Cause> = report.causes().collect();
            match Exit::of_name(&causes, &[Expectation::Class(Class::Open)]) {
                // It was open when it was looked at, and not when it was to be held.
                Exit::AsExpected => Exit::CouldNotJudge,
                other @ (Exit::NotAsExpected | Exit::Usage | Exit::CouldNotJudge) => other,
            }
        }
    }
}
