//! The run itself: from the edges that are left to what they come to, or to the signal that ends it.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::{MissedTickBehavior, interval};

use super::progress::Progress;
use super::recorder::{Own, Recorder};
use super::{Job, MatrixArguments};
use crate::app::room::Room;
use crate::app::{Failure, complain, gather, no_raw_sockets, open_raw_sockets, stop_requested};
use crate::check::{Bounds, Crowd, Looked, Options};
use crate::cli::{Exit, ModeArgument, SweepArgument};
use crate::diagnose::advice::default_client_hang;
use crate::evidence::SynSchedule;
use crate::matrix::{Edge, Planned, Run};
use crate::net::dial::Source;
use crate::net::raw::Sweeper;
use crate::net::{clock, settings};

/// Looks at all edges that are left.
pub(super) fn run(
    arguments: &MatrixArguments,
    job: &Job,
    mut recorder: Recorder,
    left: Vec<Planned>,
) -> Result<Exit, Failure> {
    let started = clock::unix_now();
    let options = gather::look(&arguments.look).map_err(Failure::usage)?;
    for edge in &left {
        gather::fits(&edge.target, &options).map_err(Failure::usage)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::could_not_judge(format!("epoll_create1() failed: {error}")))?;
    runtime.block_on(async {
        // Before those of the full look, which give CAP_NET_RAW up.
        let sweeper = sweeper(arguments, &options)?;
        if arguments.look.mode == ModeArgument::Raw {
            open_raw_sockets(&options.raw, "--mode raw")?;
        }
        // Before anything is sent: who sees a packet of ours may already send a signal.
        let stop = stop_requested();
        let schedule = settings::syn_schedule();
        let crowd = Crowd::new(
            left,
            options,
            bounds(arguments),
            schedule.map(default_client_hang),
        );
        let crowd = match sweeper {
            Some(sweeper) => crowd.sweeping(sweeper),
            None => crowd,
        };
        tokio::pin!(stop);
        look(arguments, job, crowd, &mut recorder, schedule, stop).await
    })?;
    // What is under way is no result.
    drop(runtime);
    let run = Run {
        source: (*job.source).clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        matrix: job.matrix.clone(),
        started_unix_s: started,
        ended_unix_s: clock::unix_now(),
        planned: job.own as u64,
        done: recorder.done(),
        shard: job.shard,
    };
    recorder.conclude(arguments, &run)
}

/// What `--sweep syn` needs.
fn sweeper(arguments: &MatrixArguments, options: &Options) -> Result<Option<Sweeper>, Failure> {
    match arguments.sweep {
        SweepArgument::Connect => Ok(None),
        SweepArgument::Syn => {
            let permitted = options.raw.ability();
            let source = Source {
                address: options.source,
                port: None,
                interface: options.interface.clone(),
            };
            let opened = options.raw.sweeper(&source);
            opened
                .map(Some)
                .map_err(|error| no_raw_sockets("--sweep syn", permitted, &error))
        }
    }
}

/// Takes what becomes known until all is, or `stop` says to end.
async fn look(
    arguments: &MatrixArguments,
    job: &Job,
    mut crowd: Crowd<Planned>,
    recorder: &mut Recorder,
    schedule: Option<SynSchedule>,
    mut stop: impl Future<Output = ()> + Unpin,
) -> Result<(), Failure> {
    let all = job.edges.len() as u64;
    let mut progress = if arguments.quiet {
        Progress::none()
    } else {
        Progress::new(all)
    };
    let before = all - crowd.wanted().len() as u64;
    let own: Vec<Own> = own(job, &crowd);
    let mut done = before;
    let mut ticks = interval(progress.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    progress.tick(done, 0, recorder.totals());
    loop {
        let looked = tokio::select! {
            biased;
            () = &mut stop => break,
            _ = ticks.tick() => {
                progress.tick(done, crowd.in_flight(), recorder.totals());
                continue;
            }
            looked = next(&mut crowd, recorder, &mut progress) => looked?,
        };
        let Some(looked) = looked else { break };
        let edge = Edge {
            source: Arc::clone(&job.source),
            demand: Arc::clone(&crowd.wanted()[looked.index].demand),
            tried: looked.tried,
            concluded_unix_s: clock::unix_now(),
            syn_schedule: schedule,
            outcome: looked.outcome,
        };
        recorder.add(&edge, own[looked.index])?;
        done += 1;
        if recorder.is_in_vain() {
            break;
        }
    }
    progress.clear();
    recorder.flush()
}

/// The next edge that is known. Nothing that is known already is held back while we wait for it.
async fn next(
    crowd: &mut Crowd<Planned>,
    recorder: &mut Recorder,
    progress: &mut Progress,
) -> Result<Option<Looked>, Failure> {
    if let Some(looked) = crowd.next().now_or_never() {
        return Ok(looked);
    }
    if recorder.writes_lines() {
        progress.clear();
    }
    recorder.flush()?;
    Ok(crowd.next().await)
}

/// Which of the edges that are left are of this part of the matrix.
fn own(job: &Job, crowd: &Crowd<Planned>) -> Vec<Own> {
    let foreign: HashSet<_> = job.edges[job.own..].iter().map(|edge| &edge.target).collect();
    let wanted = crowd.wanted().iter();
    wanted
        .map(|edge| {
            if foreign.contains(&edge.target) {
                Own::No
            } else {
                Own::Yes
            }
        })
        .collect()
}

/// What may be under way at a time, by the limits of this system.
fn bounds(arguments: &MatrixArguments) -> Bounds {
    let room = Room::beside(0);
    let (most, by_files, by_ports) = (room.most(), room.by_files, room.by_ports);
    let at_once = match arguments.concurrency.map(|wanted| wanted as usize) {
        Some(wanted) if wanted > most => {
            complain(&format!(
                "--concurrency {wanted} is more than this system has room for; {most} it is (open files allow {by_files}, local ports {by_ports})"
            ));
            most
        }
        Some(wanted) => wanted,
        None => room.usual(),
    };
    Bounds {
        at_once,
        per_host: arguments.per_host,
        rate: arguments.rate,
    }
}
