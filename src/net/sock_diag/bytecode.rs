//! The program with which the kernel selects sockets (`inet_diag_bc_run`): each step jumps on when it holds, and beyond the
//! end, which rejects, when it does not.

use std::net::IpAddr;
use std::ops::RangeInclusive;

const SOURCE_AT_LEAST: u8 = 2;
const SOURCE_AT_MOST: u8 = 3;
const DESTINATION_AT_LEAST: u8 = 4;
const DESTINATION_AT_MOST: u8 = 5;
const DESTINATION_IS: u8 = 8;

/// What has to hold of a socket. Empty lets every socket through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::net) struct Select {
    /// Our port.
    pub(in crate::net) source_port: Option<RangeInclusive<u16>>,
    /// The peer's port.
    pub(in crate::net) destination_port: Option<RangeInclusive<u16>>,
    /// The network of the peer's address, with the length of its prefix. One of IPv4 also holds for IPv4 connections of
    /// IPv6 sockets.
    pub(in crate::net) destination: Option<(IpAddr, u8)>,
}

impl Select {
    /// As the kernel reads it.
    pub(super) fn bytecode(&self) -> Vec<u8> {
        let mut steps = Vec::new();
        if let Some(ports) = &self.source_port {
            steps.push(port(SOURCE_AT_LEAST, *ports.start()));
            steps.push(port(SOURCE_AT_MOST, *ports.end()));
        }
        if let Some(ports) = &self.destination_port {
            steps.push(port(DESTINATION_AT_LEAST, *ports.start()));
            steps.push(port(DESTINATION_AT_MOST, *ports.end()));
        }
        if let Some((network, length)) = self.destination {
            steps.push(host(network, length));
        }
        let mut left: usize = steps.iter().map(Vec::len).sum();
        let mut code = Vec::with_capacity(left);
        for mut step in steps {
            // Four bytes beyond the end is what rejects.
            let no = u16::try_from(left + 4).unwrap_or(u16::MAX);
            step[2..4].copy_from_slice(&no.to_ne_bytes());
            left -= step.len();
            code.extend(step);
        }
        code
    }
}

/// The port is in the last two bytes of a second step (`inet_diag_bc_op`), which is an argument.
fn port(code: u8, port: u16) -> Vec<u8> {
    let mut step = vec![code, 8, 0, 0, 0, 0];
    step.extend(port.to_ne_bytes());
    step
}

/// `struct inet_diag_hostcond`.
fn host(network: IpAddr, length: u8) -> Vec<u8> {
    const ANY_PORT: i32 = -1;
    let (family, octets) = match network {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    let family = u8::try_from(family).unwrap_or_default();
    let mut step = vec![DESTINATION_IS, 0, 0, 0, family, length, 0, 0];
    step.extend(ANY_PORT.to_ne_bytes());
    step.extend(octets);
    step[1] = u8::try_from(step.len()).unwrap_or_default();
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_does_not_hold_leads_four_bytes_beyond_the_end() {
        let select = Select {
            source_port: Some(1..=2),
            destination_port: Some(3..=4),
            destination: Some(("192.0.2.0".parse().unwrap(), 24)),
        };
        let code = select.bytecode();
        let (mut at, mut steps) = (0, 0);
        while at < code.len() {
            let no = usize::from(u16::from_ne_bytes([code[at + 2], code[at + 3]]));
            assert_eq!(at + no, code.len() + 4);
            at += usize::from(code[at + 1]);
            steps += 1;
        }
        assert_eq!((at, steps), (code.len(), 5));
        assert!(Select::default().bytecode().is_empty());
    }
}
