//! How large packets to the endpoint may be.

use crate::diagnose::sizes::{self, Fate, Sizes};
use crate::diagnose::{Finding, FindingKind};
use crate::evidence::{Evidence, Saw, SizeMeans, TooBig};

/// The kinds of packets, those that prove the most first.
const MEANS: [SizeMeans; 3] = [SizeMeans::Segment, SizeMeans::Datagram, SizeMeans::Ping];

pub(super) fn of(evidence: &Evidence) -> Vec<Finding> {
    let mut asked = MEANS
        .iter()
        .map(|means| (*means, Sizes::by(evidence, *means)))
        .filter(|(_, sizes)| !sizes.is_empty())
        .peekable();
    if asked.peek().is_none() {
        return Vec::new();
    }
    let Some((means, known)) = asked.find(|(_, sizes)| sizes.largest_through().is_some()) else {
        return vec![Finding {
            kind: FindingKind::PmtuUnknown,
            says: "no packet of any size was answered that reaches no program (the host, or a firewall before it, ignores \
                   segments of no connection, datagrams to closed ports and pings): a path that swallows large packets is \
                   not ruled out"
                .to_owned(),
            observations: observations(evidence, None),
        }];
    };
    let sight = Sight {
        evidence,
        means,
        known,
        link: sizes::link(evidence),
        sends: sizes::largest_sent(evidence),
    };
    let found = sight.found();
    let observations = observations(evidence, Some(means));
    let finding = |(kind, says)| Finding {
        kind,
        says,
        observations: observations.clone(),
    };
    found.into_iter().map(finding).collect()
}

/// The probes of a kind, or all of them.
fn observations(evidence: &Evidence, means: Option<SizeMeans>) -> Vec<usize> {
    let is_meant =
        |saw: &Saw| matches!(saw, Saw::Size(probe) if means.is_none_or(|means| means == probe.means));
    let all = evidence.observations.iter().enumerate();
    all.filter(|(_, seen)| is_meant(&seen.saw))
        .map(|(index, _)| index)
        .collect()
}

/// What is known of sizes, by the kind of packets that was answered.
struct Sight<'a> {
    evidence: &'a Evidence,
    means: SizeMeans,
    known: Sizes,
    /// The largest packet that our own link takes.
    link: Option<u32>,
    /// The largest that connections send.
    sends: Option<u32>,
}

impl Sight<'_> {
    fn found(&self) -> Vec<(FindingKind, String)> {
        let Some((through, sends)) = self.known.largest_through().zip(self.sends) else {
            return Vec::new();
        };
        let fate = self.known.fate(sends);
        let beyond = self.known.smallest_lost();
        let mut found = Vec::new();
        match (fate, beyond) {
            (Fate::Through, _) => {}
            // What was said to fit vanishes all the same: somewhere behind is a smaller link that says nothing.
            (Fate::TooBig(_) | Fate::Silent, Some((lost, Fate::Silent))) => {
                found.push((FindingKind::PmtuBlackHole, self.black_hole(through, lost, sends)));
            }
            (Fate::TooBig(says), _) if says.stopped_by_us => {
                found.push((FindingKind::PmtuBlackHole, stopped(says, through, sends)));
            }
            (Fate::TooBig(says), _) => found.push((FindingKind::PmtuReduced, reduced(says, through, sends))),
            (Fate::Silent | Fate::NotAsked | Fate::Unclear, _) => {
                let says = format!(
                    "packets of {sends} bytes, the largest that connections to it send, had no clear answer: those of \
                     {through} get through, and too much was lost to say more"
                );
                return vec![(FindingKind::PmtuUnknown, says)];
            }
        }
        found.extend(self.clamped(sends));
        found.push((FindingKind::PathMtu, self.path_mtu(through)));
        found
    }

    fn black_hole(&self, through: u32, lost: u32, sends: u32) -> String {
        let edge = if lost.checked_sub(1) == Some(through) {
            format!("packets of more than {through} bytes")
        } else {
            format!("packets of {lost} bytes and more")
        };
        let sure = match self.means {
            SizeMeans::Segment => String::new(),
            SizeMeans::Datagram => {
                ". That was asked with UDP datagrams: a firewall that drops large ones of these alone is not ruled out \
                 (CAP_NET_RAW asks with TCP)"
                    .to_owned()
            }
            SizeMeans::Ping => {
                ". That was asked with pings, whose answers are as large: that the way back is the smaller one, or that a \
                 firewall drops large pings alone, is not ruled out (CAP_NET_RAW asks with TCP)"
                    .to_owned()
            }
        };
        format!(
            "{edge} vanish on the way to the host, and no ICMP message says so, while those of {through} bytes get \
             through. Connections to it send up to {sends} bytes (segments of {}): they open, and hang at the first large \
             write{sure}",
            sends.saturating_sub(self.headers())
        )
    }

    /// The peer's MSS keeps us from sending what our link takes.
    fn clamped(&self, sends: u32) -> Option<(FindingKind, String)> {
        let (link, mss) = (self.link?, sizes::peer_mss(self.evidence)?);
        if sends >= link {
            return None;
        }
        let path = match self.known.fate(link) {
            Fate::Through => format!("The path itself takes {link} bytes"),
            Fate::TooBig(says) => format!(
                "A packet of {link} bytes is too big for the path{}, which this MSS spares TCP",
                whence(says)
            ),
            Fate::Silent => format!(
                "Packets of {link} bytes vanish without a word, so that this MSS is all that keeps TCP from hanging; UDP \
                 and QUIC have no such help"
            ),
            Fate::NotAsked | Fate::Unclear => format!("Whether the path takes {link} bytes is not known"),
        };
        Some((
            FindingKind::MssClamped,
            format!(
                "the MSS of {mss} in the SYN-ACK keeps packets at {sends} bytes, though our own link takes {link}: the \
                 server's link is smaller, or a box on the way clamps the MSS. {path}"
            ),
        ))
    }

    fn path_mtu(&self, through: u32) -> String {
        let with = match self.means {
            SizeMeans::Segment => "TCP segments of no connection",
            SizeMeans::Datagram => "UDP datagrams to a closed port",
            SizeMeans::Ping => "pings, both ways",
        };
        let advertised = self
            .evidence
            .first_handshake()
            .and_then(|handshake| handshake.segments)
            .map_or_else(String::new, |segments| {
                format!(" (we advertise an MSS of {})", segments.advertised)
            });
        let back = match self.means {
            SizeMeans::Segment | SizeMeans::Datagram => format!(
                "What the server sends is bounded by our own MSS{advertised}, unless a box on the way changes it; whether \
                 large packets arrive from there, its own bytes alone can show"
            ),
            SizeMeans::Ping => format!("What the server sends is bounded by our own MSS{advertised}"),
        };
        format!("packets of {through} bytes reach the host (asked with {with}). {back}")
    }

    fn headers(&self) -> u32 {
        sizes::headers(self.evidence.endpoint.ip())
    }
}

fn reduced(says: TooBig, through: u32, sends: u32) -> String {
    format!(
        "a packet of {sends} bytes, the largest that connections to it send, is too big for the path{}; those of {through} \
         bytes get through. TCP copes as long as that message arrives, at the price of the first flight of each connection",
        whence(says)
    )
}

fn stopped(says: TooBig, through: u32, sends: u32) -> String {
    format!(
        "a packet of {sends} bytes, the largest that connections to it send, is too big for the path{}, and our own firewall \
         drops the message that says so: connections open, and hang at the first large write. Those of {through} bytes get \
         through",
        whence(says)
    )
}

/// `, as 10.0.2.2 says, for whose next link 1400 bytes fit`.
fn whence(says: TooBig) -> String {
    let from = says
        .from
        .map_or_else(|| "a router".to_owned(), |from| from.to_string());
    let mtu = says.mtu.map_or_else(
        || " and does not say what fits".to_owned(),
        |mtu| format!(" and that {mtu} bytes fit"),
    );
    format!(", as {from} says by ICMP{mtu}")
}
