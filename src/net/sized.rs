//! Packets of a certain size that nobody may fragment, as any user may send them: none of their bytes reaches a program.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::dial::Source;
use super::finish::Finish;
use super::ping::ping_socket;
use super::sys::socket_option::ask_for_mtu;
use super::{errno, error_queue};
use crate::evidence::{
    IcmpError, IcmpSays, LinkMtu, Look, ReplySays, SeenAt, Shot, ShotOutcome, SizeMeans, SizeOutcome, TooBig,
};

/// Headers of IP and of UDP or ICMP.
const fn headers(is_ipv4: bool) -> u32 {
    if is_ipv4 { 20 + 8 } else { 40 + 8 }
}

/// The longest packet that there is.
const LONGEST: u32 = 65_535;

/// The largest packet that the link takes by which we leave. Nothing is sent: the kernel refuses what is longer, and says
/// what would not be.
pub fn link_mtu(to: SocketAddr, source: &Source) -> Look<LinkMtu> {
    let could_not = |error: &io::Error| Look::CouldNot {
        why: errno::name(error),
    };
    // A packet to ourselves could be as long as there are any.
    if to.ip().is_loopback() || super::interfaces::is_own_address(to.ip()) {
        return Look::Saw(LinkMtu { mtu: LONGEST });
    }
    let socket = match datagram_socket(to, source) {
        Ok(socket) => socket,
        Err(error) => return could_not(&error),
    };
    match socket.send(&filling(LONGEST, to.is_ipv4())) {
        Ok(_) => Look::Saw(LinkMtu { mtu: LONGEST }),
        Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
            match error_queue::take_local_mtu(&socket) {
                Some(mtu) => Look::Saw(LinkMtu { mtu }),
                None => could_not(&error),
            }
        }
        Err(error) => could_not(&error),
    }
}

/// Sends a packet of a kind that needs no privileges, and waits for its answer.
///
/// A datagram goes to the port of `to`, which has to be closed.
pub async fn send(
    means: SizeMeans,
    to: SocketAddr,
    size: u32,
    source: &Source,
    patience: Duration,
    mut finish: Finish,
) -> SizeOutcome {
    let socket = match means {
        SizeMeans::Ping => echo_socket(to, source),
        SizeMeans::Datagram | SizeMeans::Segment => datagram_socket(to, source),
    };
    let socket = match socket.and_then(|socket| UdpSocket::from_std(socket.into())) {
        Ok(socket) => socket,
        Err(error) => return not_sent(&error),
    };
    let mut bytes = filling(size, to.is_ipv4());
    if means == SizeMeans::Ping {
        let header: [u8; 8] = if to.is_ipv4() {
            [8, 0, 0, 0, 0, 0, 0, 1]
        } else {
            [128, 0, 0, 0, 0, 0, 0, 1]
        };
        bytes.splice(0..0, header);
    }
    if let Err(error) = socket.send(&bytes).await {
        return not_sent(&error);
    }
    tokio::select! {
        outcome = answer(&socket, to) => outcome,
        () = sleep(patience) => SizeOutcome::Silence,
        () = finish.requested() => SizeOutcome::Silence,
    }
}

/// What a raw ACK of a certain size came to.
pub fn of_shot(shot: &Shot) -> SizeOutcome {
    let replies = match &shot.outcome {
        ShotOutcome::Sent { replies } => replies,
        ShotOutcome::NotSent(error) => {
            return SizeOutcome::NotSent {
                errno: error.errno.clone(),
            };
        }
    };
    let host = shot.to.ip();
    let outcomes = replies.iter().map(|reply| match &reply.says {
        // The host has it, wherever its answer ends.
        ReplySays::Rst { .. } | ReplySays::Ack { .. } | ReplySays::SynAck(_) => SizeOutcome::Through,
        ReplySays::Icmp(error) => by_icmp(error, host, reply.seen),
    });
    let mut rejected = None;
    for outcome in outcomes {
        if matches!(outcome, SizeOutcome::Through | SizeOutcome::TooBig(_)) {
            return outcome;
        }
        rejected = rejected.or(Some(outcome));
    }
    rejected.unwrap_or(SizeOutcome::Silence)
}

async fn answer(socket: &UdpSocket, to: SocketAddr) -> SizeOutcome {
    let look = || {
        if let Some(error) = error_queue::take(socket) {
            let is_through = error.says == IcmpSays::PortUnreachable;
            return Ok(if is_through {
                SizeOutcome::Through
            } else {
                by_icmp(&error, to.ip(), SeenAt::Socket)
            });
        }
        let mut reply = [0u8; 64];
        socket.try_recv(&mut reply).map(|_| SizeOutcome::Through)
    };
    let interest = Interest::READABLE.add(Interest::ERROR);
    match socket.async_io(interest, look).await {
        Ok(outcome) => outcome,
        Err(_) => SizeOutcome::Silence,
    }
}

fn by_icmp(error: &IcmpError, host: IpAddr, seen: SeenAt) -> SizeOutcome {
    if error.says_too_big(host.is_ipv4()) {
        return SizeOutcome::TooBig(TooBig {
            mtu: error.mtu,
            from: error.from,
            stopped_by_us: seen == SeenAt::InterfaceOnly,
        });
    }
    // Whatever the host itself says to it, it has it.
    if error.from == Some(host) {
        return SizeOutcome::Through;
    }
    SizeOutcome::Rejected { from: error.from }
}

fn not_sent(error: &io::Error) -> SizeOutcome {
    SizeOutcome::NotSent {
        errno: errno::name(error),
    }
}

/// What makes a packet that long.
fn filling(size: u32, is_ipv4: bool) -> Vec<u8> {
    let length = size.saturating_sub(headers(is_ipv4));
    vec![0; usize::try_from(length).unwrap_or_default()]
}

fn datagram_socket(to: SocketAddr, source: &Source) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    ready(socket, to, source)
}

fn echo_socket(to: SocketAddr, source: &Source) -> io::Result<Socket> {
    let mut host = to;
    host.set_port(0);
    ready(ping_socket(to.is_ipv4())?, host, source)
}

fn ready(socket: Socket, to: SocketAddr, source: &Source) -> io::Result<Socket> {
    socket.set_nonblocking(true)?;
    error_queue::enable(&socket, to.is_ipv4())?;
    ask_for_mtu(&socket, to.is_ipv4())?;
    if let Some(interface) = &source.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(address) = source.address {
        socket.bind(&SocketAddr::new(address, 0).into())?;
    }
    socket.connect(&to.into())?;
    Ok(socket)
}
