//! What all edges come to, merged from any number of runs.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::digest::{Digest, Facts};
use super::judge::judge;
use super::{Changes, Demand, Edge, Identity, Judged, Judgement};
use crate::diagnose::{Cause, Confidence};
use crate::target::{Host, Target};

/// Where edges can be read again: what they hold is too much to be kept.
pub trait Edges {
    /// The edge at a place that was given to [`Merger::add`].
    fn edge(&self, at: u64) -> io::Result<Edge>;
}

/// Takes edges as they become known, judges them in the light of all others, and makes an answer of them.
#[derive(Debug, Default)]
pub struct Merger {
    sources: Vec<Arc<Identity>>,
    /// The sources as they are written.
    names: Vec<Arc<str>>,
    targets: HashMap<Arc<Target>, u32>,
    /// By source and target.
    edges: HashMap<(u32, u32), Known>,
    /// Each demand once: those that are read back are not shared yet.
    demands: HashSet<Arc<Demand>>,
    facts: Facts,
    runs: Vec<Run>,
}

/// The latest look at an edge.
#[derive(Debug)]
struct Known {
    at: u64,
    digest: Digest,
    verdict: Option<(Cause, Confidence)>,
    from: Option<IpAddr>,
}

impl Merger {
    /// Adds an edge which can be found again at `at`, and judges it by what is known so far. Of several looks at one edge the
    /// latest counts.
    pub fn add(&mut self, at: u64, edge: &Edge) -> Judged {
        let source = self.source(&edge.source);
        let (target, number) = self.target(edge.target());
        let digest = Digest::of(source, edge, self.demand(&edge.demand));
        self.facts.learn(&digest, &target, &self.names[source as usize]);
        let judged = judge(&digest, &self.facts);
        let verdict = edge.verdict();
        let known = Known {
            at,
            digest,
            verdict: verdict.map(|diagnosis| (diagnosis.cause, diagnosis.confidence)),
            from: verdict.and_then(|diagnosis| diagnosis.from),
        };
        let place = (source, number);
        let is_latest = self
            .edges
            .get(&place)
            .is_none_or(|older| older.digest.concluded_unix_s <= known.digest.concluded_unix_s);
        if is_latest {
            self.edges.insert(place, known);
        }
        judged
    }

    /// Adds what a run says of itself at its end.
    pub fn add_run(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Whether an edge is known.
    pub fn knows(&self, source: &Identity, target: &Target) -> bool {
        let source = self.sources.iter().position(|known| known.is_same_source(source));
        let source = source.and_then(|source| u32::try_from(source).ok());
        source
            .zip(self.targets.get(target))
            .is_some_and(|(source, target)| self.edges.contains_key(&(source, *target)))
    }

    /// What it all comes to: sources by name, targets by host and port. Each edge is judged in the light of the latest look
    /// at every other; what an earlier look saw proves nothing.
    pub fn into_answer(self) -> Answer {
        let mut sources: Vec<u32> = (0..).take(self.sources.len()).collect();
        sources.sort_by_key(|source| &self.names[*source as usize]);
        let mut targets: Vec<(Arc<Target>, u32)> = self.targets.into_iter().collect();
        targets.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let rows = places(sources.iter().copied());
        let columns = places(targets.iter().map(|(_, number)| *number));
        let mut latest: Vec<(u32, u32, Known)> = self
            .edges
            .into_iter()
            .map(|((source, target), known)| (rows[source as usize], columns[target as usize], known))
            .collect();
        latest.sort_unstable_by_key(|(row, column, _)| (*row, *column));
        let mut facts = Facts::default();
        for (_, column, known) in &latest {
            let name = &self.names[known.digest.source as usize];
            facts.learn(&known.digest, &targets[*column as usize].0, name);
        }
        let cells = latest
            .into_iter()
            .map(|(source, target, known)| Cell {
                source,
                target,
                at: known.at,
                judged: judge(&known.digest, &facts),
                verdict: known.verdict,
                from: known.from,
                demand: known.digest.demand,
                concluded_unix_s: known.digest.concluded_unix_s,
            })
            .collect();
        Answer {
            sources: sources
                .iter()
                .map(|source| Arc::clone(&self.sources[*source as usize]))
                .collect(),
            targets: targets.into_iter().map(|(target, _)| target).collect(),
            cells,
            runs: self.runs,
            changes: None,
        }
    }

    fn demand(&mut self, demand: &Arc<Demand>) -> Arc<Demand> {
        if let Some(known) = self.demands.get(demand) {
            return Arc::clone(known);
        }
        self.demands.insert(Arc::clone(demand));
        Arc::clone(demand)
    }

    fn source(&mut self, source: &Arc<Identity>) -> u32 {
        let known = self.sources.iter().position(|known| known.is_same_source(source));
        let index = known.unwrap_or_else(|| {
            self.sources.push(Arc::clone(source));
            self.names.push(source.to_string().into());
            self.sources.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    fn target(&mut self, target: &Target) -> (Arc<Target>, u32) {
        if let Some((target, number)) = self.targets.get_key_value(target) {
            return (Arc::clone(target), *number);
        }
        let number = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        let target = Arc::new(target.clone());
        self.targets.insert(Arc::clone(&target), number);
        (target, number)
    }
}

/// Where each number stands.
fn places(numbers: impl ExactSizeIterator<Item = u32>) -> Vec<u32> {
    let mut places = vec![0; numbers.len()];
    for (place, number) in (0..).zip(numbers) {
        places[number as usize] = place;
    }
    places
}

/// Addresses by number, before names by letter; then ports.
fn order(target: &Target) -> (Option<std::net::IpAddr>, Option<&str>, u16) {
    match &target.host {
        // Absent is less than present.
        Host::Address { address, scope } => (Some(*address), scope.as_deref(), target.port),
        Host::Name(name) => (None, Some(name), target.port),
    }
}

/// What all edges come to. What a cell does not hold, [`Edges`] has.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The rows.
    pub sources: Vec<Arc<Identity>>,
    /// The columns.
    pub targets: Vec<Arc<Target>>,
    /// Ordered by row, then by column. Not every place has one.
    pub cells: Vec<Cell>,
    /// What the runs say of themselves, as far as they came to their end.
    pub runs: Vec<Run>,
    /// What has changed since an earlier answer; absent where there is none to compare with.
    pub changes: Option<Changes>,
}

/// One edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its row.
    pub source: u32,
    /// Its column.
    pub target: u32,
    /// Where it can be read again.
    pub at: u64,
    /// What it comes to.
    pub judged: Judged,
    /// The verdict that stands for it; absent where the run ended before there was any.
    pub verdict: Option<(Cause, Confidence)>,
    /// Who said so, or up to where packets get.
    pub from: Option<IpAddr>,
    /// What is asked of it.
    pub demand: Arc<Demand>,
    /// Wall-clock time at which the look was over, since the Unix epoch.
    pub concluded_unix_s: Duration,
}

/// What a run says of itself when it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Who looked.
    pub source: Identity,
    /// The version of tcpprobe.
    pub version: String,
    /// The name of the matrix, if it has one.
    pub matrix: Option<String>,
    /// Wall-clock time at which it began, since the Unix epoch.
    pub started_unix_s: Duration,
    /// Wall-clock time at which it ended, since the Unix epoch.
    pub ended_unix_s: Duration,
    /// How many edges there were to look at, those of an earlier run that was resumed among them.
    pub planned: u64,
    /// How many of them are done.
    pub done: u64,
    /// Which part of the edges this was, as in `2/8`, counted from 0; absent for all of them.
    pub shard: Option<Shard>,
}

/// One of several parts of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, counted from 0.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

/// How many edges come to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// As expected.
    pub met: u64,
    /// Not as expected.
    pub missed: u64,
    /// Blocked as expected, but nothing shows that the target is alive.
    pub unproven: u64,
    /// Those that our own side failed at.
    pub errors: u64,
}

impl Answer {
    /// How many edges come to what.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for cell in &self.cells {
            totals.add(cell.judged.judgement);
        }
        totals
    }

    /// The cells of a row.
    pub fn row(&self, source: u32) -> &[Cell] {
        let begin = self.cells.partition_point(|cell| cell.source < source);
        let end = self.cells.partition_point(|cell| cell.source <= source);
        &self.cells[begin..end]
    }

    /// The row of a cell, as it is written: `source`, or `source@instance`.
    pub fn source_of(&self, cell: &Cell) -> &Identity {
        &self.sources[cell.source as usize]
    }

    /// The column of a cell.
    pub fn target_of(&self, cell: &Cell) -> &Target {
        &self.targets[cell.target as usize]
    }
}

impl Totals {
    /// Counts one more.
    pub fn add(&mut self, judgement: Judgement) {
        *match judgement {
            Judgement::Met => &mut self.met,
            Judgement::Unproven => &mut self.unproven,
            Judgement::Error => &mut self.errors,
            Judgement::Missed => &mut self.missed,
        } += 1;
    }

    /// All of them.
    pub fn edges(&self) -> u64 {
        self.met + self.missed + self.unproven + self.errors
    }
}
