//! What the names of a matrix stand for, and which was meant by one that stands for nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::document::{FileError, Place, nearest};

/// The word for everything there is.
pub(super) const ANY: &str = "any";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A source, by index.
    Source(u32),
    /// A target, by index.
    Target(u32),
    /// A group, by index.
    Group(u32),
}

impl Meaning {
    fn noun(self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::Target(_) => "target",
            Self::Group(_) => "group",
        }
    }
}

/// All names of a file.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    known: HashMap<&'a str, (Meaning, Place)>,
    /// In the order of the file.
    order: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// Adds a name, if it can be one and is not taken.
    pub(super) fn add(&mut self, name: &'a str, at: Place, meaning: Meaning) -> Result<(), FileError> {
        check(name, at, meaning)?;
        if let Some((taken, first)) = self.known.insert(name, (meaning, at)) {
            return Err(at.says(format!(
                "`{name}` is the name of a {} already, in line {}: give this {} another",
                taken.noun(),
                first.line,
                meaning.noun()
            )));
        }
        self.order.push(name);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<Meaning> {
        self.known.get(name).map(|(meaning, _)| *meaning)
    }

    /// The name that was most likely meant, of those that fit.
    pub(super) fn nearest(&self, name: &str, fits: impl Fn(Meaning) -> bool) -> Option<&'a str> {
        let fitting = self.order.iter().copied();
        nearest(name, fitting.filter(|known| self.get(known).is_some_and(&fits)))
    }

    /// All names that fit, as a list for a message.
    pub(super) fn list(&self, fits: impl Fn(Meaning) -> bool) -> String {
        const MOST: usize = 12;
        let fitting = self.order.iter().copied();
        let mut names: Vec<&str> = fitting
            .filter(|known| self.get(known).is_some_and(&fits))
            .take(MOST + 1)
            .collect();
        if names.len() > MOST {
            names[MOST] = "…";
        }
        names.join(", ")
    }
}

/// Whether a word can be a name without being mistaken for something else.
fn check(name: &str, at: Place, meaning: Meaning) -> Result<(), FileError> {
    let noun = meaning.noun();
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() {
        return Err(at.says(format!("a {noun} without a name")));
    }
    if name == ANY {
        return Err(at.says(format!(
            "`{ANY}` stands for all of them: give this {noun} another name"
        )));
    }
    if let Some(letter) = name.chars().find(|letter| !fits(*letter)) {
        return Err(at.says(format!(
            "`{name}` is no name for a {noun}: it contains {letter:?}; names have letters, digits, `-`, `_` and `.`"
        )));
    }
    if name.parse::<IpAddr>().is_ok() || name.chars().all(|letter| letter.is_ascii_digit()) {
        return Err(at.says(format!(
            "`{name}` looks like an address or a port: give this {noun} a name with a letter"
        )));
    }
    Ok(())
}
