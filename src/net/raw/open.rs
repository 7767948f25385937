//! Opening the raw sockets: what each receives, and ports that nobody else gets.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use super::filter::{self, Ear};
use super::send::Sender;
use crate::net::error_queue;
use crate::net::sys::{packet_socket, socket_option};

/// So many probes of one endpoint can be in flight.
const PORTS: usize = 32;
/// A burst of answers has to wait somewhere. Without CAP_NET_ADMIN the kernel gives less.
const RECEIVE_BUFFER: usize = 4 << 20;

/// ICMP: echo reply, destination unreachable, time exceeded, parameter problem.
const ICMP_TYPES: [u8; 4] = [0, 3, 11, 12];
/// ICMPv6: destination unreachable, packet too big, time exceeded, parameter problem, echo reply.
const ICMPV6_TYPES: [u8; 5] = [1, 2, 3, 4, 129];

/// Everything that needs CAP_NET_RAW, and our ports.
pub(super) struct Opened {
    pub(super) v4: Line,
    /// Absent where the kernel has no IPv6.
    pub(super) v6: Option<Line>,
    /// Sees what arrives before our own firewall does.
    pub(super) interface: UdpSocket,
    pub(super) ports: Ports,
    /// Whether the kernel keeps from us what is not for us.
    pub(super) filtered: bool,
}

/// The sockets of one IP version.
pub(super) struct Line {
    pub(super) sender: Sender,
    pub(super) tcp: UdpSocket,
    pub(super) icmp: UdpSocket,
}

/// Ports that nothing else on this host gets: sockets are bound to them, but never listen, so that our own kernel
/// answers a SYN-ACK with a RST and no connection stays half open.
pub(super) struct Ports {
    pub(super) numbers: Vec<u16>,
    _bound: Vec<Socket>,
}

pub(super) fn open() -> io::Result<Opened> {
    let ports = Ports::reserve(PORTS)?;
    let mut filtered = true;
    let mut line = |is_ipv4| -> io::Result<Line> {
        Ok(Line {
            sender: Sender::new(stamping_sender(is_ipv4)?),
            tcp: UdpSocket::from_std(tcp(is_ipv4, &ports.numbers, &mut filtered)?.into())?,
            icmp: UdpSocket::from_std(icmp(is_ipv4, &ports.numbers, &mut filtered)?.into())?,
        })
    };
    let v4 = line(true)?;
    let v6 = match line(false) {
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
        line => Some(line?),
    };
    let interface = interface(&ports.numbers, &mut filtered)?;
    Ok(Opened {
        v4,
        v6,
        interface,
        ports,
        filtered,
    })
}

impl Ports {
    pub(super) fn reserve(count: usize) -> io::Result<Self> {
        let bound = (0..count)
            .map(|_| bind_anywhere())
            .collect::<io::Result<Vec<Socket>>>()?;
        let numbers = bound
            .iter()
            .filter_map(|socket| Some(socket.local_addr().ok()?.as_socket()?.port()))
            .collect();
        Ok(Self {
            numbers,
            _bound: bound,
        })
    }
}

/// Binds a port of both IP versions, as far as there are both.
fn bind_anywhere() -> io::Result<Socket> {
    match Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)) {
        Ok(socket) => {
            socket.set_only_v6(false)?;
            socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
            Ok(socket)
        }
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into())?;
            Ok(socket)
        }
        Err(error) => Err(error),
    }
}

/// Takes whole packets. With the protocol that nobody receives, the ICMP errors for everybody else's TCP do not become
/// errors of this socket.
pub(super) fn sender(is_ipv4: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        domain(is_ipv4),
        Type::RAW.nonblocking(),
        Some(Protocol::from(libc::IPPROTO_RAW)),
    )?;
    // Without it a packet that the queue of the interface drops counts as sent.
    error_queue::enable(&socket, is_ipv4)?;
    // Else the kernel itself would answer for the path what it was told once. Older ones have to do without.
    let _ = socket_option::ask_for_mtu(&socket, is_ipv4);
    if is_ipv4 {
        socket_option::leave_fragments(&socket)?;
    }
    Ok(socket)
}

fn stamping_sender(is_ipv4: bool) -> io::Result<UdpSocket> {
    let socket = sender(is_ipv4)?;
    stamp_departures(&socket)?;
    UdpSocket::from_std(socket.into())
}

/// Has the kernel queue the time at which each packet leaves. Its number for a packet is that of the packets that were
/// sent since this was called.
pub(super) fn stamp_departures(socket: &impl AsFd) -> io::Result<()> {
    let unnumbered = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
    // Only a socket that does not count yet begins at 0.
    setsockopt(socket, sockopt::Timestamping, &unnumbered)?;
    let numbered = unnumbered | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID;
    setsockopt(socket, sockopt::Timestamping, &numbered)?;
    Ok(())
}

pub(super) fn tcp(is_ipv4: bool, ports: &[u16], filtered: &mut bool) -> io::Result<Socket> {
    let socket = Socket::new(domain(is_ipv4), Type::RAW.nonblocking(), Some(Protocol::TCP))?;
    let ear = if is_ipv4 { Ear::TcpV4 } else { Ear::TcpV6 };
    *filtered &= listen(&socket, ports, ear);
    receiver(socket, Some(is_ipv4))
}

pub(super) fn icmp(is_ipv4: bool, ports: &[u16], filtered: &mut bool) -> io::Result<Socket> {
    let protocol = if is_ipv4 {
        Protocol::ICMPV4
    } else {
        Protocol::ICMPV6
    };
    let socket = Socket::new(domain(is_ipv4), Type::RAW.nonblocking(), Some(protocol))?;
    let ear = if is_ipv4 {
        socket_option::receive_icmp_types(&socket, &ICMP_TYPES)?;
        Ear::IcmpV4
    } else {
        socket_option::receive_icmpv6_types(&socket, &ICMPV6_TYPES)?;
        Ear::IcmpV6
    };
    *filtered &= listen(&socket, ports, ear);
    receiver(socket, Some(is_ipv4))
}

fn interface(ports: &[u16], filtered: &mut bool) -> io::Result<UdpSocket> {
    let socket = packet_socket::deaf_to_all()?;
    *filtered &= attach(&socket, &filter::about(ports, Ear::Interface));
    packet_socket::hear_all(&socket)?;
    UdpSocket::from_std(receiver(socket, None)?.into())
}

/// Lets a raw socket receive what is for us alone; whether the kernel permits that.
fn listen(socket: &Socket, ports: &[u16], ear: Ear) -> bool {
    if !attach(socket, &filter::nothing()) {
        return false;
    }
    // What came between its making and now.
    let mut junk = [MaybeUninit::<u8>::uninit(); 16];
    while socket.recv(&mut junk).is_ok() {}
    attach(socket, &filter::about(ports, ear))
}

fn attach(socket: &Socket, program: &[SockFilter]) -> bool {
    socket.attach_filter(program).is_ok()
}

/// Puts another filter in place of the one there is, or none if that cannot be done.
pub(super) fn exchange_filter(socket: &UdpSocket, ports: &[u16], ear: Ear) {
    let socket = SockRef::from(socket);
    if ports.len() > filter::MOST_PORTS || socket.attach_filter(&filter::about(ports, ear)).is_err() {
        // There is one, so it can be taken away.
        let _ = socket.detach_filter();
    }
}

/// Has the kernel say when and how each packet came; `is_ipv4` is absent for packets of both versions.
fn receiver(socket: Socket, is_ipv4: Option<bool>) -> io::Result<Socket> {
    let stamps = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE;
    setsockopt(&socket, sockopt::Timestamping, &stamps)?;
    if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
        // As much as any user may have.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    }
    if is_ipv4 == Some(false) {
        socket.set_recv_hoplimit_v6(true)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    }
    Ok(socket)
}

fn domain(is_ipv4: bool) -> Domain {
    if is_ipv4 { Domain::IPV4 } else { Domain::IPV6 }
}
