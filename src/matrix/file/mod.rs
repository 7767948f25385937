//! The matrix file: who may reach whom, as the user wrote it down.
//!
//! The tree of a document becomes a [`Matrix`] in which every name is resolved (`read`), and that is expanded into edges
//! (`expand`).

mod combine;
mod expand;
mod expect;
mod groups;
mod names;
mod read;

pub use crate::document::{FileError, Format};
pub use expand::{ExpandError, Expansion};

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Expected, Planned};
use crate::document::{self, Place, Word};
use crate::target::{Services, Target};

/// The example that `tcpprobe matrix --init` writes: every key, with comments.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// A matrix that was read and found right.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// What it is called.
    pub name: Option<String>,
    /// Who looks, in the order of the file; empty where whoever runs it is the source.
    pub sources: Vec<Source>,
    /// All words for targets.
    words: Vec<Word>,
    rules: Vec<Rule>,
}

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the rules call it.
    pub name: String,
    /// The Kubernetes namespace that it lives in.
    pub namespace: Option<String>,
    /// The labels of its pods, by which policies know it.
    pub labels: BTreeMap<String, String>,
    /// Its service account.
    pub service_account: Option<String>,
    /// The nodes that its pods may run on.
    pub node_selector: BTreeMap<String, String>,
}

/// Sources × targets, and what is asked of them.
#[derive(Debug, Clone)]
struct Rule {
    at: Place,
    name: String,
    /// The sources, by index; absent for whoever looks.
    from: Option<Vec<u32>>,
    /// Words, by index.
    to: Vec<u32>,
    except: Vec<u32>,
    expected: Expected,
    timeout: Duration,
    tries: u32,
    controls: Vec<Target>,
}

impl Matrix {
    /// Reads and checks a matrix.
    pub fn read(text: &str, format: Format, services: &Services) -> Result<Self, FileError> {
        let root = document::read(text, format, "a matrix")?;
        read::matrix(&root, services)
    }

    /// The edges of a source (any name or none for a matrix that names no sources), each target once, in the order of the
    /// file. `max` is how many edges the whole matrix may have.
    pub fn edges(&self, source: Option<&str>, max: u64) -> Result<Vec<Planned>, ExpandError> {
        self.expand(max)?.into_edges(source)
    }
}

#[cfg(test)]
mod tests;
