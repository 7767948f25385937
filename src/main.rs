//! Parse, run, exit code. Nothing else.

use std::process::ExitCode;

use clap::Parser;
use tcpprobe::{app, cli};

fn main() -> ExitCode {
    ExitCode::from(app::run(&cli::Arguments::parse()).code())
}
