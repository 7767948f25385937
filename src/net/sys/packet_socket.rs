//! Whole frames from and to one interface (`AF_PACKET`), and waiting for several sockets at once.
#![expect(unsafe_code, reason = "AF_PACKET addresses and ppoll have no safe wrapper")]

use std::io::{self, Read};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use super::socket_option;

/// Length of the header before each frame (`struct virtio_net_hdr`). It says which checksums are still to be filled in
/// and how a large segment is to be cut, so that a frame can be handed on as it came.
pub const VNET_HEADER: usize = 10;

/// Bytes of receive buffer. The kernel doubles the number, and charges about 800 for a small frame: 40,000 of them.
const BURST: usize = 16 << 20;

/// A non-blocking socket that sees every frame that arrives at one interface, and none that leaves it.
#[derive(Debug)]
pub struct PacketSocket(Socket);

impl PacketSocket {
    /// Opens one on an interface of the calling thread's network namespace. Needs `CAP_NET_RAW` there.
    pub fn open(interface: &str) -> io::Result<Self> {
        let index = nix::net::if_::if_nametoindex(interface)?;
        let socket = deaf(Type::RAW)?;
        hold_bursts(&socket)?;
        socket_option::keep_vnet_header(&socket)?;
        hear(&socket, index)?;
        Ok(Self(socket))
    }

    /// Takes the next frame, with its [`VNET_HEADER`]; `None` when there is none now.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.0).read(buffer) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many frames the kernel has thrown away since this was last asked, as the receive buffer was full.
    pub fn lost(&self) -> io::Result<u32> {
        let mut statistics = libc::tpacket_stats {
            tp_packets: 0,
            tp_drops: 0,
        };
        let mut length =
            libc::socklen_t::try_from(mem::size_of_val(&statistics)).map_err(io::Error::other)?;
        // SAFETY: the kernel writes at most `length` bytes to what outlives the call.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &raw mut length,
            )
        };
        if result == 0 {
            Ok(statistics.tp_drops)
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Sends a frame, with its [`VNET_HEADER`].
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.0.send(frame).map(drop)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A non-blocking socket for packets of every interface, from their IP header on, that receives none before
/// [`hear_all`]. Needs `CAP_NET_RAW`.
pub fn deaf_to_all() -> io::Result<Socket> {
    deaf(Type::DGRAM)
}

/// Has a packet socket receive what arrives at any interface: before any firewall has seen it.
pub fn hear_all(socket: &Socket) -> io::Result<()> {
    hear(socket, 0)
}

fn deaf(way: Type) -> io::Result<Socket> {
    // Protocol 0 receives nothing.
    let socket = Socket::new(Domain::PACKET, way.nonblocking(), Some(Protocol::from(0)))?;
    socket_option::ignore_outgoing(&socket)?;
    Ok(socket)
}

/// `interface` is an index; 0 is all of them.
fn hear(socket: &Socket, interface: u32) -> io::Result<()> {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is one of the address types that the storage is there for.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
    address.sll_protocol = u16::try_from(libc::ETH_P_ALL).map_err(io::Error::other)?.to_be();
    address.sll_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    let length = libc::socklen_t::try_from(mem::size_of::<libc::sockaddr_ll>()).map_err(io::Error::other)?;
    // SAFETY: the storage holds a sockaddr_ll of this length.
    socket.bind(&unsafe { SockAddr::new(storage, length) })
}

/// Lets a burst wait until we come to it. To exceed `net.core.rmem_max` takes root outside of any user namespace; others
/// get as much as that.
fn hold_bursts(socket: &Socket) -> io::Result<()> {
    match setsockopt(socket, sockopt::RcvBufForce, &BURST) {
        Err(nix::Error::EPERM) => socket.set_recv_buffer_size(BURST),
        outcome => Ok(outcome?),
    }
}

/// Waits until one of them can be read or is closed, or until the time is up, and says which can.
pub fn wait_readable<const N: usize>(
    descriptors: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = descriptors.map(|fd| libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos().cast_signed()),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let count = libc::nfds_t::try_from(N).map_err(io::Error::other)?;
    // SAFETY: `polled` has `count` entries, the descriptors are borrowed for the call, and the timeout is null or valid.
    let result = unsafe { libc::ppoll(polled.as_mut_ptr(), count, timeout, ptr::null()) };
    match result {
        0.. => Ok(polled.map(|one| one.revents != 0)),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok([false; N]),
            error => Err(error),
        },
    }
}
