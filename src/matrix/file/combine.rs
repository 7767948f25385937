//! The edges of one source: each target once, with what all rules that speak of it ask together, and the controls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Matrix, Rule};
use crate::diagnose::{Cause, Class};
use crate::document::{FileError, Hosts, Word};
use crate::matrix::{Demand, Expected, Planned};
use crate::target::{Host, Target};

/// Targets that a rule leaves out.
pub(super) struct Except<'a> {
    hosts: HashMap<&'a Host, Vec<&'a Word>>,
    blocks: Vec<&'a Word>,
}

impl<'a> Except<'a> {
    pub(super) fn new(words: impl Iterator<Item = &'a Word>) -> Self {
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

    pub(super) fn contains(&self, target: &Target) -> bool {
        let of_its_host = self.hosts.get(&target.host).into_iter().flatten();
        of_its_host.chain(&self.blocks).any(|word| word.contains(target))
    }
}

/// The edges of one source as they come to be.
pub(super) struct Edges<'a> {
    matrix: &'a Matrix,
    max: u64,
    known: HashMap<Target, u32>,
    /// Each with the rules that speak of it, as an index.
    found: Vec<(Target, u32)>,
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
    pub(super) fn new(matrix: &'a Matrix, max: u64) -> Self {
        Self {
            matrix,
            max,
            known: HashMap::new(),
            found: Vec::new(),
            combined: Vec::new(),
            with: HashMap::new(),
        }
    }

    /// Adds what a rule says of a target. Absent when there is no room for it.
    pub(super) fn add(&mut self, target: Target, rule: u32) -> Result<Option<()>, FileError> {
        let Some(index) = self.known.get(&target).copied() else {
            let combined = self.combine(None, rule, &target)?;
            return Ok(self.push(target, combined));
        };
        let before = self.found[index as usize].1;
        let after = self.combine(Some(before), rule, &target)?;
        self.found[index as usize].1 = after;
        Ok(Some(()))
    }

    fn push(&mut self, target: Target, combined: u32) -> Option<()> {
        if self.found.len() as u64 >= self.max {
            return None;
        }
        self.known
            .insert(target.clone(), u32::try_from(self.found.len()).ok()?);
        self.found.push((target, combined));
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
    pub(super) fn finish(mut self) -> Result<Option<Vec<Planned>>, FileError> {
        let mut demands: Vec<Arc<Demand>> = self
            .combined
            .iter()
            .map(|combined| self.demand(combined))
            .collect();
        let mut used: Vec<u32> = self.found.iter().map(|(_, combined)| *combined).collect();
        used.sort_unstable();
        used.dedup();
        let mut controls: Vec<(Target, Demand)> = Vec::new();
        let mut wanted: HashMap<Target, usize> = HashMap::new();
        for combined in &used {
            let demand = Arc::clone(&demands[*combined as usize]);
            for control in &demand.controls {
                if let Some(edge) = self.known.get(control) {
                    self.check_control(control, *combined, self.found[*edge as usize].1)?;
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
        let planned = self.found.into_iter().map(|(target, demand)| Planned {
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
