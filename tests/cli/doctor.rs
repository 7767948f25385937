//! `tcpprobe doctor`: what it says of this place, whoever runs it, and of places that are made worse on purpose.

use std::process::Command;

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

use crate::support::{Ran, cannot, clean, command, run, tcpprobe};

fn json(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/schema/tcpprobe-doctor-v1.schema.json"
    );
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    value
}

fn told<'a>(document: &'a Value, label: &str) -> &'a str {
    let all = document["distinctions"].as_array().unwrap();
    let found = all.iter().find(|one| one["label"] == label).unwrap();
    found["told"].as_str().unwrap()
}

fn means<'a>(document: &'a Value, name: &str) -> &'a Value {
    let all = document["means"].as_array().unwrap();
    all.iter().find(|one| one["means"] == name).unwrap()
}

/// The program without any capability, and without a way to get one.
fn command_without_powers() -> Option<Command> {
    let setpriv = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args([
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--no-new-privs",
            program,
        ]);
        clean(command)
    };
    if setpriv("true").status().is_ok_and(|status| status.success()) {
        return Some(setpriv(env!("CARGO_BIN_EXE_tcpprobe")));
    }
    // A plain user has no bounding set to empty; he is what we want.
    let is_plain = !nix::unistd::geteuid().is_root();
    if is_plain {
        return Some(command());
    }
    cannot("setpriv(1) does not work here");
    None
}

#[test]
fn the_text_says_the_sum_first_and_fits_80_columns() {
    let ran = tcpprobe(&["doctor"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.out.starts_with("Here: connect() "), "{}", ran.out);
    for part in [
        "\n  yes     refused, or dropped\n",
        "  Besides\n",
        "  Found\n",
        "- Linux ",
    ] {
        assert!(ran.out.contains(part), "{part:?}: {}", ran.out);
    }
    let widest = ran.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{}", ran.out);
}

#[test]
fn the_json_holds_to_its_schema_and_to_the_text() {
    let document = json(&tcpprobe(&["doctor", "-o", "json"]));
    let count = |told: &str| {
        let all = document["distinctions"].as_array().unwrap();
        all.iter().filter(|one| one["told"] == told).count()
    };
    for level in ["yes", "partly", "no"] {
        assert_eq!(document[level], count(level), "{level}");
    }
    let text = tcpprobe(&["doctor"]).out.replace('\n', " ");
    assert!(text.starts_with(document["summary"].as_str().unwrap()), "{text}");
}

#[test]
fn raw_sockets_are_given_where_this_test_can_open_one() {
    let document = json(&tcpprobe(&["doctor", "-o", "json"]));
    let ours = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).is_ok();
    let outcome = &document["found"]["tried"]["raw_v4"]["outcome"];
    assert_eq!(outcome == "worked", ours, "{outcome}");
    assert_eq!(told(&document, "queue-or-filter") == "yes", ours);
}

#[test]
fn without_powers_the_remedy_is_named() {
    let Some(mut command) = command_without_powers() else {
        return;
    };
    let document = json(&run(command.args(["doctor", "-o", "json"])));
    let raw = means(&document, "raw");
    assert_eq!(raw["given"], false);
    assert!(
        raw["why_not"].as_str().unwrap().contains("without CAP_NET_RAW"),
        "{raw}"
    );
    assert_eq!(told(&document, "refused-or-dropped"), "yes");
    assert_eq!(told(&document, "return-path"), "no");
}

#[test]
fn without_a_route_no_family_goes_anywhere() {
    let Some(mut command) = crate::support::command_without_routes() else {
        return;
    };
    let document = json(&run(command.args(["doctor", "-o", "json"])));
    assert_eq!(document["found"]["ipv4"], "loopback");
    assert_eq!(document["found"]["ipv6"], "loopback");
    assert_eq!(told(&document, "families"), "no");
    // Root of a user namespace that owns this network.
    assert_eq!(document["found"]["process"]["user"], 0);
    assert_eq!(means(&document, "raw")["given"], true);
}

#[test]
fn a_pod_is_told_by_its_environment() {
    let mut command = command();
    command.env("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    let document = json(&run(command.args(["doctor", "-o", "json"])));
    assert_eq!(document["found"]["surroundings"], "pod");
}
