//! A TCP segment with everything that a probe sets or looks at.

use std::ops::BitOr;

use pnet::packet::tcp::{MutableTcpPacket, TcpPacket, ipv4_checksum, ipv6_checksum};

use super::Unwritable;
use super::ip::Ends;

const HEADER: usize = 20;
const MOST_OPTIONS: usize = 40;

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Sequence number of the first byte (of the SYN, if there is one).
    pub sequence: u32,
    /// Acknowledgement number; means nothing without [`Flags::ACK`].
    pub acknowledgement: u32,
    /// The flags.
    pub flags: Flags,
    /// The window as it stands in the header, not scaled.
    pub window: u16,
    /// The options, up to the end-of-options mark.
    pub options: Vec<TcpOption>,
    /// The data.
    pub payload: Vec<u8>,
}

impl Segment {
    /// A segment without options, data or window; sequence numbers 0.
    pub fn new(source_port: u16, destination_port: u16, flags: Flags) -> Self {
        Self {
            source_port,
            destination_port,
            sequence: 0,
            acknowledgement: 0,
            flags,
            window: 0,
            options: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// How much of the sequence space it takes: its data, and one each for SYN and FIN.
    pub fn sequence_length(&self) -> u32 {
        let data = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        data.wrapping_add(u32::from(self.flags.contains(Flags::SYN)))
            .wrapping_add(u32::from(self.flags.contains(Flags::FIN)))
    }

    /// The timestamps option as (value, echo reply), if there is one (RFC 7323).
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        self.options.iter().find_map(|option| match option {
            TcpOption::Timestamps { value, echo } => Some((*value, *echo)),
            TcpOption::Nop
            | TcpOption::MaximumSegmentSize(_)
            | TcpOption::WindowScale(_)
            | TcpOption::SackPermitted
            | TcpOption::Sack(_)
            | TcpOption::Other { .. } => None,
        })
    }
}

/// The eight flags of a TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number is valid.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is valid.
    pub const URG: Self = Self(0x20);
    /// ECN echo.
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x80);

    /// Whether all of `others` are set.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// What is left of them when only `mask` is looked at.
    #[must_use]
    pub const fn among(self, mask: Self) -> Self {
        Self(self.0 & mask.0)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A TCP option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpOption {
    /// One byte of padding.
    Nop,
    /// The largest segment that the sender takes.
    MaximumSegmentSize(u16),
    /// By how many bits the sender's windows are to be shifted.
    WindowScale(u8),
    /// The sender understands selective acknowledgements.
    SackPermitted,
    /// Received ranges, each as its first and its last-plus-one sequence number.
    Sack(Vec<(u32, u32)>),
    /// RFC 7323.
    Timestamps {
        /// The sender's clock.
        value: u32,
        /// What it last saw of the peer's.
        echo: u32,
    },
    /// Any other, and any whose length is not what its kind says.
    Other {
        /// The option's kind (2 to 255).
        kind: u8,
        /// What follows kind and length.
        data: Vec<u8>,
    },
}

/// Reads a segment; `None` if the header is not there as a whole.
pub(super) fn parse(bytes: &[u8]) -> Option<Segment> {
    let packet = TcpPacket::new(bytes)?;
    let header_length = usize::from(packet.get_data_offset()) * 4;
    let options = bytes.get(HEADER..header_length)?;
    let payload = bytes.get(header_length..)?;
    Some(Segment {
        source_port: packet.get_source(),
        destination_port: packet.get_destination(),
        sequence: packet.get_sequence(),
        acknowledgement: packet.get_acknowledgement(),
        flags: Flags(packet.get_flags()),
        window: packet.get_window(),
        options: parse_options(options),
        payload: payload.to_vec(),
    })
}

/// Reads options up to the end mark or up to the first one whose length is a lie.
fn parse_options(mut bytes: &[u8]) -> Vec<TcpOption> {
    let mut options = Vec::new();
    loop {
        match bytes {
            [] | [0, ..] => return options,
            [1, rest @ ..] => {
                options.push(TcpOption::Nop);
                bytes = rest;
            }
            [kind, length, rest @ ..] => {
                let Some((data, rest)) = usize::from(*length)
                    .checked_sub(2)
                    .and_then(|length| rest.split_at_checked(length))
                else {
                    return options;
                };
                options.push(parse_option(*kind, data));
                bytes = rest;
            }
            [_] => return options,
        }
    }
}

fn parse_option(kind: u8, data: &[u8]) -> TcpOption {
    match (kind, data) {
        (2, &[a, b]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([a, b])),
        (3, &[shift]) => TcpOption::WindowScale(shift),
        (4, []) => TcpOption::SackPermitted,
        (5, data) if data.len() % 8 == 0 => TcpOption::Sack(
            data.chunks_exact(8)
                .map(|c| {
                    (
                        u32::from_be_bytes([c[0], c[1], c[2], c[3]]),
                        u32::from_be_bytes([c[4], c[5], c[6], c[7]]),
                    )
                })
                .collect(),
        ),
        (8, &[a, b, c, d, ref echo @ ..]) if data.len() == 8 => TcpOption::Timestamps {
            value: u32::from_be_bytes([a, b, c, d]),
            echo: echo.iter().fold(0, |echo, byte| echo << 8 | u32::from(*byte)),
        },
        _ => TcpOption::Other {
            kind,
            data: data.to_vec(),
        },
    }
}

/// Writes a segment with its checksum.
pub(super) fn emit(segment: &Segment, ends: Ends) -> Result<Vec<u8>, Unwritable> {
    let mut bytes = vec![0; HEADER];
    for option in &segment.options {
        emit_option(option, &mut bytes);
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    if bytes.len() > HEADER + MOST_OPTIONS {
        return Err(Unwritable::OptionsTooLong);
    }
    let words = u8::try_from(bytes.len() / 4).map_err(|_| Unwritable::OptionsTooLong)?;
    bytes.extend_from_slice(&segment.payload);
    ends.can_carry(bytes.len())?;
    let mut packet = MutableTcpPacket::new(&mut bytes).ok_or(Unwritable::TooLong)?;
    packet.set_source(segment.source_port);
    packet.set_destination(segment.destination_port);
    packet.set_sequence(segment.sequence);
    packet.set_acknowledgement(segment.acknowledgement);
    packet.set_data_offset(words);
    packet.set_flags(segment.flags.0);
    packet.set_window(segment.window);
    let checksum = match ends {
        Ends::V4(source, destination) => ipv4_checksum(&packet.to_immutable(), &source, &destination),
        Ends::V6(source, destination) => ipv6_checksum(&packet.to_immutable(), &source, &destination),
    };
    packet.set_checksum(checksum);
    Ok(bytes)
}

fn emit_option(option: &TcpOption, bytes: &mut Vec<u8>) {
    let mut put = |kind: u8, data: &[u8]| {
        // A longer one does not fit into the header anyway, which is checked for all of them together.
        let length = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
        bytes.extend_from_slice(&[kind, length]);
        bytes.extend_from_slice(data);
    };
    match option {
        TcpOption::Nop => bytes.push(1),
        TcpOption::MaximumSegmentSize(size) => put(2, &size.to_be_bytes()),
        TcpOption::WindowScale(shift) => put(3, &[*shift]),
        TcpOption::SackPermitted => put(4, &[]),
        TcpOption::Sack(ranges) => {
            let data: Vec<u8> = ranges
                .iter()
                .flat_map(|(first, end)| [first.to_be_bytes(), end.to_be_bytes()])
                .flatten()
                .collect();
            put(5, &data);
        }
        TcpOption::Timestamps { value, echo } => {
            put(8, &[value.to_be_bytes(), echo.to_be_bytes()].concat());
        }
        TcpOption::Other { kind, data } => put(*kind, data),
    }
}
