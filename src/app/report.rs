//! `tcpprobe report`.

use super::Failure;
use crate::cli::{Exit, ReportArguments};

pub(super) fn run(_: &ReportArguments) -> Result<Exit, Failure> {
    Err(Failure::could_not_judge("not yet"))
}
