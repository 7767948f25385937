//! One run of the program, from the parsed command line to the exit code: reads what has to be read, has every target
//! checked and every result written.

mod demo;
mod doctor;
mod document;
mod explain;
mod gather;
mod hold;
mod k8s;
mod matrix;
mod monitor;
mod output;
mod report;
mod room;
mod rounds;
mod sockets;
mod terminal;

pub use gather::GatherError;

use std::fmt::Display;
use std::io::{self, Write};

use crate::cli::{Arguments, CheckArguments, Command, Exit, ModeArgument, write_completions, write_manual};
use crate::evidence::{Ability, LocalError, LocalMeans};
use crate::net::finish::finisher;
use crate::net::privileges;
use crate::net::raw::RawSight;
use gather::{Gathered, gather};
use output::Printer;

/// Runs the program and says how it went.
pub fn run(arguments: &Arguments) -> Exit {
    // Nothing but opening raw sockets needs it. If the kernel will not have it lowered, it stays in force until then.
    let _ = privileges::lower();
    let outcome = match &arguments.command {
        Some(Command::Matrix(what)) => matrix::run(what),
        Some(Command::Monitor(what)) => monitor::run(what),
        Some(Command::Report(what)) => report::run(what),
        Some(Command::K8s(what)) => k8s::run(what),
        Some(Command::Sockets(what)) => sockets::run(what),
        Some(Command::Hold(what)) => hold::run(what),
        Some(Command::Pod(what)) => k8s::pod(what),
        Some(Command::Explain { verdict }) => explain::explain(verdict.as_deref(), &arguments.check),
        Some(Command::Doctor { output }) => doctor::doctor(*output, &arguments.check),
        Some(Command::Man) => output::written(write_manual(&mut io::stdout().lock())),
        Some(Command::Completions { shell }) => {
            output::written(write_completions(*shell, &mut io::stdout().lock()))
        }
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
    let printer = Printer::new(arguments);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return rounds::could_not_begin(&targets, &options, arguments, printer, &error),
    };
    runtime.block_on(async {
        if arguments.look.mode == ModeArgument::Raw || arguments.locate {
            let what = if arguments.locate {
                "--locate"
            } else {
                "--mode raw"
            };
            open_raw_sockets(&options.raw, what)?;
        }
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

/// `what` was asked for is a promise: without raw sockets nothing is looked at.
fn open_raw_sockets(raw: &RawSight, what: &str) -> Result<(), Failure> {
    let permitted = raw.ability();
    match raw.raw() {
        Ok(_) => Ok(()),
        Err(error) => Err(no_raw_sockets(what, permitted, &error)),
    }
}

/// Why what was asked for is not possible; `permitted` is what was known before it was tried.
fn no_raw_sockets(what: &str, permitted: Ability, error: &LocalError) -> Failure {
    let (why, remedy) = match permitted {
        Ability::No { why } => (why, HOW_TO_GIVE_NET_RAW),
        Ability::Yes if error.means == LocalMeans::Denied => (
            format!("{}() failed with {}", error.call, error.errno),
            HOW_TO_GIVE_NET_RAW,
        ),
        Ability::Yes => (format!("{}() failed with {}", error.call, error.errno), ""),
    };
    Failure::could_not_judge(format!(
        "{what} is not possible: {why}{remedy}\nOr leave it out: the report says what it could not tell."
    ))
}

const HOW_TO_GIVE_NET_RAW: &str = "
One of these gives CAP_NET_RAW:
  sudo tcpprobe ...
  sudo setcap cap_net_raw+p \"$(command -v tcpprobe)\"
  Kubernetes: securityContext.capabilities.add: [\"NET_RAW\"]
  docker run --cap-add NET_RAW ...";

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

/// A sentence on standard error. If that is closed there is nobody to tell. It may name what is in somebody's log or file,
/// and that shall not speak to the terminal.
fn complain(says: &str) {
    let says = says.replace(|letter: char| letter.is_control() && letter != '\n', " ");
    let _ = writeln!(io::stderr(), "tcpprobe: {says}");
}
