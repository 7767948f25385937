//! The committed schema, held against what the reader takes.

use jsonschema::Validator;
use serde_json::Value;

use super::wrong;
use crate::diagnose::{Cause, Class, Expectation};
use crate::document::{FileError, Format};
use crate::monitor::file::labels::{OF_PROMETHEUS, OURS};
use crate::monitor::file::{EXAMPLE, File};
use crate::target::Services;

fn validator() -> Validator {
    let schema = include_str!("../../../../docs/schema/tcpprobe-monitor-file-v1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

fn value(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn read(yaml: &str) -> Result<File, FileError> {
    File::read(yaml, Format::Yaml, &Services::default())
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let validator = validator();
    for yaml in [
        EXAMPLE,
        "modules: {}",
        "modules: { default: }",
        "modules: { default: { expect: 'open , refused/no-listener' } }",
        "modules: { default: { interval: 1m 30s, timeout: 1500ms } }",
        "targets: []",
        "targets: db:5432",
        "targets: [{ target: db:5432, labels: {} }]",
        "targets: [{ target: ['db:1,2-3', '[::1%eth0]:1'], labels: { _x: ' ' } }]",
        "allow: []",
        "allow: '*:*'",
        "allow: ['*.shop:80,443', '10.0.0.0/8:*', '[2001:db8::/32]:1-5', 'a:https']",
        "probe_limit: {}",
        "probe_limit: { rate: 100000, burst: 1 }",
    ] {
        let value = value(yaml);
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}\n{yaml}");
        assert!(read(yaml).is_ok(), "{yaml}");
    }
}

#[test]
fn the_schema_knows_the_words_that_can_be_expected_and_no_others() {
    let validator = validator();
    let causes = Cause::ALL.iter().map(|cause| Expectation::Cause(*cause));
    let classes = Class::ALL.iter().map(|class| Expectation::Class(*class));
    for word in causes
        .chain(classes)
        .chain([Expectation::Reachable, Expectation::Blocked])
    {
        for text in [
            format!("{word}"),
            format!("\"reachable, {word}\""),
            format!("[{word}]"),
        ] {
            let yaml = format!("modules: {{ default: {{ expect: {text} }} }}");
            assert_eq!(validator.is_valid(&value(&yaml)), read(&yaml).is_ok(), "{text}");
        }
    }
}

#[test]
fn the_schema_knows_the_labels_that_are_taken_and_no_others() {
    let validator = validator();
    let taken = OURS
        .iter()
        .chain(OF_PROMETHEUS)
        .chain(&["__name__", "a-b", "1a", ""]);
    for (name, can_be) in
        taken
            .map(|name| (name, false))
            .chain([(&"team", true), (&"_", true), (&"jobs", true)])
    {
        let yaml = format!("targets: [{{ target: a:1, labels: {{ \"{name}\": x }} }}]");
        assert_eq!(validator.is_valid(&value(&yaml)), can_be, "{name}");
        assert_eq!(read(&yaml).is_ok(), can_be, "{name}");
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let (validator, mut refused) = (validator(), 0);
    for (yaml, says) in wrong::YAML {
        let Ok(value) = serde_saphyr::from_str::<Value>(yaml) else {
            continue;
        };
        if validator.is_valid(&value) {
            continue;
        }
        assert!(!says.is_empty(), "{yaml}");
        refused += 1;
    }
    assert!(refused > 80, "only {refused}");
}

#[test]
fn the_schema_refuses_unknown_keys_everywhere() {
    let validator = validator();
    for yaml in [
        "target: []",
        "modules: { default: { retries: 1 } }",
        "targets: [{ target: a:1, label: {} }]",
        "probe_limit: { per_host: 1 }",
    ] {
        assert!(!validator.is_valid(&value(yaml)), "{yaml}");
        assert!(read(yaml).is_err(), "{yaml}");
    }
}
