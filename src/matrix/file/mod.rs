//! The matrix file: who may reach whom, as the user wrote it down.

use std::collections::BTreeMap;

use super::Planned;
use crate::target::Services;

/// A matrix that was read and found right.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// What it is called.
    pub name: Option<String>,
    /// Who looks, in the order of the file; empty where whoever runs it is the source.
    pub sources: Vec<Source>,
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

/// What is wrong with a matrix file. Displayed as it follows the name of the file: `7:3: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {says}")]
pub struct FileError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub says: String,
}

impl Matrix {
    /// Reads and checks a matrix.
    pub fn read(_text: &str, _format: Format, _services: &Services) -> Result<Self, FileError> {
        Err(FileError {
            line: 1,
            column: 1,
            says: "not yet".to_owned(),
        })
    }

    /// The edges of a source (`None` for a matrix that names none), each target once, in the order of the file.
    pub fn edges(&self, _source: Option<&str>) -> Vec<Planned> {
        Vec::new()
    }
}
