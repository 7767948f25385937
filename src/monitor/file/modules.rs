//! Modules: how to look. What one does not say, `default` says; what that does not say, tcpprobe does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Addresses, SHORTEST_HOLD};
use crate::diagnose::{Cause, Class, Expectation};
use crate::document::table::{self, Table, entries, one_or_more, text};
use crate::document::{FileError, Node, Place, Value, nearest};
use crate::monitor::Module;
use crate::net::dns::Families;
use crate::net::raw::Use;

const MODULE: &[&str] = &[
    "interval",
    "timeout",
    "slow",
    "hold",
    "family",
    "addresses",
    "mode",
    "tries",
    "expect",
    "confirm",
];

/// How often to look at most, until it is as expected.
const MOST_TRIES: u32 = 10;
/// So many checks in a row at most make a change count.
const MOST_CONFIRM: u32 = 100;
/// A file with more is none that anybody wrote.
const MOST_MODULES: usize = 1_000;

/// The modules by name, with `default` among them.
pub(super) fn read(node: Option<&Node>) -> Result<BTreeMap<String, Arc<Module>>, FileError> {
    let entries = node.map_or(Ok(&[] as &[_]), |node| entries(node, "`modules`"))?;
    if let Some((key, _)) = entries.get(MOST_MODULES) {
        return Err(key.at.says(format!("more than {MOST_MODULES} modules")));
    }
    let mut default = Module::default();
    if let Some((_, node)) = entries.iter().find(|(key, _)| key.text == Module::DEFAULT) {
        default = module(node, &default)?;
    }
    let mut modules = BTreeMap::new();
    for (key, node) in entries.iter().filter(|(key, _)| key.text != Module::DEFAULT) {
        check_name(&key.text, key.at)?;
        let inherited = Module {
            name: key.text.clone(),
            ..default.clone()
        };
        modules.insert(key.text.clone(), Arc::new(module(node, &inherited)?));
    }
    modules.insert(Module::DEFAULT.to_owned(), Arc::new(default));
    Ok(modules)
}

/// One module; `inherited` has its name, and what it does not say.
fn module(node: &Node, inherited: &Module) -> Result<Module, FileError> {
    let mut module = inherited.clone();
    // A module with nothing after its name looks as `default` does.
    if node.value == Value::Null {
        return Ok(module);
    }
    let table = Table::open(node, "a module", MODULE)?;
    (module.interval, module.timeout) = times(&table, inherited)?;
    if let Some(node) = table.get("slow") {
        module.slow = table::duration(node, "`slow`")?;
    }
    if let Some(node) = table.get("hold") {
        module.hold = hold(node)?;
    }
    if let Some(node) = table.get("family") {
        let families = [
            ("both", Families::Both),
            ("ipv4", Families::V4),
            ("ipv6", Families::V6),
        ];
        module.families = one_of(node, "`family`", &families)?;
    }
    if let Some(node) = table.get("addresses") {
        let addresses = [("all", Addresses::All), ("first", Addresses::First)];
        module.addresses = one_of(node, "`addresses`", &addresses)?;
    }
    if let Some(node) = table.get("mode") {
        let modes = [
            ("auto", Use::WhenNeeded),
            ("connect", Use::Never),
            ("raw", Use::Always),
        ];
        module.raw = one_of(node, "`mode`", &modes)?;
    }
    if let Some(node) = table.get("tries") {
        module.tries = table::count(node, "`tries`", MOST_TRIES)?;
    }
    if let Some(node) = table.get("expect") {
        module.expected = expected(node)?;
    }
    if let Some(node) = table.get("confirm") {
        module.confirm = table::count(node, "`confirm`", MOST_CONFIRM)?;
    }
    has_time_to_hold(&table, &module)?;
    Ok(module)
}

/// The interval and the timeout of a module, or of a target that has its own.
pub(super) fn times(table: &Table<'_>, inherited: &Module) -> Result<(Duration, Duration), FileError> {
    let shown = humantime::format_duration;
    let (mut interval, mut timeout) = (inherited.interval, inherited.timeout);
    if let Some(node) = table.get("interval") {
        interval = table::duration(node, "`interval`")?;
        if interval < Module::SHORTEST_INTERVAL {
            return Err(node.at.says(format!(
                "`interval`: {} is too short: it is {} at least",
                shown(interval),
                shown(Module::SHORTEST_INTERVAL)
            )));
        }
    }
    if let Some(node) = table.get("timeout") {
        timeout = table::duration(node, "`timeout`")?;
    }
    if timeout <= interval {
        return Ok((interval, timeout));
    }
    let says = match (table.get("timeout"), table.get("interval")) {
        (Some(node), Some(_)) => node.at.says(format!(
            "`timeout`: {} is longer than the interval of {}: a look has to end before the next begins",
            shown(timeout),
            shown(interval)
        )),
        (Some(node), None) => node.at.says(format!(
            "`timeout`: {} is longer than the interval, which is {}, as nothing is said of it here: write a longer `interval`, \
             or a timeout of {} at most",
            shown(timeout),
            shown(interval),
            shown(interval)
        )),
        (None, Some(node)) => node.at.says(format!(
            "`interval`: {} is shorter than the timeout, which is {}, as nothing is said of it here: write `timeout: {}` or \
             less too",
            shown(interval),
            shown(timeout),
            shown(interval).to_string().replace(' ', "")
        )),
        // What is inherited was found right where it is said.
        (None, None) => return Ok((interval, timeout)),
    };
    Err(says)
}

/// How long a connection is left idle; absent for `0s`, which takes back what `default` says.
fn hold(node: &Node) -> Result<Option<Duration>, FileError> {
    let after = table::duration_or_zero(node, "`hold`")?;
    if after.is_zero() {
        return Ok(None);
    }
    if after < SHORTEST_HOLD {
        return Err(node.at.says(format!(
            "`hold`: {} is too short: the kernel asks idle connections after whole seconds, so it is {} at least",
            humantime::format_duration(after),
            humantime::format_duration(SHORTEST_HOLD)
        )));
    }
    Ok(Some(after))
}

/// Checks that the interval of a module, or of a target that has its own, leaves time for a connection to be idle.
pub(super) fn has_time_to_hold(table: &Table<'_>, module: &Module) -> Result<(), FileError> {
    let Some(hold) = module.hold else {
        return Ok(());
    };
    let longest = module.longest_check();
    // What is inherited was found right where it is said.
    let says = ["hold", "interval", "timeout", "tries"]
        .into_iter()
        .find_map(|key| table.get(key));
    let Some(node) = says.filter(|_| longest > module.interval) else {
        return Ok(());
    };
    let shown = humantime::format_duration;
    let interval = Duration::from_secs(longest.as_secs() + u64::from(longest.subsec_nanos() > 0));
    Err(node.at.says(format!(
        "`hold`: a connection that is idle for {} and is then asked may take {}, with the looks before and after it, and the \
         interval is {}: write `interval: {}` or more",
        shown(hold),
        shown(interval),
        shown(module.interval),
        shown(interval).to_string().replace(' ', "")
    )))
}

/// One of several words.
fn one_of<T: Copy>(node: &Node, what: &str, words: &[(&str, T)]) -> Result<T, FileError> {
    let given = match &node.value {
        Value::Text(text) => Some(text.trim()),
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Table(_) => None,
    };
    if let Some((_, value)) = words.iter().find(|(word, _)| Some(*word) == given) {
        return Ok(*value);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let near = given.and_then(|given| nearest(given, known.iter().copied()));
    let meant = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(node.at.says(format!(
        "{what} is {}, and this is {}{meant}",
        match &known[..] {
            [before @ .., last] => format!("{} or {last}", before.join(", ")),
            [] => String::new(),
        },
        node.value.shown()
    )))
}

/// One word, words with commas between them, or a list of words.
fn expected(node: &Node) -> Result<Vec<Expectation>, FileError> {
    let mut expected = Vec::new();
    for node in one_or_more(node, "`expect`")? {
        for word in text(node, "`expect`")?.split(',').map(str::trim) {
            if word.is_empty() {
                return Err(node.at.says(
                    "nothing is expected: write open, reachable, blocked, a class such as refused, or class/cause",
                ));
            }
            let word: Expectation = word.parse().map_err(|error: String| node.at.says(error))?;
            if !Cause::ALL
                .iter()
                .any(|cause| word.is_met_by(*cause) && is_the_targets(*cause))
            {
                return Err(node.at.says(format!(
                    "'{word}' cannot be expected: it says nothing of the target, but that our own side failed or could not tell"
                )));
            }
            if !expected.contains(&word) {
                expected.push(word);
            }
        }
    }
    Ok(expected)
}

/// Whether a verdict says something of the target.
fn is_the_targets(cause: Cause) -> bool {
    match cause.class() {
        Class::LocalError | Class::Unknown => false,
        Class::Open
        | Class::Slow
        | Class::Refused
        | Class::Rejected
        | Class::Unreachable
        | Class::Filtered
        | Class::BacklogFull
        | Class::Reset
        | Class::IdleDeath
        | Class::DnsFailed => true,
    }
}

fn check_name(name: &str, at: Place) -> Result<(), FileError> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() {
        return Err(at.says("a module without a name"));
    }
    if let Some(letter) = name.chars().find(|letter| !fits(*letter)) {
        return Err(at.says(format!(
            "`{name}` is no name for a module: it contains {letter:?}; names have letters, digits, `-`, `_` and `.`"
        )));
    }
    if nearest(name, [Module::DEFAULT].into_iter()).is_some() {
        return Err(at.says(format!(
            "`{name}` is nearly `{0}`, from which all modules inherit: write `{0}`, or choose a name that cannot be mistaken",
            Module::DEFAULT
        )));
    }
    Ok(())
}
