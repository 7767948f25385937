//! argv to a request. No system calls.

mod args;
mod exit;
mod hold;
mod k8s;

mod look;
mod manual;
mod matrix;
mod monitor;
mod sockets;

pub use args::{Arguments, CheckArguments, Colour, Command, DemoArguments, DocumentForm, Output};
pub use exit::Exit;
pub use hold::HoldArguments;

pub use k8s::{
    ExtraKind, KubernetesArguments, PodCommand, WorkloadKind, check_matrix_options, check_monitor_options,
};
pub use look::{LookArguments, ModeArgument, ResolverArgument};
pub use manual::{write_completions, write_manual};
pub use matrix::{MatrixArguments, MatrixForm, ReportArguments, SweepArgument};
pub use monitor::MonitorArguments;
pub use sockets::{Destination, SocketsArguments};
