//! `tcpprobe matrix`: has every edge of a matrix looked at, writes each as soon as it is known, and says what all come to.

mod identity;
mod progress;
mod recorder;
mod results;
mod run;
mod shard;
mod termination;

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Failure, gather};
use crate::cli::{Exit, MatrixArguments, SweepArgument};
use crate::matrix::file::{Format, Matrix};
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
    let Some(path) = &arguments.file else {
        return Err(Failure::usage("which matrix? Name a file"));
    };
    let matrix = read(path)?;
    let job = job(arguments, &matrix)?;
    if arguments.sweep == SweepArgument::Syn {
        return Err(Failure::usage("--sweep syn: write --sweep connect"));
    }
    let (recorder, left) = Recorder::new(arguments, &job)?;
    run::run(arguments, &job, recorder, left)
}

/// Which edges this run looks at, and as whom.
fn job(arguments: &MatrixArguments, matrix: &Matrix) -> Result<Job, Failure> {
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (source, named) = identity::identity(arguments, &matrix.sources, &environment)?;
    let shard = shard::shard(arguments, &environment)?;
    let all = matrix.edges(named.as_deref());
    if all.len() as u64 > arguments.max_edges {
        return Err(Failure::usage(format!(
            "{} edges are more than {}: name fewer, or allow them with --max-edges {}",
            all.len(),
            arguments.max_edges,
            all.len()
        )));
    }
    let (edges, own) = match shard {
        Some(shard) => shard::part(all, shard),
        None => {
            let own = all.len();
            (all, own)
        }
    };
    Ok(Job {
        matrix: matrix.name.clone(),
        source: Arc::new(source),
        shard,
        edges,
        own,
    })
}

fn read(path: &Path) -> Result<Matrix, Failure> {
    let shown = if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    let text = text.map_err(|error| Failure::usage(format!("{shown}: cannot be read: {error}")))?;
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Format::Toml,
        Some("json") => Format::Json,
        _ => Format::Yaml,
    };
    Matrix::read(&text, format, &gather::services())
        .map_err(|error| Failure::usage(format!("{shown}:{error}")))
}
