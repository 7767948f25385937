//! How often /probe may look at one host: a bucket of tokens for each.

use std::collections::HashMap;
use std::time::Duration;

use super::allow::plain;
use crate::target::Host;

/// How often /probe may look at one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Checks a second (from 1).
    pub rate: u32,
    /// So many at once, after a rest (from 1).
    pub burst: u32,
}

impl Default for Limit {
    fn default() -> Self {
        Self { rate: 5, burst: 10 }
    }
}

/// What is left of the limit of each host that was looked at lately.
#[derive(Debug, Default)]
pub struct Buckets {
    hosts: HashMap<Host, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// As it is at a later time.
    fn at(self, now: Duration, limit: Limit) -> Self {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        Self {
            tokens: (self.tokens + passed * f64::from(limit.rate)).min(limit.burst.into()),
            at: now.max(self.at),
        }
    }
}

impl Buckets {
    /// Hosts that are kept in mind. One whose bucket is full again need not be.
    const MOST: usize = 16_384;

    /// Takes one check of a host out of its bucket; `now` is the time since any fixed moment.
    ///
    /// # Errors
    /// When there is none left: how long until there is.
    pub fn take(&mut self, host: &Host, limit: Limit, now: Duration) -> Result<(), Duration> {
        let host = plain(host);
        if self.hosts.len() >= Self::MOST && !self.hosts.contains_key(&host) {
            self.hosts
                .retain(|_, bucket| bucket.at(now, limit).tokens < limit.burst.into());
            if self.hosts.len() >= Self::MOST {
                return Err(Duration::from_secs(1));
            }
        }
        let full = Bucket {
            tokens: limit.burst.into(),
            at: now,
        };
        let bucket = self.hosts.entry(host).or_insert(full);
        *bucket = bucket.at(now, limit);
        // What was added in many small parts may lack a little.
        if bucket.tokens + 1e-6 < 1.0 {
            let missing = 1.0 - bucket.tokens;
            return Err(Duration::from_secs_f64(missing / f64::from(limit.rate)));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { rate: 5, burst: 10 };

    fn host(text: &str) -> Host {
        text.parse().map_or_else(
            |_| Host::Name(text.to_owned()),
            |address| Host::Address { address, scope: None },
        )
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn after_a_rest_a_burst_is_permitted_and_then_the_rate() {
        let (mut buckets, db) = (Buckets::default(), host("db"));
        for _ in 0..10 {
            assert_eq!(buckets.take(&db, LIMIT, at(1_000)), Ok(()));
        }
        assert_eq!(buckets.take(&db, LIMIT, at(1_000)), Err(at(200)));
        assert_eq!(buckets.take(&db, LIMIT, at(1_150)), Err(at(50)));
        assert_eq!(buckets.take(&db, LIMIT, at(1_200)), Ok(()));
        assert!(buckets.take(&db, LIMIT, at(1_200)).is_err());
        // A minute fills it no higher than the burst.
        let taken = (0..100).filter(|_| buckets.take(&db, LIMIT, at(60_000)).is_ok());
        assert_eq!(taken.count(), 10);
    }

    #[test]
    fn what_is_asked_for_all_the_time_gets_the_rate() {
        let (mut buckets, db) = (Buckets::default(), host("192.0.2.1"));
        let taken = (0..10_000).filter(|millis| buckets.take(&db, LIMIT, at(*millis)).is_ok());
        assert_eq!(taken.count(), 10 + 49);
    }

    #[test]
    fn each_host_has_its_own_and_one_host_has_one() {
        let mut buckets = Buckets::default();
        let once = Limit { rate: 1, burst: 1 };
        assert!(buckets.take(&host("db"), once, at(0)).is_ok());
        assert!(buckets.take(&host("web"), once, at(0)).is_ok());
        assert!(buckets.take(&host("DB."), once, at(0)).is_err());
        assert!(buckets.take(&host("192.0.2.1"), once, at(0)).is_ok());
        assert!(buckets.take(&host("::ffff:192.0.2.1"), once, at(0)).is_err());
    }

    #[test]
    fn a_clock_that_is_read_by_several_threads_does_not_go_back() {
        let (mut buckets, db) = (Buckets::default(), host("db"));
        let once = Limit { rate: 1, burst: 1 };
        assert!(buckets.take(&db, once, at(1_000)).is_ok());
        assert!(buckets.take(&db, once, at(500)).is_err());
        assert!(buckets.take(&db, once, at(1_999)).is_err());
        assert!(buckets.take(&db, once, at(2_000)).is_ok());
    }

    #[test]
    fn more_hosts_than_are_kept_in_mind_wait_until_others_have_rested() {
        let mut buckets = Buckets::default();
        let name = |number: usize| Host::Name(format!("host-{number}"));
        for number in 0..Buckets::MOST {
            assert!(buckets.take(&name(number), LIMIT, at(0)).is_ok());
        }
        assert!(buckets.take(&name(Buckets::MOST), LIMIT, at(0)).is_err());
        assert!(buckets.take(&name(7), LIMIT, at(0)).is_ok());
        assert!(buckets.take(&name(Buckets::MOST), LIMIT, at(200)).is_ok());
        // All but those two were full again.
        assert_eq!(buckets.hosts.len(), 2);
    }
}
