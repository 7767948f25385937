//! argv to a request. No system calls.

mod args;
mod exit;
mod k8s;

mod manual;
mod matrix;

pub use args::{
    Arguments, CheckArguments, Colour, Command, DemoArguments, DocumentForm, ModeArgument, Output,
    ResolverArgument,
};
pub use exit::Exit;

pub use k8s::{KubernetesArguments, PodCommand, WorkloadKind, check_matrix_options};
pub use manual::{write_completions, write_manual};
pub use matrix::{MatrixArguments, MatrixForm, ReportArguments, SweepArgument};
