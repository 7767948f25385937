//! argv to a request. No system calls.

mod args;
mod exit;
mod expect;

pub use args::{
    Arguments, CheckArguments, Colour, Command, DemoArguments, ModeArgument, Output, ResolverArgument,
};
pub use exit::Exit;
pub use expect::Expectation;
