//! What is in force: the configuration is read again on a thread of its own, and taken whole or not at all.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Watch;
use crate::app::monitor::configure::{Configured, configure};
use crate::app::monitor::reload::Reload;
use crate::app::monitor::thread::off_duty;
use crate::app::{Failure, complain, gather, open_raw_sockets};
use crate::cli::MonitorArguments;
use crate::monitor::{Aims, Config, Loaded, Paced, Slot, Watched};
use crate::net::clock;
use crate::net::raw::Use;
use crate::report::monitor::Event;

/// Of the checks that may be under way, one in so many may be of those that leave a connection idle.
const IDLE_PART: usize = 2;

/// A configuration that is being read.
pub(super) struct Reading {
    outcome: oneshot::Receiver<Result<Configured, Failure>>,
    /// Those who wait for what becomes of it.
    waiting: Vec<Reload>,
    /// Whether somebody asked again since it began, and those of them who wait.
    again: Option<Vec<Reload>>,
}

impl Watch {
    /// Reads the configuration again, on another thread: a large one takes a while.
    pub(super) fn reload(&mut self, who: Option<Reload>, arguments: &MonitorArguments) {
        if who.is_none() {
            self.events.reopen();
        }
        self.read_again(who.into_iter().collect(), arguments);
    }

    fn read_again(&mut self, waiting: Vec<Reload>, arguments: &MonitorArguments) {
        if let Some(reading) = &mut self.reading {
            // What is being read may be older than what there is now.
            reading.again.get_or_insert_default().extend(waiting);
            return;
        }
        let (sender, outcome) = oneshot::channel();
        let arguments = arguments.clone();
        let begun = off_duty("configuration", move || {
            // Whoever waited has ended.
            let _ = sender.send(configure(&arguments));
        });
        self.reading = Some(Reading {
            outcome,
            waiting,
            again: None,
        });
        if let Err(error) = begun {
            // The other end is gone with the thread, which is told as such.
            complain(&format!(
                "there is no thread to read the configuration on: {error}"
            ));
        }
    }

    /// Puts what was read in force, whole, or says why not.
    pub(super) fn take_up(&mut self, outcome: Result<Configured, Failure>, arguments: &MonitorArguments) {
        let outcome = outcome.and_then(|configured| {
            self.is_possible(&configured.config)?;
            self.put_in_force(configured);
            Ok(())
        });
        if let Err(failure) = &outcome {
            complain(&format!(
                "the configuration was read again and not taken; the one before stays in force: {}",
                failure.says
            ));
            self.board().refused(failure.says.clone());
        }
        let event = Event::Reloaded(&self.board().loaded(), self.slots.len());
        self.events.tell(&event);
        let Some(reading) = self.reading.take() else {
            return;
        };
        for waiting in reading.waiting {
            // Who does not wait any more need not know.
            let _ = waiting.send(match &outcome {
                Ok(()) => Ok(()),
                Err(failure) => Err(failure.says.clone()),
            });
        }
        if let Some(again) = reading.again {
            self.read_again(again, arguments);
        }
    }

    /// Whether this process can look as it is told to.
    pub(super) fn is_possible(&self, config: &Config) -> Result<(), Failure> {
        for watched in &config.targets {
            gather::fits(&watched.target, self.looker.options()).map_err(Failure::usage)?;
        }
        let idle = config
            .targets
            .iter()
            .filter(|watched| watched.module.hold.is_some());
        let (idle, most) = (idle.count(), self.at_once / IDLE_PART);
        if idle > most {
            return Err(Failure::usage(format!(
                "{idle} targets have a module with `hold`, and {most} connections may be idle at a time beside the other checks: run \
                 a second monitor for some of them"
            )));
        }
        let in_any_case = config.modules.values().find(|module| module.raw == Use::Always);
        match in_any_case {
            Some(module) => {
                let raw = self.looker.options().raw.using(Use::Always);
                open_raw_sockets(&raw, &format!("the mode of the module `{}`", module.name))
            }
            None => Ok(()),
        }
    }

    /// Replaces what is watched. What is known of a target stays, whatever else is said of it.
    pub(super) fn put_in_force(&mut self, configured: Configured) {
        let Configured { config, allow, hash } = configured;
        self.state.aim(Aims::new(&config, allow));
        let (places, before) = (&self.places, &self.slots);
        let known = |name: &str| places.get(name).and_then(|place| before.get(*place));
        let slot = |watched: Watched| match known(&watched.name) {
            Some(slot) if slot.watched == watched => Arc::clone(slot),
            Some(slot) if slot.watched.target == watched.target => Arc::new(slot.watched_as(watched)),
            Some(_) | None => Arc::new(Slot::new(watched)),
        };
        let slots: Vec<Arc<Slot>> = config.targets.into_iter().map(slot).collect();
        self.places = slots
            .iter()
            .enumerate()
            .map(|(place, slot)| (slot.watched.name.clone(), place))
            .collect();
        let paced: Vec<Paced> = slots
            .iter()
            .map(|slot| Paced {
                name: &slot.watched.name,
                interval: slot.watched.module.interval,
            })
            .collect();
        self.schedule
            .replace(&paced, clock::now().saturating_duration_since(self.epoch));
        self.looker.take_up(&config.modules, slots.len());
        let loaded = Loaded {
            hash,
            is_success: true,
            success_unix_s: clock::unix_now(),
            error: None,
        };
        self.board().replace(slots, config.modules, loaded);
        self.slots = self.board().slots();
    }
}

/// Returns with what was read, if anything is being read.
pub(super) async fn read(reading: &mut Option<Reading>) -> Result<Configured, Failure> {
    match reading {
        Some(reading) => (&mut reading.outcome)
            .await
            .unwrap_or_else(|_| Err(Failure::could_not_judge("reading it ended before its end"))),
        None => std::future::pending().await,
    }
}
