//! Reading the parts of a tree: tables whose keys are known, texts, lists; every error says what would be right.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::{FileError, Key, Node, Place, Value, nearest};
use crate::duration;

/// A table all of whose keys are known.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    entries: &'a [(Key, Node)],
}

impl<'a> Table<'a> {
    /// `what` is what the table is, as in "a rule"; `keys` are those that it may have.
    pub fn open(node: &'a Node, what: &str, keys: &[&str]) -> Result<Self, FileError> {
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

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(_, node)| node)
    }

    /// The place of a key.
    pub fn place(&self, key: &str) -> Option<Place> {
        let found = self.entries.iter().find(|(known, _)| known.text == key);
        found.map(|(known, _)| known.at)
    }
}

/// The entries of a table whose keys are the user's own.
pub fn entries<'a>(node: &'a Node, what: &str) -> Result<&'a [(Key, Node)], FileError> {
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
pub fn text<'a>(node: &'a Node, what: &str) -> Result<&'a str, FileError> {
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
pub fn one_or_more<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], FileError> {
    match &node.value {
        Value::List(nodes) if nodes.is_empty() => Err(node
            .at
            .says(format!("{what} is an empty list: name at least one"))),
        Value::List(nodes) => Ok(nodes),
        Value::Null => Err(node.at.says(format!("{what} is empty: name at least one"))),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Text(_)
        | Value::Table(_) => Ok(std::slice::from_ref(node)),
    }
}

/// A length of time; `what` is whose, as in "`timeout`".
///
/// # Errors
/// Where it is none, has no unit, or is longer than a day.
pub fn duration(node: &Node, what: &str) -> Result<Duration, FileError> {
    length_of_time(node, what, duration::parse)
}

/// As [`duration()`], but `0s` is permitted.
///
/// # Errors
/// Where it is none.
pub fn duration_or_zero(node: &Node, what: &str) -> Result<Duration, FileError> {
    length_of_time(node, what, duration::parse_or_zero)
}

fn length_of_time(
    node: &Node,
    what: &str,
    parse: fn(&str) -> Result<Duration, String>,
) -> Result<Duration, FileError> {
    match &node.value {
        Value::Text(text) => parse(text.trim()).map_err(|error| node.at.says(format!("{what}: {error}"))),
        Value::Integer(number) => Err(node.at.says(format!(
            "{what}: the unit is missing: write \"{number}s\" or \"{number}ms\""
        ))),
        Value::Float(number) => Err(node.at.says(format!(
            "{what}: the unit is missing: write \"{number}s\" or \"{number}ms\""
        ))),
        other @ (Value::Null | Value::Bool(_) | Value::Date(_) | Value::List(_) | Value::Table(_)) => {
            Err(node.at.says(format!(
                "{what} is a length of time such as 500ms or 3s, and this is {}",
                other.shown()
            )))
        }
    }
}

/// A number from 1 to `most`; `what` is whose, as in "`tries`".
///
/// # Errors
/// Where it is none of these.
pub fn count(node: &Node, what: &str, most: u32) -> Result<u32, FileError> {
    let number = match &node.value {
        Value::Integer(number) => u32::try_from(*number)
            .ok()
            .filter(|number| (1..=most).contains(number)),
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
            "{what} is a number from 1 to {most}, and this is {}",
            node.value.shown()
        ))
    })
}

/// Whether it is a list with nothing in it.
pub fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, Value::List(nodes) if nodes.is_empty())
}

/// A word for targets or sources. What a language makes of an unquoted one is told apart.
pub fn target_text(node: &Node) -> Result<&str, FileError> {
    let says = match &node.value {
        Value::Text(text) if !text.trim().is_empty() => return Ok(text.trim()),
        Value::Integer(port) => format!(
            "{port} is a port without a host: write both, and several ports in quotes, as in \"db:5432,{port}\""
        ),
        Value::Table(entries) => match &entries[..] {
            [
                (
                    Key { text: host, .. },
                    Node {
                        value: Value::Integer(port),
                        ..
                    },
                ),
            ] => {
                format!("`{host}: {port}` with a space is a table: write {host}:{port}")
            }
            _ => "a target is a text such as db:5432, and this is a table".to_owned(),
        },
        Value::List(items) => match &items[..] {
            [
                Node {
                    value: Value::Text(address),
                    ..
                },
            ] if address.parse::<Ipv6Addr>().is_ok() => format!(
                "brackets make a list: put an IPv6 address and its port in quotes, as in \"[{address}]:443\""
            ),
            _ => "a list within a list: write one list".to_owned(),
        },
        Value::Text(_) => "a target is a text such as db:5432, and this is empty".to_owned(),
        other @ (Value::Null | Value::Bool(_) | Value::Float(_) | Value::Date(_)) => {
            format!(
                "a target is a text such as db:5432, and this is {}",
                other.shown()
            )
        }
    };
    Err(node.at.says(says))
}

/// A table of texts.
pub fn texts(node: Option<&Node>, what: &str) -> Result<BTreeMap<String, String>, FileError> {
    let Some(node) = node else {
        return Ok(BTreeMap::new());
    };
    let texts = entries(node, what)?.iter().map(|(key, node)| {
        // A label may well be empty.
        let value = if let Value::Text(value) = &node.value {
            value
        } else {
            text(node, &format!("`{}`", key.text))?
        };
        Ok((key.text.clone(), value.to_owned()))
    });
    texts.collect()
}
