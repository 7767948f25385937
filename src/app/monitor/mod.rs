//! `tcpprobe monitor`: one thread checks, by its schedule and on request; others write events and answer over HTTP.

mod configure;
mod events;
mod look;
mod reload;
mod run;
mod thread;
mod web;

use std::sync::{Arc, Mutex, PoisonError};

use super::Failure;
use crate::cli::{Exit, MonitorArguments};
use crate::monitor::{Aims, Board};
pub(super) use configure::check_elsewhere;
use look::Looks;
use reload::Reloads;

/// What the thread that answers HTTP has of the one that checks.
#[derive(Debug)]
struct State {
    /// What is known of all targets.
    board: Arc<Board>,
    /// Checks on request.
    looks: Looks,
    /// Reloads on request.
    reloads: Reloads,
    aims: Mutex<Arc<Aims>>,
}

impl State {
    /// What may be aimed at, by the configuration in force.
    fn aims(&self) -> Arc<Aims> {
        Arc::clone(&self.aims.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn aim(&self, aims: Aims) {
        *self.aims.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(aims);
    }
}

pub(super) fn run(arguments: &MonitorArguments) -> Result<Exit, Failure> {
    if arguments.init {
        return configure::init();
    }
    if arguments.check {
        return configure::check(arguments);
    }
    let configured = configure::configure(arguments)?;
    run::run(arguments, configured)
}
