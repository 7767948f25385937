//! `tcpprobe k8s`.

use super::Failure;
use crate::cli::{Exit, KubernetesArguments};

pub(super) fn run(_: &KubernetesArguments) -> Result<Exit, Failure> {
    Err(Failure::could_not_judge("not yet"))
}
