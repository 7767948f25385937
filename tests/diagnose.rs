//! What the evidence of one situation has to mean: each file of `tests/scenarios/diagnose` is evidence in, verdict
//! out. No packet is sent and no time passes.
//!
//! The last trials hold what must be true of any evidence, however odd.

#[path = "scenarios/situation/endpoint.rs"]
mod endpoint;
#[path = "scenarios/situation/name.rs"]
mod name;
#[path = "scenarios/situation/random.rs"]
mod random;
#[path = "scenarios/situation/spelled_out.rs"]
mod spelled_out;
#[path = "scenarios/situation/version.rs"]
mod version;
#[path = "scenarios/situation/wanted.rs"]
mod wanted;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

use version::Version;

fn main() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/diagnose");
    let trials = files(&directory)
        .iter()
        .flat_map(|file| trials_of(&directory, file))
        .chain(random::trials())
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// All files below a directory, in order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// A trial for each IP version that a file is for. A file that cannot be read is a trial that fails.
fn trials_of(directory: &Path, file: &Path) -> Vec<Trial> {
    let name = file.strip_prefix(directory).unwrap_or(file).with_extension("");
    let name = name.display().to_string();
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    if name.starts_with("name/") {
        return vec![Trial::test(name, move || name::check(&text))];
    }
    match version::of(&text) {
        Ok(versions) => versions
            .into_iter()
            .map(|version| endpoint_trial(&name, text.clone(), version))
            .collect(),
        Err(error) => vec![Trial::test(name, move || Err(Failed::from(error)))],
    }
}

fn endpoint_trial(name: &str, text: String, version: Version) -> Trial {
    Trial::test(format!("{name}::{}", version.name()), move || {
        endpoint::check(&text, version)
    })
}
