//! Which of our addresses a packet leaves from: the kernel's choice, asked for each destination, since routes differ.
#![expect(unsafe_code, reason = "an address of no family has no safe constructor")]

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use super::address_of;
use crate::net::dial::Source;

/// What Linux begins with.
const USUAL_HOP_LIMIT: u8 = 64;

/// One socket for each IP version, connected to one destination after the other. That sends nothing.
pub(super) struct Compass {
    source: Source,
    needles: [Option<Needle>; 2],
}

struct Needle {
    socket: Socket,
    hop_limit: Option<u8>,
}

/// Where a packet begins its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bearing {
    pub(super) address: IpAddr,
    /// The TTL or hop limit that the kernel would give it.
    pub(super) hop_limit: u8,
}

impl Compass {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            source: source.clone(),
            needles: [None, None],
        }
    }

    /// Where a packet to that endpoint begins its way.
    ///
    /// # Errors
    /// When the kernel has no way there, or none from the user's address or interface.
    pub(super) fn towards(&mut self, to: SocketAddr) -> io::Result<Bearing> {
        let source = &self.source;
        let needle = match &mut self.needles[usize::from(to.is_ipv4())] {
            Some(needle) => needle,
            none => none.insert(Needle::new(to, source)?),
        };
        let address = match source.address {
            Some(address) if address.is_ipv4() != to.is_ipv4() => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            Some(address) => address,
            None => needle.points_from(to)?,
        };
        Ok(Bearing {
            address,
            hop_limit: needle.hop_limit(to),
        })
    }
}

impl Needle {
    fn new(to: SocketAddr, source: &Source) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
        if let Some(name) = &source.interface {
            socket.bind_device(Some(name.as_bytes()))?;
        }
        if let Some(address) = address_of(source, to.is_ipv4()) {
            socket.bind(&SocketAddr::new(address, 0).into())?;
        }
        Ok(Self {
            socket,
            hop_limit: None,
        })
    }

    fn points_from(&self, to: SocketAddr) -> io::Result<IpAddr> {
        self.socket.connect(&to.into())?;
        let local = self.socket.local_addr();
        // The address of the first destination would stay that of all others.
        self.socket.connect(&nowhere())?;
        let local = local?.as_socket();
        local
            .map(|local| local.ip())
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn hop_limit(&mut self, to: SocketAddr) -> u8 {
        *self.hop_limit.get_or_insert_with(|| {
            let limit = if to.is_ipv4() {
                self.socket.ttl_v4()
            } else {
                self.socket.unicast_hops_v6()
            };
            let limit = limit.ok().and_then(|limit| u8::try_from(limit).ok());
            limit.unwrap_or(USUAL_HOP_LIMIT)
        })
    }
}

/// An address of no family (`AF_UNSPEC`), to which a socket is connected to be disconnected.
fn nowhere() -> SockAddr {
    // SAFETY: all zeros are an address of family 0, and the storage is longer than that.
    unsafe { SockAddr::new(SockAddrStorage::zeroed(), 16) }
}
