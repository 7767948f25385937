//! The segments that raw probes are made of.

use super::{Flags, Segment, TcpOption};

/// How far outside any window a segment is that is to be answered with a plain ACK: half of what a sequence number may
/// be ahead (2³¹), and as much as the largest window (RFC 7323, 2.3: 2³⁰).
pub const OUT_OF_WINDOW: u32 = 1 << 30;

/// What Linux offers on a link with an MTU of 1500.
const WINDOW: u16 = 64_240;
const WINDOW_SCALE: u8 = 7;

impl Segment {
    /// A SYN as Linux sends it; `timestamp` is the value of its timestamps option, without which it has none.
    pub fn syn(ports: (u16, u16), sequence: u32, mss: u16, timestamp: Option<u32>) -> Self {
        let mut options = vec![TcpOption::MaximumSegmentSize(mss)];
        options.extend(match timestamp {
            Some(value) => vec![TcpOption::SackPermitted, TcpOption::Timestamps { value, echo: 0 }],
            None => vec![TcpOption::Nop, TcpOption::Nop, TcpOption::SackPermitted],
        });
        options.extend([TcpOption::Nop, TcpOption::WindowScale(WINDOW_SCALE)]);
        Self {
            sequence,
            window: WINDOW,
            options,
            ..Self::new(ports.0, ports.1, Flags::SYN)
        }
    }

    /// An ACK of a connection that nobody has.
    pub fn bare_ack(ports: (u16, u16), sequence: u32, acknowledgement: u32) -> Self {
        Self {
            sequence,
            acknowledgement,
            window: WINDOW,
            ..Self::new(ports.0, ports.1, Flags::ACK)
        }
    }

    /// A FIN without the ACK flag.
    pub fn bare_fin(ports: (u16, u16), sequence: u32) -> Self {
        Self {
            sequence,
            window: WINDOW,
            ..Self::new(ports.0, ports.1, Flags::FIN)
        }
    }

    /// A bare FIN that no window has room for, when `syn` is the sequence number of the SYN before it.
    pub fn out_of_window_fin(ports: (u16, u16), syn: u32) -> Self {
        Self::bare_fin(ports, syn.wrapping_add(1).wrapping_add(OUT_OF_WINDOW))
    }
}
