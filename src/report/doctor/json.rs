//! The JSON of `tcpprobe doctor`: `docs/schema/tcpprobe-doctor-v1.schema.json` is its schema.

use std::io;

use serde::Serialize;

use super::{says, summary};
use crate::diagnose::doctor::{Availability, Examination, Judged, Means, Remedy, Told};
use crate::diagnose::{Cause, Class};
use crate::evidence::facilities::Facilities;

/// The name of the contract.
const SCHEMA: &str = "tcpprobe/doctor/v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'a str,
    summary: String,
    yes: usize,
    partly: usize,
    no: usize,
    distinctions: Vec<DistinctionRecord<'a>>,
    means: Vec<MeansRecord<'a>>,
    demo: AvailabilityRecord<'a>,
    notes: Vec<String>,
    found: &'a Facilities,
}

#[derive(Serialize)]
struct DistinctionRecord<'a> {
    label: &'static str,
    name: &'static str,
    told: Told,
    how: &'static str,
    lacks: &'a [Means],
    verdicts: Vec<Verdict>,
}

#[derive(Serialize)]
struct Verdict {
    class: Class,
    cause: Cause,
}

#[derive(Serialize)]
struct MeansRecord<'a> {
    means: Means,
    #[serde(flatten)]
    availability: AvailabilityRecord<'a>,
}

#[derive(Serialize)]
struct AvailabilityRecord<'a> {
    given: bool,
    why_not: Option<&'a str>,
    remedies: Vec<RemedyRecord>,
}

#[derive(Serialize)]
struct RemedyRecord {
    says: &'static str,
    lines: &'static [&'static str],
}

/// Writes one document, indented, with a newline at its end.
pub fn write_json(
    version: &str,
    found: &Facilities,
    examination: &Examination,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        version,
        summary: summary(examination),
        yes: examination.count(Told::Yes),
        partly: examination.count(Told::Partly),
        no: examination.count(Told::No),
        distinctions: examination.distinctions.iter().map(distinction).collect(),
        means: examination
            .means
            .iter()
            .map(|(means, availability)| MeansRecord {
                means: *means,
                availability: record(availability),
            })
            .collect(),
        demo: record(&examination.demo),
        notes: examination.notes.iter().map(|note| says(*note)).collect(),
        found,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn distinction(judged: &Judged) -> DistinctionRecord<'_> {
    let distinction = judged.distinction;
    let verdict = |cause: &Cause| Verdict {
        class: cause.class(),
        cause: *cause,
    };
    DistinctionRecord {
        label: distinction.label,
        name: distinction.name,
        told: judged.way.told,
        how: judged.way.how,
        lacks: &judged.lacks,
        verdicts: distinction.causes.iter().map(verdict).collect(),
    }
}

fn record(availability: &Availability) -> AvailabilityRecord<'_> {
    match availability {
        Availability::Given => AvailabilityRecord {
            given: true,
            why_not: None,
            remedies: Vec::new(),
        },
        Availability::Missing { why, remedies } => AvailabilityRecord {
            given: false,
            why_not: Some(why),
            remedies: remedies.iter().copied().map(remedy).collect(),
        },
    }
}

fn remedy(remedy: Remedy) -> RemedyRecord {
    RemedyRecord {
        says: remedy.says(),
        lines: remedy.lines(),
    }
}
