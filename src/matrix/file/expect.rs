//! What a rule expects, as a file says it.

use crate::diagnose::Expectation;
use crate::document::table::{one_or_more, text};
use crate::document::{FileError, Node};
use crate::matrix::{Expected, ExpectedError};

/// One word, words with commas between them, or a list of words.
pub(super) fn expected(node: &Node) -> Result<Expected, FileError> {
    let mut words = Vec::new();
    for node in one_or_more(node, "`expect`")? {
        for word in text(node, "`expect`")?.split(',').map(str::trim) {
            if word.is_empty() {
                return Err(node.at.says(ExpectedError::Empty.to_string()));
            }
            let word: Expectation = word.parse().map_err(|error: String| node.at.says(error))?;
            // So that what proves nothing is told where it stands.
            Expected::new([word]).map_err(|error| node.at.says(error.to_string()))?;
            words.push(word);
        }
    }
    Expected::new(words).map_err(|error| node.at.says(error.to_string()))
}
