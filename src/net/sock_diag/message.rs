//! One socket as the kernel writes it: `struct inet_diag_msg` and its attributes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use crate::evidence::sockets::{Info, State, Timer};

/// The inode of a socket that no program holds.
pub(in crate::net) const INODE_OF_NOBODY: u32 = 0;

const FIXED: usize = 72;
const TCP_INFO: u16 = 2;
const MEMORY: u16 = 7;
/// `SK_MEMINFO_DROPS`
const DROPS: usize = 8;
/// `tcpi_min_rtt` and what follows came in Linux 4.6, the peer's window in 5.4; fields are read where they are.
const DATA_SEGMENTS_OUT: usize = 156;
const PEER_WINDOW: usize = 228;

/// A socket, with its attributes still as bytes.
pub(in crate::net) struct Raw<'a> {
    pub(in crate::net) state: State,
    pub(in crate::net) local: SocketAddr,
    pub(in crate::net) remote: SocketAddr,
    pub(in crate::net) inode: u32,
    fixed: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Absent for what is too short, and for states that are no connection's.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, attributes) = bytes.split_at_checked(FIXED)?;
        let interface = word(fixed, 40)?;
        Some(Self {
            state: State::from_number(fixed[1])?,
            local: address(fixed[0], fixed.get(8..24)?, port(fixed, 4)?, interface)?,
            remote: address(fixed[0], fixed.get(24..40)?, port(fixed, 6)?, interface)?,
            inode: word(fixed, 68)?,
            fixed,
            attributes,
        })
    }

    pub(in crate::net) fn timer(&self) -> Option<(Timer, Duration)> {
        let timer = match self.fixed[2] {
            1 => Timer::Retransmit,
            2 => Timer::Keepalive,
            3 => Timer::TimeWait,
            4 => Timer::Persist,
            5 => Timer::DelayedAck,
            _ => return None,
        };
        let expires = word(self.fixed, 52).unwrap_or_default();
        // A timer that is due is told as a few milliseconds less than nothing.
        let expires = if expires > u32::MAX / 2 { 0 } else { expires };
        Some((timer, Duration::from_millis(expires.into())))
    }

    pub(in crate::net) fn tries(&self) -> u8 {
        self.fixed[3]
    }

    pub(in crate::net) fn receive_queue(&self) -> u32 {
        word(self.fixed, 56).unwrap_or_default()
    }

    pub(in crate::net) fn send_queue(&self) -> u32 {
        word(self.fixed, 60).unwrap_or_default()
    }

    pub(in crate::net) fn uid(&self) -> u32 {
        word(self.fixed, 64).unwrap_or_default()
    }

    pub(in crate::net) fn drops(&self) -> Option<u32> {
        word(self.attribute(MEMORY)?, DROPS * 4)
    }

    pub(in crate::net) fn info(&self) -> Option<Info> {
        let bytes = self.attribute(TCP_INFO)?;
        let milliseconds = |at| word(bytes, at).map(|value| Duration::from_millis(value.into()));
        Some(Info {
            backoff: *bytes.get(4)?,
            rto: Duration::from_micros(word(bytes, 8)?.into()),
            unacked: word(bytes, 24)?,
            data_sent_ago: milliseconds(44)?,
            data_received_ago: milliseconds(52)?,
            heard_ago: milliseconds(56)?,
            retransmitted: word(bytes, 100)?,
            data_segments_out: word(bytes, DATA_SEGMENTS_OUT),
            peer_window: word(bytes, PEER_WINDOW),
        })
    }

    fn attribute(&self, wanted: u16) -> Option<&'a [u8]> {
        const NESTED_OR_ORDER: u16 = 0xc000;
        let mut rest = self.attributes;
        loop {
            let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
            let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?) & !NESTED_OR_ORDER;
            let value = rest.get(4..length)?;
            if kind == wanted {
                return Some(value);
            }
            rest = rest.get(length.next_multiple_of(4)..)?;
        }
    }
}

fn address(family: u8, bytes: &[u8], port: u16, interface: u32) -> Option<SocketAddr> {
    let octets: [u8; 16] = bytes.try_into().ok()?;
    let ip = if i32::from(family) == libc::AF_INET {
        IpAddr::from(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
    } else {
        IpAddr::from(Ipv6Addr::from(octets)).to_canonical()
    };
    Some(match ip {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, port, 0, interface).into(),
        IpAddr::V4(_) | IpAddr::V6(_) => SocketAddr::new(ip, port),
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn port(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
