//! One run of the program, from the parsed command line to the exit code: reads what has to be read, has every target
//! checked and every result written.

mod demo;
mod explain;
mod gather;
mod output;
mod rounds;

pub use gather::GatherError;

use std::fmt::Display;
use std::io::{self, Write};

use crate::cli::{Arguments, CheckArguments, Command, Exit, ModeArgument};
use crate::net::finish::finisher;
use gather::{Gathered, gather};
use output::Printer;

/// Runs the program and says how it went.
pub fn run(arguments: &Arguments) -> Exit {
    let outcome = match &arguments.command {
        Some(Command::Explain { verdict }) => explain::explain(verdict.as_deref(), &arguments.check),
        Some(Command::Demo(what)) => demo::run(what, &arguments.check),
        None => check(&arguments.check),
    };
    outcome.unwrap_or_else(|failure| {
        complain(&failure.says);
        failure.exit
    })
}

/// The run could not do its job.
#[derive(Debug)]
struct Failure {
    says: String,
    exit: Exit,
}

impl Failure {
    fn usage(says: impl Display) -> Self {
        Self {
            says: says.to_string(),
            exit: Exit::Usage,
        }
    }

    fn could_not_judge(says: impl Display) -> Self {
        Self {
            says: says.to_string(),
            exit: Exit::CouldNotJudge,
        }
    }
}

fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let Gathered { targets, options } = gather(arguments).map_err(Failure::usage)?;
    if arguments.mode == ModeArgument::Raw {
        return Err(Failure::could_not_judge(
            "--mode raw is not possible: this version looks through the kernel's own sockets only; leave --mode out, and \
             the report says what it could not tell",
        ));
    }
    let printer = Printer::new(arguments);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return rounds::could_not_begin(&targets, &options, arguments, printer, &error),
    };
    runtime.block_on(async {
        // Before anything is sent: who sees a packet of ours may already send a signal.
        let stop = stop_requested();
        let (finisher, interrupt) = finisher();
        let rounds = rounds::run(&targets, &options, arguments, printer, interrupt);
        tokio::pin!(rounds);
        tokio::select! {
            exit = &mut rounds => return exit,
            () = stop => finisher.finish(),
        }
        rounds.await
    })
}

/// Catches signals from now on, and is ready when the user or the system wants the run to end. What is known is then
/// written.
fn stop_requested() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// A sentence on standard error. If that is closed there is nobody to tell.
fn complain(says: &str) {
    let _ = writeln!(io::stderr(), "tcpprobe: {says}");
}
