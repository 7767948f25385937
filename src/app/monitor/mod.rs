//! `tcpprobe monitor`.

mod configure;

use super::Failure;
use crate::cli::{Exit, MonitorArguments};

pub(super) fn run(arguments: &MonitorArguments) -> Result<Exit, Failure> {
    let configured = configure::configure(arguments)?;
    let _ = configured;
    Err(Failure::could_not_judge("monitor is being built"))
}
