//! Socket options that no crate wraps.
#![expect(unsafe_code, reason = "setsockopt of options without a safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `ICMP_FILTER` (`linux/icmp.h`), which libc does not name.
const ICMP_FILTER: libc::c_int = 1;
/// `ICMPV6_FILTER` (`linux/icmpv6.h`).
const ICMPV6_FILTER: libc::c_int = 1;

/// Lets a raw ICMP socket receive messages of these types alone (of 0 to 31).
pub fn receive_icmp_types(socket: &impl AsFd, types: &[u8]) -> io::Result<()> {
    // A bit that is set keeps the type away.
    let away = types
        .iter()
        .fold(u32::MAX, |away, icmp_type| away & !(1 << (icmp_type & 31)));
    set(socket, libc::SOL_RAW, ICMP_FILTER, &away.to_ne_bytes())
}

/// Lets a raw ICMPv6 socket receive messages of these types alone.
pub fn receive_icmpv6_types(socket: &impl AsFd, types: &[u8]) -> io::Result<()> {
    let mut away = [u32::MAX; 8];
    for icmp_type in types {
        away[usize::from(icmp_type / 32)] &= !(1 << (icmp_type % 32));
    }
    let bytes: Vec<u8> = away.iter().flat_map(|word| word.to_ne_bytes()).collect();
    set(socket, libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &bytes)
}

/// Has fragments that a raw IPv4 socket sends leave as they are, where connection tracking would collect them.
pub fn leave_fragments(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::IPPROTO_IP, libc::IP_NODEFRAG, &1i32.to_ne_bytes())
}

/// Has a socket send packets that nobody may fragment, as large as its own link takes, whatever the kernel knows of the path.
pub fn ask_for_mtu(socket: &impl AsFd, is_ipv4: bool) -> io::Result<()> {
    let (level, option, probe) = if is_ipv4 {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
    } else {
        (
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER,
            libc::IPV6_PMTUDISC_PROBE,
        )
    };
    set(socket, level, option, &probe.to_ne_bytes())
}

/// Keeps what leaves this host away from a packet socket.
pub(super) fn ignore_outgoing(socket: &impl AsFd) -> io::Result<()> {
    set(
        socket,
        libc::SOL_PACKET,
        libc::PACKET_IGNORE_OUTGOING,
        &1i32.to_ne_bytes(),
    )
}

/// Has a packet socket put `struct virtio_net_hdr` before each frame.
pub(super) fn keep_vnet_header(socket: &impl AsFd) -> io::Result<()> {
    set(
        socket,
        libc::SOL_PACKET,
        libc::PACKET_VNET_HDR,
        &1i32.to_ne_bytes(),
    )
}

fn set(socket: &impl AsFd, level: libc::c_int, option: libc::c_int, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the pointer is to `length` bytes that outlive the call, and the descriptor is borrowed for it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            value.as_ptr().cast(),
            length,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
