//! Whatever is written can be read again, and nothing that is read makes this room panic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
    prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (Ipv4Addr::from(a).into(), Ipv4Addr::from(b).into())),
        any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into())),
    ]
}

fn option() -> impl Strategy<Value = TcpOption> {
    prop_oneof![
        Just(TcpOption::Nop),
        any::<u16>().prop_map(TcpOption::MaximumSegmentSize),
        any::<u8>().prop_map(TcpOption::WindowScale),
        Just(TcpOption::SackPermitted),
        vec(any::<(u32, u32)>(), 0..2).prop_map(TcpOption::Sack),
        any::<(u32, u32)>().prop_map(|(value, echo)| TcpOption::Timestamps { value, echo }),
        (9u8.., vec(any::<u8>(), 0..4)).prop_map(|(kind, data)| TcpOption::Other { kind, data }),
    ]
}

fn segment() -> impl Strategy<Value = Payload> {
    let fields = any::<(u16, u16, u32, u32, u8, u16)>();
    (fields, vec(option(), 0..3), vec(any::<u8>(), 0..50)).prop_map(|(fields, options, payload)| {
        let (source_port, destination_port, sequence, acknowledgement, flags, window) = fields;
        Payload::Tcp(Segment {
            source_port,
            destination_port,
            sequence,
            acknowledgement,
            flags: Flags(flags),
            window,
            options,
            payload,
        })
    })
}

fn message(v6: bool) -> impl Strategy<Value = Payload> {
    let echo = || {
        any::<(u16, u16)>().prop_flat_map(|(identifier, sequence)| {
            vec(any::<u8>(), 0..40).prop_map(move |payload| Echo {
                identifier,
                sequence,
                payload,
            })
        })
    };
    let error_type = if v6 {
        prop_oneof![Just(1), Just(3)]
    } else {
        prop_oneof![Just(3), Just(11)]
    };
    prop_oneof![
        echo().prop_map(Icmp::EchoRequest),
        echo().prop_map(Icmp::EchoReply),
        (error_type, any::<u8>(), any::<u32>(), vec(any::<u8>(), 0..60)).prop_map(
            |(icmp_type, code, parameter, bytes)| {
                Icmp::Error(IcmpError {
                    icmp_type,
                    code,
                    parameter,
                    quote: Quote { bytes },
                })
            }
        ),
        (133u8..137, any::<u8>(), vec(any::<u8>(), 4..40)).prop_map(|(icmp_type, code, rest)| Icmp::Other {
            icmp_type,
            code,
            rest
        }),
    ]
    .prop_map(Payload::Icmp)
}

fn packet() -> impl Strategy<Value = Packet> {
    (addresses(), any::<u8>()).prop_flat_map(|((source, destination), hop_limit)| {
        let udp = vec(any::<u8>(), 1..50).prop_map(|bytes| Payload::Other { protocol: 17, bytes });
        prop_oneof![segment(), message(source.is_ipv6()), udp].prop_map(move |payload| Packet {
            source,
            destination,
            hop_limit,
            payload,
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_can_be_read_again(packet in packet()) {
        let bytes = packet.emit().unwrap();
        prop_assert_eq!(Packet::parse(&bytes).unwrap(), packet);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(mut bytes in vec(any::<u8>(), 0..200), version in 0u8..3, next in 0u8..8) {
        let likely = [0, 6, 1, 58, 43, 44, 51, 60][usize::from(next)];
        if let (Some(first), 1..) = (bytes.first_mut(), version) {
            *first = if version == 1 { 0x45 } else { 0x60 };
        }
        for at in [6, 9] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = likely;
            }
        }
        if let Ok(packet) = Packet::parse(&bytes) {
            let _ = packet.to_string();
            let _ = packet.emit();
        }
    }

    #[test]
    fn a_packet_cut_short_anywhere_can_still_be_quoted(packet in packet(), keep in 0usize..60) {
        let bytes = packet.emit().unwrap();
        let quote = Quote { bytes: bytes[..keep.min(bytes.len())].to_vec() };
        if let Some(quoted) = quote.packet() {
            prop_assert_eq!(quoted.source, packet.source);
            prop_assert_eq!(quoted.destination, packet.destination);
        }
    }
}

fn syn() -> Packet {
    Packet {
        source: Ipv4Addr::new(10, 0, 0, 1).into(),
        destination: Ipv4Addr::new(10, 0, 1, 2).into(),
        hop_limit: 64,
        payload: Payload::Tcp(Segment {
            sequence: 1,
            window: 64240,
            options: vec![
                TcpOption::MaximumSegmentSize(1460),
                TcpOption::Nop,
                TcpOption::WindowScale(7),
            ],
            ..Segment::new(40000, 8080, Flags::SYN)
        }),
    }
}

#[test]
fn a_segment_reads_as_in_tcpdump() {
    assert_eq!(
        syn().to_string(),
        "IP 10.0.0.1.40000 > 10.0.1.2.8080: Flags [S], seq 1, win 64240, options [mss 1460,nop,wscale 7], length 0"
    );
}

#[test]
fn eight_quoted_bytes_of_tcp_name_the_connection_and_the_segment() {
    let quote = Quote {
        bytes: syn().emit().unwrap()[..28].to_vec(),
    };
    let quoted = quote.packet().unwrap();
    assert_eq!((quoted.ports, quoted.sequence), (Some((40000, 8080)), Some(1)));
}

#[test]
fn extension_headers_are_skipped() {
    let (a, b) = (Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED);
    let inner = Packet {
        source: a.into(),
        destination: b.into(),
        hop_limit: 9,
        payload: Payload::Tcp(Segment::new(1, 2, Flags::ACK)),
    };
    let (_, transport) = inner.emit_transport().unwrap();
    // Hop-by-hop (next: destination options), destination options (next: TCP), eight bytes each.
    let chain = [
        &[60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0],
        transport.as_slice(),
    ]
    .concat();
    let bytes = ip::emit(a.into(), b.into(), 9, 0, &chain).unwrap();
    assert_eq!(Packet::parse(&bytes).unwrap(), inner);
}

#[test]
fn a_later_fragment_is_not_mistaken_for_a_segment() {
    let mut bytes = syn().emit().unwrap();
    bytes[7] = 5;
    assert!(Packet::parse(&bytes).unwrap().tcp().is_none());
}

#[test]
fn options_that_do_not_fit_are_an_error() {
    let mut packet = syn();
    let Payload::Tcp(segment) = &mut packet.payload else {
        unreachable!()
    };
    segment.options = vec![TcpOption::Other {
        kind: 99,
        data: vec![0; 60],
    }];
    assert_eq!(packet.emit(), Err(Unwritable::OptionsTooLong));
}

fn probe(v6: bool, segment: Segment) -> Packet {
    let (source, destination): (IpAddr, IpAddr) = if v6 {
        (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into())
    } else {
        (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into())
    };
    Packet {
        source,
        destination,
        hop_limit: 64,
        payload: Payload::Tcp(segment),
    }
}

#[test]
fn probes_read_as_in_tcpdump() {
    let ports = (40000, 8080);
    let shown = [
        Segment::syn(ports, 7, 1460, Some(9)),
        Segment::syn(ports, 7, 1460, None),
        Segment::bare_ack(ports, 7, 8),
        Segment::bare_fin(ports, 7),
        Segment::out_of_window_fin(ports, u32::MAX),
    ]
    .map(|segment| segment.to_string());
    assert_eq!(
        shown,
        [
            "Flags [S], seq 7, win 64240, options [mss 1460,sackOK,TS val 9 ecr 0,nop,wscale 7], length 0",
            "Flags [S], seq 7, win 64240, options [mss 1460,nop,nop,sackOK,nop,wscale 7], length 0",
            "Flags [.], seq 7, ack 8, win 64240, length 0",
            "Flags [F], seq 7, win 64240, length 0",
            "Flags [F], seq 1073741824, win 64240, length 0",
        ]
    );
}

#[test]
fn a_first_fragment_has_the_whole_tcp_header_and_says_that_more_follow() {
    for v6 in [false, true] {
        let packet = probe(v6, Segment::syn((1, 2), 3, 1460, Some(4)));
        let bytes = packet.emit_first_fragment(0x0102_0304).unwrap();
        assert_eq!(Packet::parse(&bytes).unwrap(), packet);
        let (flags, identification) = if v6 {
            (&bytes[42..44], &bytes[44..48])
        } else {
            (&bytes[6..8], &bytes[4..6])
        };
        let more_and_offset_0: [u8; 2] = if v6 { [0, 1] } else { [0x20, 0] };
        assert_eq!(flags, more_and_offset_0);
        assert_eq!(identification, &[1, 2, 3, 4][4 - identification.len()..]);
        let quote = Quote { bytes };
        assert_eq!(quote.packet().unwrap().sequence, Some(3));
    }
}

#[test]
fn a_quoted_echo_request_is_known_by_identifier_and_sequence() {
    for v6 in [false, true] {
        let request = Icmp::EchoRequest(Echo {
            identifier: 5,
            sequence: 6,
            payload: Vec::new(),
        });
        let packet = Packet {
            payload: Payload::Icmp(request),
            ..probe(v6, Segment::new(0, 0, Flags::SYN))
        };
        let quote = Quote {
            bytes: packet.emit().unwrap(),
        };
        assert_eq!(quote.packet().unwrap().echo, Some((5, 6)));
    }
}

#[test]
fn what_is_longer_than_any_length_field_can_say_is_an_error() {
    // As BIG TCP hands it over: uncut, and more than 65,535 words, whose sum is more than 32 bits hold.
    let much = vec![0xff; 140_000];
    for (source, destination) in [
        (IpAddr::from(Ipv4Addr::LOCALHOST), Ipv4Addr::LOCALHOST.into()),
        (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()),
    ] {
        for protocol in [ip::TCP, ip::ICMP, ip::ICMPV6, 17] {
            let packet = Packet::from_transport(source, destination, 64, protocol, &much);
            assert_eq!(packet.emit(), Err(Unwritable::TooLong), "{protocol}");
        }
    }
}
