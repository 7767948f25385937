//! How much may be under way at a time, by the limits of this system.

use crate::net::{open_files, settings};

/// What one endpoint may need in the worst case: connections, controls, pings, timers.
const DESCRIPTORS_AN_ENDPOINT: usize = 16;
/// Those of the program itself: standard streams, results, raw sockets, questions of names.
const OWN_DESCRIPTORS: usize = 160;
/// Ports that one endpoint may hold in the worst case.
const PORTS_AN_ENDPOINT: usize = 8;
/// More at once would not be faster, at any rate that a network takes.
const MOST_AT_ONCE: usize = 2048;

/// How many endpoints there is room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// By the number of files that may be open.
    pub(super) by_files: usize,
    /// By the number of local ports.
    pub(super) by_ports: usize,
}

impl Room {
    /// On this system, for a process that keeps so many descriptors besides.
    pub(super) fn beside(descriptors: usize) -> Self {
        let own = OWN_DESCRIPTORS + descriptors;
        Self {
            by_files: open_files::limit().saturating_sub(own) / DESCRIPTORS_AN_ENDPOINT,
            by_ports: settings::local_ports() / PORTS_AN_ENDPOINT,
        }
    }

    /// How many endpoints there is room for at all; one is always looked at.
    pub(super) fn most(self) -> usize {
        self.by_files.min(self.by_ports).max(1)
    }

    /// How many endpoints to look at where nobody asks for a number.
    pub(super) fn usual(self) -> usize {
        self.most().min(MOST_AT_ONCE)
    }
}
