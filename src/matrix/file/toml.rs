//! TOML becomes a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::FileError;
use super::tree::{Key, Lines, Node, Place, Value};

/// More than any matrix needs, and far less than the stack holds.
const DEEPEST: usize = 32;

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Node, FileError> {
    let lines = Lines::of(text);
    let root = DeTable::parse(text).map_err(|error| {
        let place = lines.place(error.span().map_or(0, |span| span.start));
        place.says(format!("this is no TOML: {}", error.message()))
    })?;
    Ok(Node {
        at: Place::START,
        value: table(root.get_ref(), &lines, DEEPEST)?,
    })
}

fn table(entries: &DeTable<'_>, lines: &Lines<'_>, depth: usize) -> Result<Value, FileError> {
    let mut entries: Vec<_> = entries.iter().collect();
    // They come by letter; what is wrong is said in the order of the file.
    entries.sort_by_key(|(key, _)| key.span().start);
    let entries = entries.into_iter().map(|(key, value)| {
        let key = Key {
            at: lines.place(key.span().start),
            text: key.get_ref().clone().into_owned(),
        };
        Ok((key, node(value, lines, depth)?))
    });
    entries.collect::<Result<_, _>>().map(Value::Table)
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines<'_>, depth: usize) -> Result<Node, FileError> {
    let at = lines.place(value.span().start);
    let Some(depth) = depth.checked_sub(1) else {
        return Err(at.says("nested too deeply for a matrix"));
    };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Text(number.to_string()), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or_else(|_| Value::Text(number.to_string()), Value::Float),
        DeValue::Boolean(bool) => Value::Bool(*bool),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| node(item, lines, depth));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(entries) => table(entries, lines, depth)?,
    };
    Ok(Node { at, value })
}
