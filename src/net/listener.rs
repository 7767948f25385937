//! The accept queue of a listening socket on this very host, by `sock_diag`: any user may look.

use std::net::SocketAddr;

use super::{errno, sock_diag};
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
    let mut queue = None;
    let looked = sock_diag::listener(endpoint, |socket| {
        queue = Some(Queue {
            length: socket.receive_queue(),
            limit: socket.send_queue(),
            drops: socket.drops().unwrap_or_default(),
        });
    });
    match (looked, queue) {
        (Ok(_), Some(queue)) => Look::Saw(queue),
        (Ok(_), None) => Look::Nothing,
        (Err(error), _) => Look::CouldNot {
            why: format!("sock_diag: {}", errno::name(&error)),
        },
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
