//! The JSON contract, `tcpprobe/v1`, as Rust types (`docs/schema/tcpprobe-v1.schema.json` is its schema).
//!
//! The fields of a record are always there, and `null` is absent. Within `evidence`, `sight` and `name` the
//! evidence's own form holds, which leaves absent fields out. Durations are numbers in seconds and end in `_s`.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::Report;
use super::series::{Summary, summarise};
use crate::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use crate::diagnose::advice::{Advice, advise, advise_name, default_client_hang, hangs_silently};
use crate::diagnose::{Cause, Class, Confidence, Diagnosis, Finding, Reason};
use crate::evidence::{Mode, Observation, Resolution, Sight, SynSchedule};

/// The name of the contract.
pub const SCHEMA: &str = "tcpprobe/v1";

/// The document that `-o json` writes.
#[derive(Debug, Clone, Serialize)]
pub struct Document<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of tcpprobe.
    pub version: &'a str,
    /// When the run began (RFC 3339, UTC); `null` when the clock is out of its range.
    pub started: Option<String>,
    /// How the kernel of this host retransmits SYNs.
    pub syn_schedule: Option<SynSchedule>,
    /// One for each target, in the order given.
    pub targets: Vec<TargetRecord<'a>>,
    /// One for each endpoint that had more than one round.
    pub series: Vec<Summary>,
}

/// One target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetRecord<'a> {
    /// As the user named it.
    pub target: String,
    /// How its name was resolved; `null` for an address.
    pub name: Option<NameRecord<'a>>,
    /// Its endpoints: one for each address, or a single one without an address for a name that failed.
    pub endpoints: Vec<EndpointRecord<'a>>,
}

/// One line of `-o jsonl`.
#[derive(Debug, Clone, Serialize)]
pub struct Line<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointRecord<'a>,
    /// How the target's name was resolved; `null` for an address.
    pub name: Option<NameRecord<'a>>,
}

/// The last lines of `-o jsonl`, when there was more than one round.
#[derive(Debug, Clone, Serialize)]
pub struct SeriesLine {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The rounds of one endpoint, summed up.
    pub series: Summary,
}

/// What became of a name.
#[derive(Debug, Clone, Serialize)]
pub struct NameRecord<'a> {
    /// Each question and each answer.
    #[serde(flatten)]
    pub resolution: &'a Resolution,
    /// What its endpoints say when put side by side.
    pub findings: &'a [Finding],
    /// What a client that tries one address after another waits before it is connected.
    pub wait_without_happy_eyeballs_s: Option<f64>,
}

/// One endpoint, or a name that gave none.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointRecord<'a> {
    /// As the user named it.
    pub target: String,
    /// The address; `null` for a name that gave none.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// When its first packet was sent (RFC 3339, UTC); `null` without an address.
    pub started: Option<String>,
    /// What happened, in one word.
    pub class: Class,
    /// Why.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// Who said so: the sender of the ICMP error, or the last hop that answered.
    pub from: Option<IpAddr>,
    /// What else it could be, the likelier first.
    pub not_ruled_out: Vec<Verdict>,
    /// True and useful, but not the verdict.
    pub findings: Vec<&'a Finding>,
    /// What the verdict rests on. `observations` are indices into `evidence`, or into the name's `lookups`
    /// where there is no address.
    pub because: &'a [Reason],
    /// What to run next.
    pub advice: Vec<Advice>,
    /// The kernel's own round trip of the handshake; `null` without one or after a retransmitted SYN.
    pub handshake_rtt_s: Option<f64>,
    /// Time from `connect()` to its success, by our own clock.
    pub connect_s: Option<f64>,
    /// Time that the name took; `null` for an address.
    pub dns_s: Option<f64>,
    /// How long a client with this host's settings hangs in `connect()`; `null` when it does not, or cannot be said.
    pub default_client_hang_s: Option<f64>,
    /// Handshakes longer than this are slow.
    pub slow_s: Option<f64>,
    /// How long this run was willing to look.
    pub timeout_s: Option<f64>,
    /// How this run looked.
    pub mode: Option<Mode>,
    /// What it was able to look at.
    pub sight: Option<&'a Sight>,
    /// What it saw.
    pub evidence: &'a [Observation],
}

/// A class and a cause.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Verdict {
    pub class: Class,
    pub cause: Cause,
}

/// The whole report as a document.
pub fn document<'a>(report: &Report<'a>) -> Document<'a> {
    Document {
        schema: SCHEMA,
        version: report.version,
        started: rfc3339(report.started),
        syn_schedule: report.syn_schedule,
        targets: report
            .targets
            .iter()
            .map(|outcome| target_record(outcome, report.syn_schedule))
            .collect(),
        series: report.series.iter().map(summarise).collect(),
    }
}

/// One target.
pub(super) fn target_record(outcome: &TargetOutcome, schedule: Option<SynSchedule>) -> TargetRecord<'_> {
    TargetRecord {
        target: outcome.target.to_string(),
        name: outcome.name.as_ref().map(name_record),
        endpoints: endpoint_records(outcome, schedule),
    }
}

/// One line for each endpoint of a target.
pub fn lines(outcome: &TargetOutcome, schedule: Option<SynSchedule>) -> impl Iterator<Item = Line<'_>> {
    let line = |endpoint| Line {
        schema: SCHEMA,
        endpoint,
        name: outcome.name.as_ref().map(name_record),
    };
    endpoint_records(outcome, schedule).into_iter().map(line)
}

fn name_record(name: &NameOutcome) -> NameRecord<'_> {
    NameRecord {
        resolution: &name.resolution,
        findings: &name.findings,
        wait_without_happy_eyeballs_s: name.wait_without_happy_eyeballs_s.map(|wait| wait.as_secs_f64()),
    }
}

fn endpoint_records(outcome: &TargetOutcome, schedule: Option<SynSchedule>) -> Vec<EndpointRecord<'_>> {
    let failed = outcome
        .name
        .as_ref()
        .and_then(|name| Some((name, name.failed.as_ref()?)));
    let failed = failed.map(|(name, diagnosis)| EndpointRecord {
        advice: advise_name(&name.resolution, diagnosis),
        ..bare_record(outcome, diagnosis)
    });
    let probed = outcome
        .endpoints
        .iter()
        .map(|endpoint| endpoint_record(outcome, endpoint, schedule));
    failed.into_iter().chain(probed).collect()
}

fn endpoint_record<'a>(
    outcome: &'a TargetOutcome,
    EndpointOutcome { evidence, diagnosis }: &'a EndpointOutcome,
    schedule: Option<SynSchedule>,
) -> EndpointRecord<'a> {
    let handshake = evidence.first_handshake();
    let started = UNIX_EPOCH.checked_add(evidence.started_unix_s);
    EndpointRecord {
        address: Some(evidence.endpoint.ip()),
        port: evidence.endpoint.port(),
        started: started.and_then(rfc3339),
        advice: advise(evidence, diagnosis),
        handshake_rtt_s: evidence.handshake_rtt().map(|rtt| rtt.as_secs_f64()),
        connect_s: handshake.map(|handshake| handshake.connect_s.as_secs_f64()),
        default_client_hang_s: schedule
            .filter(|_| hangs_silently(diagnosis.cause))
            .map(|schedule| default_client_hang(schedule).as_secs_f64()),
        slow_s: Some(evidence.slow_s.as_secs_f64()),
        timeout_s: Some(evidence.timeout_s.as_secs_f64()),
        mode: Some(evidence.sight.mode),
        sight: Some(&evidence.sight),
        evidence: &evidence.observations,
        ..bare_record(outcome, diagnosis)
    }
}

/// Absent for a time before 1970 or after 9999, which the format does not have.
pub(super) fn rfc3339(time: SystemTime) -> Option<String> {
    time.duration_since(UNIX_EPOCH).ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_micros(time))
        .ok()
        .map(|()| text)
}

/// What a record has without an address.
fn bare_record<'a>(outcome: &'a TargetOutcome, diagnosis: &'a Diagnosis) -> EndpointRecord<'a> {
    let verdict = |cause: &Cause| Verdict {
        class: cause.class(),
        cause: *cause,
    };
    // What holds for the name holds for each of its endpoints.
    let of_name = outcome.name.iter().flat_map(|name| &name.findings);
    EndpointRecord {
        target: outcome.target.to_string(),
        address: None,
        port: outcome.target.port,
        started: None,
        class: diagnosis.cause.class(),
        cause: diagnosis.cause,
        confidence: diagnosis.confidence,
        from: diagnosis.from,
        not_ruled_out: diagnosis.not_ruled_out.iter().map(verdict).collect(),
        findings: diagnosis.findings.iter().chain(of_name).collect(),
        because: &diagnosis.because,
        advice: Vec::new(),
        handshake_rtt_s: None,
        connect_s: None,
        dns_s: outcome
            .name
            .as_ref()
            .map(|name| name.resolution.took_s.as_secs_f64()),
        default_client_hang_s: None,
        slow_s: None,
        timeout_s: None,
        mode: None,
        sight: None,
        evidence: &[],
    }
}
