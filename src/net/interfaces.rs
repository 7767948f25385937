//! Our own addresses and interfaces.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

/// Whether an address is one of this host's own.
pub fn is_own_address(address: IpAddr) -> bool {
    if address.is_loopback() {
        return true;
    }
    let Ok(interfaces) = getifaddrs() else {
        return false;
    };
    interfaces
        .filter_map(|interface| interface.address)
        .any(|own| match address {
            IpAddr::V4(address) => own.as_sockaddr_in().is_some_and(|own| own.ip() == address),
            IpAddr::V6(address) => own.as_sockaddr_in6().is_some_and(|own| own.ip() == address),
        })
}

/// The index of an interface, for the scope of a link-local address.
///
/// # Errors
/// When there is no such interface.
pub fn index_of(name: &str) -> std::io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(name)?)
}
