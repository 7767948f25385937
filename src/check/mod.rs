//! The conductor for one run: carries out in `net` what `probe` asks for and hands back what was seen, until there
//! is a diagnosis.

mod outcome;

pub use outcome::{EndpointOutcome, NameOutcome, TargetOutcome};
