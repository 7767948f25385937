//! `tcpprobe matrix`.

use super::Failure;
use crate::cli::{Exit, MatrixArguments};

pub(super) fn run(_: &MatrixArguments) -> Result<Exit, Failure> {
    Err(Failure::could_not_judge("not yet"))
}
