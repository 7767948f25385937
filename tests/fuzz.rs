//! Replays the committed corpus of each fuzz target: real packets, packets made wrong by hand, and what the fuzzer found
//! worth keeping. `tests/fuzz/wire.rs` says how to look for more.

#[path = "fuzz/properties.rs"]
mod properties;

use std::fs;
use std::panic;
use std::path::Path;

#[test]
fn what_holds_of_wire_holds_for_every_input_of_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/wire");
    let mut inputs = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        inputs += 1;
        // The name of the file is what the message of the panic lacks.
        if panic::catch_unwind(|| properties::hold_for(&bytes)).is_err() {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        inputs > 100,
        "only {inputs} inputs: is {} there?",
        corpus.display()
    );
}
