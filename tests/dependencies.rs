//! What we build on: licences that ours permits, registry crates alone, and no crate twice without a reason. Offline.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Licences that may be linked into a program under MIT or Apache-2.0.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "CC0-1.0",
];

/// Crates that are in the tree in two versions, each with who keeps the older one.
const TWICE: &[(&str, &str)] = &[
    (
        "getrandom",
        "ring, which rustls signs with, still uses 0.2; all others use 0.4",
    ),
    (
        "syn",
        "proc macros of async-trait and others still use 2; nothing of it is in the program",
    ),
];

#[test]
fn every_dependency_has_a_licence_that_ours_permits() {
    let mut wrong = Vec::new();
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_permitted(licence) {
            wrong.push(format!("{}: {licence}", package["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_comes_from_the_registry() {
    for package in packages() {
        let source = package["source"].as_str();
        assert!(
            source.is_none_or(|source| source.starts_with("registry+")),
            "{}: {source:?}",
            package["name"]
        );
    }
}

#[test]
fn no_crate_of_the_program_is_there_twice_without_a_reason() {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let known = versions.entry(name).or_default();
        if !known.contains(&version) {
            known.push(version);
        }
    }
    let twice: Vec<&str> = versions
        .iter()
        .filter(|(_, known)| known.len() > 1)
        .map(|(name, _)| *name)
        .collect();
    let permitted: Vec<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(twice, permitted);
}

#[test]
fn a_choice_needs_one_permitted_licence_and_a_sum_needs_all() {
    assert!(is_permitted("GPL-3.0 OR MIT") && is_permitted("MIT/Apache-2.0"));
    assert!(!is_permitted("GPL-3.0") && !is_permitted("MIT AND GPL-3.0"));
    assert!(is_permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
}

/// SPDX as crates use it: sums of choices, or a choice of sums; parentheses group choices.
fn is_permitted(expression: &str) -> bool {
    let known = |licence: &str| LICENCES.contains(&licence.trim().trim_matches(['(', ')']));
    let choice = |choice: &str| choice.split(" OR ").flat_map(|one| one.split('/')).any(known);
    if expression.contains('(') {
        return expression.split(" AND ").all(choice);
    }
    expression.split(" OR ").any(|sum| sum.split(" AND ").all(choice))
}

fn packages() -> Vec<Value> {
    let text = cargo(&[
        "metadata",
        "--offline",
        "--format-version",
        "1",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ]);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
