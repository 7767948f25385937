//! Whether a packet answers a probe of ours, and what it says. Pure.

use std::net::IpAddr;

use crate::evidence::{IcmpError, ReplySays, ResetShape, SynAckOptions};
use crate::net::error_queue;
use crate::wire::{self, Flags, OUT_OF_WINDOW, Packet, QuotedPacket, Segment, TcpOption};

/// Both ends of what a probe pretends to be: who sent it, who it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FourTuple {
    pub(super) local: (IpAddr, u16),
    pub(super) remote: (IpAddr, u16),
}

impl FourTuple {
    /// The ports of what we send.
    pub(super) fn ports(&self) -> (u16, u16) {
        (self.local.1, self.remote.1)
    }

    /// The probe that a segment may answer.
    pub(super) fn answered_by(packet: &Packet, segment: &Segment) -> Self {
        Self {
            local: (packet.destination, segment.destination_port),
            remote: (packet.source, segment.source_port),
        }
    }

    /// The probe that an ICMP error may quote.
    pub(super) fn quoted_by(quoted: &QuotedPacket) -> Option<Self> {
        let (from, to) = quoted.ports?;
        Some(Self {
            local: (quoted.source, from),
            remote: (quoted.destination, to),
        })
    }
}

/// What was sent, as far as it decides what an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) asked: Asked,
    /// Sequence number of the (first) segment.
    pub(super) sequence: u32,
    /// Its acknowledgement number, where it has one.
    pub(super) acknowledgement: u32,
}

/// What kind of segment was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Syn,
    Ack,
    Fin,
    /// A SYN and then a FIN outside its window.
    SynAndFin,
}

/// Which of the segments of a probe is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    /// The second where there is one.
    Last,
}

impl Sent {
    /// What a segment between the same ports says to it; `None` when it answers something else.
    pub(super) fn answered_by(&self, segment: &Segment) -> Option<(Which, ReplySays)> {
        let has = |flags| segment.flags.contains(flags);
        let acknowledges = has(Flags::ACK) && self.expects(segment.acknowledgement);
        if has(Flags::RST) {
            return self.reset_by(segment);
        }
        if has(Flags::SYN | Flags::ACK) {
            let to_syn = matches!(self.asked, Asked::Syn | Asked::SynAndFin);
            return (to_syn && acknowledges).then(|| (Which::First, ReplySays::SynAck(offer(segment))));
        }
        let bare_ack = has(Flags::ACK) && !has(Flags::SYN) && !has(Flags::FIN) && segment.payload.is_empty();
        bare_ack.then_some((
            Which::Last,
            ReplySays::Ack {
                acknowledges_us: acknowledges,
            },
        ))
    }

    /// A RST to a segment without ACK acknowledges it, and one to an ACK has the acknowledged sequence number
    /// (RFC 9293, 3.10.7.1).
    fn reset_by(&self, segment: &Segment) -> Option<(Which, ReplySays)> {
        let with_ack = segment.flags.contains(Flags::ACK);
        let which = match self.asked {
            Asked::Ack if segment.sequence == self.acknowledgement => Which::First,
            Asked::Syn | Asked::Fin | Asked::SynAndFin
                if with_ack && segment.acknowledgement == self.sequence.wrapping_add(1) =>
            {
                Which::First
            }
            Asked::SynAndFin if with_ack && segment.acknowledgement == self.fin().wrapping_add(1) => {
                Which::Last
            }
            Asked::Syn | Asked::Ack | Asked::Fin | Asked::SynAndFin => return None,
        };
        let shape = if with_ack {
            ResetShape::WithAck
        } else {
            ResetShape::Bare
        };
        Some((which, ReplySays::Rst { shape }))
    }

    /// What an ICMP error says to it, if it quotes one of our segments.
    pub(super) fn refused_by(
        &self,
        error: &wire::IcmpError,
        quoted: &QuotedPacket,
        from: IpAddr,
    ) -> Option<(Which, ReplySays)> {
        let which = match quoted.sequence {
            Some(sequence) if sequence == self.sequence => Which::First,
            Some(sequence) if self.asked == Asked::SynAndFin && sequence == self.fin() => Which::Last,
            Some(_) | None => return None,
        };
        Some((which, ReplySays::Icmp(in_words(error, from))))
    }

    /// Whether this acknowledgement number is the one that our segment asks for.
    fn expects(&self, acknowledgement: u32) -> bool {
        let next = match self.asked {
            Asked::Syn | Asked::Fin | Asked::SynAndFin => self.sequence.wrapping_add(1),
            Asked::Ack => self.sequence,
        };
        acknowledgement == next
    }

    /// Sequence number of the second segment.
    fn fin(&self) -> u32 {
        self.sequence.wrapping_add(1).wrapping_add(OUT_OF_WINDOW)
    }
}

/// What an error says. The MTU of an ICMP "too big" is in the last two bytes of its parameter (RFC 1191, 4).
pub(super) fn in_words(error: &wire::IcmpError, from: IpAddr) -> IcmpError {
    let info = if from.is_ipv4() {
        error.parameter & 0xffff
    } else {
        error.parameter
    };
    error_queue::in_words(from.is_ipv4(), (error.icmp_type, error.code), info, Some(from))
}

/// ICMP errors that say that a packet did not arrive, or arrived in part. A redirect, for one, does not.
pub(super) fn says_that_it_failed(is_ipv4: bool, icmp_type: u8) -> bool {
    if is_ipv4 {
        matches!(icmp_type, 3 | 11 | 12)
    } else {
        matches!(icmp_type, 1..=4)
    }
}

fn offer(segment: &Segment) -> SynAckOptions {
    let mut offer = SynAckOptions {
        window: segment.window,
        mss: None,
        sack: false,
        window_scale: None,
        timestamps: false,
    };
    for option in &segment.options {
        match option {
            TcpOption::MaximumSegmentSize(mss) => offer.mss = Some(*mss),
            TcpOption::WindowScale(shift) => offer.window_scale = Some(*shift),
            TcpOption::SackPermitted => offer.sack = true,
            TcpOption::Timestamps { .. } => offer.timestamps = true,
            TcpOption::Nop | TcpOption::Sack(_) | TcpOption::Other { .. } => {}
        }
    }
    offer
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: u32 = u32::MAX;

    fn question(asked: Asked) -> Sent {
        Sent {
            asked,
            sequence: X,
            acknowledgement: 77,
        }
    }

    fn segment(flags: Flags, sequence: u32, acknowledgement: u32) -> Segment {
        Segment {
            sequence,
            acknowledgement,
            ..Segment::new(80, 40000, flags)
        }
    }

    fn rst(shape: ResetShape) -> ReplySays {
        ReplySays::Rst { shape }
    }

    #[test]
    fn a_syn_is_answered_by_what_acknowledges_it_and_by_nothing_else() {
        let syn = question(Asked::Syn);
        let says = |flags, acknowledgement| {
            syn.answered_by(&segment(flags, 5, acknowledgement))
                .map(|(_, says)| says)
        };
        assert!(matches!(
            says(Flags::SYN | Flags::ACK, 0),
            Some(ReplySays::SynAck(_))
        ));
        assert_eq!(says(Flags::SYN | Flags::ACK, 1), None);
        assert_eq!(says(Flags::RST | Flags::ACK, 0), Some(rst(ResetShape::WithAck)));
        assert_eq!(says(Flags::RST | Flags::ACK, 1), None);
        assert_eq!(says(Flags::RST, 0), None);
        assert_eq!(says(Flags::SYN, 0), None);
        assert_eq!(says(Flags::FIN | Flags::ACK, 0), None);
    }

    #[test]
    fn an_ack_of_something_else_is_a_challenge() {
        let syn = question(Asked::Syn);
        let acknowledges_us = |acknowledgement| {
            let ack = segment(Flags::ACK, 5, acknowledgement);
            syn.answered_by(&ack).unwrap().1
        };
        assert_eq!(
            acknowledges_us(0),
            ReplySays::Ack {
                acknowledges_us: true
            }
        );
        assert_eq!(
            acknowledges_us(9),
            ReplySays::Ack {
                acknowledges_us: false
            }
        );
        let data = Segment {
            payload: vec![1],
            ..segment(Flags::ACK, 5, 0)
        };
        assert_eq!(syn.answered_by(&data), None);
    }

    #[test]
    fn a_rst_to_a_bare_ack_has_the_sequence_number_that_we_acknowledged() {
        let ack = question(Asked::Ack);
        let bare = rst(ResetShape::Bare);
        assert_eq!(
            ack.answered_by(&segment(Flags::RST, 77, 0)),
            Some((Which::First, bare))
        );
        assert_eq!(ack.answered_by(&segment(Flags::RST, 78, 0)), None);
        assert_eq!(ack.answered_by(&segment(Flags::SYN | Flags::ACK, 77, X)), None);
    }

    #[test]
    fn a_half_open_probe_knows_which_of_its_segments_is_answered() {
        let probe = question(Asked::SynAndFin);
        let which = |flags, acknowledgement| {
            probe
                .answered_by(&segment(flags, 5, acknowledgement))
                .map(|(which, _)| which)
        };
        assert_eq!(which(Flags::RST | Flags::ACK, 0), Some(Which::First));
        assert_eq!(which(Flags::RST | Flags::ACK, (1 << 30) + 1), Some(Which::Last));
        assert_eq!(which(Flags::ACK, 0), Some(Which::Last));
        assert_eq!(which(Flags::SYN | Flags::ACK, 0), Some(Which::First));
    }

    #[test]
    fn a_quote_of_another_sequence_number_is_about_another_packet() {
        let from = IpAddr::from([10, 0, 0, 1]);
        let quoted = |sequence| QuotedPacket {
            source: from,
            destination: from,
            hop_limit: 1,
            protocol: 6,
            ports: Some((1, 2)),
            sequence,
            echo: None,
        };
        let error = |icmp_type, code| wire::IcmpError {
            icmp_type,
            code,
            parameter: 0x0001_0578,
            quote: wire::Quote { bytes: Vec::new() },
        };
        let (syn, exceeded) = (question(Asked::Syn), error(11, 0));
        assert!(syn.refused_by(&exceeded, &quoted(Some(X)), from).is_some());
        assert_eq!(syn.refused_by(&exceeded, &quoted(Some(0)), from), None);
        assert_eq!(syn.refused_by(&exceeded, &quoted(None), from), None);
        assert_eq!(in_words(&exceeded, from).mtu, None);
        assert_eq!(in_words(&error(3, 4), from).mtu, Some(1400));
    }
}
