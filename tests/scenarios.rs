//! Runs the real binary in private networks in which connections fail in known ways, and proves before that these
//! networks do what they say.
//!
//! Each file of `tests/scenarios/lab` is one scenario, and each scenario one trial an IP version. With `--accuracy N` as
//! its first argument the program runs each of them N times and prints the table of `docs/accuracy.md` instead.

#[path = "scenarios/harness/accuracy.rs"]
mod accuracy;
#[path = "scenarios/harness/behaviours.rs"]
mod behaviours;
#[path = "scenarios/harness/crowds.rs"]
mod crowds;
#[path = "scenarios/harness/facilities.rs"]
mod facilities;
#[path = "scenarios/harness/inside.rs"]
mod inside;
mod machine;
#[path = "scenarios/harness/matrix.rs"]
mod matrix;
#[path = "scenarios/harness/matrix_forms.rs"]
mod matrix_forms;
#[path = "scenarios/harness/raw.rs"]
mod raw;
#[path = "scenarios/harness/raw_own.rs"]
mod raw_own;
#[path = "scenarios/harness/raw_program.rs"]
mod raw_program;
#[path = "scenarios/harness/scenario.rs"]
mod scenario;
mod schema;
#[path = "scenarios/harness/sweep.rs"]
mod sweep;
mod trials;
#[path = "scenarios/harness/wanted.rs"]
mod wanted;

use libtest_mimic::{Arguments, Failed, Trial};

use tcpprobe::lab::{self, EnterError, Lab, Network};

/// Most of a trial is waiting.
const TRIALS_AT_A_TIME: usize = 12;

fn main() {
    if let Some(code) = inside::main() {
        std::process::exit(code);
    }
    // Before there is a second thread.
    let entered = lab::enter();
    if let Some(exit) = accuracy::main(&entered) {
        std::process::exit(exit);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TRIALS_AT_A_TIME);
    let trials = facilities::trials()
        .into_iter()
        .chain(behaviours::trials())
        .chain(raw::trials())
        .chain(matrix::trials())
        .chain(scenario::trials());
    let trials = match entered {
        Ok(()) => trials.map(Test::trial).collect(),
        Err(reason) => trials.map(|test| test.impossible(&reason)).collect(),
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// A trial in a network of its own.
struct Test {
    name: String,
    network: Network,
    body: Body,
}

/// What is done in the network, once it is up.
type Body = Box<dyn Fn(&Lab) -> Result<(), Failed> + Send>;

impl Test {
    fn trial(self) -> Trial {
        Trial::ignorable_test(self.name.clone(), move || {
            trials::carry_out(&self.name, || self.once())
        })
    }

    fn once(&self) -> Result<(), Failed> {
        let lab = Lab::build(&self.network)?;
        (self.body)(&lab).map_err(|failed| with_trace(&failed, &lab))
    }

    fn impossible(self, reason: &EnterError) -> Trial {
        let reason = reason.to_string();
        Trial::ignorable_test(self.name, move || trials::cannot(&reason))
    }
}

fn with_trace(failed: &Failed, lab: &Lab) -> Failed {
    let message = failed.message().unwrap_or("failed");
    format!("{message}\n\nThe wire saw:\n  {}", lab.trace().join("\n  ")).into()
}
