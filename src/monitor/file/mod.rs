//! The configuration of the monitor, as the user wrote it down: how to look, at what, and who may ask for more.
//!
//! The tree of a document becomes modules (`modules`), targets with their labels (`targets`, `labels`), and what /probe may be
//! aimed at. Whatever cannot be meant is told with its place and what would be right.

mod labels;
mod modules;
mod targets;

use super::{Allow, Config, Limit, Permit};
use crate::document::table::{Table, count, is_empty_list, one_or_more, text};
use crate::document::{self, FileError, Format, Node, Place, Value};
use crate::target::Services;

/// The example that `tcpprobe monitor --init` writes: every key, with comments.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// So many targets at most. Each costs a few kilobytes; more want a second monitor.
pub const MOST_TARGETS: usize = 100_000;

/// The most checks a second, and at once, that a limit can be.
const MOST_A_SECOND: u32 = 100_000;

const CONFIGURATION: &[&str] = &["modules", "targets", "allow", "probe_limit"];

/// A configuration that was read and found right.
#[derive(Debug, Clone)]
pub struct File {
    /// What is watched, and how.
    pub config: Config,
    /// What /probe may be aimed at besides.
    pub allow: Allow,
    /// Where each target is written.
    pub places: Vec<Place>,
}

impl File {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// The first thing that cannot be meant.
    pub fn read(text: &str, format: Format, services: &Services) -> Result<Self, FileError> {
        let root = document::read(text, format, "a configuration")?;
        let is_empty = match &root.value {
            Value::Null => true,
            Value::Table(entries) => entries.is_empty(),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::Text(_)
            | Value::List(_) => false,
        };
        if is_empty {
            let says = "the file is empty: `tcpprobe monitor --init` writes an example to begin with";
            return Err(Place::START.says(says));
        }
        let file = Table::open(&root, "a configuration", CONFIGURATION)?;
        let modules = modules::read(file.get("modules"))?;
        let (targets, places) = targets::read(file.get("targets"), &modules, services)?;
        let allow = Allow {
            permits: file
                .get("allow")
                .map(|node| permits(node, services))
                .transpose()?,
            limit: file
                .get("probe_limit")
                .map(limit)
                .transpose()?
                .unwrap_or_default(),
        };
        Ok(Self {
            config: Config { modules, targets },
            allow,
            places,
        })
    }
}

/// What /probe may be aimed at besides the targets; an empty list is nothing.
fn permits(node: &Node, services: &Services) -> Result<Vec<Permit>, FileError> {
    if is_empty_list(node) {
        return Ok(Vec::new());
    }
    if node.value == Value::Null {
        return Err(node
            .at
            .says("`allow` is empty: write [] to permit nothing but the targets above, or leave it out"));
    }
    let permits = one_or_more(node, "`allow`")?.iter().map(|node| {
        let text = text(node, "what is permitted")?;
        Permit::parse(text, services).map_err(|says| node.at.says(says))
    });
    permits.collect()
}

/// How often /probe may look at one host.
fn limit(node: &Node) -> Result<Limit, FileError> {
    let table = Table::open(node, "`probe_limit`", &["rate", "burst"])?;
    let number = |key: &str, otherwise| {
        table.get(key).map_or(Ok(otherwise), |node| {
            count(node, &format!("`{key}`"), MOST_A_SECOND)
        })
    };
    let Limit { rate, burst } = Limit::default();
    Ok(Limit {
        rate: number("rate", rate)?,
        burst: number("burst", burst)?,
    })
}

#[cfg(test)]
mod tests;
