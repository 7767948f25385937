//! Forms of the output: one line, packets, and JSON that holds to the committed schema.

use serde_json::{Value, json};

use crate::schema;
use crate::support::{Port, Ran, command_without_routes, loopback, run, tcpprobe};

fn assert_valid(definition: &str, value: &Value) {
    let errors = schema::errors(definition, value);
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

/// The one document on standard output.
fn document(ran: &Ran) -> Value {
    assert_eq!(ran.err, "", "{ran:?}");
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    assert_valid("document", &value);
    value
}

/// The objects on standard output, each on a line of its own.
fn lines(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.err, "", "{ran:?}");
    let values: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for value in &values {
        let definition = if value.get("class").is_some() {
            "line"
        } else {
            "series_line"
        };
        assert_valid(definition, value);
    }
    values
}

fn verdict(endpoint: &Value) -> String {
    let part = |name: &str| endpoint[name].as_str().unwrap().to_owned();
    format!("{}/{}", part("class"), part("cause"))
}

fn verdicts(values: &[Value]) -> Vec<String> {
    values.iter().map(verdict).collect()
}

/// Both forms of the same run, which have to agree.
fn both(arguments: &[&str], expected: &[&str]) {
    let with = |form: &str| {
        let all: Vec<&str> = ["-o", form].iter().chain(arguments).copied().collect();
        tcpprobe(&all)
    };
    let document = document(&with("json"));
    let of_document: Vec<Value> = document["targets"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|target| target["endpoints"].as_array().unwrap().clone())
        .collect();
    assert_eq!(verdicts(&of_document), expected, "{arguments:?}");
    assert_eq!(verdicts(&lines(&with("jsonl"))), expected, "{arguments:?}");
}

#[test]
fn json_of_an_open_port_holds_to_the_schema() {
    for host in loopback() {
        both(&[&Port::open(host).word()], &["open/healthy"]);
        both(&["-v", &Port::open(host).word()], &["open/healthy"]);
    }
}

#[test]
fn json_of_a_refused_port_holds_to_the_schema() {
    for host in loopback() {
        both(&[&Port::refused(host).word()], &["refused/no-listener"]);
    }
}

#[test]
fn json_of_a_full_queue_holds_to_the_schema() {
    for host in loopback() {
        let port = Port::full(host);
        both(&[&port.word()], &["backlog-full/syn-dropped"]);
    }
}

#[test]
fn json_without_a_route_holds_to_the_schema() {
    let Some(mut command) = command_without_routes() else {
        return;
    };
    let ran = run(command.args(["-o", "json", "192.0.2.1:80", "[2001:db8::1]:80"]));
    let targets = document(&ran)["targets"].as_array().unwrap().clone();
    assert_eq!(targets.len(), 2);
    for target in &targets {
        assert_eq!(verdict(&target["endpoints"][0]), "unreachable/no-route");
    }
}

#[test]
fn json_of_several_targets_keeps_their_order() {
    let (open, refused, full) = {
        let host = loopback()[0];
        (Port::open(host), Port::refused(host), Port::full(host))
    };
    both(
        &[&full.word(), &open.word(), &refused.word(), &open.word()],
        &[
            "backlog-full/syn-dropped",
            "open/healthy",
            "refused/no-listener",
            "open/healthy",
        ],
    );
}

#[test]
fn json_of_a_name_holds_to_the_schema() {
    for host in loopback() {
        let port = Port::open(host);
        let family = if host.is_ipv4() { "-4" } else { "-6" };
        let target = format!("localhost:{}", port.address.port());
        both(&[family, &target], &["open/healthy"]);
        let ran = tcpprobe(&[family, "-o", "json", &target]);
        let name = &document(&ran)["targets"][0]["name"];
        assert_eq!(name["addresses"], json!([host.to_string()]), "{name:#}");
    }
    // The hosts file says which families: one endpoint for each, whatever it is.
    let port = Port::open(loopback()[0]);
    let ran = tcpprobe(&["-o", "json", &format!("localhost:{}", port.address.port())]);
    let target = &document(&ran)["targets"][0];
    let addresses = target["name"]["addresses"].as_array().unwrap();
    assert_eq!(target["endpoints"].as_array().unwrap().len(), addresses.len());
}

#[test]
fn json_of_a_name_without_an_address_holds_to_the_schema() {
    both(
        &["--resolv-conf", "/does/not/exist", "shop:80"],
        &["dns-failed/dns-unreachable"],
    );
}

#[test]
fn json_of_a_series_holds_to_the_schema() {
    let (open, refused) = (Port::open(loopback()[0]), Port::refused(loopback()[0]));
    let series = [
        "--count",
        "3",
        "--interval",
        "10ms",
        &open.word(),
        &refused.word(),
    ];
    let with = |form| [&["-o", form], series.as_slice()].concat();

    let document = document(&tcpprobe(&with("json")));
    assert_eq!(document["series"][0]["rounds"], 3);
    assert_eq!(document["series"][0]["loss_percent"], 0.0);
    assert_eq!(document["series"][1]["loss_percent"], 100.0);
    assert_eq!(document["series"][1]["handshake_rtt"], Value::Null);

    let values = lines(&tcpprobe(&with("jsonl")));
    let (rounds, summaries) = values.split_at(6);
    assert_eq!(
        verdicts(rounds),
        ["open/healthy", "refused/no-listener"].repeat(3)
    );
    assert_eq!(summaries.len(), 2);
    assert_eq!(summaries[0]["series"]["connected"], 3);
}

#[test]
fn quiet_is_one_line_an_endpoint() {
    let host = loopback()[0];
    let (open, refused, full) = (Port::open(host), Port::refused(host), Port::full(host));
    let ran = tcpprobe(&["-q", &open.word(), &refused.word(), &full.word()]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(
        lines[0].starts_with(&format!("{}  open/healthy  certain  RTT ", open.word())),
        "{ran:?}"
    );
    assert_eq!(
        lines[1],
        format!("{}  refused/no-listener  likely", refused.word())
    );
    assert_eq!(
        lines[2],
        format!("{}  backlog-full/syn-dropped  certain", full.word())
    );
}

#[test]
fn verbose_shows_the_packets() {
    for host in loopback() {
        let (open, refused) = (Port::open(host), Port::refused(host));
        let ran = tcpprobe(&["-v", &open.word(), &refused.word()]);
        let to = |port: &Port| format!("{host}.{}: Flags [S]", port.address.port());
        let from =
            |port: &Port, flags: &str| format!(" {host}.{} > {host}.", port.address.port()) + "*" + flags;
        for part in [to(&open), to(&refused)] {
            assert!(ran.out.contains(&part), "{part}: {}", ran.out);
        }
        for (port, flags) in [(&open, "Flags [S.]"), (&refused, "Flags [R.]")] {
            let wanted = from(port, flags);
            let (begin, end) = wanted.split_once('*').unwrap();
            assert!(
                ran.out
                    .lines()
                    .any(|line| line.contains(begin) && line.contains(end)),
                "{wanted}: {}",
                ran.out
            );
        }
        assert!(ran.out.contains("Looked with connect()"), "{}", ran.out);
    }
}
