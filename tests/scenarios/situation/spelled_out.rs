//! Observations as their files write them, spelled out: what a file leaves away is what one would expect there.

use std::net::SocketAddr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use tcpprobe::evidence::Observation;

use crate::endpoint::nothing_seen;
use crate::version::Version;

/// One entry of a file as observations: one for each moment of `at_s`, which may be a list. `until_s` may stand in
/// for `took_s`.
pub(crate) fn observations(entry: &Table, version: Version) -> Result<Vec<Observation>, String> {
    let moments = match entry.get("at_s") {
        Some(Value::Array(moments)) => moments.clone(),
        Some(moment) => vec![moment.clone()],
        None => vec![Value::Float(0.0)],
    };
    moments
        .into_iter()
        .map(|at| {
            let mut entry = entry.clone();
            if let Some(until) = entry.remove("until_s") {
                let took = seconds(&until)? - seconds(&at)?;
                entry.insert("took_s".to_owned(), Value::Float(took));
            }
            entry.insert("at_s".to_owned(), at);
            default(&mut entry, "took_s", 0.001);
            spell_out(&mut entry, version);
            read(entry)
        })
        .collect()
}

/// Reads a value; a key that it does not know is an error, at whatever depth.
pub(crate) fn read<T: DeserializeOwned + Serialize>(table: Table) -> Result<T, String> {
    let value: T = table
        .clone()
        .try_into()
        .map_err(|error| format!("{error}in {table}"))?;
    let known = Value::try_from(&value).map_err(|error| error.to_string())?;
    match unknown(&Value::Table(table), &known) {
        Some(key) => Err(format!("unknown key `{key}` in {known}")),
        None => Ok(value),
    }
}

fn seconds(value: &Value) -> Result<f64, String> {
    #[expect(clippy::cast_precision_loss, reason = "no situation takes 2^52 seconds")]
    let whole = value.as_integer().map(|whole| whole as f64);
    value
        .as_float()
        .or(whole)
        .ok_or_else(|| format!("{value} is not a number of seconds"))
}

/// The first key that was given and is in nothing that was understood.
fn unknown(given: &Value, known: &Value) -> Option<String> {
    let (Value::Table(given), Value::Table(known)) = (given, known) else {
        return None;
    };
    given.iter().find_map(|(key, value)| match known.get(key) {
        None => Some(key.clone()),
        Some(known) => unknown(value, known),
    })
}

fn spell_out(entry: &mut Table, version: Version) {
    let to = match entry.get("probe").and_then(Value::as_str) {
        Some("connect" | "hop" | "ttl-one") => version.endpoint(),
        Some("control") => version.control(),
        Some("echo" | "other-rejection") => return icmp(entry, version),
        Some("raw") => return raw(entry, version),
        Some("idle") => return idle(entry, version),
        Some("counters") if entry.get("look").and_then(Value::as_str) == Some("saw") => {
            default(entry, "our_retransmissions", 0);
            return default(entry, "our_unanswered_syns", 0);
        }
        Some("listener") if entry.get("look").and_then(Value::as_str) == Some("saw") => {
            return default(entry, "drops", 0);
        }
        _ => return,
    };
    dial(entry, to, version);
}

/// A `connect()`: to there, with as many SYNs as its answer took.
fn dial(entry: &mut Table, to: SocketAddr, version: Version) {
    default(entry, "to", to.to_string());
    let mut syns = 1;
    if let Some(Value::Table(answer)) = entry.get_mut("answer") {
        match answer.get("kind").and_then(Value::as_str) {
            Some("syn-ack") => syns += handshake(answer),
            Some("icmp") => icmp(answer, version),
            Some("local") => {
                default(answer, "call", "connect");
                syns = 0;
            }
            _ => {}
        }
    }
    default(entry, "syns", syns);
}

/// A handshake of 10 ms whose FIN is acknowledged. Returns the number of retransmitted SYNs.
fn handshake(answer: &mut Table) -> i64 {
    default(answer, "connect_s", 0.01);
    default(answer, "retransmitted_syns", 0);
    default(answer, "timestamps", true);
    if !answer.contains_key("ending") {
        let mut closed = Table::new();
        default(&mut closed, "fin_after_s", 0.02);
        default(&mut closed, "fin_acknowledged_after_s", 0.03);
        answer.insert("ending".to_owned(), Value::Table(closed));
    }
    if let Some(Value::Table(ending)) = answer.get_mut("ending") {
        default(ending, "fin_retransmissions", 0);
        default(ending, "repeated_syn_acks", 0);
        default(ending, "watched_s", 0.05);
    }
    answer
        .get("retransmitted_syns")
        .and_then(Value::as_integer)
        .unwrap_or_default()
}

/// A connection that was left idle for five minutes, silent for as long, with a control that says what is written of it.
fn idle(entry: &mut Table, version: Version) {
    let Some(Value::Table(holding)) = entry.get_mut("holding") else {
        return;
    };
    default(holding, "endpoint", version.endpoint().to_string());
    default(holding, "started_unix_s", 1_700_000_000.0);
    default(holding, "max_s", 300.0);
    default(holding, "took_s", 310.0);
    default(holding, "interrupted", false);
    default(holding, "shots", Vec::<Value>::new());
    let sight = Value::try_from(nothing_seen(version).sight);
    default(holding, "sight", sight.expect("as it is written elsewhere"));
    let idle = holding["max_s"].clone();
    let Some(Value::Array(held)) = holding.get_mut("held") else {
        return;
    };
    for held in held.iter_mut().filter_map(Value::as_table_mut) {
        default(held, "round", 1);
        default(held, "at_s", 0.01);
        default(held, "syns", 1);
        default(held, "wanted_s", idle.clone());
        default(held, "idle_s", idle.clone());
        let quiet = held["idle_s"].clone();
        default(held, "quiet_s", quiet);
        if let Some(Value::Table(control)) = held.get_mut("control") {
            dial(control, version.endpoint(), version);
        }
    }
}

/// A segment that was sent, to the port unless `side` says "control", and nothing that came back.
fn raw(entry: &mut Table, version: Version) {
    let to = match entry.remove("side").as_ref().and_then(Value::as_str) {
        Some("control") => version.control(),
        _ => version.endpoint(),
    };
    default(entry, "to", to.to_string());
    default(entry, "outcome", "sent");
    if entry.get("outcome").and_then(Value::as_str) == Some("not-sent") {
        return default(entry, "call", "sendto");
    }
    default(entry, "replies", Vec::<Value>::new());
    let Some(Value::Array(replies)) = entry.get_mut("replies") else {
        return;
    };
    for reply in replies.iter_mut().filter_map(Value::as_table_mut) {
        default(reply, "after_s", 0.001);
        default(reply, "timed_by", "kernel");
        default(reply, "hop_limit", 62);
        default(reply, "seen", "socket");
        match reply.get("kind").and_then(Value::as_str) {
            Some("syn-ack") => {
                default(reply, "window", 64_240);
                default(reply, "mss", 1_460);
                default(reply, "sack", true);
                default(reply, "timestamps", true);
            }
            Some("rst") => default(reply, "shape", "with-ack"),
            Some("ack") => default(reply, "acknowledges_us", true),
            Some("icmp") => icmp(reply, version),
            _ => {}
        }
    }
}

/// The type and code that say it in this IP version.
fn icmp(answer: &mut Table, version: Version) {
    let Some(says) = answer.get("says").and_then(Value::as_str) else {
        return;
    };
    let (v4, v6) = match says {
        "port-unreachable" => ((3, 3), (1, 4)),
        "admin-prohibited" => ((3, 13), (1, 1)),
        "host-prohibited" => ((3, 10), (1, 1)),
        "net-prohibited" => ((3, 9), (1, 1)),
        "host-unreachable" => ((3, 1), (1, 3)),
        "net-unreachable" => ((3, 0), (1, 0)),
        "ttl-exceeded" => ((11, 0), (3, 0)),
        _ => ((12, 0), (4, 0)),
    };
    let (icmp_type, code) = match version {
        Version::V4 => v4,
        Version::V6 => v6,
    };
    default(answer, "type", icmp_type);
    default(answer, "code", code);
    default(answer, "from_self", false);
}

fn default(table: &mut Table, key: &str, value: impl Into<Value>) {
    table.entry(key).or_insert_with(|| value.into());
}
