//! Every kind of line, held against the committed schema.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::diagnose::Expectation;
use crate::monitor::{Module, Seen, Standing};
use crate::report::{fixtures, json as lines};

const AT: Duration = Duration::from_secs(1_700_000_000);

fn written(event: &Event) -> Value {
    let mut out = Vec::new();
    write_event(event, AT, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let value = serde_json::from_str(&text).unwrap();
    assert_valid(&value);
    value
}

/// The committed schema, made strict as far as it is this one's: a field that it does not describe is an error.
fn assert_valid(value: &Value) {
    let read = |name: &str| -> Value {
        let path = format!("{}/docs/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let mut schema = read("tcpprobe-event-v1");
    let definitions = schema["$defs"].as_object_mut().unwrap();
    for definition in definitions.values_mut() {
        if definition.get("properties").is_some() {
            definition["additionalProperties"] = json!(false);
        }
    }
    let meant = value["record"].as_str().unwrap().to_owned();
    let fields = schema.as_object_mut().unwrap();
    fields.remove("oneOf");
    fields.insert("$ref".to_owned(), json!(format!("#/$defs/{meant}")));
    let base = jsonschema::Resource::from_contents(read("tcpprobe-v1"));
    let validator = jsonschema::options()
        .with_resource("json-schema:///tcpprobe-v1.schema.json", base)
        .build(&schema)
        .unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{value:#}", errors.join("\n"));
}

fn watched() -> Watched {
    Watched {
        target: fixtures::open().target,
        name: "orders".to_owned(),
        module: Arc::new(Module::default()),
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
    }
}

#[test]
fn every_change_has_its_evidence_with_it() {
    let watched = watched();
    let expected = ["open".parse::<Expectation>().unwrap()];
    let mut standing = Standing::default();
    let mut told = Vec::new();
    for (number, outcome) in fixtures::all().iter().enumerate() {
        let began = AT + Duration::from_secs(number as u64);
        let seen = Seen::of(outcome, &expected, 1, began, Duration::from_millis(3)).unwrap();
        let mut record = Vec::new();
        lines::write_target_lines(outcome, None, &mut record).unwrap();
        let check = Check {
            seen,
            record: String::from_utf8(record).unwrap().into(),
        };
        for change in standing.saw(check.clone(), 2) {
            told.push(written(&Event::Changed(Changed {
                watched: &watched,
                change: &change,
                check: &check,
                confirmed: standing.confirmed.as_ref(),
            })));
        }
    }
    assert!(told.len() > 8, "{}", told.len());
    let first = &told[0];
    assert_eq!(first["from"], Value::Null);
    assert_eq!(first["labels"]["team"], "payments");
    let later = told
        .iter()
        .find(|line| line["kind"] == "state" && !line["from"].is_null());
    let later = later.unwrap();
    assert_eq!(later["confirmed"]["judged"], "not-as-expected");
    assert_eq!(later["confirmed"]["since"], "2023-11-14T22:13:21.000000Z");
    assert_eq!(later["evidence"][0]["schema"], "tcpprobe/v1");
}

#[test]
fn what_the_process_says_of_itself_holds_to_the_schema() {
    let loaded = Loaded {
        hash: 0xabc,
        is_success: false,
        success_unix_s: AT,
        error: Some("line 3: no such module".to_owned()),
    };
    assert_eq!(
        written(&Event::Started(&loaded, 2))["configuration"],
        "000000000abc"
    );
    assert_eq!(
        written(&Event::Reloaded(&loaded, 2))["error"],
        "line 3: no such module"
    );
    assert_eq!(written(&Event::Lost(7))["events"], 7);
    assert_eq!(written(&Event::Ended(&Engine::default(), 3))["dropped"], 3);
    let moved = Moved {
        appeared: vec!["192.0.2.1".parse().unwrap()],
        gone: Vec::new(),
    };
    assert_eq!(
        written(&Event::Moved(&watched(), &moved))["appeared"][0],
        "192.0.2.1"
    );
}
