//! Packets as tcpdump writes them.

use std::fmt;

use super::{Flags, Icmp, Packet, Payload, Segment, TcpOption};

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.source.is_ipv6() { "IP6" } else { "IP" };
        match &self.payload {
            Payload::Tcp(segment) => write!(
                f,
                "{version} {}.{} > {}.{}: {segment}",
                self.source, segment.source_port, self.destination, segment.destination_port
            ),
            Payload::Icmp(message) => {
                let name = if self.source.is_ipv6() { "ICMP6" } else { "ICMP" };
                write!(
                    f,
                    "{version} {} > {}: {name} {message}",
                    self.source, self.destination
                )
            }
            Payload::Other { protocol, bytes } => write!(
                f,
                "{version} {} > {}: protocol {protocol}, length {}",
                self.source,
                self.destination,
                bytes.len()
            ),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags [{}], seq {}", self.flags, self.sequence)?;
        if self.flags.contains(Flags::ACK) {
            write!(f, ", ack {}", self.acknowledgement)?;
        }
        write!(f, ", win {}", self.window)?;
        for (index, option) in self.options.iter().enumerate() {
            f.write_str(if index == 0 { ", options [" } else { "," })?;
            write!(f, "{option}")?;
        }
        if !self.options.is_empty() {
            f.write_str("]")?;
        }
        write!(f, ", length {}", self.payload.len())
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: [(Flags, &str); 8] = [
            (Flags::FIN, "F"),
            (Flags::SYN, "S"),
            (Flags::RST, "R"),
            (Flags::PSH, "P"),
            (Flags::ACK, "."),
            (Flags::URG, "U"),
            (Flags::ECE, "E"),
            (Flags::CWR, "W"),
        ];
        if self.0 == 0 {
            return f.write_str("none");
        }
        LETTERS
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .try_for_each(|(_, letter)| f.write_str(letter))
    }
}

impl fmt::Display for TcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nop => f.write_str("nop"),
            Self::MaximumSegmentSize(size) => write!(f, "mss {size}"),
            Self::WindowScale(shift) => write!(f, "wscale {shift}"),
            Self::SackPermitted => f.write_str("sackOK"),
            Self::Sack(ranges) => {
                write!(f, "sack {} ", ranges.len())?;
                ranges
                    .iter()
                    .try_for_each(|(first, end)| write!(f, "{{{first}:{end}}}"))
            }
            Self::Timestamps { value, echo } => write!(f, "TS val {value} ecr {echo}"),
            Self::Other { kind, data } => write!(f, "opt-{kind} length {}", data.len()),
        }
    }
}

impl fmt::Display for Icmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EchoRequest(echo) => {
                write!(
                    f,
                    "echo request, id {}, seq {}, length {}",
                    echo.identifier,
                    echo.sequence,
                    echo.payload.len()
                )
            }
            Self::EchoReply(echo) => {
                write!(
                    f,
                    "echo reply, id {}, seq {}, length {}",
                    echo.identifier,
                    echo.sequence,
                    echo.payload.len()
                )
            }
            Self::Error(error) => {
                write!(f, "type {} code {}", error.icmp_type, error.code)?;
                let Some(quoted) = error.quote.packet() else {
                    return Ok(());
                };
                match quoted.ports {
                    Some((from, to)) => {
                        write!(
                            f,
                            ", about {}.{from} > {}.{to}",
                            quoted.source, quoted.destination
                        )
                    }
                    None => write!(f, ", about {} > {}", quoted.source, quoted.destination),
                }
            }
            Self::Other {
                icmp_type,
                code,
                rest,
            } => {
                write!(f, "type {icmp_type} code {code}, length {}", rest.len())
            }
        }
    }
}
