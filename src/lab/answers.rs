//! What the wire says in somebody else's name.

use crate::wire::{Flags, Icmp, IcmpError, Packet, Payload, Quote, Segment, TcpOption};

use super::network::{Answer, IcmpMeaning};
use super::places::Family;

/// The answer to `packet`, whose bytes are `bytes`. `None` where there is none, as to a RST by a RST.
pub(super) fn answer_to(packet: &Packet, bytes: &[u8], answer: Answer) -> Option<Packet> {
    let back = |hop_limit: u8, payload: Payload| Packet {
        source: packet.destination,
        destination: packet.source,
        hop_limit,
        payload,
    };
    match answer {
        Answer::Reset(arrival) => Some(back(arrival.ttl, Payload::Tcp(reset(packet.tcp()?)?))),
        Answer::SynAck(arrival) => Some(back(arrival.ttl, Payload::Tcp(syn_ack(packet.tcp()?)))),
        Answer::Icmp(icmp) => {
            let family = Family::of(packet.source);
            let (icmp_type, code) = type_and_code(icmp.says, family);
            let error = IcmpError {
                icmp_type,
                code,
                parameter: icmp.mtu.into(),
                quote: Quote::of(bytes),
            };
            let answer = back(icmp.ttl, Payload::Icmp(Icmp::Error(error)));
            Some(Packet {
                source: icmp.from.address(family),
                ..answer
            })
        }
    }
}

/// RFC 9293, 3.10.7.1.
fn reset(to: &Segment) -> Option<Segment> {
    let empty = Segment::new(to.destination_port, to.source_port, Flags::RST);
    if to.flags.contains(Flags::RST) {
        None
    } else if to.flags.contains(Flags::ACK) {
        Some(Segment {
            sequence: to.acknowledgement,
            ..empty
        })
    } else {
        Some(Segment {
            flags: Flags::RST | Flags::ACK,
            acknowledgement: to.sequence.wrapping_add(to.sequence_length()),
            ..empty
        })
    }
}

fn syn_ack(to: &Segment) -> Segment {
    Segment {
        sequence: 0x5eed_0000,
        acknowledgement: to.sequence.wrapping_add(1),
        window: 65535,
        options: vec![TcpOption::MaximumSegmentSize(1400)],
        ..Segment::new(to.destination_port, to.source_port, Flags::SYN | Flags::ACK)
    }
}

fn type_and_code(says: IcmpMeaning, family: Family) -> (u8, u8) {
    let (v4, v6) = match says {
        IcmpMeaning::PortUnreachable => ((3, 3), (1, 4)),
        IcmpMeaning::AdminProhibited => ((3, 13), (1, 1)),
        IcmpMeaning::HostProhibited => ((3, 10), (1, 1)),
        IcmpMeaning::NetProhibited => ((3, 9), (1, 1)),
        IcmpMeaning::HostUnreachable => ((3, 1), (1, 3)),
        IcmpMeaning::NetUnreachable => ((3, 0), (1, 0)),
        IcmpMeaning::TtlExceeded => ((11, 0), (3, 0)),
        IcmpMeaning::TooBig => ((3, 4), (2, 0)),
    };
    match family {
        Family::V4 => v4,
        Family::V6 => v6,
    }
}
