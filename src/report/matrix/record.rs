//! The records of a matrix, `tcpprobe-matrix/v1`, as Rust types (`docs/schema/tcpprobe-matrix-v1.schema.json` is their
//! schema): one line of JSON an edge as soon as it is known, one summary a run.
//!
//! Fields are always there, and `null` is absent. Durations are numbers in seconds and end in `_s`.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use serde::Serialize;

use crate::diagnose::{Cause, Class, Confidence};
use crate::evidence::SynSchedule;
use crate::matrix::{Demand, Edge, Identity, Judged, Proof, Run, Totals};
use crate::report::record::{TargetRecord, rfc3339, target_record};

/// The name of the contract.
pub const SCHEMA: &str = "tcpprobe-matrix/v1";

/// One edge.
#[derive(Debug, Clone, Serialize)]
pub struct EdgeRecord<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// `edge`.
    pub record: &'static str,
    /// Who looked.
    pub source: &'a Identity,
    /// At what, as `host:port`.
    pub target: String,
    /// Whether it is as expected, by what was known when this was written: `met`, `missed`, `unproven` or `error`.
    pub result: &'static str,
    /// Why it is unproven or an error.
    pub why: Option<&'static str>,
    /// What shows that the target is alive, where it was blocked as expected.
    pub proof: Option<ProofRecord>,
    /// What the rules ask of it.
    pub demand: DemandRecord<'a>,
    /// The verdict that stands for the edge; `null` where the run ended before there was any.
    pub class: Option<Class>,
    /// Its cause.
    pub cause: Option<Cause>,
    /// How sure it is.
    pub confidence: Option<Confidence>,
    /// Who said so.
    pub from: Option<IpAddr>,
    /// How often it was looked at.
    pub tried: u32,
    /// When the last look was over (RFC 3339, UTC).
    pub concluded: Option<String>,
    /// How the kernel of the source retransmits SYNs.
    pub syn_schedule: Option<SynSchedule>,
    /// What the look came to, in the form of `tcpprobe/v1`.
    pub outcome: TargetRecord<'a>,
}

/// What shows that a target is alive.
#[derive(Debug, Clone, Serialize)]
pub struct ProofRecord {
    /// Its label.
    pub kind: &'static str,
    /// A sentence for a person.
    pub says: String,
}

/// What the rules ask of an edge.
#[derive(Debug, Clone, Serialize)]
pub struct DemandRecord<'a> {
    /// The names of the rules.
    pub rules: &'a [String],
    /// What meets them: any of these words.
    pub expected: Vec<String>,
    /// Targets of which one has to be open for a block to be proven.
    pub controls: Vec<String>,
    /// How long to look at one endpoint at most.
    pub timeout_s: f64,
    /// How often to look, as long as it is not as expected.
    pub tries: u32,
}

/// What a run says of itself when it ends.
#[derive(Debug, Clone, Serialize)]
pub struct SummaryRecord<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// `summary`.
    pub record: &'static str,
    /// Who looked.
    pub source: &'a Identity,
    /// The version of tcpprobe.
    pub version: &'a str,
    /// The name of the matrix.
    pub matrix: Option<&'a str>,
    /// When it began (RFC 3339, UTC).
    pub started: Option<String>,
    /// When it ended (RFC 3339, UTC).
    pub ended: Option<String>,
    /// How many edges there were to look at.
    pub planned: u64,
    /// How many of them are done.
    pub done: u64,
    /// Whether the run ended before all were done.
    pub partial: bool,
    /// Which part of the matrix this was; `null` for all of it.
    pub shard: Option<ShardRecord>,
    /// How many edges came to what: `met`, `missed`, `unproven`, `error`.
    pub results: BTreeMap<&'static str, u64>,
    /// How many edges have a verdict of each class.
    pub classes: BTreeMap<&'static str, u64>,
}

/// One of several parts of a matrix.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ShardRecord {
    /// Which, counted from 0.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

/// The record of an edge.
pub fn edge<'a>(edge: &'a Edge, judged: &Judged) -> EdgeRecord<'a> {
    let verdict = edge.verdict();
    EdgeRecord {
        schema: SCHEMA,
        record: "edge",
        source: &edge.source,
        target: edge.target().to_string(),
        result: judged.judgement.label(),
        why: judged.why.map(crate::matrix::Why::label),
        proof: judged.proof.as_ref().map(proof),
        demand: demand(&edge.demand),
        class: verdict.map(|diagnosis| diagnosis.cause.class()),
        cause: verdict.map(|diagnosis| diagnosis.cause),
        confidence: verdict.map(|diagnosis| diagnosis.confidence),
        from: verdict.and_then(|diagnosis| diagnosis.from),
        tried: edge.tried,
        concluded: time(edge.concluded_unix_s),
        syn_schedule: edge.syn_schedule,
        outcome: target_record(&edge.outcome, edge.syn_schedule),
    }
}

/// The record of a run; `classes` counts the verdicts.
pub fn summary<'a>(run: &'a Run, totals: Totals, classes: &BTreeMap<Class, u64>) -> SummaryRecord<'a> {
    SummaryRecord {
        schema: SCHEMA,
        record: "summary",
        source: &run.source,
        version: &run.version,
        matrix: run.matrix.as_deref(),
        started: time(run.started_unix_s),
        ended: time(run.ended_unix_s),
        planned: run.planned,
        done: run.done,
        partial: run.done < run.planned,
        shard: run.shard.map(|shard| ShardRecord {
            index: shard.index,
            count: shard.count,
        }),
        results: BTreeMap::from([
            ("met", totals.met),
            ("missed", totals.missed),
            ("unproven", totals.unproven),
            ("error", totals.errors),
        ]),
        classes: classes
            .iter()
            .map(|(class, count)| (class.label(), *count))
            .collect(),
    }
}

/// Writes one record and the end of its line.
pub fn write_line(record: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    writeln!(out)
}

fn proof(proof: &Proof) -> ProofRecord {
    ProofRecord {
        kind: proof.label(),
        says: proof.to_string(),
    }
}

pub(super) fn demand(demand: &Demand) -> DemandRecord<'_> {
    DemandRecord {
        rules: &demand.rules,
        expected: demand.expected.words().iter().map(ToString::to_string).collect(),
        controls: demand.controls.iter().map(ToString::to_string).collect(),
        timeout_s: demand.timeout.as_secs_f64(),
        tries: demand.tries,
    }
}

fn time(unix_s: Duration) -> Option<String> {
    UNIX_EPOCH.checked_add(unix_s).and_then(rfc3339)
}
