//! What can be shown, and how one run of it is made: the program itself is started as a child, as a user would start it,
//! with the powers that belong to the sight and no others.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::cases::{self, Case, PORT};
use crate::diagnose::Cause;
use crate::lab::loopback::{Port, State};
use crate::lab::{self, Family, Lab, Powers};
use crate::report::demo::{Permitted, Scene, Shown};
use crate::report::read;

/// No check needs as long as this.
const DEADLINE: Duration = Duration::from_secs(20);

/// The program itself, which the kernel finds even where its path is not to be seen from within the namespaces.
const PROGRAM: &str = "/proc/self/exe";

/// What a case in full begins with: the nodes that its file speaks of.
const NETWORK: &str = "The network: client ── wire ── r1 ── r2 ── server";

/// Something to be shown.
pub(super) struct Play {
    pub(super) name: String,
    pub(super) broken: String,
    pub(super) truth: Cause,
    /// How it is brought about, as data.
    pub(super) how: String,
    setting: Setting,
}

/// Where it is shown.
enum Setting {
    /// In a private network, which is built anew for each run.
    Lab { case: Box<Case>, family: Family },
    /// At a port of this host's own.
    Loopback { state: State, family: Family },
}

impl Play {
    /// All cases, in the order in which they are shown.
    pub(super) fn in_labs(family: Family) -> Result<Vec<Self>, toml::de::Error> {
        let play = |(name, text): &(&str, &str)| {
            let case = Case::read(text)?;
            Ok(Self {
                name: (*name).to_owned(),
                broken: case.broken.clone(),
                truth: case.truth,
                how: format!("# {NETWORK}\n{text}"),
                setting: Setting::Lab {
                    case: Box::new(case),
                    family,
                },
            })
        };
        cases::FILES.iter().map(play).collect()
    }

    /// What can be shown without a private network.
    pub(super) fn on_loopback(families: &[Family]) -> Vec<Self> {
        let states = [
            (
                "open",
                State::Open,
                Cause::Healthy,
                "Nothing: somebody listens at",
            ),
            (
                "refused",
                State::Refused,
                Cause::NoListener,
                "Nobody listens at that port of",
            ),
            (
                "queue-full",
                State::Full,
                Cause::SynDropped,
                "The accept queue is full, at a port of",
            ),
        ];
        let play = |family: &Family, (name, state, truth, broken): (&str, State, Cause, &str)| {
            let broken = format!("{broken} {}.", Port::address_of(*family));
            Self {
                name: name.to_owned(),
                how: "At a port of this host's own, without a private network.".to_owned(),
                broken,
                truth,
                setting: Setting::Loopback {
                    state,
                    family: *family,
                },
            }
        };
        families
            .iter()
            .flat_map(|family| states.map(|state| play(family, state)))
            .collect()
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            name: &self.name,
            broken: &self.broken,
            truth: self.truth,
        }
    }

    /// Makes one run.
    pub(super) fn show(&self, permitted: Permitted) -> Shown {
        match &self.setting {
            Setting::Lab { case, family } => in_lab(case, *family, permitted),
            Setting::Loopback { state, family } => on_loopback(*state, *family),
        }
    }
}

fn in_lab(case: &Case, family: Family, permitted: Permitted) -> Shown {
    let powers = match permitted {
        Permitted::Connect => Powers::None,
        Permitted::Raw => Powers::NetRaw,
    };
    let target = match &case.name {
        Some(name) => format!("{name}:{PORT}"),
        None => SocketAddr::new(case.to.address(family), PORT).to_string(),
    };
    let lab =
        Lab::build(&case.network).map_err(|error| format!("the network could not be built: {error}"))?;
    check(lab.command(PROGRAM, powers, None), family, "auto", &target)
}

fn on_loopback(state: State, family: Family) -> Shown {
    let port = Port::open(state, family).map_err(|error| format!("no such port here: {error}"))?;
    let mut command = Command::new(PROGRAM);
    command.stdin(Stdio::null());
    check(Ok(command), family, "connect", &port.address().to_string())
}

fn check(command: io::Result<Command>, family: Family, mode: &str, target: &str) -> Shown {
    let family = match family {
        Family::V4 => "--ipv4",
        Family::V6 => "--ipv6",
    };
    let finished = command.and_then(|mut command| {
        command.args(["--output", "json", "--mode", mode, family, target]);
        lab::run(&mut command, DEADLINE)
    });
    let finished = finished.map_err(|error| format!("tcpprobe could not be run: {error}"))?;
    read::read(&finished.stdout).map_err(|error| {
        let said = finished.stderr.trim();
        format!("tcpprobe ended with {}: {error} {said}", finished.status)
    })
}
