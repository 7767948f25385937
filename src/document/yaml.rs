//! YAML becomes a tree.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Localizer, Location, Spanned, UserMessageFormatter};

use super::{FileError, Key, Lines, Node, Place, Value};

/// Reads one document. An empty one is nothing.
pub(super) fn read(text: &str, what: &str) -> Result<Node, FileError> {
    let options = serde_saphyr::options! {
        // A file that says more than this by aliases is an attack, nothing that anybody wrote. A hundred thousand targets with
        // two labels each are 1.1 million nodes.
        budget: serde_saphyr::budget! { max_depth: 32, flow_nesting_limit: 32, max_nodes: 3_000_000, max_events: 12_000_000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000, max_replay_stack_depth: 16 },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        // YAML 1.2: `no` and `off` are words.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error, text, what))
}

fn explain(error: &Error, text: &str, what: &str) -> FileError {
    // What went wrong within an alias is told where it is written.
    if let Error::AliasError { error, .. } = error {
        return explain(error, text, what);
    }
    let place = error.location().map_or(Place::START, place);
    let line = Lines::of(text).line(place);
    let indentation = line.trim_start_matches(' ');
    if indentation.starts_with('\t') {
        return place.says("a tab: YAML is indented with spaces alone");
    }
    if let Some(address) = bare_brackets(line) {
        return place.says(format!(
            "brackets make a list in YAML: put an IPv6 address and its port in quotes, as in \"{address}:443\""
        ));
    }
    if let Some(word) = bare_asterisk(line, place) {
        return place.says(format!(
            "an asterisk makes an alias in YAML: put what begins with it in quotes, as in \"{word}\""
        ));
    }
    if let Error::DuplicateMappingKey { key: Some(key), .. } = error {
        return place.says(format!(
            "`{key}` is here for the second time: put all of it where it is first"
        ));
    }
    if matches!(error, Error::MultipleDocuments { .. }) {
        return place.says(format!(
            "a second document begins here: {what} is one, so write each in a file of its own"
        ));
    }
    if matches!(
        error,
        Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
    ) {
        return place.says(format!(
            "too much, nested too deeply, or repeated by aliases too often, for {what}"
        ));
    }
    place.says(format!("this is no YAML as it should be: {}", sentence(error)))
}

/// What the reader of YAML says, without the place.
fn sentence(error: &Error) -> String {
    error.render_with_formatter(&UserMessageFormatter.with_localizer(&WithoutPlace))
}

struct WithoutPlace;

impl Localizer for WithoutPlace {
    fn attach_location<'a>(&self, says: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        says
    }

    fn alias_defined_at(&self, _: Location) -> String {
        String::new()
    }

    fn alias_used_at(&self, _: Location) -> String {
        String::new()
    }
}

/// The first IPv6 address of a line that is in brackets and not in quotes.
fn bare_brackets(line: &str) -> Option<&str> {
    line.match_indices('[').find_map(|(begin, _)| {
        let quoted = line[..begin].ends_with(['"', '\'']);
        let end = begin + line[begin..].find(']')?;
        let inside = line.get(begin + 1..end)?;
        let address = inside.split('%').next()?.split('/').next()?;
        (!quoted && address.parse::<Ipv6Addr>().is_ok()).then(|| &line[begin..=end])
    })
}

/// The word of a line that begins with an asterisk at a place, if it can be no alias: those have no dots, colons or slashes.
fn bare_asterisk(line: &str, place: Place) -> Option<&str> {
    let (begin, _) = line.char_indices().nth(place.column as usize - 1)?;
    let word = line
        .get(begin..)?
        .split([',', ']', '}', ' ', '\t', '"', '\''])
        .next()?;
    let pattern = word.strip_prefix('*')?;
    (pattern.is_empty() || pattern.contains(['.', ':', '/'])).then_some(word)
}

fn place(location: Location) -> Place {
    let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    Place {
        line: narrow(location.line()),
        column: narrow(location.column()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            // Where it is written, not where an alias or a merge key repeats it.
            at: place(spanned.defined),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self {
            at: place(spanned.defined),
            text: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a list or a table")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = table.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Table(entries))
    }
}
