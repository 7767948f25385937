//! ICMP and ICMPv6: errors with what they quote, echo, and the rest as bytes.

use std::net::IpAddr;

use pnet::packet::icmp::{self, IcmpPacket};
use pnet::packet::icmpv6::{self, Icmpv6Packet};

use super::Unwritable;
use super::ip::{self, Ends};

/// An ICMP or ICMPv6 message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Icmp {
    /// An echo request.
    EchoRequest(Echo),
    /// An echo reply.
    EchoReply(Echo),
    /// An error about a packet, which it quotes.
    Error(IcmpError),
    /// Any other message (neighbour discovery among them).
    Other {
        /// Its type.
        icmp_type: u8,
        /// Its code.
        code: u8,
        /// What follows the checksum.
        rest: Vec<u8>,
    },
}

/// What an echo request carries and its reply repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// Whose it is. The kernel's ping sockets put their port here.
    pub identifier: u16,
    /// Which it is.
    pub sequence: u16,
    /// The data.
    pub payload: Vec<u8>,
}

/// An error about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpError {
    /// Its type, in the numbering of its own IP version.
    pub icmp_type: u8,
    /// Its code.
    pub code: u8,
    /// The four bytes before the quoted packet (the MTU of a "too big", for one).
    pub parameter: u32,
    /// The packet that it is about.
    pub quote: Quote,
}

/// The beginning of the packet that an error is about; routers need to quote no more than its first eight bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The packet from its IP header on, cut short anywhere, perhaps followed by extensions (RFC 4884).
    pub bytes: Vec<u8>,
}

/// What can be read of a quoted packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedPacket {
    /// Who had sent it.
    pub source: IpAddr,
    /// Who it was for.
    pub destination: IpAddr,
    /// Its TTL or hop limit when it was quoted.
    pub hop_limit: u8,
    /// Its protocol.
    pub protocol: u8,
    /// Its ports, if it was TCP or UDP: the sender's, then the receiver's.
    pub ports: Option<(u16, u16)>,
    /// Its sequence number, if it was TCP.
    pub sequence: Option<u32>,
    /// Its identifier and sequence number, if it was an echo request.
    pub echo: Option<(u16, u16)>,
}

impl Quote {
    /// As much of `packet` as an error may quote: it is not to exceed 576 (IPv4) or 1280 bytes (IPv6) as a whole.
    pub fn of(packet: &[u8]) -> Self {
        let most = match packet.first().map(|first| first >> 4) {
            Some(6) => 1280 - 40 - 8,
            _ => 576 - 20 - 8,
        };
        Self {
            bytes: packet[..packet.len().min(most)].to_vec(),
        }
    }

    /// Reads it; `None` if there is not even an IP header.
    pub fn packet(&self) -> Option<QuotedPacket> {
        let (header, transport) = ip::parse(&self.bytes).ok()?;
        let at_start = !header.later_fragment;
        let ports = match transport {
            &[a, b, c, d, ..] if at_start && matches!(header.protocol, ip::TCP | 17) => {
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
            }
            _ => None,
        };
        let sequence = match transport {
            &[_, _, _, _, a, b, c, d, ..] if at_start && header.protocol == ip::TCP => {
                Some(u32::from_be_bytes([a, b, c, d]))
            }
            _ => None,
        };
        let echo = match (header.source, transport) {
            (IpAddr::V4(_), &[8, 0, _, _, a, b, c, d, ..]) if at_start && header.protocol == ip::ICMP => {
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
            }
            (IpAddr::V6(_), &[128, 0, _, _, a, b, c, d, ..]) if at_start && header.protocol == ip::ICMPV6 => {
                Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
            }
            _ => None,
        };
        Some(QuotedPacket {
            source: header.source,
            destination: header.destination,
            hop_limit: header.hop_limit,
            protocol: header.protocol,
            ports,
            sequence,
            echo,
        })
    }
}

/// Reads a message; `None` if it is shorter than any may be.
pub(super) fn parse(v6: bool, bytes: &[u8]) -> Option<Icmp> {
    let &[icmp_type, code, _, _, a, b, c, d, ref rest @ ..] = bytes else {
        return None;
    };
    let echo = || Echo {
        identifier: u16::from_be_bytes([a, b]),
        sequence: u16::from_be_bytes([c, d]),
        payload: rest.to_vec(),
    };
    Some(match (v6, icmp_type, code) {
        (false, 8, 0) | (true, 128, 0) => Icmp::EchoRequest(echo()),
        (false, 0, 0) | (true, 129, 0) => Icmp::EchoReply(echo()),
        (false, 3 | 4 | 5 | 11 | 12, _) | (true, 1..=4, _) => Icmp::Error(IcmpError {
            icmp_type,
            code,
            parameter: u32::from_be_bytes([a, b, c, d]),
            quote: Quote { bytes: rest.to_vec() },
        }),
        _ => Icmp::Other {
            icmp_type,
            code,
            rest: bytes[4..].to_vec(),
        },
    })
}

/// Writes a message with its checksum.
pub(super) fn emit(message: &Icmp, ends: Ends) -> Result<Vec<u8>, Unwritable> {
    let v6 = matches!(ends, Ends::V6(..));
    let echo = |icmp_type: u8, echo: &Echo| {
        let mut bytes = vec![icmp_type, 0, 0, 0];
        bytes.extend_from_slice(&echo.identifier.to_be_bytes());
        bytes.extend_from_slice(&echo.sequence.to_be_bytes());
        bytes.extend_from_slice(&echo.payload);
        bytes
    };
    let mut bytes = match message {
        Icmp::EchoRequest(request) => echo(if v6 { 128 } else { 8 }, request),
        Icmp::EchoReply(reply) => echo(if v6 { 129 } else { 0 }, reply),
        Icmp::Error(error) => {
            let mut bytes = vec![error.icmp_type, error.code, 0, 0];
            bytes.extend_from_slice(&error.parameter.to_be_bytes());
            bytes.extend_from_slice(&error.quote.bytes);
            bytes
        }
        Icmp::Other {
            icmp_type,
            code,
            rest,
        } => {
            let mut bytes = vec![*icmp_type, *code, 0, 0];
            bytes.extend_from_slice(rest);
            bytes
        }
    };
    ends.can_carry(bytes.len())?;
    let checksum = match ends {
        Ends::V4(..) => IcmpPacket::new(&bytes).map(|packet| icmp::checksum(&packet)),
        Ends::V6(source, destination) => {
            Icmpv6Packet::new(&bytes).map(|packet| icmpv6::checksum(&packet, &source, &destination))
        }
    };
    bytes[2..4].copy_from_slice(&checksum.unwrap_or(0).to_be_bytes());
    Ok(bytes)
}
