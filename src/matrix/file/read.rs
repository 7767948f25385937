//! The tree becomes a matrix: every key is known, every name stands for something, every value is one that can be meant.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv6Addr;
use std::time::Duration;

use super::names::{ANY, Meaning, Names};
use super::table::{self, Table, entries, one_or_more, text};
use super::tree::{Key, Node, Place, Value};
use super::word::{Hosts, Word};
use super::{FileError, Matrix, Rule, Source};
use crate::diagnose::Expectation;
use crate::matrix::{Expected, ExpectedError};
use crate::target::{Services, Target};

const MATRIX: &[&str] = &["name", "defaults", "sources", "targets", "groups", "rules"];
const DEFAULTS: &[&str] = &["timeout", "tries", "expect", "control"];
const SOURCE: &[&str] = &["namespace", "labels", "service_account", "node_selector"];
const RULE: &[&str] = &[
    "name", "from", "to", "except", "expect", "timeout", "tries", "control",
];

/// How deep groups may be within each other.
const DEEPEST_GROUP: usize = 32;

/// One of a rule's controls has to be open, so a handful is enough.
const MOST_CONTROLS: u64 = 64;

pub(super) fn matrix(root: &Node, services: &Services) -> Result<Matrix, FileError> {
    let file = Table::open(root, "a matrix", MATRIX)?;
    let name = file.get("name").map(|node| text(node, "`name`")).transpose()?;
    let mut reader = Reader {
        services,
        names: Names::default(),
        sources: Vec::new(),
        words: Vec::new(),
        targets: Vec::new(),
        groups: Vec::new(),
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
            defaults.timeout = table::timeout(node)?;
        }
        if let Some(node) = table.get("tries") {
            defaults.tries = table::tries(node)?;
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
struct Reader<'a> {
    services: &'a Services,
    names: Names<'a>,
    sources: Vec<Source>,
    words: Vec<Word>,
    /// The words of each named target.
    targets: Vec<Vec<u32>>,
    groups: Vec<Group<'a>>,
}

/// Several names under one.
struct Group<'a> {
    name: &'a str,
    members: &'a [Node],
    state: State,
}

/// How far a group is.
enum State {
    Unread,
    /// Somebody is at it: whoever comes here again has come from within.
    BeingRead,
    Read(Members),
}

/// What a group or a list of names comes to.
#[derive(Clone)]
enum Members {
    Sources(Vec<u32>),
    /// Words.
    Targets(Vec<u32>),
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
                    return Err(node.at.says(self.no_target(word)));
                }
                words.push(self.word(word, node.at)?);
            }
            self.targets.push(words);
        }
        Ok(())
    }

    /// Groups may name each other in any order.
    fn groups(&mut self, node: &'a Node) -> Result<(), FileError> {
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
    fn group(&mut self, index: usize, at: Place, within: &mut Vec<&'a str>) -> Result<Members, FileError> {
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
                    sources.extend(more);
                    !words.items.is_empty()
                }
                Members::Targets(more) => {
                    words.extend(more);
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
            Members::Targets(words.items)
        } else {
            Members::Sources(sources.items)
        })
    }

    fn member(&mut self, word: &str, at: Place, within: &mut Vec<&'a str>) -> Result<Members, FileError> {
        if word.contains(':') {
            return Ok(Members::Targets(vec![self.word(word, at)?]));
        }
        match self.names.get(word) {
            Some(Meaning::Source(source)) => Ok(Members::Sources(vec![source])),
            Some(Meaning::Target(target)) => Ok(Members::Targets(self.targets[target as usize].clone())),
            Some(Meaning::Group(group)) => self.group(group as usize, at, within),
            None => Err(at.says(self.unknown(word, |_| true, "a source, a target or a group"))),
        }
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
            None => Some(self.all_sources()),
        };
        let Some(to) = table.get("to") else {
            let says = "a rule without `to`: write what it is about, such as `to: db:5432`";
            return Err(node.at.says(says));
        };
        let to = self.to(to, "`to`")?;
        let except = table.get("except").map(|node| self.to(node, "`except`"));
        let controls = table.get("control").map(|node| self.controls(node)).transpose()?;
        let expected = table.get("expect").map(expected).transpose()?;
        Ok(Rule {
            at: node.at,
            name: name.map_or_else(|| format!("rule {number}"), str::to_owned),
            from,
            to,
            except: except.transpose()?.unwrap_or_default(),
            expected: expected.unwrap_or_else(|| defaults.expected.clone()),
            timeout: table
                .get("timeout")
                .map_or(Ok(defaults.timeout), table::timeout)?,
            tries: table.get("tries").map_or(Ok(defaults.tries), table::tries)?,
            controls: controls.unwrap_or_else(|| defaults.controls.clone()),
        })
    }

    /// Sources; none for whoever looks.
    fn from(&mut self, node: &'a Node) -> Result<Option<Vec<u32>>, FileError> {
        let mut sources = Unique::default();
        for node in one_or_more(node, "`from`")? {
            let word = text(node, "`from`")?;
            if word == ANY {
                sources.extend(self.all_sources());
                continue;
            }
            if self.sources.is_empty() {
                return Err(node.at.says(format!(
                    "`{word}` is no source, for this matrix has none: name it under `sources`, or leave `from` out"
                )));
            }
            let is_source = |meaning| matches!(meaning, Meaning::Source(_) | Meaning::Group(_));
            let members = match self.names.get(word) {
                Some(Meaning::Source(source)) => Members::Sources(vec![source]),
                Some(Meaning::Group(group)) => self.group(group as usize, node.at, &mut Vec::new())?,
                Some(Meaning::Target(_)) => {
                    return Err(node.at.says(format!(
                        "`{word}` is a target, and `from` takes sources: {}",
                        self.names.list(is_source)
                    )));
                }
                None => return Err(node.at.says(self.unknown(word, is_source, "a source"))),
            };
            match members {
                Members::Sources(more) => sources.extend(more),
                Members::Targets(_) => {
                    return Err(node.at.says(format!(
                        "`{word}` is a group of targets, and `from` takes sources: {}",
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
                words.extend([self.word(word, node.at)?]);
                continue;
            }
            if word == ANY {
                if self.targets.is_empty() {
                    return Err(node
                        .at
                        .says("`any` is all that `targets` names, and that is nothing"));
                }
                words.extend(self.targets.iter().flatten().copied());
                continue;
            }
            let members = match self.names.get(word) {
                Some(Meaning::Source(source)) => Members::Sources(vec![source]),
                Some(Meaning::Target(target)) => Members::Targets(self.targets[target as usize].clone()),
                Some(Meaning::Group(group)) => self.group(group as usize, node.at, &mut Vec::new())?,
                None => return Err(node.at.says(self.no_target(word))),
            };
            match members {
                Members::Targets(more) => words.extend(more),
                Members::Sources(_) => {
                    return Err(node.at.says(format!(
                        "`{word}` stands for sources, and {what} takes targets: {}",
                        self.names.list(|meaning| matches!(meaning, Meaning::Target(_)))
                    )));
                }
            }
        }
        Ok(words.items)
    }

    fn controls(&mut self, node: &'a Node) -> Result<Vec<Target>, FileError> {
        // None where the defaults have some.
        if matches!(&node.value, Value::List(nodes) if nodes.is_empty()) {
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

    fn word(&mut self, text: &str, at: Place) -> Result<u32, FileError> {
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
    fn unknown(&self, word: &str, fits: impl Fn(Meaning) -> bool + Copy, what: &str) -> String {
        if let Some(near) = self.names.nearest(word, fits) {
            return format!("nothing is called `{word}`: did you mean `{near}`?");
        }
        let known = self.names.list(fits);
        let known = if known.is_empty() { "nothing" } else { &known };
        match what {
            "a source" => format!("nothing is called `{word}`: name it under `sources` (there is {known})"),
            _ => format!(
                "nothing is called `{word}`: write a target with its port, as in {word}:443, or the name of {what} \
                 (there is {known})"
            ),
        }
    }
}

/// A word for targets or sources. What a language makes of an unquoted one is told apart.
fn target_text(node: &Node) -> Result<&str, FileError> {
    let says = match &node.value {
        Value::Text(text) if !text.trim().is_empty() => return Ok(text.trim()),
        Value::Integer(port) => format!(
            "{port} is a port without a host: write both, and several ports in quotes, as in \"db:5432,{port}\""
        ),
        Value::Table(entries) => match &entries[..] {
            [
                (
                    Key { text: host, .. },
                    Node {
                        value: Value::Integer(port),
                        ..
                    },
                ),
            ] => {
                format!("`{host}: {port}` with a space is a table: write {host}:{port}")
            }
            _ => "a target is a text such as db:5432, and this is a table".to_owned(),
        },
        Value::List(items) => match &items[..] {
            [
                Node {
                    value: Value::Text(address),
                    ..
                },
            ] if address.parse::<Ipv6Addr>().is_ok() => format!(
                "brackets make a list: put an IPv6 address and its port in quotes, as in \"[{address}]:443\""
            ),
            _ => "a list within a list: write one list".to_owned(),
        },
        other @ (Value::Null | Value::Bool(_) | Value::Float(_) | Value::Date(_) | Value::Text(_)) => {
            format!(
                "a target is a text such as db:5432, and this is {}",
                match other {
                    Value::Text(_) => "empty".to_owned(),
                    other => other.shown(),
                }
            )
        }
    };
    Err(node.at.says(says))
}

/// One word, words with commas between them, or a list of words.
fn expected(node: &Node) -> Result<Expected, FileError> {
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

/// A table of texts.
fn texts(node: Option<&Node>, what: &str) -> Result<BTreeMap<String, String>, FileError> {
    let Some(node) = node else {
        return Ok(BTreeMap::new());
    };
    let texts = entries(node, what)?.iter().map(|(key, node)| match &node.value {
        // A label may well be empty.
        Value::Text(value) => Ok((key.text.clone(), value.clone())),
        _ => text(node, &format!("`{}`", key.text)).map(|value| (key.text.clone(), value.to_owned())),
    });
    texts.collect()
}

/// Numbers in the order in which they came, each once.
#[derive(Default)]
struct Unique {
    items: Vec<u32>,
    seen: HashSet<u32>,
}

impl Unique {
    fn extend(&mut self, more: impl IntoIterator<Item = u32>) {
        let new = more.into_iter().filter(|item| self.seen.insert(*item));
        self.items.extend(new);
    }
}

/// No file of the permitted size has more of anything.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
