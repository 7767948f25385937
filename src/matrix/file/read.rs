//! The tree becomes a matrix: every key is known, every name stands for something, every value is one that can be meant.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::expect::expected;
use super::groups::{Group, Members, Unique};
use super::names::{ANY, Meaning, Names};
use super::{Matrix, Rule, Source};
use crate::document::table::{
    Table, count, duration, entries, is_empty_list, one_or_more, target_text, text, texts,
};
use crate::document::{FileError, Hosts, Node, Place, Value, Word};
use crate::matrix::Expected;
use crate::target::{Services, Target};

const MATRIX: &[&str] = &["name", "defaults", "sources", "targets", "groups", "rules"];
const DEFAULTS: &[&str] = &["timeout", "tries", "expect", "control"];
const SOURCE: &[&str] = &["namespace", "labels", "service_account", "node_selector"];
const RULE: &[&str] = &[
    "name", "from", "to", "except", "expect", "timeout", "tries", "control",
];

/// What all groups and rules may name together: groups of groups grow faster than the file does.
const MOST_NAMED: usize = 8_000_000;

/// One of a rule's controls has to be open, so a handful is enough.
const MOST_CONTROLS: u64 = 64;

pub(super) fn matrix(root: &Node, services: &Services) -> Result<Matrix, FileError> {
    if root.value == Value::Null {
        let says = "the file is empty: `tcpprobe matrix --init` writes an example to begin with";
        return Err(Place::START.says(says));
    }
    let file = Table::open(root, "a matrix", MATRIX)?;
    let name = file.get("name").map(|node| text(node, "`name`")).transpose()?;
    let mut reader = Reader {
        services,
        names: Names::default(),
        sources: Vec::new(),
        words: Vec::new(),
        targets: Vec::new(),
        groups: Vec::new(),
        named: 0,
    };
    if let Some(node) = file.get("sources") {
        reader.sources(node)?;
    }
    if let Some(node) = file.get("targets") {
        reader.targets(node)?;
    }
    if let Some(node) = file.get("groups") {
        reader.groups(node)?;
    }
    let defaults = Defaults::read(file.get("defaults"), &mut reader)?;
    let rules = reader.rules(&file, &defaults)?;
    Ok(Matrix {
        name: name.map(str::to_owned),
        sources: reader.sources,
        words: reader.words,
        rules,
    })
}

/// What holds for rules that say nothing else.
struct Defaults {
    timeout: Duration,
    tries: u32,
    expected: Expected,
    controls: Vec<Target>,
}

impl Defaults {
    fn read<'a>(node: Option<&'a Node>, reader: &mut Reader<'a>) -> Result<Self, FileError> {
        let mut defaults = Self {
            timeout: Duration::from_secs(3),
            tries: 1,
            expected: Expected::reachable(),
            controls: Vec::new(),
        };
        let Some(node) = node else { return Ok(defaults) };
        let table = Table::open(node, "`defaults`", DEFAULTS)?;
        if let Some(node) = table.get("timeout") {
            defaults.timeout = timeout(node)?;
        }
        if let Some(node) = table.get("tries") {
            defaults.tries = tries(node)?;
        }
        if let Some(node) = table.get("expect") {
            defaults.expected = expected(node)?;
        }
        if let Some(node) = table.get("control") {
            defaults.controls = reader.controls(node)?;
        }
        Ok(defaults)
    }
}

/// What has been read so far.
pub(super) struct Reader<'a> {
    pub(super) services: &'a Services,
    pub(super) names: Names<'a>,
    pub(super) sources: Vec<Source>,
    pub(super) words: Vec<Word>,
    /// The words of each named target.
    pub(super) targets: Vec<Arc<[u32]>>,
    pub(super) groups: Vec<Group<'a>>,
    /// How many sources and words all groups and rules have come to.
    pub(super) named: usize,
}

impl<'a> Reader<'a> {
    /// A table of names, each with what Kubernetes has to know of it, or a list of names.
    fn sources(&mut self, node: &'a Node) -> Result<(), FileError> {
        if let Value::List(names) = &node.value {
            for node in names {
                self.source(text(node, "the name of a source")?, node.at, None)?;
            }
            return Ok(());
        }
        for (key, node) in entries(node, "`sources`")? {
            self.source(&key.text, key.at, Some(node))?;
        }
        Ok(())
    }

    fn source(&mut self, name: &'a str, at: Place, node: Option<&Node>) -> Result<(), FileError> {
        self.names
            .add(name, at, Meaning::Source(number(self.sources.len())))?;
        let mut source = Source {
            name: name.to_owned(),
            namespace: None,
            labels: BTreeMap::new(),
            service_account: None,
            node_selector: BTreeMap::new(),
        };
        // `admin:` with nothing after it is a source of which there is nothing to say.
        if let Some(node) = node.filter(|node| node.value != Value::Null) {
            let table = Table::open(node, "a source", SOURCE)?;
            let string = |key| {
                table
                    .get(key)
                    .map(|node| text(node, &format!("`{key}`")))
                    .transpose()
            };
            source.namespace = string("namespace")?.map(str::to_owned);
            source.service_account = string("service_account")?.map(str::to_owned);
            source.labels = texts(table.get("labels"), "`labels`")?;
            source.node_selector = texts(table.get("node_selector"), "`node_selector`")?;
        }
        self.sources.push(source);
        Ok(())
    }

    fn targets(&mut self, node: &'a Node) -> Result<(), FileError> {
        for (key, node) in entries(node, "`targets`")? {
            let meaning = Meaning::Target(number(self.targets.len()));
            self.names.add(&key.text, key.at, meaning)?;
            let mut words = Vec::new();
            for node in one_or_more(node, &format!("`{}`", key.text))? {
                let word = target_text(node)?;
                if !word.contains(':') {
                    return Err(node.at.says(format!(
                        "`{word}` has no port: a target is a host and a port, as in {word}:443; several names under one \
                         belong in `groups`"
                    )));
                }
                words.push(self.word(word, node.at)?);
            }
            self.targets.push(words.into());
        }
        Ok(())
    }

    fn rules(&mut self, file: &Table<'a>, defaults: &Defaults) -> Result<Vec<Rule>, FileError> {
        const EXAMPLE: &str = "write at least one, with what it is about under `to`, such as `- to: db:5432`";
        let Some(node) = file.get("rules") else {
            return Err(Place::START.says(format!("there are no `rules`: {EXAMPLE}")));
        };
        let nodes = match &node.value {
            Value::List(nodes) if !nodes.is_empty() => nodes,
            Value::List(_) | Value::Null => {
                let at = file.place("rules").unwrap_or(node.at);
                return Err(at.says(format!("there are no `rules`: {EXAMPLE}")));
            }
            other @ (Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::Text(_)
            | Value::Table(_)) => {
                let says = format!("`rules` is a list, and this is {}: {EXAMPLE}", other.shown());
                return Err(node.at.says(says));
            }
        };
        let mut rules: Vec<Rule> = Vec::new();
        let mut lines = BTreeMap::new();
        for node in nodes {
            let rule = self.rule(node, rules.len() + 1, defaults)?;
            if let Some(line) = lines.insert(rule.name.clone(), rule.at.line) {
                return Err(rule.at.says(format!(
                    "the rule in line {line} is called `{}` too: results name their rules, so give this one another `name`",
                    rule.name
                )));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&mut self, node: &'a Node, number: usize, defaults: &Defaults) -> Result<Rule, FileError> {
        let table = Table::open(node, "a rule", RULE)?;
        let name = table.get("name").map(|node| text(node, "`name`")).transpose()?;
        let from = match table.get("from") {
            Some(node) => self.from(node)?,
            None if self.sources.is_empty() => None,
            None => {
                let all = self.all_sources();
                self.count(&all, node.at)?;
                Some(all)
            }
        };
        let Some(to) = table.get("to") else {
            let says = "a rule without `to`: write what it is about, such as `to: db:5432`";
            return Err(node.at.says(says));
        };
        let to = self.to(to, "`to`")?;
        // A program that writes matrices may leave nothing out.
        let except = table.get("except").filter(|node| !is_empty_list(node));
        let except = except.map(|node| self.to(node, "`except`"));
        let controls = table.get("control").map(|node| self.controls(node)).transpose()?;
        let expected = table.get("expect").map(expected).transpose()?;
        Ok(Rule {
            at: node.at,
            name: name.map_or_else(|| format!("rule {number}"), str::to_owned),
            from,
            to,
            except: except.transpose()?.unwrap_or_default(),
            expected: expected.unwrap_or_else(|| defaults.expected.clone()),
            timeout: table.get("timeout").map_or(Ok(defaults.timeout), timeout)?,
            tries: table.get("tries").map_or(Ok(defaults.tries), tries)?,
            controls: controls.unwrap_or_else(|| defaults.controls.clone()),
        })
    }

    /// Sources; none for whoever looks.
    fn from(&mut self, node: &'a Node) -> Result<Option<Vec<u32>>, FileError> {
        let mut sources = Unique::default();
        for node in one_or_more(node, "`from`")? {
            let word = text(node, "`from`")?;
            if word == ANY {
                let all = self.all_sources();
                self.count(&all, node.at)?;
                sources.extend(&all);
                continue;
            }
            if self.sources.is_empty() {
                return Err(node.at.says(format!(
                    "`{word}` is no source, for this matrix has none: name it under `sources`, or leave `from` out"
                )));
            }
            let is_source = |meaning| matches!(meaning, Meaning::Source(_) | Meaning::Group(_));
            let members = match self.names.get(word) {
                Some(Meaning::Source(source)) => Members::source(source),
                Some(Meaning::Group(group)) => self.group(group as usize, node.at, &mut Vec::new())?,
                Some(Meaning::Target(_)) => {
                    return Err(node.at.says(format!(
                        "`{word}` is a target, and `from` takes sources; known are {}",
                        self.names.list(is_source)
                    )));
                }
                None => return Err(node.at.says(self.unknown(word, is_source, "a source"))),
            };
            match members {
                Members::Sources(more) => {
                    self.count(&more, node.at)?;
                    sources.extend(&more);
                }
                Members::Targets(_) => {
                    return Err(node.at.says(format!(
                        "`{word}` is a group of targets, and `from` takes sources; known are {}",
                        self.names.list(|meaning| matches!(meaning, Meaning::Source(_)))
                    )));
                }
            }
        }
        Ok((!self.sources.is_empty()).then_some(sources.items))
    }

    fn all_sources(&self) -> Vec<u32> {
        (0..number(self.sources.len())).collect()
    }

    /// Words for targets; `what` is the key.
    fn to(&mut self, node: &'a Node, what: &str) -> Result<Vec<u32>, FileError> {
        let mut words = Unique::default();
        for node in one_or_more(node, what)? {
            let word = target_text(node)?;
            if word.contains(':') {
                words.extend(&[self.word(word, node.at)?]);
                continue;
            }
            if word == ANY {
                if self.targets.is_empty() {
                    return Err(node
                        .at
                        .says("`any` is all that `targets` names, and that is nothing"));
                }
                for index in 0..self.targets.len() {
                    let more = Arc::clone(&self.targets[index]);
                    self.count(&more, node.at)?;
                    words.extend(&more);
                }
                continue;
            }
            let members = match self.names.get(word) {
                Some(Meaning::Source(source)) => Members::source(source),
                Some(Meaning::Target(target)) => Members::Targets(Arc::clone(&self.targets[target as usize])),
                Some(Meaning::Group(group)) => self.group(group as usize, node.at, &mut Vec::new())?,
                None => return Err(node.at.says(self.no_target(word))),
            };
            match members {
                Members::Targets(more) => {
                    self.count(&more, node.at)?;
                    words.extend(&more);
                }
                Members::Sources(_) => {
                    return Err(node.at.says(format!(
                        "`{word}` stands for sources, and {what} takes targets, such as db:5432 or their names"
                    )));
                }
            }
        }
        Ok(words.items)
    }

    fn controls(&mut self, node: &'a Node) -> Result<Vec<Target>, FileError> {
        // None where the defaults have some.
        if is_empty_list(node) {
            return Ok(Vec::new());
        }
        let mut controls = Vec::new();
        let mut count = 0;
        for index in self.to(node, "`control`")? {
            let word = &self.words[index as usize];
            if let Hosts::Block(block) = &word.hosts {
                return Err(node.at.says(format!(
                    "a control is a host that is known to be open, and {block} is a block of addresses: name one of them"
                )));
            }
            count += word.count();
            if count > MOST_CONTROLS {
                return Err(node.at.says(format!(
                    "more than {MOST_CONTROLS} controls: one that is open proves that the way is there, so name one or a few"
                )));
            }
            controls.extend(word.targets());
        }
        let mut seen = HashSet::new();
        controls.retain(|control| seen.insert(control.clone()));
        Ok(controls)
    }

    /// Counts what was named.
    pub(super) fn count(&mut self, more: &[u32], at: Place) -> Result<(), FileError> {
        self.named += more.len();
        if self.named > MOST_NAMED {
            return Err(at.says(format!(
                "all groups and rules up to here name more than {MOST_NAMED} sources and targets: that is too much for one matrix"
            )));
        }
        Ok(())
    }

    pub(super) fn word(&mut self, text: &str, at: Place) -> Result<u32, FileError> {
        self.words.push(Word::read(text, at, self.services)?);
        Ok(number(self.words.len() - 1))
    }

    /// What is said of a word that is no target.
    fn no_target(&self, word: &str) -> String {
        if self.services.port(word).is_some() {
            return format!(
                "`{word}` is a port without a host: write both, and several ports in quotes, as in \"web:80,{word}\""
            );
        }
        let is_target = |meaning| matches!(meaning, Meaning::Target(_) | Meaning::Group(_));
        self.unknown(word, is_target, "a target")
    }

    /// What is said of a name that stands for nothing.
    pub(super) fn unknown(&self, word: &str, fits: impl Fn(Meaning) -> bool + Copy, what: &str) -> String {
        if let Some(near) = self.names.nearest(word, fits) {
            return format!("nothing is called `{word}`: did you mean `{near}`?");
        }
        let known = self.names.list(fits);
        let known = if known.is_empty() {
            known
        } else {
            format!("; known are {known}")
        };
        match what {
            "a source" => format!("nothing is called `{word}`: name it under `sources`{known}"),
            _ => format!(
                "nothing is called `{word}`: write a target with its port, as in {word}:443, or the name of {what}{known}"
            ),
        }
    }
}

fn timeout(node: &Node) -> Result<Duration, FileError> {
    duration(node, "`timeout`")
}

fn tries(node: &Node) -> Result<u32, FileError> {
    const MOST: u32 = 100;
    count(node, "`tries`", MOST)
}

/// No file of the permitted size has more of anything.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
