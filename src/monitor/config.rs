//! What is watched, and how.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::check::{Addresses, HoldPlan, HoldWanted};
use crate::diagnose::{Class, Expectation};
use crate::net::dns::Families;
use crate::net::raw::Use;
use crate::target::{Host, Target};

/// A configuration that was read and found right.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// How to look, by name; `default` is always among them.
    pub modules: BTreeMap<String, Arc<Module>>,
    /// What is looked at on our own schedule, in the order of the file.
    pub targets: Vec<Watched>,
}

/// How to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// What it is called.
    pub name: String,
    /// From the beginning of one check to that of the next; [`Module::SHORTEST_INTERVAL`] at least.
    pub interval: Duration,
    /// How long to look at one endpoint at most; no longer than the interval.
    pub timeout: Duration,
    /// A handshake that takes longer is slow.
    pub slow: Duration,
    /// How long a connection is left idle, once the target is found to be open, before it is asked whether it lives; absent where
    /// nobody wants to know.
    pub hold: Option<Duration>,
    /// The address families to ask for and to look at.
    pub families: Families,
    /// Which addresses of a name to look at.
    pub addresses: Addresses,
    /// Whether raw probes are used.
    pub raw: Use,
    /// How often to look at most until it is as expected (from 1).
    pub tries: u32,
    /// What is expected; never empty.
    pub expected: Vec<Expectation>,
    /// So many checks in a row make a change count (from 1).
    pub confirm: u32,
}

impl Module {
    /// The name of the module that holds where no other is named.
    pub const DEFAULT: &str = "default";
    /// Whoever looks more often than this measures itself.
    pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

    /// Which families it looks at, in the word of the file.
    pub const fn family(&self) -> &'static str {
        match self.families {
            Families::Both => "both",
            Families::V4 => "ipv4",
            Families::V6 => "ipv6",
        }
    }

    /// Which addresses of a name it looks at, in the word of the file.
    pub const fn addresses(&self) -> &'static str {
        match self.addresses {
            Addresses::All => "all",
            Addresses::First => "first",
        }
    }

    /// Whether it uses raw probes, in the word of the file.
    pub const fn mode(&self) -> &'static str {
        match self.raw {
            Use::WhenNeeded => "auto",
            Use::Never => "connect",
            Use::Always => "raw",
        }
    }

    /// How long one check may take, with all that follows from what it finds: no interval is shorter.
    pub fn longest_check(&self) -> Duration {
        match self.hold {
            None => self.timeout,
            // Where the target went away meanwhile, it is looked at once more.
            Some(after) => {
                let holds = HoldPlan::new(HoldWanted::Once { after }).takes_at_most();
                (holds + 2 * self.timeout) * self.tries
            }
        }
    }

    /// Why it cannot look at a target, if that is so: an address of a family that it leaves out.
    pub fn cannot_look_at(&self, target: &Target) -> Option<String> {
        let Host::Address { address, .. } = &target.host else {
            return None;
        };
        let (is, looks_at) = match (address, self.families) {
            (IpAddr::V4(_), Families::V6) => ("IPv4", "IPv6"),
            (IpAddr::V6(_), Families::V4) => ("IPv6", "IPv4"),
            (_, Families::Both) | (IpAddr::V4(_), Families::V4) | (IpAddr::V6(_), Families::V6) => {
                return None;
            }
        };
        let name = &self.name;
        Some(format!(
            "{target} is an {is} address, and the module `{name}` looks at {looks_at} alone: take another module"
        ))
    }
}

impl Default for Module {
    fn default() -> Self {
        Self {
            name: Self::DEFAULT.to_owned(),
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(3),
            slow: Duration::from_millis(250),
            hold: None,
            families: Families::Both,
            addresses: Addresses::All,
            raw: Use::WhenNeeded,
            tries: 1,
            expected: vec![Expectation::Class(Class::Open)],
            confirm: 2,
        }
    }
}

/// A target on our own schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The target.
    pub target: Target,
    /// As the user named it: the label `target` of its metrics. No two have the same.
    pub name: String,
    /// How to look.
    pub module: Arc<Module>,
    /// Labels of the user's own.
    pub labels: BTreeMap<String, String>,
}
