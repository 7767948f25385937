//! Which size to try next: bisection between what gets through and what does not, in a dozen sizes at most.

use std::time::Duration;

use crate::diagnose::sizes::{Fate, Sizes};
use crate::evidence::{SizeMeans, SizeOutcome, SizeProbe, Small};

/// So many different sizes are tried at most.
const SIZES: usize = 12;
/// And so many packets, small ones beside large ones not counted.
const PACKETS: usize = 64;
/// So often one size is tried; with less clear answers than that nothing can be said of it.
const PACKETS_A_SIZE: u32 = 14;
/// So often a small packet goes unanswered before all that is larger is left unasked.
const SMALL_TRIES: u32 = 4;
/// The edge of a black hole is tried so often beyond what silence takes.
const EDGE_TRIES: u32 = 2;
/// Hosts limit their ICMP errors to one a second (Linux: after six in a row).
const ICMP_PAUSE: Duration = Duration::from_millis(1100);
/// What most paths take: Ethernet, below larger links and loopback, and what any path of IPv6 does, which tunnels keep to.
const USUAL: [u32; 2] = [1500, 1280];

/// A packet that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// The length of the whole packet.
    pub size: u32,
    /// The length of a small one that is to be sent right after it.
    pub beside: Option<u32>,
    /// What to wait before it is sent.
    pub pause: Duration,
}

/// The search for the largest packet that gets through.
#[derive(Debug, Clone)]
pub struct SizeSearch {
    means: SizeMeans,
    small: u32,
    /// The largest that connections send, and the largest that our link takes.
    sends: u32,
    link: u32,
    seen: Vec<SizeProbe>,
}

impl SizeSearch {
    /// With packets of a kind, from `small` on, which any path takes; `sends` is the largest that connections send, `link`
    /// the largest that our own link takes.
    pub fn new(means: SizeMeans, small: u32, sends: u32, link: u32) -> Self {
        Self {
            means,
            small: small.min(sends),
            sends,
            link: link.max(sends),
            seen: Vec::new(),
        }
    }

    /// A packet has its outcome.
    pub fn saw(&mut self, probe: SizeProbe) {
        self.seen.push(probe);
    }

    /// Whether a small packet was answered, so that it makes sense to ask with larger ones of that kind.
    pub fn is_answered(&self) -> bool {
        self.known().largest_through().is_some()
    }

    /// What to send next; absent when it is over.
    pub fn next(&self) -> Option<Try> {
        let known = self.known();
        if self.seen.len() >= PACKETS {
            return None;
        }
        if known.fate(self.small) != Fate::Through {
            let tries = known.packets(self.small);
            return (tries < SMALL_TRIES).then(|| self.alone(self.small));
        }
        for top in [self.sends, self.link] {
            match known.fate(top) {
                Fate::Unclear => return self.again(&known, top),
                Fate::Through => {}
                Fate::TooBig(_) | Fate::Silent if top == self.sends => return self.between(&known),
                // What connections never send needs no measure.
                Fate::TooBig(_) | Fate::Silent | Fate::NotAsked => return None,
            }
        }
        None
    }

    /// Somewhere between what gets through and what does not.
    fn between(&self, known: &Sizes) -> Option<Try> {
        let low = known.largest_through()?;
        let (high, fate) = known.smallest_lost()?;
        // A size of which nothing could be said is in the way of all others.
        let pending = self
            .seen
            .iter()
            .map(|probe| probe.size)
            .find(|size| (low..high).contains(size) && known.fate(*size) == Fate::Unclear);
        if let Some(size) = pending {
            return self.again(known, size);
        }
        if let Fate::TooBig(says) = fate
            && let Some(mtu) = says.mtu.filter(|mtu| (low + 1..high).contains(mtu))
        {
            return Some(self.alone(mtu));
        }
        if matches!(fate, Fate::TooBig(says) if says.mtu == Some(low)) {
            return None;
        }
        if high - low > 1 && known.count() < SIZES {
            let between = low + 1..high;
            let usual = USUAL.into_iter().find(|usual| between.contains(usual));
            return Some(self.alone(usual.unwrap_or(low + (high - low) / 2)));
        }
        let enough = known.tries() + EDGE_TRIES;
        let is_edge_sure = fate != Fate::Silent || known.packets(high) > enough;
        (!is_edge_sure).then(|| self.beside(high))
    }

    /// A size that has no clear answer yet.
    fn again(&self, known: &Sizes, size: u32) -> Option<Try> {
        match known.packets(size) {
            0 => Some(self.alone(size)),
            PACKETS_A_SIZE.. => None,
            _ => Some(self.beside(size)),
        }
    }

    fn alone(&self, size: u32) -> Try {
        Try {
            size,
            beside: None,
            pause: self.pause(),
        }
    }

    fn beside(&self, size: u32) -> Try {
        Try {
            beside: Some(self.small),
            ..self.alone(size)
        }
    }

    fn pause(&self) -> Duration {
        let is_limited = self.seen.last().is_some_and(|last| {
            let small_alone = last.size == self.small && last.outcome == SizeOutcome::Silence;
            small_alone || last.small == Some(Small::Unanswered)
        });
        match self.means {
            SizeMeans::Datagram if is_limited => ICMP_PAUSE,
            SizeMeans::Segment | SizeMeans::Datagram | SizeMeans::Ping => Duration::ZERO,
        }
    }

    fn known(&self) -> Sizes {
        Sizes::of(self.seen.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::TooBig;

    /// A path, by what it does to sizes, and how much it loses.
    struct Path {
        /// The largest that gets through.
        mtu: u32,
        /// What says so, if anything does.
        says: Option<TooBig>,
        /// Of a thousand packets and their answers, so many are lost.
        loss: u64,
        dice: u64,
    }

    impl Path {
        fn new(mtu: u32) -> Self {
            Self {
                mtu,
                says: None,
                loss: 0,
                dice: 7,
            }
        }

        fn is_lost(&mut self) -> bool {
            self.dice = self
                .dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.dice >> 33) % 1000 < self.loss
        }

        fn send(&mut self, size: u32) -> SizeOutcome {
            if self.is_lost() {
                SizeOutcome::Silence
            } else if size <= self.mtu {
                SizeOutcome::Through
            } else if let Some(says) = self.says {
                SizeOutcome::TooBig(says)
            } else {
                SizeOutcome::Silence
            }
        }
    }

    fn fits(mtu: Option<u32>) -> TooBig {
        TooBig {
            mtu,
            from: None,
            stopped_by_us: false,
        }
    }

    fn search(means: SizeMeans, sends: u32, link: u32, path: &mut Path) -> SizeSearch {
        let mut search = SizeSearch::new(means, 576, sends, link);
        for _ in 0..PACKETS {
            let Some(next) = search.next() else { return search };
            let outcome = path.send(next.size);
            let small = next.beside.map(|small| {
                if path.send(small) == SizeOutcome::Through {
                    Small::Answered
                } else {
                    Small::Unanswered
                }
            });
            search.saw(SizeProbe {
                means,
                to: "192.0.2.1:80".parse().unwrap(),
                size: next.size,
                outcome,
                small,
            });
        }
        search
    }

    fn sizes(search: &SizeSearch) -> Vec<u32> {
        let mut sizes: Vec<u32> = search.seen.iter().map(|probe| probe.size).collect();
        sizes.dedup();
        sizes
    }

    #[test]
    fn a_path_that_takes_all_costs_two_packets() {
        let found = search(SizeMeans::Segment, 1500, 1500, &mut Path::new(1500));
        assert_eq!(sizes(&found), [576, 1500]);
    }

    #[test]
    fn every_edge_is_found_to_the_byte_in_a_dozen_sizes_where_edges_are() {
        for mtu in 576..1500 {
            let found = search(SizeMeans::Segment, 1500, 1500, &mut Path::new(mtu));
            let known = found.known();
            let (through, lost) = (known.largest_through().unwrap(), known.smallest_lost().unwrap());
            assert!(known.count() <= SIZES, "{mtu}: {}", known.count());
            assert!(through <= mtu && mtu < lost.0 && lost.1 == Fate::Silent, "{mtu}");
            let farthest = if mtu < 1280 { 3 } else { 1 };
            assert!(lost.0 - through <= farthest, "{mtu}: {through} to {}", lost.0);
        }
    }

    #[test]
    fn who_says_what_fits_is_believed_when_that_gets_through() {
        let mut path = Path {
            says: Some(fits(Some(1400))),
            ..Path::new(1400)
        };
        let found = search(SizeMeans::Segment, 1500, 1500, &mut path);
        assert_eq!(sizes(&found), [576, 1500, 1400]);
    }

    #[test]
    fn who_says_too_big_and_not_what_fits_makes_us_search() {
        let mut path = Path {
            says: Some(fits(None)),
            ..Path::new(1432)
        };
        let found = search(SizeMeans::Segment, 1500, 1500, &mut path);
        assert_eq!(found.known().largest_through(), Some(1432));
        assert!(found.known().count() <= SIZES);
    }

    #[test]
    fn what_connections_never_send_is_asked_once_and_not_measured() {
        let found = search(SizeMeans::Segment, 1400, 1500, &mut Path::new(1450));
        assert_eq!(found.known().fate(1400), Fate::Through);
        assert_eq!(found.known().fate(1500), Fate::Silent);
        assert_eq!(found.known().count(), 3);
    }

    #[test]
    fn a_large_link_is_searched_from_the_size_of_ethernet_on() {
        let found = search(SizeMeans::Segment, 9000, 9000, &mut Path::new(1500));
        assert_eq!(sizes(&found)[..3], [576, 9000, 1500]);
        assert_eq!(found.known().largest_through(), Some(1500));
    }

    #[test]
    fn a_host_that_answers_nothing_is_asked_four_times() {
        let mut path = Path {
            loss: 1000,
            ..Path::new(1500)
        };
        let found = search(SizeMeans::Ping, 1500, 1500, &mut path);
        assert!(!found.is_answered());
        assert_eq!(found.seen.len(), 4);
    }

    #[test]
    fn loss_makes_no_black_hole() {
        let mut wrong = 0;
        for loss in [10, 100, 200, 300, 400, 500] {
            for dice in 0..500 {
                let mut path = Path {
                    loss,
                    dice: dice * 7919 + 1,
                    ..Path::new(1500)
                };
                let found = search(SizeMeans::Segment, 1500, 1500, &mut path);
                wrong += u32::from(found.known().fate(1500) == Fate::Silent);
            }
        }
        // Of 3000 searches, most of them on paths that nobody could work with.
        assert!(wrong <= 6, "{wrong} black holes where there are none");
    }

    #[test]
    fn a_black_hole_on_a_lossy_path_is_found_all_the_same() {
        let mut found_it = 0;
        for dice in 0..200 {
            let mut path = Path {
                loss: 100,
                dice: dice * 7919 + 1,
                ..Path::new(1420)
            };
            let found = search(SizeMeans::Segment, 1500, 1500, &mut path);
            let known = found.known();
            found_it += u32::from(known.fate(1500) == Fate::Silent);
            assert!(known.largest_through().is_none_or(|through| through <= 1420));
        }
        assert!(found_it >= 180, "{found_it} of 200");
    }

    #[test]
    fn a_host_that_limits_its_errors_is_given_time() {
        let mut search = SizeSearch::new(SizeMeans::Datagram, 576, 1500, 1500);
        assert_eq!(search.next().unwrap().pause, Duration::ZERO);
        search.saw(SizeProbe {
            means: SizeMeans::Datagram,
            to: "192.0.2.1:80".parse().unwrap(),
            size: 576,
            outcome: SizeOutcome::Silence,
            small: None,
        });
        assert_eq!(search.next().unwrap().pause, ICMP_PAUSE);
    }
}
