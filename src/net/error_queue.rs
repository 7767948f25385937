//! The socket error queue: the ICMP error itself, where errno alone would confuse it with another.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

use nix::libc::sock_extended_err;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};

use super::interfaces;
use crate::evidence::{IcmpError, IcmpSays};

/// `SO_EE_ORIGIN_LOCAL`.
const ORIGIN_LOCAL: u8 = 1;
/// `SO_EE_ORIGIN_ICMP` and `SO_EE_ORIGIN_ICMP6`.
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

/// Asks the kernel to queue ICMP errors for this socket.
pub(super) fn enable(socket: &impl AsFd, is_ipv4: bool) -> io::Result<()> {
    if is_ipv4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Takes the first ICMP error from the queue and empties it. Never blocks.
pub(super) fn take(socket: &impl AsRawFd) -> Option<IcmpError> {
    let mut first = None;
    // A probe's queue holds a handful of entries; the bound is for the loop's sake.
    for _ in 0..16 {
        let mut payload = [0u8; 512];
        let mut control = nix::cmsg_space!([u8; 64], [u8; 64]);
        let mut slices = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)
        else {
            break;
        };
        let Ok(messages) = message.cmsgs() else { continue };
        for message in messages {
            first = first.or_else(|| decode(&message));
        }
    }
    first
}

/// The largest packet that would have fitted, where our own kernel refused a larger one (`ip_local_error`).
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "nix's enum of every control message there is"
)]
pub(super) fn take_local_mtu(socket: &impl AsRawFd) -> Option<u32> {
    let mut payload = [0u8; 512];
    let mut control = nix::cmsg_space!([u8; 64], [u8; 64]);
    let mut slices = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags).ok()?;
    message.cmsgs().ok()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            let is_local = error.ee_origin == ORIGIN_LOCAL && error.ee_info > 0;
            is_local.then_some(error.ee_info)
        }
        _ => None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "nix's enum of every control message there is"
)]
fn decode(message: &ControlMessageOwned) -> Option<IcmpError> {
    match message {
        ControlMessageOwned::Ipv4RecvErr(error, from) => {
            let from = from.map(|from| Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)).into());
            icmp_error(*error, from)
        }
        ControlMessageOwned::Ipv6RecvErr(error, from) => {
            let from = from.map(|from| Ipv6Addr::from(from.sin6_addr.s6_addr).into());
            icmp_error(*error, from)
        }
        _ => None,
    }
}

fn icmp_error(error: sock_extended_err, from: Option<IpAddr>) -> Option<IcmpError> {
    match error.ee_origin {
        ORIGIN_ICMP => Some(in_words(
            true,
            (error.ee_type, error.ee_code),
            error.ee_info,
            from,
        )),
        ORIGIN_ICMP6 => Some(in_words(
            false,
            (error.ee_type, error.ee_code),
            error.ee_info,
            from,
        )),
        _ => None,
    }
}

/// What an ICMP (IPv4) or ICMPv6 error of that type and code says; `info` is the MTU of a "too big".
pub(super) fn in_words(
    is_ipv4: bool,
    (icmp_type, code): (u8, u8),
    info: u32,
    from: Option<IpAddr>,
) -> IcmpError {
    let says = if is_ipv4 {
        says_v4(icmp_type, code)
    } else {
        says_v6(icmp_type, code)
    };
    let error = IcmpError {
        says,
        icmp_type,
        code,
        from,
        from_self: from.is_some_and(interfaces::is_own_address),
        mtu: None,
    };
    // Routers that are older than path MTU discovery leave it 0.
    let mtu = Some(info).filter(|mtu| *mtu > 0 && error.says_too_big(is_ipv4));
    IcmpError { mtu, ..error }
}

/// RFC 792 and RFC 1812, 5.2.7.1.
fn says_v4(icmp_type: u8, code: u8) -> IcmpSays {
    match (icmp_type, code) {
        (3, 3) => IcmpSays::PortUnreachable,
        (3, 13) => IcmpSays::AdminProhibited,
        (3, 10) => IcmpSays::HostProhibited,
        (3, 9) => IcmpSays::NetProhibited,
        (3, 1 | 7 | 12) => IcmpSays::HostUnreachable,
        (3, 0 | 6 | 11) => IcmpSays::NetUnreachable,
        (11, 0) => IcmpSays::TtlExceeded,
        (11, 1) => IcmpSays::ReassemblyTimeExceeded,
        _ => IcmpSays::Other,
    }
}

/// RFC 4443, 3.1: codes 5 and 6 are more informative subsets of code 1.
fn says_v6(icmp_type: u8, code: u8) -> IcmpSays {
    match (icmp_type, code) {
        (1, 4) => IcmpSays::PortUnreachable,
        (1, 1 | 5 | 6) => IcmpSays::AdminProhibited,
        (1, 3) => IcmpSays::HostUnreachable,
        (1, 0) => IcmpSays::NetUnreachable,
        (3, 0) => IcmpSays::TtlExceeded,
        (3, 1) => IcmpSays::ReassemblyTimeExceeded,
        _ => IcmpSays::Other,
    }
}
