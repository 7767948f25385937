//! The committed schema, held against what the reader takes.

use jsonschema::Validator;
use serde_json::Value;

use super::{EXAMPLE, wrong};
use crate::diagnose::{Cause, Class, Expectation};
use crate::matrix::Expected;
use crate::matrix::file::{Format, Matrix};
use crate::target::Services;

fn validator() -> Validator {
    let schema = include_str!("../../../../docs/schema/tcpprobe-matrix-file-v1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

fn value(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn the_schema_takes_the_example() {
    let (validator, value) = (validator(), value(EXAMPLE));
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
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
        let can_be = Expected::new([word]).is_ok();
        for text in [
            format!("{word}"),
            format!("\"reachable, {word}\""),
            format!("[{word}]"),
        ] {
            let file = value(&format!("rules: [{{ to: a:1, expect: {text} }}]"));
            assert_eq!(validator.is_valid(&file), can_be, "{text}");
        }
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let (validator, mut refused) = (validator(), 0);
    for (yaml, _) in wrong::YAML {
        let Ok(value) = serde_saphyr::from_str::<Value>(yaml) else {
            continue;
        };
        let by_reader = Matrix::read(yaml, Format::Yaml, &Services::default()).is_err();
        let by_schema = !validator.is_valid(&value);
        assert!(by_reader || !by_schema, "{yaml}");
        refused += usize::from(by_schema);
    }
    assert!(refused > 40, "only {refused}");
}

#[test]
fn the_schema_refuses_unknown_keys_everywhere() {
    let validator = validator();
    for yaml in [
        "rules: [{ to: a:1 }]\nrule: []",
        "rules: [{ to: a:1, timout: 3s }]",
        "rules: [{ to: a:1 }]\ndefaults: { name: x }",
        "rules: [{ to: a:1 }]\nsources: { a: { label: {} } }",
    ] {
        assert!(!validator.is_valid(&value(yaml)), "{yaml}");
        assert!(
            Matrix::read(yaml, Format::Yaml, &Services::default()).is_err(),
            "{yaml}"
        );
    }
}
