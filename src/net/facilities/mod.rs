//! What this process may do on this host: asks, and tries. Sockets are opened and closed again; nothing is sent to
//! anyone but our own kernel.

mod process;
mod trials;

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;

use nix::ifaddrs::getifaddrs;

use super::{counters, dns, kernel, settings};
use crate::evidence::Look;
use crate::evidence::facilities::{Facilities, Reach, ResolvConf, Surroundings};

/// Looks around. The calling thread gives up CAP_NET_RAW by that.
pub fn look() -> Facilities {
    Facilities {
        process: process::look(),
        tried: trials::run(),
        kernel: kernel::kernel(),
        settings: settings::all(),
        ipv4: reach(Ipv4Addr::UNSPECIFIED.into()),
        ipv6: reach(Ipv6Addr::UNSPECIFIED.into()),
        resolv_conf: resolv_conf(),
        counters: matches!(counters::read(true), Look::Saw(_)),
        surroundings: surroundings(),
    }
}

/// Ports and prefixes that stand for the world (RFC 5737, RFC 3849). To connect a UDP socket is to look up a route, and
/// sends nothing.
const WORLD_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const WORLD_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const DISCARD: u16 = 9;

fn reach(any: IpAddr) -> Reach {
    let Ok(socket) = UdpSocket::bind((any, 0)) else {
        return Reach::None;
    };
    let world = if any.is_ipv4() { WORLD_V4 } else { WORLD_V6 };
    let source = socket
        .connect((world, DISCARD))
        .and_then(|()| socket.local_addr());
    match source {
        Ok(source) if goes_far(source.ip()) => Reach::World,
        // Where the interfaces cannot be listed (a seccomp filter may forbid that), nothing says that there is no address.
        Ok(_) | Err(_) if has_address(any.is_ipv4()) == Some(false) => Reach::Loopback,
        Ok(_) | Err(_) => Reach::Link,
    }
}

fn has_address(is_ipv4: bool) -> Option<bool> {
    let mut addresses = getifaddrs().ok()?.filter_map(|interface| interface.address);
    Some(addresses.any(|address| {
        if is_ipv4 {
            let v4 = address.as_sockaddr_in();
            v4.is_some_and(|v4| goes_far(v4.ip().into()))
        } else {
            let v6 = address.as_sockaddr_in6();
            v6.is_some_and(|v6| goes_far(v6.ip().into()))
        }
    }))
}

/// Whether others than this host and its links may know an address.
fn goes_far(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    }
}

fn resolv_conf() -> ResolvConf {
    match dns::Settings::read(Path::new("/etc/resolv.conf")) {
        Ok(settings) => ResolvConf::Read {
            servers: settings.servers.len(),
        },
        Err(error) => ResolvConf::Unreadable {
            why: error.to_string(),
        },
    }
}

fn surroundings() -> Surroundings {
    if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        Surroundings::Pod
    } else if ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|mark| Path::new(mark).exists())
    {
        Surroundings::Container
    } else {
        Surroundings::Host
    }
}
