//! An echo request through a ping socket, where `net.ipv4.ping_group_range` allows it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::dial::Source;
use super::finish::Finish;
use super::{errno, error_queue};
use crate::evidence::{Ability, Ping};

/// Sends one echo request and waits for the answer.
pub async fn ping(to: SocketAddr, source: &Source, patience: Duration, mut finish: Finish) -> Ping {
    let socket = match open(to, source) {
        Ok(socket) => socket,
        Err(error) => return could_not(&error),
    };
    let request: [u8; 16] = *if to.is_ipv4() {
        b"\x08\0\0\0\0\0\0\x01tcpprobe"
    } else {
        b"\x80\0\0\0\0\0\0\x01tcpprobe"
    };
    if let Err(error) = socket.send(&request).await {
        return could_not(&error);
    }
    tokio::select! {
        answer = answer(&socket) => answer,
        () = sleep(patience) => Ping::Silence,
        () = finish.requested() => Ping::Silence,
    }
}

/// Whether this process may send echo requests of that family.
pub fn ability(is_ipv4: bool) -> Ability {
    match ping_socket(is_ipv4) {
        Ok(_) => Ability::Yes,
        Err(error) => Ability::No {
            why: if error.kind() == io::ErrorKind::PermissionDenied {
                "our group is not in net.ipv4.ping_group_range".to_owned()
            } else {
                format!("socket() failed with {}", errno::name(&error))
            },
        },
    }
}

fn could_not(error: &io::Error) -> Ping {
    Ping::CouldNot {
        why: errno::name(error),
    }
}

pub(super) fn ping_socket(is_ipv4: bool) -> io::Result<Socket> {
    let (domain, protocol) = if is_ipv4 {
        (Domain::IPV4, Protocol::ICMPV4)
    } else {
        (Domain::IPV6, Protocol::ICMPV6)
    };
    Socket::new(domain, Type::DGRAM, Some(protocol))
}

fn open(to: SocketAddr, source: &Source) -> io::Result<UdpSocket> {
    let socket = ping_socket(to.is_ipv4())?;
    socket.set_nonblocking(true)?;
    let _ = error_queue::enable(&socket, to.is_ipv4());
    if let Some(interface) = &source.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(address) = source.address {
        socket.bind(&SocketAddr::new(address, 0).into())?;
    }
    let mut host = to;
    host.set_port(0);
    socket.connect(&host.into())?;
    UdpSocket::from_std(socket.into())
}

async fn answer(socket: &UdpSocket) -> Ping {
    let look = || {
        if let Some(error) = error_queue::take(socket) {
            return Ok(Ping::Icmp(error));
        }
        let mut reply = [0u8; 256];
        // The kernel hands a ping socket only the replies to its own requests.
        socket.try_recv(&mut reply).map(|_| Ping::Reply)
    };
    let interest = Interest::READABLE.add(Interest::ERROR);
    match socket.async_io(interest, look).await {
        Ok(answer) => answer,
        Err(_) => Ping::Silence,
    }
}
