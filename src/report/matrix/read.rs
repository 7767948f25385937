//! Reads back the records of a matrix, out of lines that may be prefixed, cut or mixed with others.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::record::SCHEMA;
use crate::evidence::SynSchedule;
use crate::matrix::{Demand, Edge, Expected, Identity, Run, Shard};
use crate::report::read::{ReadError, TargetPart, target};
use crate::target::{Services, Target};

/// What a record says.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// What became of an edge.
    Edge(Box<Edge>),
    /// What a run says of itself when it ends.
    Run(Box<Run>),
}

/// Reads one record, which begins where the text does; what follows it is returned.
pub fn record(text: &str) -> Result<(Record, &str), ReadError> {
    let (record, length) = any_record(text.as_bytes())?;
    let record = record.ok_or_else(|| ReadError::Content("a record of a change".to_owned()))?;
    Ok((record, &text[length..]))
}

/// As [`record`], with the record's length in bytes. Absent is a record that says nothing of edges or runs.
pub(super) fn any_record(text: &[u8]) -> Result<(Option<Record>, usize), ReadError> {
    let mut stream = serde_json::Deserializer::from_slice(text).into_iter::<Part>();
    let part = match stream.next() {
        Some(part) => part?,
        None => return Err(ReadError::Content("nothing".to_owned())),
    };
    let length = stream.byte_offset();
    Ok((part.read()?, length))
}

#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
enum Part {
    Edge(Box<EdgePart>),
    Summary(Box<SummaryPart>),
    /// What is different from a baseline follows from the edges.
    Change {},
}

#[derive(Deserialize)]
struct EdgePart {
    schema: String,
    source: Identity,
    demand: DemandPart,
    tried: u32,
    concluded: Option<String>,
    syn_schedule: Option<SynSchedule>,
    outcome: TargetPart,
}

#[derive(Deserialize)]
struct DemandPart {
    rules: Vec<String>,
    expected: Vec<String>,
    controls: Vec<String>,
    timeout_s: f64,
    tries: u32,
}

#[derive(Deserialize)]
struct SummaryPart {
    schema: String,
    source: Identity,
    version: String,
    matrix: Option<String>,
    started: Option<String>,
    ended: Option<String>,
    planned: u64,
    done: u64,
    shard: Option<ShardPart>,
}

#[derive(Deserialize)]
struct ShardPart {
    index: u32,
    count: u32,
}

impl Part {
    fn read(self) -> Result<Option<Record>, ReadError> {
        match self {
            Self::Edge(part) => Ok(Some(Record::Edge(Box::new(part.read()?)))),
            Self::Summary(part) => Ok(Some(Record::Run(Box::new(part.read()?)))),
            Self::Change {} => Ok(None),
        }
    }
}

impl EdgePart {
    fn read(self) -> Result<Edge, ReadError> {
        known(&self.schema)?;
        Ok(Edge {
            source: Arc::new(self.source),
            demand: Arc::new(self.demand.read()?),
            tried: self.tried,
            concluded_unix_s: time(self.concluded.as_deref())?,
            syn_schedule: self.syn_schedule,
            outcome: target(self.outcome)?,
        })
    }
}

impl DemandPart {
    fn read(self) -> Result<Demand, ReadError> {
        let content = |error: &dyn std::fmt::Display| ReadError::Content(error.to_string());
        let expected: Expected = self.expected.join(",").parse().map_err(|error| content(&error))?;
        let controls: Result<_, _> = self
            .controls
            .iter()
            .map(|control| Target::parse(control, &Services::default()))
            .collect();
        Ok(Demand {
            rules: self.rules,
            expected,
            controls: controls.map_err(|error| content(&error))?,
            timeout: Duration::try_from_secs_f64(self.timeout_s).map_err(|error| content(&error))?,
            tries: self.tries,
        })
    }
}

impl SummaryPart {
    fn read(self) -> Result<Run, ReadError> {
        known(&self.schema)?;
        Ok(Run {
            source: self.source,
            version: self.version,
            matrix: self.matrix,
            started_unix_s: time(self.started.as_deref())?,
            ended_unix_s: time(self.ended.as_deref())?,
            planned: self.planned,
            done: self.done,
            shard: self.shard.map(|shard| Shard {
                index: shard.index,
                count: shard.count,
            }),
        })
    }
}

fn known(schema: &str) -> Result<(), ReadError> {
    if schema == SCHEMA {
        return Ok(());
    }
    Err(ReadError::Content(format!("the schema '{schema}'")))
}

/// A time that the clock could not say is that of the epoch.
fn time(text: Option<&str>) -> Result<Duration, ReadError> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    humantime::parse_rfc3339(text)
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .ok_or_else(|| ReadError::Content(format!("the time '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Judgement, Merger};
    use crate::report::fixtures;
    use crate::report::matrix::record;

    #[test]
    fn an_edge_that_was_written_is_read_back_and_what_follows_it_is_left() {
        let demand = Demand {
            rules: vec!["db is for the shop alone".to_owned()],
            expected: "blocked,refused".parse().unwrap(),
            controls: vec![Target::parse("api:80", &Services::default()).unwrap()],
            timeout: Duration::from_millis(1500),
            tries: 2,
        };
        for outcome in fixtures::all() {
            // The form of `tcpprobe/v1` repeats with each endpoint what holds for its name.
            if outcome
                .name
                .as_ref()
                .is_some_and(|name| !name.findings.is_empty())
            {
                continue;
            }
            let edge = Edge {
                source: Arc::new(Identity::named("frontend")),
                demand: Arc::new(demand.clone()),
                tried: 1,
                concluded_unix_s: Duration::from_micros(1_700_000_000_123_456),
                syn_schedule: None,
                outcome,
            };
            let judged = Merger::default().add(0, &edge);
            let mut line = Vec::new();
            record::write_line(&record::edge(&edge, &judged), &mut line).unwrap();
            let line = String::from_utf8(line).unwrap();
            let (reread, rest) = super::record(&line).unwrap();
            assert_eq!(reread, Record::Edge(Box::new(edge)));
            assert_eq!(rest, "\n");
            assert!(Judgement::ALL.contains(&judged.judgement));
        }
    }
}
