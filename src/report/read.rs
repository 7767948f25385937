//! Reads back what [`super::json::write`] wrote, so that another writer can show it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::record::SCHEMA;
use crate::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use crate::diagnose::{Cause, Confidence, Diagnosis, Finding, Reason};
use crate::evidence::{Evidence, Observation, Resolution, Sight, SynSchedule};
use crate::target::{Services, Target};

/// What a document says of its targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Reread {
    /// How the kernel of that host retransmits SYNs.
    pub syn_schedule: Option<SynSchedule>,
    /// One for each target.
    pub targets: Vec<TargetOutcome>,
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or lacks what belongs to a document.
    #[error("no report: {0}")]
    Json(#[from] serde_json::Error),
    /// It holds what no report does.
    #[error("{0} is not what a report of this version says")]
    Content(String),
}

impl ReadError {
    /// Whether the text ended before the document did.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, Self::Json(error) if error.is_eof())
    }
}

/// Reads a document. What holds for a name stands with each of its endpoints, and is read as theirs.
pub fn read(document: &str) -> Result<Reread, ReadError> {
    let document: Document = serde_json::from_str(document)?;
    if document.schema != SCHEMA {
        return Err(ReadError::Content(format!("the schema '{}'", document.schema)));
    }
    Ok(Reread {
        syn_schedule: document.syn_schedule,
        targets: document
            .targets
            .into_iter()
            .map(target)
            .collect::<Result<_, _>>()?,
    })
}

/// Reads the lines of one target ([`super::json::write_target_lines`]).
pub fn lines(lines: &str) -> Result<TargetOutcome, ReadError> {
    let mut whole: Option<TargetPart> = None;
    for line in lines.lines() {
        let LinePart {
            schema,
            target,
            name,
            endpoint,
        } = serde_json::from_str(line)?;
        if schema != SCHEMA {
            return Err(ReadError::Content(format!("the schema '{schema}'")));
        }
        let endpoints = Vec::new();
        let whole = whole.get_or_insert(TargetPart {
            target,
            name,
            endpoints,
        });
        whole.endpoints.push(endpoint);
    }
    let none = || ReadError::Content("a target without a line".to_owned());
    target(whole.ok_or_else(none)?)
}

/// [`super::record::Line`], as far as it is needed.
#[derive(Deserialize)]
struct LinePart {
    schema: String,
    target: String,
    name: Option<NamePart>,
    #[serde(flatten)]
    endpoint: EndpointPart,
}

/// [`super::record::Document`], as far as it is needed.
#[derive(Deserialize)]
struct Document {
    schema: String,
    syn_schedule: Option<SynSchedule>,
    targets: Vec<TargetPart>,
}

/// [`super::record::TargetRecord`], as far as it is needed.
#[derive(Deserialize)]
pub(super) struct TargetPart {
    target: String,
    name: Option<NamePart>,
    endpoints: Vec<EndpointPart>,
}

#[derive(Deserialize)]
struct NamePart {
    #[serde(flatten)]
    resolution: Resolution,
    findings: Vec<Finding>,
    wait_without_happy_eyeballs_s: Option<f64>,
}

#[derive(Deserialize)]
struct EndpointPart {
    address: Option<IpAddr>,
    port: u16,
    started: Option<String>,
    cause: Cause,
    confidence: Confidence,
    from: Option<IpAddr>,
    not_ruled_out: Vec<VerdictPart>,
    findings: Vec<Finding>,
    because: Vec<Reason>,
    slow_s: Option<f64>,
    timeout_s: Option<f64>,
    sight: Option<Sight>,
    evidence: Vec<Observation>,
}

#[derive(Deserialize)]
struct VerdictPart {
    cause: Cause,
}

pub(super) fn target(part: TargetPart) -> Result<TargetOutcome, ReadError> {
    let named = Target::parse(&part.target, &Services::default());
    let mut failed = None;
    let mut endpoints = Vec::new();
    for mut endpoint in part.endpoints {
        let diagnosis = diagnosis(&mut endpoint);
        match endpoint.address {
            None => failed = Some(diagnosis),
            Some(address) => endpoints.push(EndpointOutcome {
                evidence: evidence(endpoint, address)?,
                diagnosis,
            }),
        }
    }
    let name = part.name.map(|name| {
        Ok::<_, ReadError>(NameOutcome {
            resolution: name.resolution,
            failed,
            findings: name.findings,
            wait_without_happy_eyeballs_s: name.wait_without_happy_eyeballs_s.map(seconds).transpose()?,
        })
    });
    Ok(TargetOutcome {
        target: named.map_err(|error| ReadError::Content(error.to_string()))?,
        name: name.transpose()?,
        endpoints,
    })
}

fn diagnosis(part: &mut EndpointPart) -> Diagnosis {
    Diagnosis {
        cause: part.cause,
        confidence: part.confidence,
        from: part.from,
        because: std::mem::take(&mut part.because),
        not_ruled_out: part.not_ruled_out.iter().map(|verdict| verdict.cause).collect(),
        findings: std::mem::take(&mut part.findings),
    }
}

fn evidence(part: EndpointPart, address: IpAddr) -> Result<Evidence, ReadError> {
    let endpoint = SocketAddr::new(address, part.port);
    let lacks = |what: &str| ReadError::Content(format!("{endpoint} without {what}"));
    let started = part.started.ok_or_else(|| lacks("its start"))?;
    let started = humantime::parse_rfc3339(&started)
        .ok()
        .and_then(|started| started.duration_since(UNIX_EPOCH).ok())
        .ok_or_else(|| ReadError::Content(format!("the time '{started}'")))?;
    Ok(Evidence {
        endpoint,
        started_unix_s: started,
        slow_s: seconds(part.slow_s.ok_or_else(|| lacks("its limit for slow"))?)?,
        timeout_s: seconds(part.timeout_s.ok_or_else(|| lacks("its deadline"))?)?,
        sight: part.sight.ok_or_else(|| lacks("its sight"))?,
        observations: part.evidence,
    })
}

fn seconds(number: f64) -> Result<Duration, ReadError> {
    Duration::try_from_secs_f64(number).map_err(|_| ReadError::Content(format!("a duration of {number} s")))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::report::{Report, fixtures, json};

    fn written(targets: &[TargetOutcome], schedule: Option<SynSchedule>) -> String {
        let report = Report {
            version: "0",
            started: SystemTime::UNIX_EPOCH,
            targets,
            syn_schedule: schedule,
            series: &[],
        };
        let mut out = Vec::new();
        json::write(&report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let schedule = SynSchedule {
            retries: 6,
            linear_timeouts: Some(4),
        };
        for mut target in fixtures::all() {
            let reread = read(&written(std::slice::from_ref(&target), Some(schedule))).unwrap();
            // The JSON form repeats with each endpoint what holds for its name.
            let of_name: Vec<Finding> = target
                .name
                .iter()
                .flat_map(|name| name.findings.clone())
                .collect();
            for endpoint in &mut target.endpoints {
                endpoint.diagnosis.findings.extend(of_name.iter().cloned());
            }
            assert_eq!(
                reread,
                Reread {
                    syn_schedule: Some(schedule),
                    targets: vec![target]
                }
            );
        }
    }

    #[test]
    fn the_lines_of_a_target_say_what_a_document_says() {
        for target in fixtures::all() {
            let mut out = Vec::new();
            json::write_target_lines(&target, None, &mut out).unwrap();
            let of_lines = lines(&String::from_utf8(out).unwrap()).unwrap();
            let of_document = read(&written(std::slice::from_ref(&target), None)).unwrap();
            assert_eq!([of_lines], of_document.targets[..]);
        }
        assert!(matches!(lines(""), Err(ReadError::Content(_))));
    }

    #[test]
    fn another_contract_and_half_a_document_are_errors() {
        let whole = written(&fixtures::all(), None);
        assert!(read(&whole).is_ok());
        assert!(matches!(
            read(&whole.replacen(SCHEMA, "tcpprobe/v0", 1)),
            Err(ReadError::Content(_))
        ));
        assert!(matches!(read(&whole[..whole.len() / 2]), Err(ReadError::Json(_))));
    }
}
