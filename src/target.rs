//! What the user named: host and port, nothing resolved.

/// A target as the user named it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port (1 to 65535).
    pub port: u16,
}

/// The host part of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address, with the scope of a link-local IPv6 address.
    Address {
        /// The address.
        address: std::net::IpAddr,
        /// The interface of a link-local address (`fe80::1%eth0`).
        scope: Option<String>,
    },
    /// A name, as the user wrote it (a trailing dot is kept).
    Name(String),
}
