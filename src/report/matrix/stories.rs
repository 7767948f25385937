//! Edges that tell the same story, told once: a hundred edges that one policy drops are one story.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::words;
use crate::diagnose::Cause;
use crate::matrix::{Answer, Cell, Expected, Judgement, Why};

/// Edges with one story.
#[derive(Debug)]
pub(super) struct Story<'a> {
    /// In the order of the answer; at least one.
    pub(super) cells: Vec<&'a Cell>,
}

/// What edges have in common that may tell the same story.
type Alike<'a> = (Option<Why>, Option<Cause>, Option<IpAddr>, &'a Expected);

/// After so many stories of edges that are alike, what is left of them is told by source.
const ROUNDS: usize = 64;

/// The stories of all edges that come to `judgement`, those of the most edges first.
pub(super) fn stories(answer: &Answer, judgement: Judgement) -> Vec<Story<'_>> {
    let mut groups: BTreeMap<Alike, Vec<&Cell>> = BTreeMap::new();
    for cell in answer
        .cells
        .iter()
        .filter(|cell| cell.judged.judgement == judgement)
    {
        let cause = cell.verdict.map(|(cause, _)| cause);
        let alike = (cell.judged.why, cause, cell.from, &cell.demand.expected);
        groups.entry(alike).or_default().push(cell);
    }
    let mut stories: Vec<Story> = groups
        .into_values()
        .flat_map(split)
        .map(|cells| Story { cells })
        .collect();
    stories.sort_by_key(|story| {
        let first = story.cells.first().map(|cell| (cell.source, cell.target));
        (std::cmp::Reverse(story.cells.len()), first)
    });
    stories
}

/// Edges that are alike have one story where they are most of the edges between their sources and their targets. Else
/// it is one a source or a target, whichever there are more edges of.
fn split(mut cells: Vec<&Cell>) -> Vec<Vec<&Cell>> {
    let mut parts = Vec::new();
    while !cells.is_empty() {
        let sources = counts(&cells, |cell| cell.source);
        let targets = counts(&cells, |cell| cell.target);
        if cells.len() * 2 > sources.len() * targets.len() {
            parts.push(cells);
            break;
        }
        let (source, of_source) = largest(&sources);
        let (target, of_target) = largest(&targets);
        let by_source = of_source > of_target || parts.len() >= ROUNDS;
        let (part, rest) = cells.into_iter().partition(|cell| {
            if by_source {
                cell.source == source
            } else {
                cell.target == target
            }
        });
        parts.push(part);
        cells = rest;
    }
    parts
}

fn counts(cells: &[&Cell], of: impl Fn(&Cell) -> u32) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(of(cell)).or_default() += 1;
    }
    counts
}

/// The first of those with the most edges.
fn largest(counts: &BTreeMap<u32, usize>) -> (u32, usize) {
    let mut largest = (0, 0);
    for (place, count) in counts {
        if *count > largest.1 {
            largest = (*place, *count);
        }
    }
    largest
}

/// More edges than this are counted, not listed.
const LISTED: usize = 8;

impl Story<'_> {
    /// The edge that stands for all: the one whose verdict is surest.
    pub(super) fn example(&self) -> &Cell {
        let mut example = self.cells[0];
        for cell in &self.cells {
            if cell.verdict.map(|(_, sure)| sure) > example.verdict.map(|(_, sure)| sure) {
                example = cell;
            }
        }
        example
    }

    /// Which other edges have it too; absent where there are none.
    pub(super) fn others(&self, answer: &Answer) -> Option<String> {
        let example = self.example();
        let others: Vec<&&Cell> = self
            .cells
            .iter()
            .filter(|cell| (cell.source, cell.target) != (example.source, example.target))
            .collect();
        if others.is_empty() {
            return None;
        }
        let number = others.len();
        let some = |name: &dyn Fn(&Cell) -> String| {
            let names: Vec<String> = others.iter().map(|cell| name(cell)).collect();
            words::some(&names, LISTED)
        };
        Some(if others.iter().all(|cell| cell.source == example.source) {
            format!(
                "The same from {} to {number} more: {}.",
                answer.source_of(example),
                some(&|cell| answer.target_of(cell).to_string())
            )
        } else if others.iter().all(|cell| cell.target == example.target) {
            format!(
                "The same to {} from {number} more: {}.",
                answer.target_of(example),
                some(&|cell| answer.source_of(cell).to_string())
            )
        } else {
            let sources = counts(&self.cells, |cell| cell.source).len();
            let targets = counts(&self.cells, |cell| cell.target).len();
            format!(
                "The same for {number} more, from {sources} sources to {targets} targets: {}.",
                some(&|cell| words::edge(answer, cell))
            )
        })
    }

    /// The names of all rules that its edges are under, in order.
    pub(super) fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<&str> = Vec::new();
        for rule in self.cells.iter().flat_map(|cell| &cell.demand.rules) {
            if !rules.contains(&rule.as_str()) {
                rules.push(rule);
            }
        }
        rules
    }
}
