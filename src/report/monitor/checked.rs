//! What a configuration of the monitor comes to, before anything is sent.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::check::PACKETS_A_CONNECTION;
use crate::monitor::{Allow, Config, Module, Reach, Watched};
use crate::report::human::{count, list, wrap, write_table};
use crate::target::Host;

/// A look at one address costs at most so many packets.
const PACKETS_A_LOOK: f64 = 40.0;

/// A configuration that was found right.
#[derive(Debug)]
pub struct Checked<'a> {
    /// Where it was read, as messages name it.
    pub what: &'a str,
    /// What is watched.
    pub config: &'a Config,
    /// What /probe may be aimed at besides.
    pub allow: &'a Allow,
    /// From where /probe can be asked.
    pub reach: Reach,
    /// Its number.
    pub hash: u64,
    /// Packets a second at most.
    pub rate: u32,
}

/// Writes what it comes to.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_checked(checked: &Checked<'_>, width: usize, out: &mut impl io::Write) -> io::Result<()> {
    let targets = &checked.config.targets;
    writeln!(
        out,
        "{} is right: {}, {}, {} a second.",
        checked.what.replace(char::is_control, " "),
        count(checked.config.modules.len(), "module", "modules"),
        count(targets.len(), "target", "targets"),
        rate(a_second(targets, |_| 1.0), "check", "checks"),
    )?;
    writeln!(out)?;
    write_table(&modules(checked.config), out)?;
    writeln!(out)?;
    let mut paragraphs = vec![cost(checked)];
    paragraphs.extend(
        checked
            .config
            .modules
            .values()
            .filter_map(|module| may_miss(module)),
    );
    paragraphs.push(aims(checked));
    paragraphs.push(format!(
        "The number of this configuration is {}: the same wherever the same is configured.",
        checked.hash
    ));
    for paragraph in paragraphs {
        for line in wrap("", &paragraph, width) {
            writeln!(out, "{line}")?;
        }
    }
    if targets.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    write_table(&rows(targets), out)
}

/// The modules, with the times that some of their targets have of their own.
fn modules(config: &Config) -> Vec<[String; 9]> {
    let mut looks: BTreeMap<(&str, Duration, Duration), (&Arc<Module>, usize)> = BTreeMap::new();
    for module in config.modules.values() {
        looks.insert((&module.name, module.interval, module.timeout), (module, 0));
    }
    for watched in &config.targets {
        let module = &watched.module;
        let key = (module.name.as_str(), module.interval, module.timeout);
        looks.entry(key).or_insert((module, 0)).1 += 1;
    }
    let mut rows = vec![
        [
            "MODULE", "TARGETS", "EVERY", "TIMEOUT", "TRIES", "CONFIRM", "SLOW", "LOOKS AT", "EXPECTED",
        ]
        .map(str::to_owned),
    ];
    rows.extend(looks.into_values().map(|(module, targets)| {
        [
            module.name.clone(),
            targets.to_string(),
            time(module.interval),
            time(module.timeout),
            module.tries.to_string(),
            module.confirm.to_string(),
            time(module.slow),
            looks_at(module),
            list_of(&module.expected),
        ]
    }));
    rows
}

/// What is usual is left out.
fn looks_at(module: &Module) -> String {
    let unusual = [(module.family(), "both"), (module.mode(), "auto")]
        .into_iter()
        .filter(|(word, usual)| word != usual);
    let words: Vec<String> = std::iter::once(module.addresses())
        .chain(unusual.map(|(word, _)| word))
        .map(str::to_owned)
        .chain(module.hold.map(|hold| format!("idle for {}", time(hold))))
        .collect();
    words.join(", ")
}

fn list_of(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

fn rows(targets: &[Watched]) -> Vec<[String; 5]> {
    let mut rows = vec![["TARGET", "NAME", "MODULE", "EVERY", "LABELS"].map(str::to_owned)];
    rows.extend(targets.iter().map(|watched| {
        let target = watched.target.to_string();
        let labels: Vec<String> = watched
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        let name = if watched.name == target {
            String::new()
        } else {
            watched.name.clone()
        };
        let module = &watched.module;
        [
            target,
            name,
            module.name.clone(),
            time(module.interval),
            labels.join(" "),
        ]
    }));
    rows
}

/// What it may cost in packets.
fn cost(checked: &Checked<'_>) -> String {
    let targets = &checked.config.targets;
    if targets.is_empty() {
        return "No target is looked at on a schedule: only what /probe is asked for.".to_owned();
    }
    let is_name = |watched: &&Watched| matches!(watched.target.host, Host::Name(_));
    let named = match targets.iter().filter(is_name).count() {
        0 => String::new(),
        named => format!(
            " {} a name, and every address that it has beyond the first costs as much again.",
            count(named, "target has", "targets have")
        ),
    };
    let usual = a_second(targets, |_| f64::from(PACKETS_A_CONNECTION));
    let most = a_second(targets, |module| PACKETS_A_LOOK * f64::from(module.tries));
    let limit = checked.rate;
    let bound = if most > f64::from(limit) {
        format!(
            "--rate lets {limit} out, as an average over a second: checks are late when that is not enough, so permit more, \
             or look less often"
        )
    } else {
        format!("--rate permits {limit}")
    };
    format!(
        "About {} a second while every port is open, and at most {} when nothing answers and every try is needed; {bound}.{named}",
        rate(usual, "packet", "packets"),
        number(most),
    )
}

/// What all checks of a second come to.
fn a_second(targets: &[Watched], of_one: impl Fn(&Module) -> f64) -> f64 {
    targets
        .iter()
        .map(|watched| of_one(&watched.module) / watched.module.interval.as_secs_f64())
        .fold(0.0, |sum, one| sum + one)
}

/// A module whose checks may take longer than its interval.
fn may_miss(module: &Module) -> Option<String> {
    let longest = module.timeout.saturating_mul(module.tries);
    (longest > module.interval).then(|| {
        format!(
            "With the module {}, {} of {} each may take longer than the {} from one check to the next: a check whose turn comes \
             meanwhile is left out, and counted.",
            module.name,
            count(module.tries as usize, "try", "tries"),
            time(module.timeout),
            time(module.interval),
        )
    })
}

/// Who may aim /probe at what.
fn aims(checked: &Checked<'_>) -> String {
    let targets = match checked.config.targets.len() {
        0 => None,
        1 => Some("the target below".to_owned()),
        more => Some(format!("the {more} targets below")),
    };
    let nothing = || {
        targets.clone().map_or("nothing".to_owned(), |targets| {
            format!("{targets}, and nothing else")
        })
    };
    let at = match (&checked.allow.permits, checked.reach) {
        (None, Reach::Loopback) => {
            "whatever this host reaches, since only this host can ask (every --listen is on loopback, and no `allow` says \
             otherwise)"
                .to_owned()
        }
        (None, Reach::Beyond) => format!(
            "{}: others can ask (a --listen is beyond loopback), and no `allow` permits more",
            nothing()
        ),
        (Some(permits), _) if permits.is_empty() => nothing(),
        (Some(permits), _) => {
            let permits: Vec<String> = permits.iter().map(ToString::to_string).collect();
            targets
                .map_or(String::new(), |targets| format!("{targets}, and "))
                + &list(&permits)
        }
    };
    let limit = checked.allow.limit;
    format!(
        "/probe may be aimed at {at}. It looks at one host {} a second at most, {} at once.",
        count(limit.rate as usize, "time", "times"),
        limit.burst
    )
}

fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn rate(value: f64, one: &str, more: &str) -> String {
    let number = number(value);
    let noun = if number == "1" { one } else { more };
    format!("{number} {noun}")
}

/// With as many digits as say something.
fn number(value: f64) -> String {
    let text = if value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    if text == "0" && value > 0.0 {
        return "less than 0.01".to_owned();
    }
    text
}
