//! The accept queue of a listening socket on this very host, by `sock_diag`: any user may look.

use std::net::SocketAddr;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, TCP_LISTEN};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use super::errno;
use super::netlink::{Extent, ask};
use crate::evidence::Look;

/// The accept queue of one listening socket at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait to be accepted.
    pub length: u32,
    /// The backlog.
    pub limit: u32,
    /// Packets dropped since the socket was made.
    pub drops: u32,
}

/// The queue of the socket that would take a connection to `endpoint`, an address of our own.
///
/// The kernel looks it up as it does for a SYN (`inet_diag_find_one_icsk`), so it need not list every listener.
pub fn queue(endpoint: SocketAddr) -> Look<Queue> {
    match ask(NETLINK_SOCK_DIAG, question(endpoint), Extent::One) {
        Ok(answers) => answers
            .iter()
            .find_map(|answer| match answer {
                SockDiagMessage::InetResponse(socket) if socket.header.state == TCP_LISTEN => {
                    Some(parse(socket))
                }
                SockDiagMessage::InetResponse(_)
                | SockDiagMessage::InetRequest(_)
                | SockDiagMessage::UnixRequest(_)
                | SockDiagMessage::UnixResponse(_) => None,
            })
            .map_or(Look::Nothing, Look::Saw),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Look::Nothing,
        Err(error) => Look::CouldNot {
            why: format!("sock_diag: {}", errno::name(&error)),
        },
    }
}

fn question(endpoint: SocketAddr) -> SockDiagMessage {
    const ANY_COOKIE: [u8; 8] = [0xff; 8];
    /// `lo` has this index in every namespace (`LOOPBACK_IFINDEX`), and what we send to ourselves comes from there.
    const LOOPBACK: u32 = 1;
    let (family, nobody, interface_id) = match endpoint {
        SocketAddr::V4(_) => (AF_INET, SocketId::new_v4(), LOOPBACK),
        SocketAddr::V6(v6) if v6.scope_id() != 0 => (AF_INET6, SocketId::new_v6(), v6.scope_id()),
        SocketAddr::V6(_) => (AF_INET6, SocketId::new_v6(), LOOPBACK),
    };
    SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::SKMEMINFO,
        states: StateFlags::LISTEN,
        socket_id: SocketId {
            source_address: endpoint.ip(),
            source_port: endpoint.port(),
            interface_id,
            cookie: ANY_COOKIE,
            ..nobody
        },
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enum of every attribute there is"
)]
fn parse(socket: &InetResponse) -> Queue {
    let drops = socket.nlas.iter().find_map(|attribute| match attribute {
        Nla::MemInfo(memory) => Some(memory.drops),
        _ => None,
    });
    Queue {
        length: socket.header.recv_queue,
        limit: socket.header.send_queue,
        drops: drops.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn our_own_listener_is_found_with_its_limit_and_a_free_port_is_not() {
        // A v6 socket takes v4 connections too.
        for (address, seen_at) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")] {
            let listener = TcpListener::bind((address, 0)).unwrap();
            let endpoint = SocketAddr::new(seen_at.parse().unwrap(), listener.local_addr().unwrap().port());
            let Look::Saw(queue) = queue(endpoint) else {
                panic!("no listener seen at {endpoint}")
            };
            assert_eq!((queue.length, queue.drops), (0, 0));
            assert!(queue.limit > 0);
            drop(listener);
            assert_eq!(super::queue(endpoint), Look::Nothing);
        }
    }
}
