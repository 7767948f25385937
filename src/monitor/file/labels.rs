//! Labels of the user's own, which every series of a target has.

use std::collections::BTreeMap;

use crate::document::table::{entries, text};
use crate::document::{FileError, Key, Node, Value};

/// Labels that our own series have.
pub(super) const OURS: &[&str] = &[
    "target",
    "module",
    "class",
    "cause",
    "confidence",
    "reason",
    "phase",
    "family",
    "le",
    "quantile",
];
/// Labels that Prometheus gives to whatever it scrapes.
pub(super) const OF_PROMETHEUS: &[&str] = &["instance", "job"];

/// So many labels at most; Prometheus keeps each of them with every series.
const MOST_LABELS: usize = 30;
/// In bytes. What is longer is no label.
const LONGEST_VALUE: usize = 1_000;

/// Reads the labels of a target.
pub(super) fn read(node: &Node) -> Result<BTreeMap<String, String>, FileError> {
    let entries = entries(node, "`labels`")?;
    if let Some((key, _)) = entries.get(MOST_LABELS) {
        return Err(key.at.says(format!(
            "more than {MOST_LABELS} labels: Prometheus keeps each of them with every series"
        )));
    }
    let labels = entries.iter().map(|(key, node)| {
        check_name(key)?;
        Ok((key.text.clone(), value(key, node)?))
    });
    labels.collect()
}

fn check_name(key: &Key) -> Result<(), FileError> {
    let name = key.text.as_str();
    let wrong = |why: String| {
        Err(key
            .at
            .says(format!("`{name}` is no name for a label of yours: {why}")))
    };
    if name.is_empty() {
        return Err(key.at.says("a label without a name"));
    }
    if name.starts_with("__") {
        return wrong("what begins with `__` is Prometheus's own".to_owned());
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !name.chars().all(fits) || name.starts_with(|first: char| first.is_ascii_digit()) {
        let mut instead = name.replace(|letter| !fits(letter), "_");
        if instead.starts_with(|first: char| first.is_ascii_digit()) {
            instead.insert(0, '_');
        }
        return wrong(format!(
            "Prometheus has letters, digits and `_` in it, and no digit first; write {}",
            // More than one `_` in front would be Prometheus's own again.
            instead.trim_start_matches("__")
        ));
    }
    if OURS.contains(&name) {
        return wrong(format!("tcpprobe sets it itself; write for example my_{name}"));
    }
    if OF_PROMETHEUS.contains(&name) {
        return wrong(format!("Prometheus sets it itself; write for example my_{name}"));
    }
    Ok(())
}

fn value(key: &Key, node: &Node) -> Result<String, FileError> {
    let name = &key.text;
    if matches!(&node.value, Value::Null) || matches!(&node.value, Value::Text(text) if text.is_empty()) {
        return Err(node.at.says(format!(
            "`{name}` is empty, which to Prometheus is the same as no label: write something, or leave it out"
        )));
    }
    // Blanks around it may be meant.
    let value = match &node.value {
        Value::Text(value) => value.as_str(),
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Table(_) => text(node, &format!("`{name}`"))?,
    };
    if value.len() > LONGEST_VALUE {
        return Err(node
            .at
            .says(format!("`{name}` is longer than {LONGEST_VALUE} bytes")));
    }
    Ok(value.to_owned())
}
