//! From arguments and the file to what is watched; and `--check` and `--init`, which send nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::document::{text, wrong};
use crate::app::gather::{families_of, fits, look, services, shown};
use crate::app::{Failure, complain, output};
use crate::check::{Addresses, Options};
use crate::cli::{Exit, ModeArgument, MonitorArguments};
use crate::document::Format;
use crate::http::Gate;
use crate::monitor::file::{EXAMPLE, File, MOST_TARGETS};
use crate::monitor::{Allow, Config, Module, Reach, Watched, hash, in_one_form};
use crate::net::dns::Families;
use crate::net::raw::Use;
use crate::report::monitor::{Checked, write_checked};
use crate::target::Target;

/// What is to be watched, and with which number it is known.
#[derive(Debug)]
pub(super) struct Configured {
    /// What is watched.
    pub(super) config: Config,
    /// What /probe may be aimed at besides.
    pub(super) allow: Allow,
    /// Another number when something else is configured.
    pub(super) hash: u64,
}

/// Reads the configuration: at the beginning, and again when told to.
pub(super) fn configure(arguments: &MonitorArguments) -> Result<Configured, Failure> {
    let options = look(&arguments.look).map_err(Failure::usage)?;
    let (mut config, allow) = if let Some(path) = &arguments.config {
        nothing_beside(path, arguments)?;
        from_text(path, &text(path, "configuration")?, &options)?
    } else {
        let module = Arc::new(module(arguments)?);
        let config = Config {
            modules: BTreeMap::from([(module.name.clone(), module)]),
            targets: Vec::new(),
        };
        (config, Allow::default())
    };
    add_targets(&mut config, arguments, &options)?;
    Ok(Configured {
        hash: hash(&config, &allow),
        config,
        allow,
    })
}

/// `--check`
pub(super) fn check(arguments: &MonitorArguments) -> Result<Exit, Failure> {
    let configured = configure(arguments)?;
    if let Some(file) = &arguments.web_config {
        Gate::read(file, complain).map_err(Failure::usage)?;
    }
    let what = arguments
        .config
        .as_deref()
        .map_or_else(|| "the command line".to_owned(), shown);
    let checked = Checked {
        what: &what,
        config: &configured.config,
        allow: &configured.allow,
        reach: Reach::of(&arguments.listen),
        hash: configured.hash,
        rate: arguments.rate,
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    output::written(write_checked(&checked, output::width(), out).and_then(|()| out.flush()))
}

/// `--init`
pub(super) fn init() -> Result<Exit, Failure> {
    output::written(io::stdout().lock().write_all(EXAMPLE.as_bytes()))
}

/// Checks what a monitor elsewhere is to be run with: the text of its file, and the options beside it.
pub(in crate::app) fn check_elsewhere(
    path: &Path,
    text: &str,
    arguments: &MonitorArguments,
) -> Result<Config, Failure> {
    nothing_beside(path, arguments)?;
    let options = look(&arguments.look).map_err(Failure::usage)?;
    Ok(from_text(path, text, &options)?.0)
}

fn from_text(path: &Path, text: &str, options: &Options) -> Result<(Config, Allow), Failure> {
    let file = File::read(text, Format::of(path), &services()).map_err(|error| wrong(path, &error))?;
    let places = file.places.iter();
    for (watched, place) in file.config.targets.iter().zip(places) {
        suits(watched, options).map_err(|says| wrong(path, &place.says(says)))?;
    }
    Ok((file.config, file.allow))
}

/// How to look, as the command line says it.
fn module(arguments: &MonitorArguments) -> Result<Module, Failure> {
    let interval = arguments.interval;
    let shown = humantime::format_duration;
    if interval < Module::SHORTEST_INTERVAL {
        return Err(Failure::usage(format!(
            "--interval {}: it is {} at least",
            shown(interval),
            shown(Module::SHORTEST_INTERVAL)
        )));
    }
    if arguments.given.contains("timeout") && arguments.timeout > interval {
        return Err(Failure::usage(format!(
            "--timeout {} is longer than the interval of {}: a look has to end before the next begins",
            shown(arguments.timeout),
            shown(interval)
        )));
    }
    Ok(Module {
        name: Module::DEFAULT.to_owned(),
        interval,
        timeout: Duration::min(arguments.timeout, interval),
        slow: arguments.look.slow,
        hold: None,
        families: families_of(&arguments.look),
        addresses: if arguments.look.first {
            Addresses::First
        } else {
            Addresses::All
        },
        raw: match arguments.look.mode {
            ModeArgument::Auto => Use::WhenNeeded,
            ModeArgument::Connect => Use::Never,
            ModeArgument::Raw => Use::Always,
        },
        tries: arguments.tries,
        expected: arguments.expect.clone(),
        confirm: arguments.confirm,
    })
}

/// An option beside a file would hold for nothing, since every target has its module there.
fn nothing_beside(path: &Path, arguments: &MonitorArguments) -> Result<(), Failure> {
    let given = arguments.given.names();
    if given.is_empty() {
        return Ok(());
    }
    let options: Vec<String> = given.iter().map(|option| format!("--{option}")).collect();
    let keys: Vec<String> = given
        .iter()
        .map(|option| match *option {
            "ipv4" => "family: ipv4".to_owned(),
            "ipv6" => "family: ipv6".to_owned(),
            "first" => "addresses: first".to_owned(),
            "expect" => {
                let words: Vec<String> = arguments.expect.iter().map(ToString::to_string).collect();
                format!("expect: [{}]", words.join(", "))
            }
            "tries" => format!("tries: {}", arguments.tries),
            "confirm" => format!("confirm: {}", arguments.confirm),
            "interval" => format!("interval: {}", humantime::format_duration(arguments.interval)),
            "timeout" => format!("timeout: {}", humantime::format_duration(arguments.timeout)),
            "slow" => format!("slow: {}", humantime::format_duration(arguments.look.slow)),
            _ => format!(
                "mode: {}",
                match arguments.look.mode {
                    ModeArgument::Auto => "auto",
                    ModeArgument::Connect => "connect",
                    ModeArgument::Raw => "raw",
                }
            ),
        })
        .collect();
    Err(Failure::usage(format!(
        "with --config the file says how to look: leave {} out, and write into {} under `modules`: default: {{ {} }}",
        options.join(" and "),
        shown(path),
        keys.join(", ")
    )))
}

/// Adds the targets of the command line.
fn add_targets(config: &mut Config, arguments: &MonitorArguments, options: &Options) -> Result<(), Failure> {
    let targets = Target::parse_words(&arguments.targets, &services()).map_err(Failure::usage)?;
    if config.targets.len() + targets.len() > MOST_TARGETS {
        return Err(Failure::usage(format!(
            "more than {MOST_TARGETS} targets: name fewer, or run a second monitor for some of them"
        )));
    }
    let Some(module) = config.modules.get(Module::DEFAULT).map(Arc::clone) else {
        return Ok(());
    };
    let watched = config.targets.iter();
    let mut known: HashMap<Target, &str> = watched
        .filter(|watched| watched.module.name == Module::DEFAULT)
        .map(|watched| (in_one_form(&watched.target), "a target of the file"))
        .collect();
    let names: HashSet<&str> = config
        .targets
        .iter()
        .map(|watched| watched.name.as_str())
        .collect();
    let mut added = Vec::new();
    for target in targets {
        let name = target.to_string();
        if names.contains(name.as_str()) {
            known.insert(in_one_form(&target), "a target of the file");
        }
        if let Some(already) = known.insert(in_one_form(&target), "named") {
            return Err(Failure::usage(format!(
                "{name} is {already} already: leave it out here"
            )));
        }
        let watched = Watched {
            name,
            target,
            module: Arc::clone(&module),
            labels: BTreeMap::new(),
        };
        suits(&watched, options).map_err(Failure::usage)?;
        added.push(watched);
    }
    config.targets.extend(added);
    Ok(())
}

/// What keeps a target from being looked at so, if anything does.
fn suits(watched: &Watched, options: &Options) -> Result<(), String> {
    if let Some(says) = watched.module.cannot_look_at(&watched.target) {
        return Err(says);
    }
    let options = Options {
        families: Families::Both,
        ..options.clone()
    };
    fits(&watched.target, &options).map_err(|error| error.to_string())
}
