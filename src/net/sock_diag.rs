//! Questions to the kernel about TCP sockets (`sock_diag(7)`, `inet_diag`): any user may ask, and the kernel selects.
//!
//! The answers are read as a stream into one buffer, since there can be hundreds of thousands of them. Structures are those
//! of `include/uapi/linux/inet_diag.h`; numbers are in the host's order, ports and addresses in the network's.

mod bytecode;
mod message;

pub(super) use bytecode::Select;
pub(super) use message::{INODE_OF_NOBODY, Raw};

use std::io;
use std::net::SocketAddr;

use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddress};

use crate::evidence::sockets::State;

/// The kernel puts at most 32 KiB into one datagram (`netlink_dump`).
const BUFFER: usize = 64 * 1024;

const NLMSG_HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
/// `INET_DIAG_REQ_BYTECODE`
const BYTECODE: u16 = 1;
const ANY_COOKIE: [u8; 8] = [0xff; 8];
/// `lo` has this index in every namespace (`LOOPBACK_IFINDEX`).
const LOOPBACK: u32 = 1;

/// What is wanted of each socket beyond the fixed part (`1 << (INET_DIAG_… - 1)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Nothing: what the fixed part says is enough.
    Least = 0,
    /// `INET_DIAG_SKMEMINFO`: its drops.
    Drops = 1 << 6,
    /// `TCP_INFO`, and the drops.
    Full = 1 << 1 | 1 << 6,
}

/// Tells of every socket of an address family (`AF_INET` or `AF_INET6`) in one of these states (by their bits) that the
/// selection lets through.
pub(super) fn dump(
    family: u8,
    states: u32,
    select: &Select,
    detail: Detail,
    mut tell: impl FnMut(&Raw<'_>),
) -> io::Result<()> {
    let mut request = request(NLM_F_REQUEST | NLM_F_DUMP, family, states, detail, None);
    let code = select.bytecode();
    if !code.is_empty() {
        request.extend(length_of(4 + code.len())?.to_ne_bytes());
        request.extend(BYTECODE.to_ne_bytes());
        request.extend(code);
    }
    let socket = ask(request)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let datagram = receive(&socket, &mut buffer)?;
        for message in Messages(datagram) {
            match message? {
                Message::Socket(bytes) => {
                    if let Some(raw) = Raw::parse(bytes) {
                        tell(&raw);
                    }
                }
                Message::Done => return Ok(()),
            }
        }
    }
}

/// Tells of the listener that would take a connection to an address of our own, which the kernel looks up as it does for a
/// SYN (`inet_diag_find_one_icsk`); false when there is none.
pub(super) fn listener(endpoint: SocketAddr, mut tell: impl FnMut(&Raw<'_>)) -> io::Result<bool> {
    let family = if endpoint.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let states = 1 << State::Listen.number();
    let family = u8::try_from(family).map_err(io::Error::other)?;
    let socket = ask(request(
        NLM_F_REQUEST,
        family,
        states,
        Detail::Drops,
        Some(endpoint),
    ))?;
    let mut buffer = vec![0; BUFFER];
    let datagram = receive(&socket, &mut buffer)?;
    for message in Messages(datagram) {
        match message {
            Ok(Message::Socket(bytes)) => {
                let raw = Raw::parse(bytes).filter(|raw| raw.state == State::Listen);
                if let Some(raw) = raw {
                    tell(&raw);
                    return Ok(true);
                }
            }
            Ok(Message::Done) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2`.
fn request(flags: u16, family: u8, states: u32, detail: Detail, of: Option<SocketAddr>) -> Vec<u8> {
    let mut bytes = vec![0; NLMSG_HEADER];
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
    bytes.extend([family, 6, detail as u8, 0]);
    bytes.extend(states.to_ne_bytes());
    bytes.extend(of.map_or(0, |of| of.port()).to_be_bytes());
    bytes.extend([0; 2]);
    let (address, interface) = match of {
        None => ([0; 16], 0),
        Some(SocketAddr::V4(v4)) => {
            let mut address = [0; 16];
            address[..4].copy_from_slice(&v4.ip().octets());
            (address, LOOPBACK)
        }
        // What we send to ourselves comes from the loopback interface, unless the address is of a link.
        Some(SocketAddr::V6(v6)) if v6.scope_id() != 0 => (v6.ip().octets(), v6.scope_id()),
        Some(SocketAddr::V6(v6)) => (v6.ip().octets(), LOOPBACK),
    };
    bytes.extend(address);
    bytes.extend([0; 16]);
    bytes.extend(interface.to_ne_bytes());
    bytes.extend(ANY_COOKIE);
    bytes
}

fn ask(mut request: Vec<u8>) -> io::Result<Socket> {
    let length = u32::try_from(request.len()).map_err(io::Error::other)?;
    request[..4].copy_from_slice(&length.to_ne_bytes());
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&NetlinkAddress::new(0, 0))?;
    socket.send(&request, 0)?;
    Ok(socket)
}

fn receive<'a>(socket: &Socket, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let length = loop {
        match socket.recv(&mut &mut *buffer, libc::MSG_TRUNC) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            received => break received?,
        }
    };
    // With MSG_TRUNC this is the whole length, whatever fitted.
    buffer.get(..length).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "a datagram longer than the kernel's limit",
        )
    })
}

fn length_of(bytes: usize) -> io::Result<u16> {
    u16::try_from(bytes).map_err(io::Error::other)
}

enum Message<'a> {
    Socket(&'a [u8]),
    Done,
}

/// The messages of a datagram.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = io::Result<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((kind, payload, rest)) = split(self.0) else {
            self.0 = &[];
            return Some(Err(io::ErrorKind::InvalidData.into()));
        };
        self.0 = rest;
        let number = payload
            .first_chunk::<4>()
            .map_or(0, |bytes| i32::from_ne_bytes(*bytes));
        Some(match kind {
            // What ends a dump carries an errno, too, when the dump failed (`netlink_dump_done`).
            NLMSG_ERROR | NLMSG_DONE if number < 0 => Err(io::Error::from_raw_os_error(-number)),
            NLMSG_ERROR | NLMSG_DONE => Ok(Message::Done),
            _ => Ok(Message::Socket(payload)),
        })
    }
}

/// The type of the first message, its payload, and what follows it, aligned to four bytes.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let payload = bytes.get(NLMSG_HEADER..length)?;
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, payload, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_make_the_reader_panic_or_turn_forever() {
        for fill in [0, 1, 0x10, 0x18, 0xff] {
            for length in 0..200 {
                let bytes = vec![fill; length];
                for message in Messages(&bytes).take(1000) {
                    if let Ok(Message::Socket(bytes)) = message {
                        Raw::parse(bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn a_question_is_as_long_as_the_kernel_wants_it() {
        let bytes = request(NLM_F_REQUEST, 2, 1 << 10, Detail::Full, None);
        assert_eq!(bytes.len(), 16 + 56);
        assert_eq!(bytes[18], 0x42);
    }
}
