//! Files that users write: a text in YAML, TOML or JSON becomes a tree in which every node knows its line and column.
//!
//! Whatever the language, [`read`] makes one tree of it, and [`table`] reads the parts of that tree: so unknown names and
//! values that cannot be meant are told with their place as mistakes of syntax are, and in the same words.

mod json;
mod nearest;
mod ports;
pub mod table;
mod toml;
mod tree;
mod word;
mod yaml;

pub use nearest::nearest;
pub use ports::Ports;
pub use tree::{Key, Lines, Node, Place, Value};
pub use word::{Hosts, Word, block};

use std::ffi::OsStr;
use std::path::Path;

/// Larger files are none that we read: 65,536 targets with a line each are two megabytes.
pub const LARGEST_FILE: u64 = 16 << 20;

/// The language of a file.
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

/// What is wrong with a file. Displayed as it follows the name of the file: `7:3: what is wrong`.
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
        let place = Lines::of(&text).place(text.len());
        place.says("this is no UTF-8: save the file as UTF-8")
    }
}

/// Reads one document. An empty one is [`Value::Null`], or a table without entries where the language has only those; `what` is
/// what it should be, as in "a matrix".
///
/// # Errors
/// Where the text is none of that language, says the same twice, or is nested too deeply.
pub fn read(text: &str, format: Format, what: &str) -> Result<Node, FileError> {
    // Editors of some systems begin a file with a mark that nobody sees.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Yaml => yaml::read(text, what),
        Format::Toml => toml::read(text, what),
        Format::Json => json::read(text, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_goes_by_the_extension() {
        for (name, format) in [
            ("a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("a.TOML", Format::Toml),
            ("a.b.json", Format::Json),
            ("-", Format::Yaml),
            ("toml", Format::Yaml),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_told_where_it_begins() {
        let error = FileError::not_utf8(b"name: x\n# \xc3\xa9 \xff", 13);
        assert_eq!(error.to_string(), "2:5: this is no UTF-8: save the file as UTF-8");
    }
}
