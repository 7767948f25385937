//! `tcpprobe monitor`.

mod configure;
mod look;
mod reload;

use std::sync::{Arc, Mutex, PoisonError};

use super::Failure;
use crate::cli::{Exit, MonitorArguments};
use crate::monitor::{Board, Config};
use look::Looks;
use reload::Reloads;

/// What the thread that answers HTTP has of the one that checks.
#[derive(Debug)]
pub(super) struct State {
    /// What is known of all targets.
    pub(super) board: Arc<Board>,
    /// Checks on request.
    pub(super) looks: Looks,
    /// Reloads on request.
    pub(super) reloads: Reloads,
    config: Mutex<Arc<Config>>,
}

impl State {
    /// What is in force.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
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
    let _ = configured;
    Err(Failure::could_not_judge("monitor is being built"))
}
