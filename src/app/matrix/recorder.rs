//! Takes edges as they become known: judges them, writes each at once, and in the end what they all come to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::results::Results;
use super::{Job, termination};
use crate::app::output::is_read;
use crate::app::report::{self, Manner};
use crate::app::{Failure, complain};
use crate::cli::{Exit, MatrixArguments, MatrixForm};
use crate::matrix::{
    Answer, Demand, Edge, Edges, Gap, Identity, Judged, Judgement, Merger, Planned, Run, Totals,
};
use crate::report::Verbosity;
use crate::report::matrix::find::{Finder, Found};
use crate::report::matrix::record;
use crate::target::Target;

/// What has become known so far.
pub(super) struct Recorder {
    merger: Merger,
    results: Results,
    keep: Keep,
    /// Lines for standard output, if they go there one by one.
    out: Option<Lines>,
    /// How many edges came to what when they were recorded.
    totals: Totals,
    /// How many edges of this part are done.
    done: u64,
    /// Records whose judgement may not be the last word, with what they say: absent where they say what was asked before.
    doubtful: HashMap<u64, Option<Judgement>>,
}

/// Which edges can be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All of them.
    Every,
    /// Those whose judgement may change: a block that nothing proves yet.
    Doubtful,
}

/// Whether an edge is of this part of the matrix, or a control of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    Yes,
    No,
}

/// Standard output, a line at a time.
struct Lines {
    unwritten: Vec<u8>,
    /// Whoever read our output has gone; that is no error.
    closed: bool,
}

/// More than this is not held back.
const BUFFER: usize = 1 << 16;

impl Recorder {
    /// Opens what results go to, and reads what an earlier run has left there. Returns the edges that are not done.
    pub(super) fn new(arguments: &MatrixArguments, job: &Job) -> Result<(Self, Vec<Planned>), Failure> {
        let streams = arguments.output == MatrixForm::Jsonl && arguments.baseline.is_none();
        let (results, keep) = match (&arguments.results, &arguments.resume) {
            (Some(path), _) => (Results::create(path)?, Keep::Every),
            (None, Some(path)) => (Results::existing(path)?, Keep::Every),
            (None, None) if streams => (Results::without_name()?, Keep::Doubtful),
            (None, None) => (Results::without_name()?, Keep::Every),
        };
        let mut recorder = Self {
            merger: Merger::default(),
            results,
            keep,
            out: streams.then(|| Lines {
                unwritten: Vec::new(),
                closed: false,
            }),
            totals: Totals::default(),
            done: 0,
            doubtful: HashMap::new(),
        };
        if let Some(path) = &arguments.resume {
            recorder.resume(path, job)?;
        }
        let is_known = |edge: &Planned| recorder.merger.knows(&job.source, &edge.target);
        let done = job.edges[..job.own].iter().filter(|edge| is_known(edge)).count();
        // What was open in an earlier run proves nothing of this one.
        let controls: HashSet<&Target> = job
            .edges
            .iter()
            .filter(|edge| !is_known(edge))
            .flat_map(|edge| &edge.demand.controls)
            .collect();
        let is_left = |edge: &&Planned| !is_known(edge) || controls.contains(&edge.target);
        let left = job.edges.iter().filter(is_left).cloned().collect();
        recorder.done = done as u64;
        Ok((recorder, left))
    }

    /// How many edges came to what so far, and how many of this part are done.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether nobody takes what is recorded.
    pub(super) fn is_in_vain(&self) -> bool {
        self.keep == Keep::Doubtful && self.out.as_ref().is_some_and(|out| out.closed)
    }

    /// Whether records go to standard output one by one.
    pub(super) fn writes_lines(&self) -> bool {
        self.out.is_some()
    }

    /// An edge has become known.
    pub(super) fn add(&mut self, edge: &Edge, is_own: Own) -> Result<(), Failure> {
        let number = self.results.next_number();
        let is_known = self.merger.knows(&edge.source, edge.target());
        let judged = self.merger.add(number, edge);
        let is_doubtful = judged.judgement == Judgement::Unproven;
        let line = line(edge, &judged)?;
        if let Some(out) = &mut self.out {
            out.add(&line)?;
        }
        let place = match self.keep {
            Keep::Doubtful if !is_doubtful => None,
            Keep::Doubtful | Keep::Every => Some(self.results.add(&line)?),
        };
        self.results.note(place);
        if is_doubtful {
            self.doubtful.insert(number, Some(judged.judgement));
        }
        self.totals.add(judged.judgement);
        if is_own == Own::Yes && !is_known {
            self.done += 1;
        }
        Ok(())
    }

    /// Writes what has been held back.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.results.flush()?;
        self.out.as_mut().map_or(Ok(()), Lines::flush)
    }

    /// How many edges of this part are done.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// The end: writes again what has another judgement in the light of all edges, then what they come to.
    pub(super) fn conclude(mut self, arguments: &MatrixArguments, run: &Run) -> Result<Exit, Failure> {
        self.merger.add_run(run.clone());
        let mut answer = std::mem::take(&mut self.merger).into_answer();
        self.results.flush()?;
        self.write_again(&answer)?;
        let summary = summary(&answer, run)?;
        self.results.add(&summary)?;
        if let Some(out) = &mut self.out {
            out.add(&summary)?;
        }
        self.flush()?;
        if let Some(baseline) = &arguments.baseline {
            report::compare(&mut answer, baseline)?;
        }
        termination::write(arguments.termination_log.as_deref(), &answer, run);
        if self.out.is_none() {
            let verbosity = match (arguments.quiet, arguments.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, true) => Verbosity::Verbose,
                (false, false) => Verbosity::Normal,
            };
            let manner = Manner {
                form: arguments.output,
                color: arguments.color,
                verbosity,
            };
            report::conclude(&answer, &self.results, manner)?;
        }
        Ok(exit(&answer))
    }

    fn write_again(&mut self, answer: &Answer) -> Result<(), Failure> {
        for cell in &answer.cells {
            let Some(written) = self.doubtful.get(&cell.at) else {
                continue;
            };
            if *written == Some(cell.judged.judgement) {
                continue;
            }
            let mut edge = self.results.edge(cell.at).map_err(|error| {
                Failure::could_not_judge(format!("results cannot be read again: {error}"))
            })?;
            edge.demand = Arc::clone(&cell.demand);
            let line = line(&edge, &cell.judged)?;
            if let Some(out) = &mut self.out {
                out.add(&line)?;
            }
            let place = self.results.add(&line)?;
            self.results.moved(cell.at, place);
        }
        self.flush()
    }

    /// Reads what an earlier run has left.
    fn resume(&mut self, path: &Path, job: &Job) -> Result<(), Failure> {
        let shown = path.display();
        let planned: HashMap<&Target, &Arc<Demand>> = job
            .edges
            .iter()
            .map(|edge| (&edge.target, &edge.demand))
            .collect();
        let failed = |error: io::Error| Failure::usage(format!("{shown} cannot be read: {error}"));
        let file = self.results.file().try_clone().map_err(failed)?;
        let mut finder = Finder::new(&file);
        let (mut damaged, mut foreign, mut known) = (0u64, 0u64, 0u64);
        while let Some(found) = finder.find().map_err(failed)? {
            let (mut edge, at) = match found {
                Found::Edge { edge, at, .. } => (edge, at),
                Found::Run(run) => {
                    is_of_this_source(&run.source, job, path)?;
                    continue;
                }
                Found::Damaged { .. } => {
                    damaged += 1;
                    continue;
                }
            };
            is_of_this_source(&edge.source, job, path)?;
            let Some(demand) = planned.get(edge.target()) else {
                foreign += 1;
                continue;
            };
            let written = if *edge.demand == ***demand {
                let line = self.results.line(at).map_err(failed)?;
                written(&line)
            } else {
                None
            };
            edge.demand = Arc::clone(demand);
            let number = self.results.note(Some(at));
            let judged = self.merger.add(number, &edge);
            self.totals.add(judged.judgement);
            known += 1;
            if written.is_none() || judged.judgement == Judgement::Unproven {
                self.doubtful.insert(number, written);
            }
        }
        if known == 0 && foreign > 0 {
            return Err(Failure::usage(format!(
                "{shown} holds the results of another matrix: none of its {foreign} edges is among those to be looked at; name another file with --results"
            )));
        }
        if foreign > 0 {
            complain(&format!(
                "{shown}: {foreign} edges are not in this matrix, or not in this part of it; they are left as they are"
            ));
        }
        if damaged > 0 {
            complain(&format!(
                "{shown}: {damaged} records cannot be read; their edges are looked at again"
            ));
        }
        Ok(())
    }
}

fn is_of_this_source(source: &Identity, job: &Job, path: &Path) -> Result<(), Failure> {
    if source.is_same_source(&job.source) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} holds the results of {source}, and this is {}: name another file with --results, and merge them with tcpprobe report",
        path.display(),
        job.source
    )))
}

/// What a record says of its edge.
fn written(line: &str) -> Option<Judgement> {
    #[derive(Deserialize)]
    struct Part<'a> {
        result: &'a str,
    }
    let part: Part = serde_json::Deserializer::from_str(line)
        .into_iter()
        .next()?
        .ok()?;
    let judgement = Judgement::ALL
        .iter()
        .find(|judgement| judgement.label() == part.result);
    judgement.copied()
}

impl Lines {
    fn add(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.unwritten.extend_from_slice(line);
        if self.unwritten.len() >= BUFFER {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.closed || self.unwritten.is_empty() {
            self.unwritten.clear();
            return Ok(());
        }
        let mut out = io::stdout().lock();
        self.closed = !is_read(out.write_all(&self.unwritten).and_then(|()| out.flush()))?;
        self.unwritten.clear();
        Ok(())
    }
}

fn line(edge: &Edge, judged: &Judged) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    record::write_line(&record::edge(edge, judged), &mut line).map_err(Failure::could_not_judge)?;
    Ok(line)
}

fn summary(answer: &Answer, run: &Run) -> Result<Vec<u8>, Failure> {
    let mut classes = BTreeMap::new();
    for (cause, _) in answer.cells.iter().filter_map(|cell| cell.verdict) {
        *classes.entry(cause.class()).or_default() += 1;
    }
    let mut line = Vec::new();
    record::write_line(&record::summary(run, answer.totals(), &classes), &mut line)
        .map_err(Failure::could_not_judge)?;
    Ok(line)
}

/// What the run comes to. Other parts of the matrix are for other runs to look at.
fn exit(answer: &Answer) -> Exit {
    let edges = report::exit_of_edges(answer);
    let is_ours = |gap: &Gap| !matches!(gap, Gap::Shards { .. });
    if answer.gaps().iter().any(is_ours) {
        edges.and(Exit::CouldNotJudge)
    } else {
        edges
    }
}
