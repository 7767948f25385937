//! What a file holds, whatever its language: a tree in which every node knows where it stands.

use super::FileError;

/// Where something stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// The beginning of the file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// What is wrong here, and what would be right.
    pub fn says(self, says: impl Into<String>) -> FileError {
        FileError {
            line: self.line as usize,
            column: self.column as usize,
            says: says.into(),
        }
    }
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Of a text.
    pub fn of(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The place of a byte.
    pub fn place(&self, byte: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= byte).max(1) - 1;
        let before = self.text[self.starts[line]..].char_indices();
        let column = before.take_while(|(at, _)| self.starts[line] + at < byte).count();
        let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            line: narrow(line + 1),
            column: narrow(column + 1),
        }
    }

    /// The line that a place is in.
    pub fn line(&self, place: Place) -> &'a str {
        let start = self.starts.get(place.line as usize - 1).copied();
        let rest = start.and_then(|start| self.text.get(start..)).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    /// The place of a byte of a line, both counted from 1, as `serde_json` counts.
    pub fn place_in_line(&self, line: usize, byte: usize) -> Place {
        let start = self.starts.get(line.max(1) - 1).copied();
        self.place(start.unwrap_or(self.text.len()) + byte.max(1) - 1)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub at: Place,
    /// The value.
    pub value: Value,
}

/// A value of any of the languages.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// A date or a time, which TOML alone has.
    Date(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table, its entries in the order of the file.
    Table(Vec<(Key, Node)>),
}

/// The name of an entry of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Where it stands.
    pub at: Place,
    /// The name.
    pub text: String,
}

impl Value {
    /// The value as messages name it.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(bool) => format!("the truth value {bool}"),
            Self::Integer(number) => format!("the number {number}"),
            Self::Float(number) => format!("the number {number}"),
            Self::Date(date) => format!("the date {date}"),
            Self::Text(text) => format!("`{text}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}
