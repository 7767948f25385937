//! Real output against the committed schema.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;
use crate::diagnose::{Cause, Class, Confidence};
use crate::report::fixtures;

const SCHEDULE: SynSchedule = SynSchedule {
    retries: 6,
    linear_timeouts: Some(4),
};

/// The committed schema, made strict: a field that it does not describe is an error.
fn strict_schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/tcpprobe-v1.schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    forbid_unknown(&mut schema);
    // An endpoint is part of a line, which has more fields; what an observation holds depends on its probe.
    for open in ["endpoint", "observation"] {
        schema["$defs"][open]
            .as_object_mut()
            .unwrap()
            .remove("unevaluatedProperties");
    }
    schema["$defs"]["target"]["properties"]["endpoints"]["items"]["unevaluatedProperties"] = json!(false);
    schema
}

fn forbid_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            fields.values_mut().for_each(forbid_unknown);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_unknown),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn assert_valid(value: &Value) {
    let schema = strict_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    // Through `oneOf` an error only says that nothing fits: ask the definition that is meant.
    let meant = if value.get("targets").is_some() {
        "document"
    } else if value.get("class").is_some() {
        "line"
    } else {
        "series_line"
    };
    let mut direct = schema.clone();
    let fields = direct.as_object_mut().unwrap();
    fields.remove("oneOf");
    fields.insert("$ref".to_owned(), json!(format!("#/$defs/{meant}")));
    let direct = jsonschema::validator_for(&direct).unwrap();
    let errors: Vec<String> = direct
        .iter_errors(value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{value:#}", errors.join("\n"));
    assert!(
        validator.is_valid(value),
        "it fits {meant}, and another form as well:\n{value:#}"
    );
}

fn report<'a>(targets: &'a [TargetOutcome], series: &'a [crate::report::Series]) -> Report<'a> {
    let started = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Report {
        version: "0.1.0",
        started,
        targets,
        syn_schedule: Some(SCHEDULE),
        series,
    }
}

fn parsed(write: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> Vec<Value> {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    serde_json::Deserializer::from_slice(&out)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn documents_and_lines_are_what_the_schema_says() {
    let (targets, series) = (fixtures::all(), [fixtures::series()]);
    let report = report(&targets, &series);
    let documents = parsed(|out| write(&report, out));
    let lines = parsed(|out| write_lines(&report, out));
    assert_eq!(
        (documents.len(), lines.len()),
        (1, targets.len() + 1 + series.len())
    );
    documents.iter().chain(&lines).for_each(assert_valid);
}

#[test]
fn a_field_that_the_schema_does_not_know_is_an_error_here() {
    let targets = [fixtures::open()];
    let line = &parsed(|out| write_lines(&report(&targets, &[]), out))[0];
    let mut line = line.clone();
    line["surprise"] = json!(1);
    assert!(
        !jsonschema::validator_for(&strict_schema())
            .unwrap()
            .is_valid(&line)
    );
}

#[test]
fn the_schema_has_the_whole_vocabulary() {
    let schema = strict_schema();
    let labels = |labels: Vec<&str>| json!(labels);
    assert_eq!(
        schema["$defs"]["class"]["enum"],
        labels(Class::ALL.iter().map(|one| one.label()).collect())
    );
    assert_eq!(
        schema["$defs"]["cause"]["enum"],
        labels(Cause::ALL.iter().map(|one| one.label()).collect())
    );
    let confidence = &schema["$defs"]["endpoint"]["properties"]["confidence"]["enum"];
    assert_eq!(
        *confidence,
        labels(Confidence::ALL.iter().map(|one| one.label()).collect())
    );
}

#[test]
fn a_line_reads_like_this() {
    let mut out = Vec::new();
    write_target_lines(&fixtures::rejected(), Some(SCHEDULE), &mut out).unwrap();
    let expected = concat!(
        r#"{"schema":"tcpprobe/v1","target":"[2001:db8::7]:443","address":"2001:db8::7","port":443,"#,
        r#""started":"2023-11-14T22:13:20.250000Z","class":"rejected","cause":"admin-prohibited","#,
        r#""confidence":"certain","from":"2001:db8:1::1","not_ruled_out":[],"findings":[],"#,
        r#""because":[{"says":"ICMPv6 1/1 from 2001:db8:1::1 quotes our SYN","observations":[0]}],"#,
        r#""advice":[{"says":"On 2001:db8:1::1: the rule that says so:","#,
        r#""command":"sudo nft list ruleset | grep -i prohibited"},"#,
        r#"{"says":"In a cluster: does a policy of either pod leave out this port?","#,
        r#""command":"kubectl get networkpolicy -A"}],"#,
        r#""handshake_rtt_s":null,"connect_s":null,"dns_s":null,"default_client_hang_s":null,"#,
        r#""slow_s":0.25,"timeout_s":3.0,"mode":"connect","#,
        r#""sight":{"mode":"connect","raw":{"able":"no","why":"CAP_NET_RAW is missing"},"#,
        r#""echo":{"able":"yes"},"error_queue":{"able":"yes"},"reset_shape":{"able":"yes"}},"#,
        r#""evidence":[{"at_s":0.0,"took_s":0.001204,"probe":"connect","to":"[2001:db8::7]:443","#,
        r#""from":"[2001:db8:1::5]:41234","syns":1,"answer":{"kind":"icmp","says":"admin-prohibited","#,
        r#""type":1,"code":1,"from":"2001:db8:1::1","from_self":false}}],"name":null}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_name_without_an_address_is_one_line_with_its_lookups() {
    let lines = parsed(|out| write_target_lines(&fixtures::nxdomain(), None, out));
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&line["address"], &line["class"]),
        (&Value::Null, &json!("dns-failed"))
    );
    assert_eq!(line["dns_s"], json!(0.0025));
    assert_eq!(line["name"]["lookups"][1]["outcome"]["said"], "nx-domain");
}

#[test]
fn only_silence_says_how_long_a_default_client_hangs() {
    let hang = |outcome| {
        parsed(|out| write_target_lines(&outcome, Some(SCHEDULE), out))[0]["default_client_hang_s"].clone()
    };
    assert_eq!(hang(fixtures::unattributed()), json!(131.0));
    assert_eq!(hang(fixtures::refused()), Value::Null);
}

#[test]
fn a_clock_out_of_range_is_no_panic() {
    let mut targets = [fixtures::open()];
    targets[0].endpoints[0].evidence.started_unix_s = Duration::from_secs(u64::MAX);
    let report = Report {
        started: UNIX_EPOCH - Duration::from_secs(1),
        ..report(&targets, &[])
    };
    let document = &parsed(|out| write(&report, out))[0];
    assert_valid(document);
    assert_eq!(document["targets"][0]["endpoints"][0]["started"], Value::Null);
}
