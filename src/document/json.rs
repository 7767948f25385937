//! JSON becomes a tree.

use serde::de::IgnoredAny;

use super::{FileError, Lines, Node, yaml};

/// Reads a document. `serde_json` says what is no JSON; the rest is YAML as well, and that reader knows where everything is.
pub(super) fn read(text: &str, what: &str) -> Result<Node, FileError> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let place = Lines::of(text).place_in_line(error.line(), error.column());
        let says = error.to_string();
        // It ends with the place, which stands before the sentence already.
        let ending = format!(" at line {} column {}", error.line(), error.column());
        let says = says.strip_suffix(&ending).unwrap_or(&says);
        return Err(place.says(format!("this is no JSON: {says}")));
    }
    yaml::read(text, what)
}
