//! What probes of a certain size say together: which sizes get through, which do not, and of which nothing is known.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::evidence::{
    Evidence, Look, Question, ReplySays, Saw, SizeMeans, SizeOutcome, SizeProbe, Small, TooBig,
};

use super::signs;

/// A silence that comes by loss alone less often than this is none of loss.
const CHANCE: f64 = 0.001;
/// But never fewer tries than these, nor more.
const TRIES: (u32, u32) = (3, 10);
/// Options of every segment where both sides use timestamps.
const TIMESTAMPS: u32 = 12;

/// What is known of the sizes that one kind of packet was sent in.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    tried: BTreeMap<u32, Tried>,
    smalls: (u32, u32),
}

#[derive(Debug, Clone, Copy, Default)]
struct Tried {
    packets: u32,
    through: u32,
    /// Without an answer, while a small packet right after it had one.
    silent: u32,
    too_big: Option<TooBig>,
    not_sent: bool,
    rejected: bool,
}

/// What is known of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A packet of this size, or a larger one, was answered.
    Through,
    /// Somebody on the way says that it is too big.
    TooBig(TooBig),
    /// It vanishes, and too seldom would that be loss.
    Silent,
    /// Our own kernel would not send it, or somebody rejected it for another reason.
    NotAsked,
    /// Nothing can be said yet.
    Unclear,
}

impl Sizes {
    /// Of the probes of one kind.
    pub fn of<'a>(probes: impl Iterator<Item = &'a SizeProbe>) -> Self {
        let mut sizes = Self::default();
        let probes: Vec<&SizeProbe> = probes.collect();
        let smallest = probes.iter().map(|probe| probe.size).min();
        for probe in probes {
            sizes.add(probe, Some(probe.size) == smallest);
        }
        sizes
    }

    /// Of the probes of a kind in the evidence.
    pub fn by(evidence: &Evidence, means: SizeMeans) -> Self {
        Self::of(probes(evidence).filter(move |probe| probe.means == means))
    }

    fn add(&mut self, probe: &SizeProbe, is_smallest: bool) {
        let tried = self.tried.entry(probe.size).or_default();
        tried.packets += 1;
        match &probe.outcome {
            SizeOutcome::Through => tried.through += 1,
            SizeOutcome::TooBig(says) => tried.too_big = tried.too_big.or(Some(*says)),
            SizeOutcome::Silence => tried.silent += u32::from(probe.small == Some(Small::Answered)),
            SizeOutcome::NotSent { .. } => tried.not_sent = true,
            SizeOutcome::Rejected { .. } => tried.rejected = true,
        }
        // What is answered at all shows what the path does not lose.
        match (probe.small, &probe.outcome) {
            (Some(Small::Answered), _) | (None, SizeOutcome::Through) => self.smalls.0 += 1,
            (Some(Small::Unanswered), _) => self.smalls.1 += 1,
            (None, SizeOutcome::Silence) if is_smallest => self.smalls.1 += 1,
            (None, _) => {}
        }
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.tried.is_empty()
    }

    /// How many sizes were tried.
    pub fn count(&self) -> usize {
        self.tried.len()
    }

    /// How many packets of a size were sent.
    pub fn packets(&self, size: u32) -> u32 {
        self.tried.get(&size).map_or(0, |tried| tried.packets)
    }

    /// What is known of a size.
    pub fn fate(&self, size: u32) -> Fate {
        if self.tried.range(size..).any(|(_, tried)| tried.through > 0) {
            return Fate::Through;
        }
        let Some(tried) = self.tried.get(&size) else {
            return Fate::Unclear;
        };
        if let Some(says) = tried.too_big {
            return Fate::TooBig(says);
        }
        if tried.not_sent || tried.rejected {
            return Fate::NotAsked;
        }
        if tried.silent >= self.tries() {
            return Fate::Silent;
        }
        Fate::Unclear
    }

    /// How often a size has to go unanswered until that is no loss.
    pub fn tries(&self) -> u32 {
        let (answered, unanswered) = (f64::from(self.smalls.0), f64::from(self.smalls.1));
        // As for the path of a handshake: a few per cent before anything was seen.
        let loss = (unanswered + 0.5) / (answered + unanswered + 10.0);
        let mut tries = TRIES.0;
        while tries < TRIES.1 && loss.powi(i32::try_from(tries).unwrap_or(i32::MAX)) > CHANCE {
            tries += 1;
        }
        tries
    }

    /// The largest size that got through.
    pub fn largest_through(&self) -> Option<u32> {
        let mut through = self.tried.iter().filter(|(_, tried)| tried.through > 0);
        through.next_back().map(|(size, _)| *size)
    }

    /// The smallest size above those that get through which certainly does not.
    pub fn smallest_lost(&self) -> Option<(u32, Fate)> {
        let mut fates = self.tried.keys().map(|size| (*size, self.fate(*size)));
        fates.find(|(_, fate)| matches!(fate, Fate::TooBig(_) | Fate::Silent))
    }
}

/// Every probe of a certain size.
pub(super) fn probes(evidence: &Evidence) -> impl Iterator<Item = &SizeProbe> {
    evidence.observations.iter().filter_map(|seen| {
        if let Saw::Size(probe) = &seen.saw {
            Some(probe)
        } else {
            None
        }
    })
}

/// The largest packet that our own link takes.
pub fn link(evidence: &Evidence) -> Option<u32> {
    evidence.observations.iter().find_map(|seen| {
        if let Saw::LinkMtu(Look::Saw(link)) = &seen.saw {
            Some(link.mtu)
        } else {
            None
        }
    })
}

/// The MSS in the peer's SYN-ACK: as a raw probe saw it, or as the size of our segments gives it away.
pub fn peer_mss(evidence: &Evidence) -> Option<u32> {
    let offered = signs::shots(evidence, Question::Syn, true).find_map(|(_, _, shot)| {
        signs::delivered(shot).find_map(|reply| match reply.says {
            ReplySays::SynAck(options) => options.mss,
            ReplySays::Rst { .. } | ReplySays::Ack { .. } | ReplySays::Icmp(_) => None,
        })
    });
    offered.map(u32::from).or_else(|| {
        let handshake = evidence.first_handshake()?;
        let segments = handshake.segments?;
        let options = if handshake.timestamps { TIMESTAMPS } else { 0 };
        let whole = segments.sends.saturating_add(options);
        // The kernel sends no segment larger than half of the largest window that it was offered (`tcp_bound_to_half_wnd`).
        let is_by_window = handshake.peer_window.is_none_or(|window| whole >= window / 2);
        let is_by_path = whole.saturating_add(headers(evidence.endpoint.ip())) >= segments.path_mtu;
        (!is_by_window && !is_by_path).then_some(whole)
    })
}

/// The largest packet that connections to the endpoint send, as far as nothing but MSS and our own link bounds it.
pub fn largest_sent(evidence: &Evidence) -> Option<u32> {
    let by_mss = peer_mss(evidence).map(|mss| mss.saturating_add(headers(evidence.endpoint.ip())));
    match (by_mss, link(evidence)) {
        (Some(mss), Some(link)) => Some(mss.min(link)),
        (one, other) => one.or(other),
    }
}

/// The IP and TCP headers of a segment without options.
pub const fn headers(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 20 + 20 } else { 40 + 20 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(size: u32, outcome: SizeOutcome, small: Option<Small>) -> SizeProbe {
        SizeProbe {
            means: SizeMeans::Segment,
            to: "192.0.2.1:80".parse().unwrap(),
            size,
            outcome,
            small,
        }
    }

    fn silent(size: u32, small: Small) -> SizeProbe {
        probe(size, SizeOutcome::Silence, Some(small))
    }

    #[test]
    fn silence_counts_only_beside_a_small_packet_that_was_answered() {
        let small = probe(576, SizeOutcome::Through, None);
        let mut probes = vec![
            small,
            silent(1500, Small::Answered),
            silent(1500, Small::Answered),
        ];
        assert_eq!(Sizes::of(probes.iter()).fate(1500), Fate::Unclear);
        probes.push(probe(1500, SizeOutcome::Silence, None));
        assert_eq!(Sizes::of(probes.iter()).fate(1500), Fate::Unclear);
        probes.push(silent(1500, Small::Answered));
        assert_eq!(Sizes::of(probes.iter()).fate(1500), Fate::Silent);
        probes.push(probe(1500, SizeOutcome::Through, None));
        assert_eq!(Sizes::of(probes.iter()).fate(1500), Fate::Through);
    }

    #[test]
    fn on_a_path_that_loses_much_it_takes_more_tries() {
        let lossy = |unanswered: usize| {
            let mut probes = vec![silent(1500, Small::Answered); 3];
            probes.extend(vec![silent(1500, Small::Unanswered); unanswered]);
            Sizes::of(probes.iter())
        };
        assert_eq!(lossy(0).fate(1500), Fate::Silent);
        assert_eq!(lossy(4).fate(1500), Fate::Unclear);
        assert!(lossy(4).tries() > 4 && lossy(50).tries() == 10);
    }

    #[test]
    fn what_is_smaller_than_what_got_through_gets_through() {
        let mut probes = vec![silent(1400, Small::Answered); 3];
        probes.push(probe(1450, SizeOutcome::Through, None));
        let sizes = Sizes::of(probes.iter());
        assert_eq!(sizes.fate(1400), Fate::Through);
        assert_eq!(
            (sizes.largest_through(), sizes.smallest_lost()),
            (Some(1450), None)
        );
    }
}
