//! What the kernel knows of one of our TCP sockets: `TCP_INFO` and the drops of its filter.
//!
//! The structure grew over the years (104 bytes once, 280 on Linux 6.18), so fields are read at their offset
//! (`include/uapi/linux/tcp.h`) and only when the kernel returned that much.
#![expect(
    unsafe_code,
    reason = "no crate wraps TCP_INFO with the returned length, nor SO_MEMINFO"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use crate::evidence::SegmentSizes;

/// `SO_MEMINFO`: an array of `u32`, of which the ninth counts packets dropped (`sk_drops`), since Linux 4.12.
const MEMINFO_DROPS: usize = 8;
const OPTION_TIMESTAMPS: u8 = 1;

/// A snapshot of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TcpInfo {
    pub(super) state: State,
    /// Retransmissions of what is not acknowledged now.
    pub(super) retransmits: u8,
    /// Keepalive (or window) probes that are not answered.
    pub(super) probes: u8,
    pub(super) timestamps: bool,
    /// Smoothed round trip; absent when the kernel has not measured one.
    pub(super) rtt: Option<Duration>,
    /// Retransmissions since the socket was made.
    pub(super) total_retransmits: u32,
    pub(super) segments_in: Option<u32>,
    pub(super) peer_window: Option<u32>,
    pub(super) segments: Option<SegmentSizes>,
    /// What the peer has acknowledged, SYN and FIN counted as one each.
    pub(super) acknowledged: Option<u64>,
}

/// TCP states by the kernel's numbers (`include/net/tcp_states.h`), as far as they differ for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Established,
    SynSent,
    FinWait1,
    FinWait2,
    Closed,
    CloseWait,
    LastAck,
    Closing,
    Other(u8),
}

impl State {
    fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            7 => Self::Closed,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            11 => Self::Closing,
            other => Self::Other(other),
        }
    }
}

impl TcpInfo {
    /// Whether the peer's kernel has acknowledged our FIN, when nothing but SYN and FIN was sent.
    pub(super) fn fin_was_acknowledged(&self) -> bool {
        self.acknowledged.is_some_and(|acknowledged| acknowledged >= 2)
    }

    pub(super) fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut bytes = [0u8; 512];
        let length = getsockopt(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut bytes)?;
        Ok(Self::parse(&bytes[..length]))
    }

    fn parse(bytes: &[u8]) -> Self {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
        let word = |at: usize| {
            bytes
                .get(at..at + 4)
                .and_then(|slice| slice.try_into().ok())
                .map(u32::from_ne_bytes)
        };
        // min_rtt is u32::MAX until a round trip was measured; without it (before 4.6) rtt alone has to do.
        let measured = word(148).is_none_or(|min_rtt| min_rtt != u32::MAX);
        Self {
            state: State::from_kernel(byte(0)),
            retransmits: byte(2),
            probes: byte(3),
            timestamps: byte(5) & OPTION_TIMESTAMPS != 0,
            rtt: word(68)
                .filter(|rtt| measured && *rtt != 0)
                .map(|rtt| Duration::from_micros(rtt.into())),
            total_retransmits: word(100).unwrap_or_default(),
            segments_in: word(140),
            peer_window: word(228),
            segments: word(84).and_then(|advertised| {
                Some(SegmentSizes {
                    sends: word(16)?,
                    path_mtu: word(60)?,
                    advertised,
                })
            }),
            acknowledged: bytes
                .get(120..128)
                .and_then(|slice| slice.try_into().ok())
                .map(u64::from_ne_bytes),
        }
    }
}

/// Packets that were meant for this socket and that it dropped: those its filter did not let through.
pub(super) fn dropped_packets(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut bytes = [0u8; 64];
    let length = getsockopt(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut bytes)?;
    bytes[..length]
        .chunks_exact(4)
        .nth(MEMINFO_DROPS)
        .and_then(|slice| slice.try_into().ok())
        .map(u32::from_ne_bytes)
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}

fn getsockopt(socket: BorrowedFd<'_>, level: i32, option: i32, into: &mut [u8]) -> io::Result<usize> {
    let mut length = libc::socklen_t::try_from(into.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `into` is writable for `length` bytes, and the kernel writes at most that many.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            option,
            into.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_structure_of_an_old_kernel_leaves_the_newer_fields_absent() {
        let mut bytes = vec![0u8; 104];
        bytes[0] = 1;
        bytes[68..72].copy_from_slice(&57u32.to_ne_bytes());
        bytes[100..104].copy_from_slice(&2u32.to_ne_bytes());
        let info = TcpInfo::parse(&bytes);
        assert_eq!(info.state, State::Established);
        assert_eq!(info.rtt, Some(Duration::from_micros(57)));
        assert_eq!(info.total_retransmits, 2);
        assert_eq!(info.segments_in, None);
        assert_eq!(info.peer_window, None);
    }

    #[test]
    fn an_rtt_that_was_never_measured_is_absent_and_not_zero() {
        let mut bytes = vec![0u8; 232];
        bytes[148..152].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(TcpInfo::parse(&bytes).rtt, None);
    }

    #[test]
    fn no_length_makes_the_parser_panic() {
        for length in 0..300 {
            TcpInfo::parse(&vec![0xff; length]);
        }
    }
}
