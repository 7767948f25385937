//! The socket of a connection: its filter, its limits, its local end.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::Call;
use crate::evidence::LocalError;
use crate::net::{errno, error_queue};

/// A socket that is ready to connect, and whether bare RSTs are kept away from it.
pub(super) fn open(call: &Call) -> Result<(Socket, bool), LocalError> {
    let failed = |call| move |error: io::Error| errno::local(call, &error);
    let socket = Socket::new(Domain::for_address(call.to), Type::STREAM, Some(Protocol::TCP))
        .map_err(failed("socket"))?;
    socket.set_nonblocking(true).map_err(failed("fcntl"))?;
    // Without the queue (kernels before 5.9 keep it empty in SYN_SENT) errno has to do: `sight` says so.
    let _ = error_queue::enable(&socket, call.to.is_ipv4());
    let filtered = socket.attach_filter(&bare_reset_filter()).is_ok();
    if let Some(ttl) = call.ttl {
        set_ttl(&socket, call.to, ttl).map_err(failed("setsockopt"))?;
    }
    bind(&socket, call)?;
    Ok((socket, filtered))
}

/// Whether a filter can be attached to a socket.
///
/// # Errors
/// Why not.
pub(in crate::net) fn can_filter(is_ipv4: bool) -> io::Result<()> {
    let domain = if is_ipv4 { Domain::IPV4 } else { Domain::IPV6 };
    Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?.attach_filter(&bare_reset_filter())
}

/// Drops RSTs without the ACK flag and lets everything else through. The kernel runs it on segments for this socket,
/// from the TCP header on, and counts what it dropped: so a plain user can tell `[R]` from `[R.]`.
fn bare_reset_filter() -> [SockFilter; 5] {
    const RST_AND_ACK: u32 = 0x14;
    const RST: u32 = 0x04;
    [
        SockFilter::new(0x30, 0, 0, 13),          // ldb [13]: the flags
        SockFilter::new(0x54, 0, 0, RST_AND_ACK), // and
        SockFilter::new(0x15, 0, 1, RST),         // jeq: bare RST, else skip one
        SockFilter::new(0x06, 0, 0, 0),           // ret 0: drop
        SockFilter::new(0x06, 0, 0, u32::MAX),    // ret all: pass
    ]
}

fn set_ttl(socket: &Socket, to: SocketAddr, ttl: u8) -> io::Result<()> {
    if to.is_ipv4() {
        socket.set_ttl_v4(ttl.into())
    } else {
        socket.set_unicast_hops_v6(ttl.into())
    }
}

fn bind(socket: &Socket, call: &Call) -> Result<(), LocalError> {
    let source = &call.source;
    if let Some(interface) = &source.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(|error| errno::local("setsockopt", &error))?;
    }
    if source.address.is_none() && source.port.is_none() {
        return Ok(());
    }
    let any = if call.to.is_ipv4() {
        IpAddr::from([0u8; 4])
    } else {
        IpAddr::from([0u8; 16])
    };
    let mut address = SocketAddr::new(source.address.unwrap_or(any), source.port.unwrap_or(0));
    if let (SocketAddr::V6(address), SocketAddr::V6(to)) = (&mut address, call.to) {
        address.set_scope_id(to.scope_id());
    }
    if source.port.is_none() {
        // Leaves the choice of the port to connect(), which knows the destination. Before Linux 4.2: bind() chooses.
        let _ = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
    } else {
        // The port was ours a moment ago, for the previous hop of the same sweep.
        let _ = socket.set_reuse_address(true);
    }
    socket
        .bind(&address.into())
        .map_err(|error| errno::local("bind", &error))
}
