//! What holds of `wire` whatever the bytes: no panic, and what is written is read again as it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tcpprobe::wire::{Flags, Packet, Payload, Quote, Unwritable};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Panics if the bytes, read as a packet, as what a packet carries, or as what an error quotes, break a property.
pub(crate) fn hold_for(bytes: &[u8]) {
    let parsed = Packet::parse(bytes);
    let quoted = Quote {
        bytes: bytes.to_vec(),
    }
    .packet();
    assert_eq!(parsed.is_ok(), quoted.is_some(), "a packet is one quoted or not");
    if let Ok(packet) = parsed {
        can_be_shown(&packet);
        is_written_as_it_was_read(&packet);
        a_quote_names_it(
            &packet,
            &Quote {
                bytes: bytes.to_vec(),
            },
        );
    }
    a_quote_is_the_beginning(bytes);
    for (end, header) in [(V4, 20), (V6, 40)] {
        // What a packet of that version carries, if the bytes are one.
        let transport = bytes.get(header..).unwrap_or(bytes);
        for protocol in [1, TCP, UDP, 58] {
            let packet = Packet::from_transport(end, end, 64, protocol, transport);
            can_be_shown(&packet);
            is_written_as_it_was_read(&packet);
            is_the_same_on_the_wire(&packet, transport);
        }
    }
    let mixed = Packet::from_transport(V4, V6, 64, TCP, bytes);
    assert_eq!(mixed.emit(), Err(Unwritable::MixedFamilies));
}

fn can_be_shown(packet: &Packet) {
    let text = packet.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    if let Some(segment) = packet.tcp() {
        let marks = [Flags::SYN, Flags::FIN].map(|mark| u32::from(segment.flags.contains(mark)));
        let data = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
        assert_eq!(segment.sequence_length(), data.wrapping_add(marks[0] + marks[1]));
        assert_eq!(segment.timestamps().is_some(), text.contains("TS val"));
    }
}

fn is_written_as_it_was_read(packet: &Packet) {
    let bytes = match packet.emit() {
        Ok(bytes) => bytes,
        // Nothing else can be wrong with a packet that was read.
        Err(error) => {
            assert_eq!(error, Unwritable::TooLong);
            return;
        }
    };
    let (protocol, transport) = packet
        .emit_transport()
        .expect("the packet around it can be written");
    assert!(bytes.ends_with(&transport));
    let (source, destination) = (packet.source, packet.destination);
    let read = Packet::from_transport(source, destination, packet.hop_limit, protocol, &transport);
    match &packet.payload {
        // What was cut off, or out of the middle, is written as if it were whole; `from_transport` has said what it is then.
        Payload::Other { .. } => {}
        Payload::Tcp(_) | Payload::Icmp(_) => assert_eq!(&read, packet),
    }
    // An extension header that was cut short is written as if it were whole, too.
    if source.is_ipv6() && matches!(protocol, 0 | 43 | 44 | 51 | 60 | 135) {
        return;
    }
    assert_eq!(Packet::parse(&bytes).as_ref(), Ok(&read));
    a_quote_names_it(&read, &Quote::of(&bytes));
    // Short frames are filled up. An IPv6 length of 0 says that the packet ends where the frame does.
    if source.is_ipv4() || !transport.is_empty() {
        let padded = [bytes.as_slice(), &[0; 6]].concat();
        assert_eq!(Packet::parse(&padded).as_ref(), Ok(&read));
    }
}

/// Nothing of `transport`, which the packet was read from, is lost but for checksum, options that are a lie, what TCP
/// reserves, and its urgent pointer.
fn is_the_same_on_the_wire(packet: &Packet, transport: &[u8]) {
    let Ok((_, written)) = packet.emit_transport() else {
        return;
    };
    let parts = match &packet.payload {
        Payload::Tcp(segment) => {
            assert!(transport.ends_with(&segment.payload) && written.ends_with(&segment.payload));
            // Up to the acknowledgement number; flags and window.
            vec![0..12, 13..16]
        }
        Payload::Icmp(_) => {
            assert_eq!(written.len(), transport.len());
            vec![0..2, 4..transport.len()]
        }
        Payload::Other { .. } => {
            assert_eq!(written, transport);
            Vec::new()
        }
    };
    for part in parts {
        assert_eq!(written[part.clone()], transport[part]);
    }
}

/// What a quote of a packet says is what the packet says.
fn a_quote_names_it(packet: &Packet, quote: &Quote) {
    let quoted = quote.packet().expect("it begins with an IP header");
    assert_eq!(
        (quoted.source, quoted.destination, quoted.hop_limit),
        (packet.source, packet.destination, packet.hop_limit)
    );
    if let Some(segment) = packet.tcp() {
        assert_eq!(quoted.protocol, TCP);
        assert_eq!(
            quoted.ports,
            Some((segment.source_port, segment.destination_port))
        );
        assert_eq!(quoted.sequence, Some(segment.sequence));
    }
}

/// Routers quote what they please, but never more than an error may be long.
fn a_quote_is_the_beginning(bytes: &[u8]) {
    let quote = Quote::of(bytes);
    assert!(bytes.starts_with(&quote.bytes) && quote.bytes.len() <= 1280);
    let whole = quote.packet();
    // As short as RFC 792 lets it be: the header, its options, and eight bytes.
    for length in 0..quote.bytes.len().min(128) {
        let cut = Quote {
            bytes: quote.bytes[..length].to_vec(),
        };
        let (Some(cut), Some(whole)) = (cut.packet(), whole) else {
            continue;
        };
        assert_eq!((cut.source, cut.destination), (whole.source, whole.destination));
        assert!(cut.ports.is_none_or(|_| cut.ports == whole.ports));
        assert!(cut.sequence.is_none_or(|_| cut.sequence == whole.sequence));
    }
}
