//! `tcpprobe matrix`.

pub(super) mod file;

use super::Failure;
use crate::cli::{Exit, MatrixArguments};

pub(super) fn run(arguments: &MatrixArguments) -> Result<Exit, Failure> {
    if arguments.init {
        return file::init();
    }
    if arguments.check {
        return file::check(arguments);
    }
    Err(Failure::could_not_judge("not yet"))
}
