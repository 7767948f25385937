//! Sending packets of our own making, and learning when each of them left.

use std::collections::HashMap;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmsg, sendmsg,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::answer::FourTuple;
use super::open::stamp_departures;
use crate::evidence::LocalError;
use crate::net::dial::Source;
use crate::net::{errno, interfaces, pause};

/// `SO_EE_ORIGIN_TIMESTAMPING`.
const ORIGIN_TIMESTAMPING: u8 = 4;
/// So many packets wait for their stamps; drivers that give none would have us remember them for ever.
const MOST_UNSTAMPED: u32 = 4096;
/// A queue that is full now may have room after one of these; the longest ends a probe that our own side cannot send.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(4),
    Duration::from_millis(8),
];

/// Where a packet begins its way, by the kernel's choice and the user's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) address: IpAddr,
    /// The TTL or hop limit that the kernel would give it.
    pub(super) hop_limit: u8,
    /// The index of the interface that it has to leave by; 0 leaves that to the route.
    interface: u32,
}

impl Origin {
    /// What a socket that is connected there has.
    pub(super) fn towards(to: SocketAddr, source: &Source) -> Result<Self, LocalError> {
        let failed = |call| move |error: io::Error| errno::local(call, &error);
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))
            .map_err(failed("socket"))?;
        let mut interface = match to {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(to) => to.scope_id(),
        };
        if let Some(name) = &source.interface {
            interface = interfaces::index_of(name).map_err(failed("if_nametoindex"))?;
            socket
                .bind_device(Some(name.as_bytes()))
                .map_err(failed("setsockopt"))?;
        }
        if let Some(address) = source.address {
            let address = match (address, to) {
                (IpAddr::V6(address), SocketAddr::V6(to)) => {
                    SocketAddrV6::new(address, 0, 0, to.scope_id()).into()
                }
                (address, _) => SocketAddr::new(address, 0),
            };
            socket.bind(&address.into()).map_err(failed("bind"))?;
        }
        socket.connect(&to.into()).map_err(failed("connect"))?;
        let local = socket.local_addr().map_err(failed("getsockname"))?;
        let hop_limit = if to.is_ipv4() {
            socket.ttl_v4()
        } else {
            socket.unicast_hops_v6()
        };
        Ok(Self {
            address: local.as_socket().map_or(to.ip(), |local| local.ip()),
            hop_limit: hop_limit
                .ok()
                .and_then(|limit| u8::try_from(limit).ok())
                .unwrap_or(64),
            interface,
        })
    }
}

/// Sends whole packets of one IP version.
pub(super) struct Sender {
    socket: UdpSocket,
    numbers: Mutex<Numbers>,
}

/// The kernel numbers the packets of a socket; what we know by these numbers.
#[derive(Default)]
struct Numbers {
    next: u32,
    segments: HashMap<u32, (FourTuple, usize)>,
}

impl Sender {
    pub(super) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            numbers: Mutex::default(),
        }
    }

    /// Sends a packet, again after a moment where the kernel has no room for it. `segment` is whose departure its stamp
    /// will be; `before` is called just before it is sent.
    pub(super) async fn send(
        &self,
        packet: &[u8],
        to: SocketAddr,
        origin: &Origin,
        mut before: impl FnMut() -> Option<(FourTuple, usize)>,
    ) -> Result<(), LocalError> {
        let mut pauses = PAUSES.iter();
        loop {
            let Err(error) = self.send_now(packet, to, origin, &mut before) else {
                return Ok(());
            };
            let is_full = matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN));
            match pauses.next().filter(|_| is_full) {
                Some(time) => pause::pause(*time).await,
                None => return Err(errno::not_sent("sendmsg", &error)),
            }
        }
    }

    fn send_now(
        &self,
        packet: &[u8],
        to: SocketAddr,
        origin: &Origin,
        before: &mut impl FnMut() -> Option<(FourTuple, usize)>,
    ) -> io::Result<()> {
        // Held while sending: the order of the numbers is the order in which packets are sent.
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let segment = before();
        match send(&self.socket, packet, to, origin) {
            Ok(()) => {
                numbers.sent(segment);
                Ok(())
            }
            Err(error) => {
                // Whether the kernel has counted it depends on how far it came: begin to count anew.
                *numbers = Numbers::default();
                let _ = stamp_departures(&self.socket);
                Err(error)
            }
        }
    }

    /// The next stamp, and whose departure it is.
    pub(super) async fn departure(&self) -> io::Result<Option<(FourTuple, usize, Duration)>> {
        let stamp = self
            .socket
            .async_io(Interest::ERROR, || read_stamp(&self.socket))
            .await?;
        let Some((number, at)) = stamp else {
            return Ok(None);
        };
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let segment = numbers.segments.remove(&number);
        Ok(segment.map(|(tuple, index)| (tuple, index, at)))
    }
}

impl Numbers {
    fn sent(&mut self, segment: Option<(FourTuple, usize)>) {
        if let Some(segment) = segment {
            self.segments.insert(self.next, segment);
        }
        self.segments.remove(&self.next.wrapping_sub(MOST_UNSTAMPED));
        self.next = self.next.wrapping_add(1);
    }
}

/// The port of the destination has to be 0: a raw socket takes it for a protocol.
fn send(socket: &UdpSocket, packet: &[u8], to: SocketAddr, origin: &Origin) -> io::Result<()> {
    let packet = [IoSlice::new(packet)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let fd = socket.as_raw_fd();
    match (to, origin.address) {
        (SocketAddr::V4(to), IpAddr::V4(source)) => {
            let way = libc::in_pktinfo {
                ipi_ifindex: i32::try_from(origin.interface).unwrap_or_default(),
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from(source).to_be(),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            let mut to = to;
            to.set_port(0);
            let control = [ControlMessage::Ipv4PacketInfo(&way)];
            sendmsg(fd, &packet, &control, flags, Some(&SockaddrIn::from(to)))?;
        }
        (SocketAddr::V6(to), IpAddr::V6(source)) => {
            let way = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: source.octets(),
                },
                ipi6_ifindex: origin.interface,
            };
            let mut to = to;
            to.set_port(0);
            let control = [ControlMessage::Ipv6PacketInfo(&way)];
            sendmsg(fd, &packet, &control, flags, Some(&SockaddrIn6::from(to)))?;
        }
        (SocketAddr::V4(_), IpAddr::V6(_)) | (SocketAddr::V6(_), IpAddr::V4(_)) => {
            return Err(io::ErrorKind::InvalidInput.into());
        }
    }
    Ok(())
}

/// The next entry of the error queue: a packet's number and when it left, if that is what it is.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "nix's enum of every control message there is"
)]
fn read_stamp(socket: &UdpSocket) -> io::Result<Option<(u32, Duration)>> {
    let mut nothing = [0u8; 1];
    let mut slices = [IoSliceMut::new(&mut nothing)];
    let mut control = nix::cmsg_space!([u8; 64], [u8; 64]);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    let (mut number, mut at) = (None, None);
    for message in message.cmsgs()? {
        match message {
            ControlMessageOwned::ScmTimestampsns(stamps) => at = Some(Duration::from(stamps.system)),
            ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _)
                if error.ee_origin == ORIGIN_TIMESTAMPING =>
            {
                number = Some(error.ee_data);
            }
            _ => {}
        }
    }
    Ok(number.zip(at))
}
