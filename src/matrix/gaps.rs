//! What an answer lacks: edges that no run looked at, or that got lost on the way here.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Answer, Identity, Run};

/// What makes an answer incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// A run ended before all of its edges were done.
    NotDone {
        /// Who looked, as it is written.
        source: String,
        /// How many edges are missing.
        edges: u64,
    },
    /// Edges that a run says it has done are not among those that are known.
    Lost {
        /// Who looked.
        source: String,
        /// How many edges are missing.
        edges: u64,
    },
    /// Nothing says that the run came to its end.
    NoSummary {
        /// Who looked.
        source: String,
    },
    /// There is a summary, but the source looked again after it, and nothing says that this run came to its end.
    NoSummaryOfTheLast {
        /// Who looked.
        source: String,
    },
    /// Parts of a matrix that nobody says anything of.
    Shards {
        /// Who looked.
        source: String,
        /// Which parts, counted from 0.
        missing: Vec<u32>,
        /// Of how many.
        count: u32,
    },
}

/// A sentence.
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = |edges: &u64| if *edges == 1 { "edge" } else { "edges" };
        match self {
            Self::NotDone { source, edges } => {
                write!(
                    f,
                    "{edges} {} of {source} not looked at: the run ended early",
                    noun(edges)
                )
            }
            Self::Lost { source, edges } => {
                write!(
                    f,
                    "{edges} {} of {source} lost: its summary counts more than there are here",
                    noun(edges)
                )
            }
            Self::NoSummary { source } => {
                write!(
                    f,
                    "no summary from {source}: its run was killed, or its last lines are missing"
                )
            }
            Self::NoSummaryOfTheLast { source } => write!(
                f,
                "no summary of the last run of {source}: it was killed, or its last lines are missing"
            ),
            Self::Shards {
                source,
                missing,
                count,
            } => {
                let few: Vec<String> = missing.iter().take(FEW).map(ToString::to_string).collect();
                let more = if missing.len() > FEW { ", …" } else { "" };
                write!(
                    f,
                    "no summary of {} of the {count} shards of {source}: {}{more}",
                    missing.len(),
                    few.join(", ")
                )
            }
        }
    }
}

/// More shards than this are not listed.
const FEW: usize = 8;

/// What is known of a source's runs.
#[derive(Debug, Default)]
struct OfSource<'a> {
    edges: u64,
    last_look: Duration,
    runs: Vec<&'a Run>,
}

impl Answer {
    /// What it lacks, by source; empty when it is complete.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut sources: BTreeMap<String, OfSource> = BTreeMap::new();
        for (row, source) in (0..).zip(&self.sources) {
            let cells = self.row(row);
            let of_source = sources.entry(source.to_string()).or_default();
            of_source.edges = cells.len() as u64;
            let looks = cells.iter().map(|cell| cell.concluded_unix_s);
            of_source.last_look = looks.max().unwrap_or_default();
        }
        for run in &self.runs {
            sources.entry(run.source.to_string()).or_default().runs.push(run);
        }
        sources
            .iter()
            .flat_map(|(source, known)| gaps_of(source, known))
            .collect()
    }

    /// The runs that no later one of the same source and matrix stands for.
    pub fn standing_runs(&self) -> Vec<&Run> {
        let mut by_matrix: BTreeMap<(&Identity, Option<&str>), Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            let named = self
                .sources
                .iter()
                .find(|source| source.is_same_source(&run.source));
            let source = named.map_or(&run.source, |source| source.as_ref());
            by_matrix
                .entry((source, run.matrix.as_deref()))
                .or_default()
                .push(run);
        }
        by_matrix.into_values().flat_map(standing).collect()
    }
}

/// Of the runs of one source and matrix: the last one; where that was a shard, the last one of each shard of as many.
fn standing(mut runs: Vec<&Run>) -> Vec<&Run> {
    runs.sort_by_key(|run| (run.ended_unix_s, run.done));
    let count = |run: &Run| run.shard.map(|shard| shard.count);
    let last = runs.last().and_then(|run| count(run));
    let mut latest: BTreeMap<Option<u32>, &Run> = BTreeMap::new();
    for run in runs.into_iter().filter(|run| count(run) == last) {
        latest.insert(run.shard.map(|shard| shard.index), run);
    }
    latest.into_values().collect()
}

fn gaps_of(source: &str, known: &OfSource) -> Vec<Gap> {
    let source = || source.to_owned();
    let Some(ended) = known.runs.iter().map(|run| run.ended_unix_s).max() else {
        return vec![Gap::NoSummary { source: source() }];
    };
    let mut gaps = Vec::new();
    if known.last_look > ended {
        gaps.push(Gap::NoSummaryOfTheLast { source: source() });
    }
    let mut by_matrix: BTreeMap<Option<&str>, Vec<&Run>> = BTreeMap::new();
    for run in &known.runs {
        by_matrix.entry(run.matrix.as_deref()).or_default().push(run);
    }
    // Matrices may share edges: what the largest has is the least that there must be.
    let mut least = 0;
    for runs in by_matrix.into_values().map(standing) {
        least = least.max(runs.iter().map(|run| run.done).sum());
        let not_done = runs.iter().map(|run| run.planned.saturating_sub(run.done)).sum();
        if not_done > 0 {
            gaps.push(Gap::NotDone {
                source: source(),
                edges: not_done,
            });
        }
        if let Some(count) = runs.first().and_then(|run| run.shard).map(|shard| shard.count) {
            let is_there = |index: &u32| {
                runs.iter()
                    .any(|run| run.shard.is_some_and(|shard| shard.index == *index))
            };
            let missing: Vec<u32> = (0..count).filter(|index| !is_there(index)).collect();
            if !missing.is_empty() {
                gaps.push(Gap::Shards {
                    source: source(),
                    missing,
                    count,
                });
            }
        }
    }
    if least > known.edges {
        gaps.push(Gap::Lost {
            source: source(),
            edges: least - known.edges,
        });
    }
    gaps
}
