//! Reading the parts of a tree: tables whose keys are known, texts, lists; every error says what would be right.

use std::time::Duration;

use super::FileError;
use super::names::nearest;
use super::tree::{Key, Node, Place, Value};
use crate::duration;

/// A table all of whose keys are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    entries: &'a [(Key, Node)],
}

impl<'a> Table<'a> {
    /// `what` is what the table is, as in "a rule"; `keys` are those that it may have.
    pub(super) fn open(node: &'a Node, what: &str, keys: &[&str]) -> Result<Self, FileError> {
        let entries = entries(node, what)?;
        if let Some((unknown, _)) = entries.iter().find(|(key, _)| !keys.contains(&key.text.as_str())) {
            let says = match nearest(&unknown.text, keys.iter().copied()) {
                Some(near) => format!("`{}` is no key of {what}: did you mean `{near}`?", unknown.text),
                None => format!(
                    "`{}` is no key of {what}: its keys are {}",
                    unknown.text,
                    keys.join(", ")
                ),
            };
            return Err(unknown.at.says(says));
        }
        Ok(Self { entries })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(_, node)| node)
    }

    /// The place of a key.
    pub(super) fn place(&self, key: &str) -> Option<Place> {
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(known, _)| known.at)
    }
}

/// The entries of a table whose keys are the user's own.
pub(super) fn entries<'a>(node: &'a Node, what: &str) -> Result<&'a [(Key, Node)], FileError> {
    match &node.value {
        Value::Table(entries) => Ok(entries),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Text(_)
        | Value::List(_)) => Err(node.at.says(format!(
            "{what} is a table of keys and values, as in `key: value`, and this is {}",
            other.shown()
        ))),
    }
}

/// A text; `what` is whose, as in "`name`".
pub(super) fn text<'a>(node: &'a Node, what: &str) -> Result<&'a str, FileError> {
    match &node.value {
        Value::Text(text) if text.trim().is_empty() => Err(node
            .at
            .says(format!("{what} is empty: write something, or leave it out"))),
        Value::Text(text) => Ok(text.trim()),
        Value::Null => Err(node
            .at
            .says(format!("{what} is empty: write something, or leave it out"))),
        other @ (Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Date(_)) => {
            Err(node.at.says(format!(
                "{what} is a text, and this is {}: put it in quotes",
                other.shown()
            )))
        }
        other @ (Value::List(_) | Value::Table(_)) => Err(node
            .at
            .says(format!("{what} is a text, and this is {}", other.shown()))),
    }
}

/// One node, or the nodes of a list.
pub(super) fn one_or_more<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], FileError> {
    match &node.value {
        Value::List(nodes) if nodes.is_empty() => Err(node.at.says(format!(
            "{what} is an empty list: name something, or leave it out"
        ))),
        Value::List(nodes) => Ok(nodes),
        Value::Null => Err(node
            .at
            .says(format!("{what} is empty: name something, or leave it out"))),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Text(_)
        | Value::Table(_) => Ok(std::slice::from_ref(node)),
    }
}

/// A length of time.
pub(super) fn timeout(node: &Node) -> Result<Duration, FileError> {
    match &node.value {
        Value::Text(text) => {
            duration::parse(text.trim()).map_err(|error| node.at.says(format!("`timeout`: {error}")))
        }
        Value::Integer(number) => Err(node.at.says(format!(
            "`timeout`: the unit is missing: write \"{number}s\" or \"{number}ms\""
        ))),
        Value::Float(number) => Err(node.at.says(format!(
            "`timeout`: the unit is missing: write \"{number}s\" or \"{number}ms\""
        ))),
        other @ (Value::Null | Value::Bool(_) | Value::Date(_) | Value::List(_) | Value::Table(_)) => {
            Err(node.at.says(format!(
                "`timeout` is a length of time such as 500ms or 3s, and this is {}",
                other.shown()
            )))
        }
    }
}

/// How often to look.
pub(super) fn tries(node: &Node) -> Result<u32, FileError> {
    const MOST: i128 = 100;
    let number = match &node.value {
        Value::Integer(number) => u32::try_from(*number)
            .ok()
            .filter(|_| (1..=MOST).contains(number)),
        Value::Null
        | Value::Bool(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Table(_) => None,
    };
    number.ok_or_else(|| {
        node.at.says(format!(
            "`tries` is a number from 1 to {MOST}, and this is {}",
            node.value.shown()
        ))
    })
}
