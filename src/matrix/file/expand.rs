//! A matrix becomes edges: each source with each target once, and with what all rules together ask of it.

use std::collections::HashMap;

use super::combine::{Edges, Except};
use super::{Matrix, Rule};
use crate::document::{FileError, Place, Word, nearest};
use crate::matrix::Planned;

/// Several rules may speak of one edge. Beyond so many on average, counting would take too long.
const MOST_RULES_AN_EDGE: u64 = 16;

/// Why there are no edges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// The file contradicts itself, or says too much.
    #[error(transparent)]
    File(#[from] FileError),
    /// The matrix names its sources, and the one that was asked for is not among them.
    #[error("{0}")]
    Source(String),
}

/// All edges of a matrix.
#[derive(Debug, Clone)]
pub struct Expansion<'a> {
    matrix: &'a Matrix,
    lists: Vec<Vec<Planned>>,
    /// Which list is that of each source; of a matrix without sources, one.
    of: Vec<usize>,
}

impl Matrix {
    /// Expands the whole matrix, unless it has more than `max` edges.
    ///
    /// # Errors
    /// Where it has more, or where rules contradict each other.
    pub fn expand(&self, max: u64) -> Result<Expansion<'_>, FileError> {
        // Sources that the same rules speak of share what these expand to.
        let mut by_rules: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut lists: Vec<(Vec<u32>, u64)> = Vec::new();
        let mut of = Vec::new();
        for rules in self.rules_by_source() {
            let list = *by_rules.entry(rules).or_insert_with_key(|rules| {
                lists.push((rules.clone(), 0));
                lists.len() - 1
            });
            lists[list].1 += 1;
            of.push(list);
        }
        let size = self.size(&lists);
        if size.edges > max.saturating_mul(MOST_RULES_AN_EDGE) {
            return Err(size.too_much(max));
        }
        let mut left = max;
        let mut expanded = Vec::new();
        for (rules, sharers) in &lists {
            let edges = self
                .list(rules, left / sharers)?
                .ok_or_else(|| size.too_much(max))?;
            left -= edges.len() as u64 * sharers;
            expanded.push(edges);
        }
        Ok(Expansion {
            matrix: self,
            lists: expanded,
            of,
        })
    }

    /// The rules that speak of each source; of a matrix without sources, those of whoever looks.
    fn rules_by_source(&self) -> Vec<Vec<u32>> {
        let mut lists = vec![Vec::new(); self.sources.len().max(1)];
        for (index, rule) in (0..).zip(&self.rules) {
            for source in rule.from.as_deref().unwrap_or(&[0]) {
                lists[*source as usize].push(index);
            }
        }
        lists
    }

    fn word(&self, index: u32) -> &Word {
        &self.words[index as usize]
    }

    /// How much there would be to expand.
    fn size(&self, lists: &[(Vec<u32>, u64)]) -> Size<'_> {
        let mut speakers = vec![0_u64; self.rules.len()];
        for (rules, sharers) in lists {
            for rule in rules {
                speakers[*rule as usize] += sharers;
            }
        }
        let mut size = Size {
            edges: 0,
            largest: None,
        };
        for (rule, sources) in self.rules.iter().zip(speakers) {
            for word in rule.to.iter().map(|word| self.word(*word)) {
                let edges = word.count().saturating_mul(sources);
                size.edges = size.edges.saturating_add(edges);
                if size.largest.is_none_or(|(_, _, largest)| edges > largest) {
                    size.largest = Some((rule, word, edges));
                }
            }
        }
        size
    }

    /// The edges that some rules make; absent when there are more than `max`.
    fn list(&self, rules: &[u32], max: u64) -> Result<Option<Vec<Planned>>, FileError> {
        let mut edges = Edges::new(self, max);
        for index in rules {
            let rule = &self.rules[*index as usize];
            let except = Except::new(rule.except.iter().map(|word| self.word(*word)));
            let mut kept = 0_u64;
            for target in rule.to.iter().flat_map(|word| self.word(*word).targets()) {
                if except.contains(&target) {
                    continue;
                }
                kept += 1;
                if edges.add(target, *index)?.is_none() {
                    return Ok(None);
                }
            }
            if kept == 0 {
                let says = format!(
                    "`{}` is about nothing: `except` leaves all of its `to` out",
                    rule.name
                );
                return Err(rule.at.says(says));
            }
        }
        edges.finish()
    }
}

/// How much there would be to expand, each rule counted by itself.
struct Size<'a> {
    edges: u64,
    /// The rule and the word that make most of it, and how many edges that is.
    largest: Option<(&'a Rule, &'a Word, u64)>,
}

impl Size<'_> {
    fn too_much(&self, max: u64) -> FileError {
        let (at, largest) = self
            .largest
            .map_or((Place::START, String::new()), |(rule, word, edges)| {
                let text = &word.text;
                (
                    word.at,
                    format!(": `{text}` alone makes {edges} of them in `{}`", rule.name),
                )
            });
        at.says(format!(
            "the matrix has more edges than the {max} that --max-edges permits, {} when each rule is counted by \
             itself{largest}; name fewer, or permit more",
            self.edges
        ))
    }
}

impl Expansion<'_> {
    /// The edges of each source, in the order of the file; of a matrix that names no sources, those of whoever looks.
    pub fn sources(&self) -> impl Iterator<Item = (Option<&str>, &[Planned])> {
        let names = self
            .matrix
            .sources
            .iter()
            .map(|source| Some(source.name.as_str()));
        let nobody = self.matrix.sources.is_empty().then_some(None);
        let lists = self.of.iter().map(|list| self.lists[*list].as_slice());
        names.chain(nobody).zip(lists)
    }

    /// How many edges there are, over all sources.
    pub fn count(&self) -> u64 {
        self.sources().map(|(_, edges)| edges.len() as u64).sum()
    }

    /// The edges of one source; a matrix that names none has the same for everyone.
    ///
    /// # Errors
    /// Where the matrix names sources, and this is none of them.
    pub fn edges(&self, source: Option<&str>) -> Result<&[Planned], ExpandError> {
        self.list_of(source).map(|list| self.lists[list].as_slice())
    }

    /// As [`Expansion::edges`], for whoever keeps them.
    ///
    /// # Errors
    /// Where the matrix names sources, and this is none of them.
    pub fn into_edges(mut self, source: Option<&str>) -> Result<Vec<Planned>, ExpandError> {
        let list = self.list_of(source)?;
        Ok(self.lists.swap_remove(list))
    }

    fn list_of(&self, source: Option<&str>) -> Result<usize, ExpandError> {
        let sources = &self.matrix.sources;
        let place = match source {
            _ if sources.is_empty() => Some(0),
            Some(name) => sources.iter().position(|source| source.name == name),
            None => None,
        };
        let list = place.and_then(|place| self.of.get(place)).copied();
        list.ok_or_else(|| ExpandError::Source(no_such_source(self.matrix, source)))
    }
}

fn no_such_source(matrix: &Matrix, source: Option<&str>) -> String {
    const MOST: usize = 12;
    let names = matrix.sources.iter().map(|source| source.name.as_str());
    let mut shown: Vec<&str> = names.clone().take(MOST + 1).collect();
    if shown.len() > MOST {
        shown[MOST] = "…";
    }
    let known = shown.join(", ");
    match source {
        None => format!("this matrix names its sources: say with --source which of them this is: {known}"),
        Some(source) => match nearest(source, names) {
            Some(near) => format!("there is no source `{source}` in this matrix: did you mean `{near}`?"),
            None => format!("there is no source `{source}` in this matrix: its sources are {known}"),
        },
    }
}
