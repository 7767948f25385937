//! The questions of one resolution, written down as they are asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::evidence::{Family, Lookup, LookupOutcome};
use crate::net::clock;

/// Every question so far. A question that is abandoned stays in it as a timeout.
pub(super) struct Log {
    started: Instant,
    lookups: Mutex<Vec<Lookup>>,
}

/// A question that is under way. Dropped without an answer it ends as a timeout.
pub(super) struct Asked<'a> {
    log: &'a Log,
    index: usize,
    at: Instant,
}

impl Log {
    pub(super) fn start() -> Self {
        Self {
            started: clock::now(),
            lookups: Mutex::default(),
        }
    }

    pub(super) fn ask(&self, candidate: &str, family: Family, server: Option<SocketAddr>) -> Asked<'_> {
        let at = clock::now();
        let mut lookups = self.lock();
        lookups.push(Lookup {
            candidate: candidate.to_owned(),
            family,
            server,
            at_s: at - self.started,
            took_s: Duration::ZERO,
            outcome: LookupOutcome::Timeout,
        });
        Asked {
            log: self,
            index: lookups.len() - 1,
            at,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        clock::now() - self.started
    }

    /// The addresses of all answers, IPv4 and IPv6 in the order in which they were asked for.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        for lookup in self.lock().iter() {
            if let LookupOutcome::Addresses { addresses } = &lookup.outcome {
                for address in addresses {
                    if !all.contains(address) {
                        all.push(*address);
                    }
                }
            }
        }
        all
    }

    pub(super) fn into_lookups(self) -> Vec<Lookup> {
        self.lookups.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Lookup>> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked<'_> {
    pub(super) fn says(self, outcome: LookupOutcome) {
        self.log.lock()[self.index].outcome = outcome;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.log.lock()[self.index].took_s = clock::now() - self.at;
    }
}
