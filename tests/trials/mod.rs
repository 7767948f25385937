//! How a trial in a network of threads is judged: among others, and once more alone where that failed.

use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Completion, Failed};

/// Read by a trial among others, written by one that has the machine to itself.
static MACHINE: RwLock<()> = RwLock::new(());

/// Carries a trial out. On a machine that has no time for them, threads that stand for a network do something else than
/// they were told: what fails among other trials is done once more alone, and that counts.
pub(crate) fn carry_out(name: &str, once: impl Fn() -> Result<(), Failed>) -> Result<Completion, Failed> {
    let among_others = {
        let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        once()
    };
    let Err(first) = among_others else {
        return Ok(Completion::Completed);
    };
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    let said = first.message().unwrap_or("failed");
    let said: Vec<&str> = said.lines().take(20).collect();
    writeln!(
        io::stderr(),
        "{name} failed among others, and is done once more alone:\n  {}",
        said.join("\n  ")
    )?;
    once().map(|()| Completion::Completed)
}

/// A trial that cannot run here says so; in CI, where all of them can, that is a failure.
pub(crate) fn cannot(reason: &str) -> Result<Completion, Failed> {
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        return Err(reason.into());
    }
    Ok(Completion::ignored_with(reason))
}
