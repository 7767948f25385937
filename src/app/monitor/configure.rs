//! From arguments and the file to what is watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Failure;
use crate::app::gather::{families_of, services};
use crate::cli::MonitorArguments;
use crate::monitor::{Allow, Config, Module, Watched};
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
    let module = Arc::new(Module {
        interval: arguments.interval,
        timeout: arguments.timeout,
        slow: arguments.look.slow,
        families: families_of(&arguments.look),
        tries: arguments.tries,
        expected: arguments.expect.clone(),
        confirm: arguments.confirm,
        ..Module::default()
    });
    let targets = Target::parse_words(&arguments.targets, &services()).map_err(Failure::usage)?;
    let watched = |target: Target| Watched {
        name: target.to_string(),
        target,
        module: Arc::clone(&module),
        labels: BTreeMap::new(),
    };
    Ok(Configured {
        config: Config {
            targets: targets.into_iter().map(watched).collect(),
            modules: BTreeMap::from([(module.name.clone(), module)]),
        },
        allow: Allow::default(),
        hash: 0,
    })
}
