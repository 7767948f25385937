//! The matrix file: who may reach whom, as the user wrote it down.
//!
//! A text in one of three languages becomes a tree in which every node knows its line and column (`yaml`, `toml`, `json`), the
//! tree becomes a [`Matrix`] in which every name is resolved (`read`), and that is expanded into edges (`expand`).

mod combine;
mod expand;
mod groups;
mod json;
mod names;
mod read;
mod table;
mod toml;
mod tree;
mod word;
mod yaml;

pub use expand::{ExpandError, Expansion};

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::{Expected, Planned};
use crate::target::{Services, Target};
use tree::Place;
use word::Word;

/// The example that `tcpprobe matrix --init` writes: every key, with comments.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// Larger files are no matrices: 65,536 targets with a line each are two megabytes.
pub const LARGEST_FILE: u64 = 16 << 20;

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

/// The language of a matrix file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// JSON (RFC 8259).
    Json,
}

impl Format {
    /// By the file's extension. What has none of ours is YAML, of which JSON is nearly a part.
    pub fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "toml" => Self::Toml,
            "json" => Self::Json,
            _ => Self::Yaml,
        }
    }
}

/// What is wrong with a matrix file. Displayed as it follows the name of the file: `7:3: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {says}")]
pub struct FileError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub says: String,
}

impl FileError {
    /// For a file that is no text: where the bytes begin that are no UTF-8.
    pub fn not_utf8(bytes: &[u8], valid_up_to: usize) -> Self {
        let text = String::from_utf8_lossy(bytes.get(..valid_up_to).unwrap_or(bytes));
        let place = tree::Lines::of(&text).place(text.len());
        place.says("this is no UTF-8: save the file as UTF-8")
    }
}

impl Matrix {
    /// Reads and checks a matrix.
    pub fn read(text: &str, format: Format, services: &Services) -> Result<Self, FileError> {
        // Editors of some systems begin a file with a mark that nobody sees.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root = match format {
            Format::Yaml => yaml::read(text),
            Format::Toml => toml::read(text),
            Format::Json => json::read(text),
        }?;
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
