//! Receiving: one packet after another from each socket, with the time at which the kernel got it.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::book::Heard;
use super::filter::Ear;
use crate::evidence::SeenAt;
use crate::net::clock;
use crate::wire::Packet;

/// All headers, and of an ICMP error as much as it may quote: what follows answers no question.
const ENOUGH: usize = 1280;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_ICMPV6: u8 = 58;

/// The next packet; `None` if it is none that can be read.
pub(super) async fn receive(socket: &UdpSocket, ear: Ear) -> io::Result<Option<Heard>> {
    socket
        .async_io(Interest::READABLE, || receive_now(socket, ear))
        .await
}

/// What the kernel says of a packet beside its bytes.
#[derive(Default)]
struct Aside {
    stamp: Option<Duration>,
    hop_limit: Option<u8>,
    destination: Option<Ipv6Addr>,
}

/// The same for whoever has waited until there is something, or would rather be told that there is nothing.
pub(super) fn receive_now(socket: &impl AsRawFd, ear: Ear) -> io::Result<Option<Heard>> {
    let mut buffer = [0u8; ENOUGH];
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let mut control = nix::cmsg_space!([libc::timespec; 3], libc::in6_pktinfo, libc::c_int);
    let before = clock::unix_now();
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut slices,
        Some(&mut control),
        MsgFlags::MSG_DONTWAIT,
    )?;
    let at = clock::now();
    let mut aside = Aside::default();
    message.cmsgs()?.for_each(|message| aside.note(&message));
    let from = message
        .address
        .as_ref()
        .and_then(|address| address.as_sockaddr_in6())
        .map(nix::sys::socket::SockaddrIn6::ip);
    let length = message.bytes.min(ENOUGH);
    let bytes = &buffer[..length];
    let Some((packet, hop_limit)) = read(ear, bytes, from, &aside) else {
        return Ok(None);
    };
    Ok(Some(Heard {
        packet,
        hop_limit,
        seen: match ear {
            Ear::Interface => SeenAt::InterfaceOnly,
            Ear::TcpV4 | Ear::TcpV6 | Ear::IcmpV4 | Ear::IcmpV6 => SeenAt::Socket,
        },
        at,
        // A packet that came before stamps were switched on gets one when it is read: that is our own waiting.
        stamp: aside.stamp.filter(|stamp| *stamp < before),
    }))
}

impl Aside {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "nix's enum of every control message there is"
    )]
    fn note(&mut self, message: &ControlMessageOwned) {
        match message {
            ControlMessageOwned::ScmTimestampsns(stamps) => self.stamp = Some(Duration::from(stamps.system)),
            ControlMessageOwned::Ipv6HopLimit(limit) => self.hop_limit = u8::try_from(*limit).ok(),
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                self.destination = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr));
            }
            _ => {}
        }
    }
}

fn read(ear: Ear, bytes: &[u8], from: Option<Ipv6Addr>, aside: &Aside) -> Option<(Packet, Option<u8>)> {
    let protocol = match ear {
        Ear::TcpV4 | Ear::IcmpV4 | Ear::Interface => {
            let packet = Packet::parse(bytes).ok()?;
            let hop_limit = packet.hop_limit;
            return Some((packet, Some(hop_limit)));
        }
        Ear::TcpV6 => PROTOCOL_TCP,
        Ear::IcmpV6 => PROTOCOL_ICMPV6,
    };
    let packet = Packet::from_transport(
        IpAddr::V6(from?),
        IpAddr::V6(aside.destination?),
        aside.hop_limit.unwrap_or_default(),
        protocol,
        bytes,
    );
    Some((packet, aside.hop_limit))
}
