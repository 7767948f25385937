//! A matrix becomes edges: each source with each target once, and with what all rules together ask of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::tree::Place;
use super::word::{Hosts, Word};
use super::{FileError, Matrix, Rule};
use crate::diagnose::{Cause, Class};
use crate::matrix::{Demand, Expected, Planned};
use crate::target::{Host, Target};

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
        let mut by_rules: BTreeMap<Vec<u32>, (usize, u64)> = BTreeMap::new();
        let mut of = Vec::new();
        for source in 0..self.sources.len().max(1) {
            let next = by_rules.len();
            let rules = self.rules_of(source);
            let (list, sharers) = by_rules.entry(rules).or_insert((next, 0));
            *sharers += 1;
            of.push(*list);
        }
        let mut lists: Vec<(Vec<u32>, u64)> = vec![Default::default(); by_rules.len()];
        for (rules, (list, sharers)) in by_rules {
            lists[list] = (rules, sharers);
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

    fn rules_of(&self, source: usize) -> Vec<u32> {
        let speaks_of_it = |rule: &Rule| {
            rule.from
                .as_ref()
                .is_none_or(|from| from.iter().any(|known| *known as usize == source))
        };
        let numbered = (0..).zip(&self.rules);
        numbered
            .filter(|(_, rule)| speaks_of_it(rule))
            .map(|(index, _)| index)
            .collect()
    }

    fn word(&self, index: u32) -> &Word {
        &self.words[index as usize]
    }

    /// How much there would be to expand.
    fn size(&self, lists: &[(Vec<u32>, u64)]) -> Size<'_> {
        let mut size = Size {
            edges: 0,
            largest: None,
        };
        for (rules, sharers) in lists {
            for rule in rules {
                let rule = &self.rules[*rule as usize];
                for word in rule.to.iter().map(|word| self.word(*word)) {
                    let edges = word.count().saturating_mul(*sharers);
                    size.edges = size.edges.saturating_add(edges);
                    if size.largest.is_none_or(|(_, _, largest)| edges > largest) {
                        size.largest = Some((rule, word, edges));
                    }
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
    pub fn into_edges(mut self, source: Option<&str>) -> Result<Vec<Planned>, ExpandError> {
        let sources = &self.matrix.sources;
        let list = match source {
            _ if sources.is_empty() => self.of.first(),
            Some(name) => {
                let place = sources.iter().position(|source| source.name == name);
                place.and_then(|place| self.of.get(place))
            }
            None => None,
        };
        match list {
            Some(list) => Ok(std::mem::take(&mut self.lists[*list])),
            None => Err(ExpandError::Source(no_such_source(self.matrix, source))),
        }
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
        Some(source) => match super::names::nearest(source, names) {
            Some(near) => format!("there is no source `{source}` in this matrix: did you mean `{near}`?"),
            None => format!("there is no source `{source}` in this matrix: its sources are {known}"),
        },
    }
}

/// Targets that a rule leaves out.
struct Except<'a> {
    hosts: HashMap<&'a Host, Vec<&'a Word>>,
    blocks: Vec<&'a Word>,
}

impl<'a> Except<'a> {
    fn new(words: impl Iterator<Item = &'a Word>) -> Self {
        let mut except = Self {
            hosts: HashMap::new(),
            blocks: Vec::new(),
        };
        for word in words {
            match &word.hosts {
                Hosts::One(host) => except.hosts.entry(host).or_default().push(word),
                Hosts::Block(_) => except.blocks.push(word),
            }
        }
        except
    }

    fn contains(&self, target: &Target) -> bool {
        let of_its_host = self.hosts.get(&target.host).into_iter().flatten();
        of_its_host.chain(&self.blocks).any(|word| word.contains(target))
    }
}

/// The edges of one source as they come to be.
struct Edges<'a> {
    matrix: &'a Matrix,
    max: u64,
    known: HashMap<Target, u32>,
    /// Each with the rules that speak of it, as an index.
    edges: Vec<(Target, u32)>,
    combined: Vec<Combined>,
    /// What becomes of rules when one more speaks of the same edge.
    with: HashMap<(Option<u32>, u32), u32>,
}

/// What several rules ask together.
struct Combined {
    rules: Vec<u32>,
    expected: Expected,
    timeout: Duration,
    tries: u32,
    controls: Vec<Target>,
}

impl<'a> Edges<'a> {
    fn new(matrix: &'a Matrix, max: u64) -> Self {
        Self {
            matrix,
            max,
            known: HashMap::new(),
            edges: Vec::new(),
            combined: Vec::new(),
            with: HashMap::new(),
        }
    }

    /// Adds what a rule says of a target. Absent when there is no room for it.
    fn add(&mut self, target: Target, rule: u32) -> Result<Option<()>, FileError> {
        let Some(index) = self.known.get(&target).copied() else {
            let combined = self.combine(None, rule, &target)?;
            return Ok(self.push(target, combined));
        };
        let before = self.edges[index as usize].1;
        let after = self.combine(Some(before), rule, &target)?;
        self.edges[index as usize].1 = after;
        Ok(Some(()))
    }

    fn push(&mut self, target: Target, combined: u32) -> Option<()> {
        if self.edges.len() as u64 >= self.max {
            return None;
        }
        self.known
            .insert(target.clone(), u32::try_from(self.edges.len()).ok()?);
        self.edges.push((target, combined));
        Some(())
    }

    fn combine(&mut self, before: Option<u32>, index: u32, target: &Target) -> Result<u32, FileError> {
        if let Some(after) = self.with.get(&(before, index)) {
            return Ok(*after);
        }
        let rule = &self.matrix.rules[index as usize];
        let after = match before.map(|before| &self.combined[before as usize]) {
            // A rule may name a target twice.
            Some(before) if before.rules.contains(&index) => None,
            Some(before) => Some(self.both(before, index, rule, target)?),
            None => Some(Combined {
                rules: vec![index],
                expected: rule.expected.clone(),
                timeout: rule.timeout,
                tries: rule.tries,
                controls: rule.controls.clone(),
            }),
        };
        let number = match (after, before) {
            (None, Some(before)) => before,
            (after, _) => {
                self.combined.extend(after);
                u32::try_from(self.combined.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.with.insert((before, index), number);
        Ok(number)
    }

    fn both(
        &self,
        before: &Combined,
        index: u32,
        rule: &Rule,
        target: &Target,
    ) -> Result<Combined, FileError> {
        let Some(expected) = before.expected.and(&rule.expected) else {
            let others: Vec<String> = before
                .rules
                .iter()
                .map(|other| &self.matrix.rules[*other as usize])
                .map(|other| format!("{} by `{}` in line {}", other.expected, other.name, other.at.line))
                .collect();
            return Err(rule.at.says(format!(
                "`{target}` is expected to be {} by `{}` here, and {}: nothing is both, so change one, or leave the target \
                 out of one with `except`",
                rule.expected,
                rule.name,
                others.join(" and ")
            )));
        };
        let mut rules = before.rules.clone();
        rules.push(index);
        let mut controls = before.controls.clone();
        controls.extend(
            rule.controls
                .iter()
                .filter(|control| !before.controls.contains(control))
                .cloned(),
        );
        Ok(Combined {
            rules,
            expected,
            timeout: before.timeout.max(rule.timeout),
            tries: before.tries.max(rule.tries),
            controls,
        })
    }

    /// Adds the controls, and makes demands of what the rules ask.
    fn finish(mut self) -> Result<Option<Vec<Planned>>, FileError> {
        let mut demands: Vec<Arc<Demand>> = self
            .combined
            .iter()
            .map(|combined| self.demand(combined))
            .collect();
        let mut used: Vec<u32> = self.edges.iter().map(|(_, combined)| *combined).collect();
        used.sort_unstable();
        used.dedup();
        let mut controls: Vec<(Target, Demand)> = Vec::new();
        let mut wanted: HashMap<Target, usize> = HashMap::new();
        for combined in &used {
            let demand = Arc::clone(&demands[*combined as usize]);
            for control in &demand.controls {
                if let Some(edge) = self.known.get(control) {
                    self.check_control(control, *combined, self.edges[*edge as usize].1)?;
                    continue;
                }
                let place = *wanted.entry(control.clone()).or_insert_with(|| {
                    controls.push((control.clone(), of_control()));
                    controls.len() - 1
                });
                let edge = &mut controls[place].1;
                edge.timeout = edge.timeout.max(demand.timeout);
                edge.tries = edge.tries.max(demand.tries);
                let speaks_of_it = |rule: &&Rule| rule.controls.contains(control);
                for rule in self.rules(*combined).filter(speaks_of_it) {
                    let name = format!("control of {}", rule.name);
                    if !edge.rules.contains(&name) {
                        edge.rules.push(name);
                    }
                }
            }
        }
        for (target, demand) in controls {
            let number = u32::try_from(demands.len()).unwrap_or(u32::MAX);
            demands.push(Arc::new(demand));
            if self.push(target, number).is_none() {
                return Ok(None);
            }
        }
        drop(self.known);
        let planned = self.edges.into_iter().map(|(target, demand)| Planned {
            target,
            demand: Arc::clone(&demands[demand as usize]),
        });
        Ok(Some(planned.collect()))
    }

    fn rules(&self, combined: u32) -> impl Iterator<Item = &'a Rule> {
        let matrix = self.matrix;
        let rules = self.combined[combined as usize].rules.iter();
        rules.map(move |rule| &matrix.rules[*rule as usize])
    }

    fn demand(&self, combined: &Combined) -> Arc<Demand> {
        let names = combined.rules.iter();
        Arc::new(Demand {
            rules: names
                .map(|rule| self.matrix.rules[*rule as usize].name.clone())
                .collect(),
            expected: combined.expected.clone(),
            // What can be connected to needs no proof that it is alive.
            controls: if may_be_blocked(&combined.expected) {
                combined.controls.clone()
            } else {
                Vec::new()
            },
            timeout: combined.timeout,
            tries: combined.tries,
        })
    }

    /// A control that is expected to be blocked proves nothing.
    fn check_control(&self, control: &Target, of: u32, own: u32) -> Result<(), FileError> {
        let expected = &self.combined[own as usize].expected;
        if expected.and(&Expected::reachable()).is_some() {
            return Ok(());
        }
        let mut owners = self.rules(of).filter(|rule| rule.controls.contains(control));
        let (Some(owner), Some(other)) = (owners.next(), self.rules(own).last()) else {
            return Ok(());
        };
        Err(owner.at.says(format!(
            "`{control}` is a control of `{}` here, which has to be open, and `{}` in line {} expects it to be {expected}: \
             name a control that may be reached",
            owner.name, other.name, other.at.line
        )))
    }
}

/// What is asked of a control, but for what its rules say.
fn of_control() -> Demand {
    Demand {
        rules: Vec::new(),
        expected: Expected::reachable(),
        controls: Vec::new(),
        timeout: Duration::ZERO,
        tries: 1,
    }
}

/// Whether a verdict would meet it that is no connection.
fn may_be_blocked(expected: &Expected) -> bool {
    let is_open = |cause: Cause| matches!(cause.class(), Class::Open | Class::Slow);
    Cause::ALL
        .iter()
        .any(|cause| expected.is_met_by(*cause) && !is_open(*cause))
}
