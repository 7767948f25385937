//! Looks for bytes that break a property of `wire`.
//!
//! With a nightly compiler and cargo-fuzz (`cargo install cargo-fuzz`), from the top of the tree:
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz wire -- -max_total_time=600
//! ```
//!
//! What it finds is in `tests/fuzz/artifacts/wire`; a file from there that is copied to `tests/fuzz/corpus/wire` fails in
//! `cargo test` until it is mended. `cargo +nightly fuzz cmin --fuzz-dir tests/fuzz wire` keeps of the corpus only what
//! reaches something that nothing else in it does, and gives every file a new name: run it on a copy, or the inputs
//! made by hand lose theirs.
#![no_main]

#[path = "properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::hold_for(bytes));
