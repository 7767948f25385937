//! Bytes to packets and back: IPv4 and IPv6 through one type.
//!
//! [`Packet::parse`] never panics and judges nothing but what it needs to read on; [`Packet::emit`] writes bytes with
//! right lengths and checksums. The packet formats of `pnet` stay inside this room.

mod display;
mod icmp;
mod ip;
mod probe;
mod tcp;

pub use icmp::{Echo, Icmp, IcmpError, Quote, QuotedPacket};
pub use probe::OUT_OF_WINDOW;
pub use tcp::{Flags, Segment, TcpOption};

use std::net::IpAddr;

/// One IP packet of either version. Extension headers and IPv4 options are skipped when read and not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub source: IpAddr,
    /// Who it is for.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// What it carries.
    pub payload: Payload,
}

/// What an IP packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A TCP segment.
    Tcp(Segment),
    /// An ICMP or ICMPv6 message.
    Icmp(Icmp),
    /// Any other protocol, a later fragment, or something too short to be what its protocol number says.
    Other {
        /// The protocol (IPv4) or last next-header number (IPv6).
        protocol: u8,
        /// The bytes after the IP header.
        bytes: Vec<u8>,
    },
}

/// Why bytes are not an IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its own headers.
    #[error("shorter than its IP header")]
    TooShort,
    /// Neither IPv4 nor IPv6.
    #[error("IP version {0}")]
    Version(u8),
}

/// Why a packet cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Source and destination are of different IP versions.
    #[error("source and destination are of different IP versions")]
    MixedFamilies,
    /// The TCP options need more than the 40 bytes there are.
    #[error("the TCP options need more than 40 bytes")]
    OptionsTooLong,
    /// The packet would be longer than its length field can say.
    #[error("the packet is longer than 65535 bytes")]
    TooLong,
}

impl Packet {
    /// Reads an IP packet. Checksums are not verified: a packet that is still inside one machine often has none yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (header, transport) = ip::parse(bytes)?;
        if header.later_fragment {
            return Ok(Self {
                source: header.source,
                destination: header.destination,
                hop_limit: header.hop_limit,
                payload: Payload::Other {
                    protocol: header.protocol,
                    bytes: transport.to_vec(),
                },
            });
        }
        Ok(Self::from_transport(
            header.source,
            header.destination,
            header.hop_limit,
            header.protocol,
            transport,
        ))
    }

    /// Reads what an IPv6 raw socket hands out: the transport's bytes, with the header's fields known from elsewhere.
    pub fn from_transport(
        source: IpAddr,
        destination: IpAddr,
        hop_limit: u8,
        protocol: u8,
        transport: &[u8],
    ) -> Self {
        let payload = match (protocol, source) {
            (ip::TCP, _) => tcp::parse(transport).map(Payload::Tcp),
            (ip::ICMP, IpAddr::V4(_)) | (ip::ICMPV6, IpAddr::V6(_)) => {
                icmp::parse(source.is_ipv6(), transport).map(Payload::Icmp)
            }
            _ => None,
        };
        let payload = payload.unwrap_or_else(|| Payload::Other {
            protocol,
            bytes: transport.to_vec(),
        });
        Self {
            source,
            destination,
            hop_limit,
            payload,
        }
    }

    /// Writes the whole packet.
    pub fn emit(&self) -> Result<Vec<u8>, Unwritable> {
        let (protocol, transport) = self.emit_transport()?;
        ip::emit(
            self.source,
            self.destination,
            self.hop_limit,
            protocol,
            &transport,
        )
    }

    /// Writes the packet's first fragment: as much as fits into whole units of eight bytes, with more to come that
    /// nobody sends. `identification` is what the fragments of one packet have in common.
    pub fn emit_first_fragment(&self, identification: u32) -> Result<Vec<u8>, Unwritable> {
        let (protocol, mut transport) = self.emit_transport()?;
        transport.truncate(transport.len() / 8 * 8);
        ip::emit_first_fragment(
            self.source,
            self.destination,
            self.hop_limit,
            protocol,
            &transport,
            identification,
        )
    }

    /// Writes what follows the IP header, checksum included, and says which protocol it is.
    pub fn emit_transport(&self) -> Result<(u8, Vec<u8>), Unwritable> {
        let ends = ip::Ends::new(self.source, self.destination)?;
        Ok(match &self.payload {
            Payload::Tcp(segment) => (ip::TCP, tcp::emit(segment, ends)?),
            Payload::Icmp(message) => (ends.icmp_protocol(), icmp::emit(message, ends)?),
            Payload::Other { protocol, bytes } => (*protocol, bytes.clone()),
        })
    }

    /// The TCP segment, if that is what it carries.
    pub fn tcp(&self) -> Option<&Segment> {
        match &self.payload {
            Payload::Tcp(segment) => Some(segment),
            Payload::Icmp(_) | Payload::Other { .. } => None,
        }
    }

    /// The ICMP message, if that is what it carries.
    pub fn icmp(&self) -> Option<&Icmp> {
        match &self.payload {
            Payload::Icmp(message) => Some(message),
            Payload::Tcp(_) | Payload::Other { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
