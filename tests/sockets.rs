//! `tcpprobe sockets` against sockets that were really brought into every state that it has a label for: by a process of
//! its own, as root and as a plain user, over IPv4 and IPv6.

#[path = "sockets/far.rs"]
mod far;
#[path = "sockets/holder.rs"]
mod holder;
#[path = "sockets/situation.rs"]
mod situation;
mod trials;

use std::fs;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use tcpprobe::lab::{self, Family, Network};

use situation::{Reader, Situation};

fn main() {
    if std::env::args().nth(1).as_deref() == Some(holder::ARGUMENT) {
        std::process::exit(holder::obey());
    }
    // Before there is a second thread.
    let entered = lab::enter();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    let mut all = Vec::new();
    for family in Family::BOTH {
        for reader in [Reader::Root, Reader::Plain] {
            let name = format!("every_state_is_named_for_what_it_is_{family:?}_as_{reader:?}").to_lowercase();
            let why_not = entered.as_ref().err().map(ToString::to_string);
            all.push(Trial::ignorable_test(name.clone(), move || match why_not {
                None => trials::carry_out(&name, || every_state(family, reader)),
                Some(reason) => trials::cannot(&reason),
            }));
        }
    }
    libtest_mimic::run(&arguments, all).exit();
}

fn every_state(family: Family, reader: Reader) -> Result<(), Failed> {
    let lab = lab::Lab::build(&Network::default())?;
    let mut situation = Situation::bring_about(&lab, family, reader)?;
    let document = situation.until_all_is_seen()?;
    holds_to_the_schema(&document)?;
    situation.hold_filters_against_the_truth()?;
    situation.hold_a_second_look_against_the_first()?;
    situation.look_from_outside()?;
    situation.hold_a_growing_leak_against_the_truth()
}

fn holds_to_the_schema(document: &Value) -> Result<(), Failed> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/tcpprobe-sockets-v1.schema.json"
    );
    let schema: Value = serde_json::from_slice(&fs::read(path)?)?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    wanted(errors.is_empty(), || errors.join("\n"))
}

/// A failure that says why, where something does not hold.
fn wanted(holds: bool, why: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(why().into()) }
}
