//! The filters decide on real packets as the kernel would run them.

use std::net::IpAddr;

use super::*;
use crate::wire::{Echo, Flags, Icmp, IcmpError, Packet, Payload, Quote, Segment};

const OURS: [u16; 3] = [40_001, 40_002, 50_000];
const V4: [&str; 2] = ["10.0.0.1", "10.0.0.2"];
const V6: [&str; 2] = ["2001:db8::1", "2001:db8::2"];

/// What the kernel would do with a packet: `net/core/filter.c` for the instructions that we use.
fn lets_through(program: &[Instruction], packet: &[u8]) -> bool {
    let byte = |at: u32| packet.get(at as usize).copied().map(u32::from);
    let half = |at: u32| Some(byte(at)? << 8 | byte(at + 1)?);
    let (mut a, mut x, mut saved, mut next) = (0u32, 0u32, 0u32, 0usize);
    loop {
        let Instruction(code, yes, no, value) = program[next];
        next += 1;
        let loaded = match code {
            LOAD_BYTE => byte(value),
            LOAD_HALF => half(value),
            LOAD_BYTE_AT_X => byte(x + value),
            LOAD_HALF_AT_X => half(x + value),
            LOAD_SAVED => Some(saved),
            AND => Some(a & value),
            SHIFT_LEFT => Some(a << value),
            SHIFT_RIGHT => Some(a >> value),
            ADD_X => Some(a + x),
            _ => Some(a),
        };
        let Some(loaded) = loaded else { return false };
        a = loaded;
        match code {
            X_IS_V4_HEADER_LENGTH => match byte(value) {
                Some(byte) => x = (byte & 0xf) * 4,
                None => return false,
            },
            SAVE => saved = a,
            X_IS_A => x = a,
            JUMP => next += value as usize,
            JUMP_IF_EQUAL => next += usize::from(if a == value { yes } else { no }),
            RETURN => return value != 0,
            _ => {}
        }
    }
}

fn packet(ends: [&str; 2], payload: Payload) -> Packet {
    let [source, destination]: [IpAddr; 2] = ends.map(|end| end.parse().unwrap());
    Packet {
        source,
        destination,
        hop_limit: 60,
        payload,
    }
}

fn answer(ends: [&str; 2], to: u16) -> Packet {
    packet(ends, Payload::Tcp(Segment::new(443, to, Flags::RST)))
}

fn refusal(ends: [&str; 2], quoted: Vec<u8>) -> Packet {
    let error = IcmpError {
        icmp_type: 3,
        code: 1,
        parameter: 0,
        quote: Quote { bytes: quoted },
    };
    packet(ends, Payload::Icmp(Icmp::Error(error)))
}

fn echo(identifier: u16) -> Echo {
    Echo {
        identifier,
        sequence: 1,
        payload: Vec::new(),
    }
}

/// Everything that may answer a probe from `port`, or a ping with that identifier.
fn answers(ends: [&str; 2], port: u16) -> Vec<Packet> {
    let syn = packet(ends, Payload::Tcp(Segment::syn((port, 443), 1, 1460, None)));
    let ping = packet(ends, Payload::Icmp(Icmp::EchoRequest(echo(port))));
    let cut = |mut bytes: Vec<u8>, header: usize| {
        bytes.truncate(header + 8);
        bytes
    };
    let header = if ends == V4 { 20 } else { 40 };
    vec![
        answer(ends, port),
        refusal(ends, cut(syn.emit().unwrap(), header)),
        refusal(ends, syn.emit_first_fragment(7).unwrap()),
        refusal(ends, cut(ping.emit().unwrap(), header)),
        packet(ends, Payload::Icmp(Icmp::EchoReply(echo(port)))),
    ]
}

/// As the socket of that kind sees the packet; `None` when it never does.
fn seen_by(ear: Ear, packet: &Packet) -> Option<Vec<u8>> {
    let is_v4 = packet.source.is_ipv4();
    let is_tcp = packet.tcp().is_some();
    let whole = || packet.emit().ok();
    match ear {
        Ear::Interface => whole(),
        Ear::TcpV4 if is_v4 && is_tcp => whole(),
        Ear::IcmpV4 if is_v4 && !is_tcp => whole(),
        Ear::TcpV6 if !is_v4 && is_tcp => Some(packet.emit_transport().ok()?.1),
        Ear::IcmpV6 if !is_v4 && !is_tcp => Some(packet.emit_transport().ok()?.1),
        Ear::TcpV4 | Ear::TcpV6 | Ear::IcmpV4 | Ear::IcmpV6 => None,
    }
}

#[test]
fn what_may_answer_us_comes_through_and_nothing_else() {
    for ear in Ear::ALL {
        let program = program(&OURS, ear);
        let mut looked_at = 0;
        for ends in [V4, V6] {
            for port in [40_000, 40_001, 40_002, 40_003, 50_000, 443] {
                for packet in answers(ends, port) {
                    let Some(bytes) = seen_by(ear, &packet) else {
                        continue;
                    };
                    looked_at += 1;
                    let through = lets_through(&program, &bytes);
                    assert_eq!(through, OURS.contains(&port), "{ear:?}: {packet}");
                }
            }
        }
        assert!(looked_at >= 6, "{ear:?}");
    }
}

#[test]
fn other_protocols_and_packets_cut_short_stay_outside() {
    let program = program(&OURS, Ear::Interface);
    let [high, low] = OURS[0].to_be_bytes();
    let udp = Payload::Other {
        protocol: 17,
        bytes: vec![1, 2, high, low, 0, 8, 0, 0],
    };
    assert!(!lets_through(&program, &packet(V4, udp.clone()).emit().unwrap()));
    assert!(!lets_through(&program, &packet(V6, udp).emit().unwrap()));
    let whole = answer(V4, OURS[0]).emit().unwrap();
    for length in 0..24 {
        let through = lets_through(&program, &whole[..length]);
        assert!(!through, "{length}");
    }
    assert!(lets_through(&program, &whole));
}

#[test]
fn as_many_ports_as_a_jump_reaches_are_compared() {
    let ports: Vec<u16> = (1..300).collect();
    let program = program(&ports, Ear::TcpV4);
    let through = |port| lets_through(&program, &answer(V4, port).emit().unwrap());
    assert!(through(1) && through(200) && !through(201));
}
