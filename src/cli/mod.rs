//! argv to a request. No system calls.

mod args;
mod exit;
mod expect;
mod manual;

pub use args::{
    Arguments, CheckArguments, Colour, Command, DemoArguments, DocumentForm, ModeArgument, Output,
    ResolverArgument,
};
pub use exit::Exit;
pub use expect::Expectation;
pub use manual::{write_completions, write_manual};
