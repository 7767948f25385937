//! The committed schema, held against what the program really says.

use jsonschema::Validator;
use serde_json::{Value, json};

/// Where a value differs from one definition of the schema. Through its `oneOf` an error would only say that nothing
/// fits.
pub(crate) fn errors(definition: &str, value: &Value) -> Vec<String> {
    validator(definition)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn validator(definition: &str) -> Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/tcpprobe-v1.schema.json");
    let text = std::fs::read(path).expect("the schema is committed");
    let mut schema: Value = serde_json::from_slice(&text).expect("the schema is JSON");
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("oneOf");
        fields.insert("$ref".to_owned(), json!(format!("#/$defs/{definition}")));
    }
    jsonschema::validator_for(&schema).expect("the schema is one")
}
