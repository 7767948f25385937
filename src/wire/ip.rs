//! The IP header of both versions: what is needed of it, read and written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::packet::ip::IpNextHeaderProtocol;
use pnet::packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};

use super::{Malformed, Unwritable};

pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const ICMPV6: u8 = 58;

const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;

/// What is needed of an IP header.
pub(super) struct Header {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) hop_limit: u8,
    pub(super) protocol: u8,
    pub(super) later_fragment: bool,
}

/// Two addresses of one version.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
}

impl Ends {
    pub(super) fn new(source: IpAddr, destination: IpAddr) -> Result<Self, Unwritable> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Ok(Self::V4(source, destination)),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Ok(Self::V6(source, destination)),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Err(Unwritable::MixedFamilies),
        }
    }

    /// Whether so many bytes after the IP header are still what its length field can say. To be asked before the
    /// checksum is summed up, for which pnet has 32 bits.
    pub(super) fn can_carry(self, transport: usize) -> Result<(), Unwritable> {
        let headers = match self {
            Self::V4(..) => V4_HEADER,
            Self::V6(..) => 0,
        };
        if headers + transport > usize::from(u16::MAX) {
            return Err(Unwritable::TooLong);
        }
        Ok(())
    }

    pub(super) fn icmp_protocol(self) -> u8 {
        match self {
            Self::V4(..) => ICMP,
            Self::V6(..) => ICMPV6,
        }
    }
}

/// Splits a packet into its header and what follows the last of its headers.
pub(super) fn parse(bytes: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => parse_v4(bytes),
        Some(6) => parse_v6(bytes),
        Some(version) => Err(Malformed::Version(version)),
        None => Err(Malformed::TooShort),
    }
}

fn parse_v4(bytes: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let packet = Ipv4Packet::new(bytes).ok_or(Malformed::TooShort)?;
    let header_length = usize::from(packet.get_header_length()) * 4;
    let end = match usize::from(packet.get_total_length()) {
        // The kernel writes 0 where the length does not fit (BIG TCP).
        0 => bytes.len(),
        total => total.min(bytes.len()),
    };
    if header_length < V4_HEADER {
        return Err(Malformed::TooShort);
    }
    let transport = bytes.get(header_length..end).ok_or(Malformed::TooShort)?;
    let header = Header {
        source: packet.get_source().into(),
        destination: packet.get_destination().into(),
        hop_limit: packet.get_ttl(),
        protocol: packet.get_next_level_protocol().0,
        later_fragment: packet.get_fragment_offset() != 0,
    };
    Ok((header, transport))
}

fn parse_v6(bytes: &[u8]) -> Result<(Header, &[u8]), Malformed> {
    let packet = Ipv6Packet::new(bytes).ok_or(Malformed::TooShort)?;
    let end = match usize::from(packet.get_payload_length()) {
        0 => bytes.len(),
        length => (V6_HEADER + length).min(bytes.len()),
    };
    let rest = bytes.get(V6_HEADER..end).ok_or(Malformed::TooShort)?;
    let (protocol, later_fragment, transport) = skip_extensions(packet.get_next_header().0, rest);
    let header = Header {
        source: packet.get_source().into(),
        destination: packet.get_destination().into(),
        hop_limit: packet.get_hop_limit(),
        protocol,
        later_fragment,
    };
    Ok((header, transport))
}

/// Walks the extension headers (RFC 8200, section 4). Each step consumes at least eight bytes, so it ends.
fn skip_extensions(mut next: u8, mut rest: &[u8]) -> (u8, bool, &[u8]) {
    loop {
        let length = match (next, rest) {
            // Hop-by-hop, routing, destination options, mobility: the length is in units of 8 bytes beyond the first.
            (0 | 43 | 60 | 135, &[_, length, ..]) => (usize::from(length) + 1) * 8,
            // Authentication: in units of 4 bytes, less two.
            (51, &[_, length, ..]) => (usize::from(length) + 2) * 4,
            (44, _) => 8,
            _ => return (next, false, rest),
        };
        let Some((extension, after)) = rest.split_at_checked(length) else {
            return (next, false, rest);
        };
        let later_fragment = next == 44 && u16::from_be_bytes([extension[2], extension[3]]) >> 3 != 0;
        next = extension[0];
        rest = after;
        if later_fragment {
            return (next, true, rest);
        }
    }
}

/// Writes a header before what it carries.
pub(super) fn emit(
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    protocol: u8,
    transport: &[u8],
) -> Result<Vec<u8>, Unwritable> {
    let protocol = IpNextHeaderProtocol::new(protocol);
    match Ends::new(source, destination)? {
        Ends::V4(source, destination) => {
            let total = u16::try_from(V4_HEADER + transport.len()).map_err(|_| Unwritable::TooLong)?;
            let mut bytes = vec![0; V4_HEADER];
            let mut header = MutableIpv4Packet::new(&mut bytes).ok_or(Unwritable::TooLong)?;
            header.set_version(4);
            header.set_header_length(5);
            header.set_total_length(total);
            header.set_flags(ipv4::Ipv4Flags::DontFragment);
            header.set_ttl(hop_limit);
            header.set_next_level_protocol(protocol);
            header.set_source(source);
            header.set_destination(destination);
            header.set_checksum(ipv4::checksum(&header.to_immutable()));
            bytes.extend_from_slice(transport);
            Ok(bytes)
        }
        Ends::V6(source, destination) => {
            let length = u16::try_from(transport.len()).map_err(|_| Unwritable::TooLong)?;
            let mut bytes = vec![0; V6_HEADER];
            let mut header = MutableIpv6Packet::new(&mut bytes).ok_or(Unwritable::TooLong)?;
            header.set_version(6);
            header.set_payload_length(length);
            header.set_next_header(protocol);
            header.set_hop_limit(hop_limit);
            header.set_source(source);
            header.set_destination(destination);
            bytes.extend_from_slice(transport);
            Ok(bytes)
        }
    }
}

/// The extension header of a fragment (RFC 8200, 4.5).
const FRAGMENT: u8 = 44;

/// Writes a header that says that more fragments follow.
pub(super) fn emit_first_fragment(
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    protocol: u8,
    transport: &[u8],
    identification: u32,
) -> Result<Vec<u8>, Unwritable> {
    let [a, b, low @ ..] = identification.to_be_bytes();
    match Ends::new(source, destination)? {
        Ends::V4(..) => {
            let mut bytes = emit(source, destination, hop_limit, protocol, transport)?;
            let mut header = MutableIpv4Packet::new(&mut bytes).ok_or(Unwritable::TooLong)?;
            header.set_identification(u16::from_be_bytes(low));
            header.set_flags(ipv4::Ipv4Flags::MoreFragments);
            header.set_checksum(ipv4::checksum(&header.to_immutable()));
            Ok(bytes)
        }
        Ends::V6(..) => {
            let more_follow = 1;
            let extension = [protocol, 0, 0, more_follow, a, b, low[0], low[1]];
            let carried = [&extension, transport].concat();
            emit(source, destination, hop_limit, FRAGMENT, &carried)
        }
    }
}
