//! `tcpprobe monitor` as a whole: against networks in which ports fail and come back, asked over HTTP as Prometheus asks, and
//! looked at as a person does.

#[path = "monitor/engine.rs"]
mod engine;
#[path = "monitor/exposition.rs"]
mod exposition;
#[path = "monitor/http.rs"]
mod http;
#[path = "monitor/page.rs"]
mod page;
#[path = "monitor/prometheus.rs"]
mod prometheus;

use std::fmt::Display;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tcpprobe::lab;

/// The program under test.
pub(crate) const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");

fn main() {
    // Before there is a second thread.
    let entered = lab::enter();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    let house = House {
        why_not: entered.err().map(|error| error.to_string()),
    };
    let parts = [
        engine::trials,
        exposition::trials,
        http::trials,
        page::trials,
        prometheus::trials,
    ];
    let trials = parts.iter().flat_map(|trials| trials(&house)).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// What all trials have in common.
pub(crate) struct House {
    /// Why there are no namespaces, where there are none.
    why_not: Option<String>,
}

impl House {
    /// A trial that may build labs (`lab::Lab::build`), and start programs in them.
    pub(crate) fn trial(
        &self,
        name: impl Into<String>,
        job: impl FnOnce() -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let why_not = self.why_not.clone();
        Trial::ignorable_test(name, move || match why_not {
            None => job().map(|()| Completion::Completed),
            Some(reason) => cannot(reason),
        })
    }
}

/// A trial that cannot run here says so; in CI, where all of them can, that is a failure.
pub(crate) fn cannot(reason: impl Display) -> Result<Completion, Failed> {
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        return Err(reason.to_string().into());
    }
    Ok(Completion::ignored_with(reason.to_string()))
}

/// A failure that says why, where something does not hold.
pub(crate) fn wanted(holds: bool, why: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(why().into()) }
}
