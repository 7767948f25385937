//! Manifests as Kubernetes reads them, and their pods as a kubelet would run them: against the schemas of Kubernetes by
//! somebody else's program, against the rules of PodSecurity, and with the static binary in an empty, read-only root.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "kubernetes/image.rs"]
mod image;
#[path = "kubernetes/kubelet.rs"]
mod kubelet;
#[path = "kubernetes/operator.rs"]
mod operator;
#[path = "kubernetes/printed.rs"]
mod printed;
#[path = "kubernetes/schemas.rs"]
mod schemas;
#[path = "kubernetes/security.rs"]
mod security;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() {
    // The process that becomes a container is this program, too.
    if let Some(code) = kubelet::main() {
        std::process::exit(code);
    }
    let trials = [
        schemas::trials(),
        operator::trials(),
        security::trials(),
        image::trials(),
        kubelet::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test that can run anywhere; it fails by panicking.
fn anywhere(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// As [`anywhere`], of a test that says so when it cannot run here.
fn trial(name: &str, test: fn() -> Result<(), Cannot>) -> Trial {
    Trial::ignorable_test(name, move || match test() {
        Ok(()) => Ok(Completion::Completed),
        Err(Cannot(reason)) => cannot(&reason),
    })
}

/// Why a test cannot run here.
#[derive(Debug)]
struct Cannot(String);

/// In CI, where all tests can run, that is a failure.
fn cannot(reason: &str) -> Result<Completion, Failed> {
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        return Err(reason.into());
    }
    Ok(Completion::ignored_with(reason))
}
