//! The JSON of `tcpprobe hold`: `docs/schema/tcpprobe-hold-v1.schema.json` is its schema.

use std::io;
use std::net::IpAddr;

use serde::Serialize;

use super::{HoldReport, text::fill, words};
use crate::diagnose::Confidence;
use crate::diagnose::hold::explain::explain_hold;
use crate::diagnose::hold::{
    Behaviour, Consequence, HoldFinding, HoldLabel, HoldReason, Sender, Settled, longest_keepalive,
};
use crate::evidence::hold::Held;
use crate::evidence::{Shot, Sight};
use crate::report::record::{TargetRecord, rfc3339, target_record};

/// The name of the contract.
const SCHEMA: &str = "tcpprobe/hold/v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    started: Option<String>,
    target: String,
    address: Option<IpAddr>,
    port: u16,
    label: HoldLabel,
    confidence: Confidence,
    in_short: &'static str,
    limit: Option<LimitRecord>,
    lived_s: Option<f64>,
    sender: Option<Sender>,
    because: &'a [HoldReason],
    not_ruled_out: &'a [String],
    findings: &'a [HoldFinding],
    max_s: Option<f64>,
    took_s: Option<f64>,
    interrupted: bool,
    on_this_host: Vec<ConsequenceRecord>,
    settings: SettingsRecord,
    keepalive_s: Option<u64>,
    advice: Vec<String>,
    sight: Option<&'a Sight>,
    held: &'a [Held],
    shots: &'a [Shot],
    check: TargetRecord<'a>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "seconds say so")]
struct LimitRecord {
    at_least_s: f64,
    at_most_s: f64,
    middle_s: f64,
    uncertainty_s: f64,
}

#[derive(Serialize)]
struct ConsequenceRecord {
    behaviour: Behaviour,
    outcome: &'static str,
    hangs_s: Option<f64>,
    says: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the settings")]
struct SettingsRecord {
    tcp_retries2: Option<u32>,
    tcp_keepalive_time: Option<u64>,
    tcp_keepalive_intvl: Option<u64>,
    tcp_keepalive_probes: Option<u32>,
}

/// Writes one document, indented, with a newline at its end.
pub fn write_json(report: &HoldReport<'_>, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

fn document<'a>(report: &'a HoldReport<'a>) -> Document<'a> {
    let holding = report.outcome.map(|outcome| &outcome.holding);
    let diagnosis = report.outcome.map(|outcome| &outcome.diagnosis);
    let text = explain_hold(report.label());
    let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs());
    Document {
        schema: SCHEMA,
        version: report.version,
        started: rfc3339(report.started),
        target: report.check.target.to_string(),
        address: holding.map(|holding| holding.endpoint.ip()),
        port: report.check.target.port,
        label: report.label(),
        confidence: diagnosis.map_or(Confidence::Certain, |diagnosis| diagnosis.confidence),
        in_short: text.in_short,
        limit: report.limit().map(|limit| LimitRecord {
            at_least_s: limit.at_least_s.as_secs_f64(),
            at_most_s: limit.at_most_s.as_secs_f64(),
            middle_s: limit.middle().as_secs_f64(),
            uncertainty_s: limit.uncertainty().as_secs_f64(),
        }),
        lived_s: diagnosis.and_then(|diagnosis| Some(diagnosis.lived_s?.as_secs_f64())),
        sender: diagnosis.and_then(|diagnosis| diagnosis.sender),
        because: diagnosis.map_or(&[], |diagnosis| &diagnosis.because),
        not_ruled_out: diagnosis.map_or(&[], |diagnosis| &diagnosis.not_ruled_out),
        findings: diagnosis.map_or(&[], |diagnosis| &diagnosis.findings),
        max_s: holding.map(|holding| holding.max_s.as_secs_f64()),
        took_s: holding.map(|holding| holding.took_s.as_secs_f64()),
        interrupted: holding.is_some_and(|holding| holding.interrupted),
        on_this_host: report
            .consequences()
            .iter()
            .map(|one| consequence(one, report))
            .collect(),
        settings: SettingsRecord {
            tcp_retries2: report.settings.retries2,
            tcp_keepalive_time: seconds(report.settings.keepalive_time),
            tcp_keepalive_intvl: seconds(report.settings.keepalive_interval),
            tcp_keepalive_probes: report.settings.keepalive_probes,
        },
        keepalive_s: report
            .limit()
            .and_then(longest_keepalive)
            .map(|time| time.as_secs()),
        advice: text.what_to_do.iter().map(|item| fill(item, report)).collect(),
        sight: holding.map(|holding| &holding.sight),
        held: holding.map_or(&[], |holding| &holding.held),
        shots: holding.map_or(&[], |holding| &holding.shots),
        check: target_record(report.check, report.syn_schedule),
    }
}

fn consequence(one: &Consequence, report: &HoldReport<'_>) -> ConsequenceRecord {
    let (outcome, hangs) = match one.settled {
        Settled::KeptAlive => ("kept-alive", None),
        Settled::FailsAtOnce => ("fails-at-once", None),
        Settled::Hangs(time) => ("hangs", Some(time.as_secs_f64())),
        Settled::HangsForEver => ("hangs-for-ever", None),
    };
    ConsequenceRecord {
        behaviour: one.behaviour,
        outcome,
        hangs_s: hangs,
        says: words::consequence(one, report.label(), report.settings),
    }
}
