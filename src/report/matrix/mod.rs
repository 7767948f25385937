//! Pure writers of what a matrix came to, and the records that its runs leave.

pub mod expansion;
pub mod find;
mod html;
mod json;
mod junit;
mod markdown;
mod prometheus;
pub mod read;
pub mod record;
mod since;
mod stories;
mod tap;
mod text;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub(super) use words::letter;

use std::io;

use super::Style;
use crate::matrix::{Answer, Edges};

/// Form of what a matrix came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// For a person: a grid, then what is not as expected and why.
    Text,
    /// One JSON document.
    Json,
    /// One JSON object an edge, and a summary a run.
    Jsonl,
    /// JUnit XML, one suite a source.
    Junit,
    /// Test Anything Protocol, version 14.
    Tap,
    /// GitHub-flavoured Markdown.
    Markdown,
    /// Prometheus text, for the textfile collector or a Pushgateway.
    Prometheus,
    /// One self-contained page.
    Html,
}

/// Writes an answer. What its cells do not hold is read again from `edges`, an edge at a time.
pub fn write(
    form: Form,
    answer: &Answer,
    edges: &dyn Edges,
    style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    match form {
        Form::Text => text::write(answer, edges, style, out),
        Form::Json => json::write(answer, edges, out),
        Form::Jsonl => json::write_lines(answer, edges, out),
        Form::Junit => junit::write(answer, edges, out),
        Form::Tap => tap::write(answer, edges, out),
        Form::Markdown => markdown::write(answer, edges, out),
        Form::Prometheus => prometheus::write(answer, out),
        Form::Html => html::write(answer, edges, out),
    }
}
