//! `tcpprobe monitor` as a whole: against networks in which ports fail and come back, asked over HTTP as Prometheus asks, and
//! looked at as a person does.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

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
mod trials;

use libtest_mimic::{Arguments, Failed, Trial};
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
    let parts: [fn(&House) -> Vec<Trial>; 5] = [
        engine::trials,
        exposition::trials,
        http::trials,
        page::trials,
        prometheus::trials,
    ];
    let all = parts.iter().flat_map(|part| part(&house)).collect();
    libtest_mimic::run(&arguments, all).exit();
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
        job: impl Fn() -> Result<(), Failed> + Send + 'static,
    ) -> Trial {
        let (name, why_not) = (name.into(), self.why_not.clone());
        Trial::ignorable_test(name.clone(), move || match why_not {
            None => trials::carry_out(&name, job),
            Some(reason) => trials::cannot(&reason),
        })
    }
}

/// A failure that says why, where something does not hold.
pub(crate) fn wanted(holds: bool, why: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(why().into()) }
}
