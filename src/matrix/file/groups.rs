//! Groups: several names under one, within each other in any order, but never in a circle.

use std::collections::HashSet;
use std::sync::Arc;

use super::names::Meaning;
use super::read::{Reader, number};
use crate::document::table::{entries, one_or_more, target_text};
use crate::document::{FileError, Node, Place};

/// How deep groups may be within each other.
const DEEPEST_GROUP: usize = 32;

/// Several names under one.
pub(super) struct Group<'a> {
    pub(super) name: &'a str,
    pub(super) members: &'a [Node],
    pub(super) state: State,
}

/// How far a group is.
pub(super) enum State {
    Unread,
    /// Somebody is at it: whoever comes here again has come from within.
    BeingRead,
    Read(Members),
}

/// What a group or a list of names comes to.
#[derive(Clone)]
pub(super) enum Members {
    Sources(Arc<[u32]>),
    /// Words.
    Targets(Arc<[u32]>),
}

impl Members {
    pub(super) fn source(source: u32) -> Self {
        Self::Sources([source].into())
    }
}

impl<'a> Reader<'a> {
    /// Groups may name each other in any order.
    pub(super) fn groups(&mut self, node: &'a Node) -> Result<(), FileError> {
        for (key, node) in entries(node, "`groups`")? {
            let meaning = Meaning::Group(number(self.groups.len()));
            self.names.add(&key.text, key.at, meaning)?;
            self.groups.push(Group {
                name: &key.text,
                members: one_or_more(node, &format!("the group `{}`", key.text))?,
                state: State::Unread,
            });
        }
        for index in 0..self.groups.len() {
            self.group(index, Place::START, &mut Vec::new())?;
        }
        Ok(())
    }

    /// What a group comes to; `within` are the groups that it was named in.
    pub(super) fn group(
        &mut self,
        index: usize,
        at: Place,
        within: &mut Vec<&'a str>,
    ) -> Result<Members, FileError> {
        let group = &mut self.groups[index];
        let (name, nodes) = (group.name, group.members);
        match &group.state {
            State::Read(members) => return Ok(members.clone()),
            State::BeingRead => {
                let begin = within.iter().position(|outer| *outer == name).unwrap_or(0);
                let circle = within[begin..].join("` names `");
                return Err(at.says(format!(
                    "a group cannot contain itself, and `{circle}` names `{name}`: leave one of them out"
                )));
            }
            State::Unread if within.len() >= DEEPEST_GROUP => {
                return Err(at.says(format!(
                    "groups are within each other more than {DEEPEST_GROUP} deep"
                )));
            }
            State::Unread => group.state = State::BeingRead,
        }
        within.push(name);
        let members = self.members(nodes, within)?;
        within.pop();
        self.groups[index].state = State::Read(members.clone());
        Ok(members)
    }

    /// What the members of a group come to: all of them sources, or all of them targets.
    fn members(&mut self, nodes: &'a [Node], within: &mut Vec<&'a str>) -> Result<Members, FileError> {
        let (mut sources, mut words) = (Unique::default(), Unique::default());
        for node in nodes {
            let word = target_text(node)?;
            let members = self.member(word, node.at, within)?;
            let mixed = match members {
                Members::Sources(more) => {
                    self.count(&more, node.at)?;
                    sources.extend(&more);
                    !words.items.is_empty()
                }
                Members::Targets(more) => {
                    self.count(&more, node.at)?;
                    words.extend(&more);
                    !sources.items.is_empty()
                }
            };
            if mixed {
                return Err(node.at.says(format!(
                    "`{word}` makes this a group of both sources and targets: make two groups of it"
                )));
            }
        }
        Ok(if sources.items.is_empty() {
            Members::Targets(words.items.into())
        } else {
            Members::Sources(sources.items.into())
        })
    }

    fn member(&mut self, word: &str, at: Place, within: &mut Vec<&'a str>) -> Result<Members, FileError> {
        if word.contains(':') {
            return Ok(Members::Targets([self.word(word, at)?].into()));
        }
        match self.names.get(word) {
            Some(Meaning::Source(source)) => Ok(Members::source(source)),
            Some(Meaning::Target(target)) => Ok(Members::Targets(Arc::clone(&self.targets[target as usize]))),
            Some(Meaning::Group(group)) => self.group(group as usize, at, within),
            None => Err(at.says(self.unknown(word, |_| true, "a source, a target or a group"))),
        }
    }
}

/// Numbers in the order in which they came, each once.
#[derive(Default)]
pub(super) struct Unique {
    pub(super) items: Vec<u32>,
    seen: HashSet<u32>,
}

impl Unique {
    /// Adds numbers, none of which is among them twice.
    pub(super) fn extend(&mut self, more: &[u32]) {
        if self.items.is_empty() {
            self.items.extend_from_slice(more);
            return;
        }
        // Most lists are one name long and need no look at what is there already.
        if self.seen.is_empty() {
            self.seen.extend(&self.items);
        }
        let new = more.iter().copied().filter(|item| self.seen.insert(*item));
        self.items.extend(new);
    }
}
