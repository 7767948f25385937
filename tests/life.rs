//! The rest of a connection's life, in the lab: each module has trials of its own.

#[path = "sockets/far.rs"]
#[allow(dead_code, reason = "other tests make other sockets of it")]
mod far;
#[path = "life/hold.rs"]
mod hold;
#[path = "sockets/holder.rs"]
#[allow(dead_code, reason = "other tests ask other things of it")]
mod holder;
#[path = "life/own_sockets.rs"]
mod own_sockets;
#[path = "life/pmtu.rs"]
mod pmtu;
#[allow(dead_code, reason = "other tests look at other definitions")]
mod schema;
mod trials;

use libtest_mimic::{Arguments, Failed, Trial};
use tcpprobe::lab::{self, Family};

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// With every capability in the namespaces.
    Root,
    /// Without any.
    Plain,
}

/// What a module shows, in one network.
type Show = fn(Family, Reader) -> Result<(), Failed>;

fn main() {
    if std::env::args().nth(1).as_deref() == Some(holder::ARGUMENT) {
        std::process::exit(holder::obey());
    }
    // Before there is a second thread.
    let entered = lab::enter();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(8);
    let mut all = Vec::new();
    // Most of the first is waiting, so that the others have their turn meanwhile.
    let shows: Vec<(&str, Show)> = [hold::SHOWS, own_sockets::SHOWS, pmtu::SHOWS].concat();
    for (what, show) in shows {
        for family in Family::BOTH {
            for reader in [Reader::Root, Reader::Plain] {
                let name = format!("{what}_{family:?}_as_{reader:?}").to_lowercase();
                let why_not = entered.as_ref().err().map(ToString::to_string);
                all.push(Trial::ignorable_test(name.clone(), move || match why_not {
                    None => trials::carry_out(&name, || show(family, reader)),
                    Some(reason) => trials::cannot(&reason),
                }));
            }
        }
    }
    libtest_mimic::run(&arguments, all).exit();
}

/// A failure that says why, where something does not hold.
pub(crate) fn wanted(holds: bool, why: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(why().into()) }
}
