//! The accept queue of a listening socket on this very host, by `sock_diag`: any user may look.

use std::io;
use std::net::{IpAddr, SocketAddr};

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
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
pub fn queue(endpoint: SocketAddr) -> Look<Queue> {
    let families: &[u8] = if endpoint.is_ipv4() {
        // A v6 socket takes v4 connections too, unless it is v6-only.
        &[AF_INET, AF_INET6]
    } else {
        &[AF_INET6]
    };
    let mut found = None;
    for family in families {
        match listening(*family) {
            Ok(sockets) => {
                found = found.or_else(|| {
                    sockets
                        .iter()
                        .find(|socket| takes(socket, endpoint))
                        .map(|s| parse(s))
                });
            }
            Err(error) => {
                return Look::CouldNot {
                    why: format!("sock_diag: {}", errno::name(&error)),
                };
            }
        }
    }
    found.map_or(Look::Nothing, Look::Saw)
}

#[expect(clippy::vec_box, reason = "boxed is how the library hands them out")]
fn listening(family: u8) -> io::Result<Vec<Box<InetResponse>>> {
    let question = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::SKMEMINFO,
        states: StateFlags::LISTEN,
        socket_id: if family == AF_INET {
            SocketId::new_v4()
        } else {
            SocketId::new_v6()
        },
    });
    let answers = ask(NETLINK_SOCK_DIAG, question, Extent::All)?;
    Ok(answers
        .into_iter()
        .filter_map(|answer| match answer {
            SockDiagMessage::InetResponse(response) => Some(response),
            SockDiagMessage::InetRequest(_)
            | SockDiagMessage::UnixRequest(_)
            | SockDiagMessage::UnixResponse(_) => None,
        })
        .collect())
}

fn takes(socket: &InetResponse, endpoint: SocketAddr) -> bool {
    let id = &socket.header.socket_id;
    let bound = match id.source_address {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    id.source_port == endpoint.port() && (bound.is_unspecified() || bound == endpoint.ip())
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
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let endpoint = listener.local_addr().unwrap();
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
