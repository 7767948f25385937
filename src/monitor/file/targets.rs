//! Targets: what to look at, each once, with its module and its labels.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::{MOST_TARGETS, labels, modules};
use crate::document::table::{Table, is_empty_list, one_or_more, target_text, text};
use crate::document::{FileError, Node, Place, Value, Word, nearest};
use crate::monitor::allow::in_one_form;
use crate::monitor::{Module, Watched};
use crate::target::{Services, Target};

const TARGET: &[&str] = &["target", "name", "module", "interval", "timeout", "labels"];

/// What a name may have in characters: it is a label of every series, and stands on the page.
const LONGEST_NAME: usize = 200;

type Modules = BTreeMap<String, Arc<Module>>;

/// The targets in the order of the file, and where each is written.
pub(super) fn read(
    node: Option<&Node>,
    modules: &Modules,
    services: &Services,
) -> Result<(Vec<Watched>, Vec<Place>), FileError> {
    let mut reader = Reader {
        modules,
        services,
        targets: Vec::new(),
        places: Vec::new(),
        names: HashMap::new(),
        looks: HashMap::new(),
        own: HashMap::new(),
    };
    // Without targets there is still /probe.
    if let Some(node) = node.filter(|node| !is_empty_list(node)) {
        if let Value::Table(_) = &node.value {
            return Err(node.at.says(
                "`targets` is a list, and this is a table: write each target with a dash before it, as in `- db:5432`",
            ));
        }
        for node in one_or_more(node, "`targets`")? {
            reader.target(node)?;
        }
    }
    Ok((reader.targets, reader.places))
}

/// What has been read so far.
struct Reader<'a> {
    modules: &'a Modules,
    services: &'a Services,
    targets: Vec<Watched>,
    places: Vec<Place>,
    /// The names that are taken, and where.
    names: HashMap<String, Place>,
    /// What is looked at with which module, and where that is said.
    looks: HashMap<(Target, String), Place>,
    /// Modules with the times of targets that have their own.
    own: HashMap<(String, Duration, Duration), Arc<Module>>,
}

/// What a word or a table says of its targets.
struct Said {
    name: Option<(String, Place)>,
    module: Arc<Module>,
    labels: BTreeMap<String, String>,
}

impl Reader<'_> {
    /// A word, or a table with more to say of one or several words.
    fn target(&mut self, node: &Node) -> Result<(), FileError> {
        let is_table = match &node.value {
            Value::Table(entries) => !matches!(
                &entries[..],
                // `db: 5432` with a blank is a slip.
                [(key, Node { value: Value::Integer(_), .. })] if !TARGET.contains(&key.text.as_str())
            ),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::Text(_)
            | Value::List(_) => false,
        };
        if !is_table {
            let word = self.word(node)?;
            let said = Said {
                name: None,
                module: self.module(Module::DEFAULT, node.at)?,
                labels: BTreeMap::new(),
            };
            return self.add(&word, &said);
        }
        let table = Table::open(node, "a target", TARGET)?;
        let Some(target) = table.get("target") else {
            let says = "a target without `target`: write what to look at, such as `target: db:5432`";
            return Err(node.at.says(says));
        };
        let words = one_or_more(target, "`target`")?
            .iter()
            .map(|node| self.word(node));
        let words: Vec<Word> = words.collect::<Result<_, _>>()?;
        let name = table.get("name").map(|node| name(node, &words)).transpose()?;
        let module = match table.get("module") {
            Some(node) => self.module(text(node, "`module`")?, node.at)?,
            None => self.module(Module::DEFAULT, node.at)?,
        };
        let said = Said {
            name,
            module: self.with_own_times(&table, module)?,
            labels: table
                .get("labels")
                .map(labels::read)
                .transpose()?
                .unwrap_or_default(),
        };
        words.iter().try_for_each(|word| self.add(word, &said))
    }

    fn word(&self, node: &Node) -> Result<Word, FileError> {
        Word::read(target_text(node)?, node.at, self.services)
    }

    fn module(&self, name: &str, at: Place) -> Result<Arc<Module>, FileError> {
        self.modules.get(name).map(Arc::clone).ok_or_else(|| {
            let known = self.modules.keys().map(String::as_str);
            at.says(match nearest(name, known.clone()) {
                Some(near) => format!("there is no module `{name}`: did you mean `{near}`?"),
                None => format!(
                    "there is no module `{name}`: name it under `modules`; known are {}",
                    known.collect::<Vec<_>>().join(", ")
                ),
            })
        })
    }

    /// The module, with the interval and the timeout of a target that has its own.
    fn with_own_times(&mut self, table: &Table<'_>, module: Arc<Module>) -> Result<Arc<Module>, FileError> {
        let (interval, timeout) = modules::times(table, &module)?;
        if (interval, timeout) == (module.interval, module.timeout) {
            return Ok(module);
        }
        let key = (module.name.clone(), interval, timeout);
        if let Some(own) = self.own.get(&key) {
            return Ok(Arc::clone(own));
        }
        let own = Arc::new(Module {
            interval,
            timeout,
            ..Module::clone(&module)
        });
        modules::has_time_to_hold(table, &own)?;
        self.own.insert(key, Arc::clone(&own));
        Ok(own)
    }

    fn add(&mut self, word: &Word, said: &Said) -> Result<(), FileError> {
        let most = MOST_TARGETS - self.targets.len();
        if word.count() > most as u64 {
            return Err(word.at.says(format!(
                "more than {MOST_TARGETS} targets: `{}` alone is {}; name fewer, or run a second monitor for some of them",
                word.text,
                word.count()
            )));
        }
        for target in word.targets() {
            let at = said.name.as_ref().map_or(word.at, |(_, at)| *at);
            let name = said
                .name
                .as_ref()
                .map_or_else(|| target.to_string(), |(name, _)| name.clone());
            if let Some(says) = said.module.cannot_look_at(&target) {
                return Err(word.at.says(says));
            }
            self.check_name(&name, &target, at)?;
            match self.names.entry(name.clone()) {
                Entry::Occupied(taken) => {
                    let line = taken.get().line;
                    return Err(at.says(match said.name {
                        Some(_) => format!("another target is called `{name}` already, in line {line}: choose another `name`"),
                        None => format!(
                            "`{name}` is a target already, in line {line}: leave one out, or give one of them a `name` of its own \
                             and another module"
                        ),
                    }));
                }
                Entry::Vacant(free) => free.insert(at),
            };
            match self.looks.entry((target.clone(), said.module.name.clone())) {
                Entry::Occupied(taken) => {
                    return Err(word.at.says(format!(
                        "`{target}` is looked at with the module `{}` already, in line {}: leave one out, or give one of them \
                         another module",
                        said.module.name,
                        taken.get().line
                    )));
                }
                Entry::Vacant(free) => free.insert(word.at),
            };
            self.places.push(word.at);
            self.targets.push(Watched {
                target,
                name,
                module: Arc::clone(&said.module),
                labels: said.labels.clone(),
            });
        }
        Ok(())
    }

    /// A name must not be taken for another target: /probe takes both.
    fn check_name(&self, name: &str, target: &Target, at: Place) -> Result<(), FileError> {
        match Target::parse(name, self.services) {
            Ok(other) if in_one_form(&other) != in_one_form(target) => Err(at.says(format!(
                "`{name}` would be taken for another target than {target}, which it is: choose another `name`"
            ))),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A name of the user's own, which is for one target.
fn name(node: &Node, words: &[Word]) -> Result<(String, Place), FileError> {
    let name = text(node, "`name`")?;
    let count: u64 = words.iter().map(Word::count).sum();
    if count != 1 {
        return Err(node.at.says(format!(
            "`name` is for one target, and these are {count}: leave it out, and each is called by its host and port"
        )));
    }
    if let Some(letter) = name.chars().find(|letter| letter.is_control()) {
        return Err(node.at.says(format!(
            "`name` contains {letter:?}: write it in one line of plain text"
        )));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(node
            .at
            .says(format!("`name` is longer than {LONGEST_NAME} characters")));
    }
    Ok((name.to_owned(), node.at))
}
