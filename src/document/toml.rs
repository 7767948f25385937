//! TOML becomes a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FileError, Key, Lines, Node, Place, Value};

/// More than any file of ours needs, and far less than the stack holds.
const DEEPEST: usize = 32;

/// Reads a document.
pub(super) fn read(text: &str, what: &str) -> Result<Node, FileError> {
    let lines = Lines::of(text);
    let root = DeTable::parse(text).map_err(|error| {
        let place = lines.place(error.span().map_or(0, |span| span.start));
        place.says(format!("this is no TOML: {}", error.message()))
    })?;
    Ok(Node {
        at: Place::START,
        value: table(root.get_ref(), &Reader { lines: &lines, what }, DEEPEST)?,
    })
}

/// What every part of the document needs.
struct Reader<'a> {
    lines: &'a Lines<'a>,
    what: &'a str,
}

fn table(entries: &DeTable<'_>, reader: &Reader<'_>, depth: usize) -> Result<Value, FileError> {
    let mut entries: Vec<_> = entries.iter().collect();
    // They come by letter; what is wrong is said in the order of the file.
    entries.sort_by_key(|(key, _)| key.span().start);
    let entries = entries.into_iter().map(|(key, value)| {
        let key = Key {
            at: reader.lines.place(key.span().start),
            text: key.get_ref().clone().into_owned(),
        };
        Ok((key, node(value, reader, depth)?))
    });
    entries.collect::<Result<_, _>>().map(Value::Table)
}

fn node(value: &Spanned<DeValue<'_>>, reader: &Reader<'_>, depth: usize) -> Result<Node, FileError> {
    let at = reader.lines.place(value.span().start);
    let Some(depth) = depth.checked_sub(1) else {
        return Err(at.says(format!("nested too deeply for {}", reader.what)));
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
            let items = items.iter().map(|item| node(item, reader, depth));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(entries) => table(entries, reader, depth)?,
    };
    Ok(Node { at, value })
}
