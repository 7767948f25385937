//! Ports of this host's own in the three states that need no network: open, closed and full.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::Family;
use crate::net::sys::listen_queue::AcceptQueue;

/// What becomes of connections to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The kernel takes them.
    Open,
    /// Nobody listens.
    Refused,
    /// The accept queue is full.
    Full,
}

/// A port on loopback, which keeps its state while this lives.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _socket: Socket,
    /// Connections that fill the queue.
    _own: Vec<TcpStream>,
}

impl Port {
    /// Takes a free port and puts it into that state.
    pub fn open(state: State, family: Family) -> io::Result<Self> {
        let any = SocketAddr::new(Self::address_of(family), 0);
        let socket = Socket::new(Domain::for_address(any), Type::STREAM, None)?;
        // A port that is bound and does not listen refuses, and nobody else can take it.
        socket.bind(&any.into())?;
        let address = socket
            .local_addr()?
            .as_socket()
            .ok_or_else(|| io::Error::other("a bound port without an address"))?;
        let mut own = Vec::new();
        match state {
            State::Refused => {}
            State::Open => socket.listen(16)?,
            State::Full => {
                socket.listen(0)?;
                // With a backlog of 0 it holds one connection.
                own.push(TcpStream::connect_timeout(&address, Duration::from_secs(1))?);
                if !AcceptQueue::of(&socket)?.is_full() {
                    return Err(io::Error::other("one connection does not fill a backlog of 0"));
                }
            }
        }
        Ok(Self {
            address,
            _socket: socket,
            _own: own,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The IP versions that this host's loopback has.
    pub fn families() -> Vec<Family> {
        let is_there = |family: &Family| Self::open(State::Refused, *family).is_ok();
        Family::BOTH.into_iter().filter(is_there).collect()
    }

    /// The loopback address of an IP version.
    pub fn address_of(family: Family) -> IpAddr {
        match family {
            Family::V4 => Ipv4Addr::LOCALHOST.into(),
            Family::V6 => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_in_the_state_that_was_asked_for() {
        let connect = |port: &Port| {
            TcpStream::connect_timeout(&port.address(), Duration::from_millis(300))
                .map(drop)
                .map_err(|error| error.kind())
        };
        let port = |state| Port::open(state, Family::V4).unwrap();
        assert_eq!(connect(&port(State::Open)), Ok(()));
        assert_eq!(
            connect(&port(State::Refused)),
            Err(io::ErrorKind::ConnectionRefused)
        );
        assert_eq!(connect(&port(State::Full)), Err(io::ErrorKind::TimedOut));
    }
}
