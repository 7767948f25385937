//! The cases: a file each in `cases/`, which says what is broken, the verdict that is the truth, and the network.

use serde::{Deserialize, Deserializer, de::Error};

use crate::diagnose::{Cause, Expectation};
use crate::lab::{Network, Place};

/// The port that every case is about.
pub(super) const PORT: u16 = 8080;

/// A case as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What is broken, in a sentence.
    pub(super) broken: String,
    /// The cause, by construction.
    #[serde(deserialize_with = "cause")]
    pub(super) truth: Cause,
    /// Whom the client wants to talk to.
    #[serde(default = "Case::server")]
    pub(super) to: Place,
    /// The name that the client asks for, instead of an address.
    pub(super) name: Option<String>,
    /// The network, and what is wrong with it.
    #[serde(default)]
    pub(super) network: Network,
}

/// Files of `cases/`, with their names: the program has to find them wherever it is installed.
macro_rules! files {
    ($($name:literal,)+) => { &[$(($name, include_str!(concat!("cases/", $name, ".toml")))),+] };
}

/// Every case, in the order in which they are shown: its name and its file's text.
pub(super) const FILES: &[(&str, &str)] = files![
    "open",
    "syn-lost",
    "syn-ack-lost",
    "late-syn-ack",
    "long-path",
    "refused",
    "refused-by-router",
    "port-unreachable",
    "admin-prohibited",
    "no-route",
    "dead-neighbour",
    "host-unreachable",
    "net-unreachable",
    "loop",
    "own-firewall-out",
    "own-firewall-in",
    "port-on-router",
    "port-on-host",
    "host-silent",
    "syn-filter",
    "syn-filter-closed",
    "return-path",
    "queue-full",
    "queue-full-firewalled",
    "overloaded",
    "ghost",
    "reset-on-overflow",
    "reset-after-accept",
    "nxdomain",
];

impl Case {
    /// Reads a file.
    pub(super) fn read(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    const fn server() -> Place {
        Place::Server
    }
}

fn cause<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cause, D::Error> {
    match String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)?
    {
        Expectation::Cause(cause) => Ok(cause),
        other @ (Expectation::Class(_) | Expectation::Reachable | Expectation::Blocked) => {
            Err(D::Error::custom(format!("{other} without a cause")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::diagnose::Class;

    #[test]
    fn every_file_of_the_folder_is_a_case_that_can_be_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/demo/cases");
        let on_disk: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, on_disk);
        for (name, text) in FILES {
            let case = Case::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            // One sentence, on one line of the table.
            assert!(case.broken.ends_with('.') && case.broken.len() <= 58, "{name}");
        }
    }

    #[test]
    fn every_class_that_a_network_can_show_has_a_case() {
        let shown: BTreeSet<Class> = FILES
            .iter()
            .map(|(_, text)| Case::read(text).unwrap().truth.class())
            .collect();
        // And nobody waits for a connection to be idle.
        let others = [Class::IdleDeath, Class::LocalError, Class::Unknown];
        let wanted = Class::ALL.iter().filter(|class| !others.contains(class));
        assert_eq!(shown, wanted.copied().collect());
    }

    #[test]
    fn a_truth_needs_its_cause() {
        let read = |truth| Case::read(&format!("broken = 'x'\ntruth = '{truth}'"));
        assert!(read("refused/no-listener").is_ok());
        assert!(
            read("refused")
                .unwrap_err()
                .to_string()
                .contains("without a cause")
        );
        assert!(
            read("refused/port")
                .unwrap_err()
                .to_string()
                .contains("no cause of refused")
        );
    }
}
