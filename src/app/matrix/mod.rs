//! `tcpprobe matrix`: has every edge of a matrix looked at, writes each as soon as it is known, and says what all come to.

pub(super) mod file;
mod identity;
mod progress;
mod recorder;
mod results;
mod run;
mod shard;
mod termination;

use std::path::Path;
use std::sync::Arc;

use super::{Failure, document};
use crate::cli::{Exit, MatrixArguments};
use crate::matrix::file::{ExpandError, Matrix};
use crate::matrix::{Identity, Planned, Shard};
use recorder::Recorder;

/// What one run is to do.
struct Job {
    /// The name of the matrix.
    matrix: Option<String>,
    source: Arc<Identity>,
    shard: Option<Shard>,
    /// The edges of this part of the matrix, and behind them the controls that it needs of other parts.
    edges: Vec<Planned>,
    /// How many of them are of this part.
    own: usize,
}

pub(super) fn run(arguments: &MatrixArguments) -> Result<Exit, Failure> {
    if arguments.init {
        return file::init();
    }
    if arguments.check {
        return file::check(arguments);
    }
    let Some(path) = &arguments.file else {
        return Err(Failure::usage(
            "name the file of a matrix, or write one with --init",
        ));
    };
    let matrix = file::read(path)?;
    let job = job(arguments, path, &matrix)?;
    let (recorder, left) = Recorder::new(arguments, &job)?;
    run::run(arguments, &job, recorder, left)
}

/// Which edges this run looks at, and as whom.
fn job(arguments: &MatrixArguments, path: &Path, matrix: &Matrix) -> Result<Job, Failure> {
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (source, named) = identity::identity(arguments, &matrix.sources, &environment)?;
    let shard = shard::shard(arguments, &environment)?;
    let all = matrix
        .edges(named.as_deref(), arguments.max_edges)
        .map_err(|error| match error {
            ExpandError::File(error) => document::wrong(path, &error),
            ExpandError::Source(says) => Failure::usage(says),
        })?;
    let (edges, own) = if let Some(shard) = shard {
        shard::part(all, shard)
    } else {
        let own = all.len();
        (all, own)
    };
    Ok(Job {
        matrix: matrix.name.clone(),
        source: Arc::new(source),
        shard,
        edges,
        own,
    })
}
