//! Which servers to ask and how, as resolv.conf(5) says it.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use resolv_conf::{Config, ScopedIp};
use thiserror::Error;

/// The servers to ask and how to ask them. The default has no server and otherwise what resolv.conf(5) gives to an
/// empty file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The servers in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// The domains that a short name is tried in, in this order.
    pub search: Vec<String>,
    /// A name with at least this many dots is tried as it is before the search list.
    pub ndots: usize,
    /// How long one server may take for one answer. It is less where the deadline is near.
    pub timeout: Duration,
    /// How often a silent server is asked.
    pub attempts: u32,
    /// Whether questions carry an EDNS0 record (RFC 6891), which allows longer answers.
    pub edns0: bool,
    /// Whether questions go over TCP from the start (`use-vc`).
    pub tcp: bool,
    /// Whether IPv6 addresses are not asked for when both families are wanted.
    pub no_aaaa: bool,
}

/// Why there are no servers to ask.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Nothing names a server.
    #[error("no name server is configured")]
    NoServer,
}

const PORT: u16 = 53;
/// What the C library takes at most (glibc `resolv/resolv.h`: MAXNS, `RES_MAXNDOTS`, `RES_MAXRETRANS`, `RES_MAXRETRY`).
const MOST_SERVERS: usize = 3;
const MOST_NDOTS: u32 = 15;
const MOST_TIMEOUT_S: u32 = 30;
const MOST_ATTEMPTS: u32 = 5;

impl Settings {
    /// Reads a file in the format of resolv.conf(5). `rotate` and the `LOCALDOMAIN` and `RES_OPTIONS` variables are
    /// not followed: the same run should ask the same servers in the same order.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read(path).map_err(|error| SettingsError::Unreadable {
            path: path.to_owned(),
            why: match error.raw_os_error() {
                Some(errno) => Errno::from_raw(errno).desc().to_owned(),
                None => error.to_string(),
            },
        })?;
        Ok(Self::from_resolv_conf(&text))
    }

    /// What a file in the format of resolv.conf(5) says; lines that are not understood are passed over.
    pub fn from_resolv_conf(text: &[u8]) -> Self {
        let (config, _not_understood) = Config::parse_with_errors(text);
        let mut search: Vec<String> = config.get_last_search_or_domain().cloned().collect();
        if config.get_search().is_none() && config.get_domain().is_none() {
            // Neither line: the domain of the host's own name.
            search.extend(config.get_system_domain());
        }
        Self {
            servers: config
                .nameservers
                .iter()
                .take(MOST_SERVERS)
                .map(address_of)
                .collect(),
            search,
            ndots: config.ndots.min(MOST_NDOTS) as usize,
            timeout: Duration::from_secs(config.timeout.clamp(1, MOST_TIMEOUT_S).into()),
            attempts: config.attempts.clamp(1, MOST_ATTEMPTS),
            edns0: config.edns0,
            tcp: config.use_vc,
            no_aaaa: config.no_aaaa,
        }
    }

    pub(super) fn with_a_server(self) -> Result<Self, SettingsError> {
        if self.servers.is_empty() {
            Err(SettingsError::NoServer)
        } else {
            Ok(self)
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            edns0: false,
            tcp: false,
            no_aaaa: false,
        }
    }
}

/// A link-local server is reached through the interface after its `%`, by name or by number.
fn address_of(server: &ScopedIp) -> SocketAddr {
    match server {
        ScopedIp::V6(address, Some(scope)) => {
            let index = nix::net::if_::if_nametoindex(scope.as_str())
                .ok()
                .or_else(|| scope.parse().ok());
            SocketAddrV6::new(*address, PORT, 0, index.unwrap_or_default()).into()
        }
        ScopedIp::V6(..) | ScopedIp::V4(_) => SocketAddr::new(IpAddr::from(server), PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_who_is_asked_and_how() {
        let settings = Settings::from_resolv_conf(
            b"nameserver 192.0.2.1\nnameserver fe80::1%lo\nsearch a.example b.example\n\
              options ndots:2 timeout:1 attempts:9 edns0 use-vc no-aaaa rotate\n",
        );
        assert_eq!(settings.servers[0], "192.0.2.1:53".parse().unwrap());
        let SocketAddr::V6(scoped) = settings.servers[1] else {
            panic!("{settings:?}")
        };
        assert_ne!(scoped.scope_id(), 0);
        assert_eq!(settings.search, ["a.example", "b.example"]);
        assert_eq!(
            (settings.ndots, settings.timeout, settings.attempts),
            (2, Duration::from_secs(1), 5)
        );
        assert!(settings.edns0 && settings.tcp && settings.no_aaaa);
    }

    #[test]
    fn the_last_of_search_and_domain_counts_and_at_most_three_servers() {
        let settings = Settings::from_resolv_conf(
            b"search a.example\ndomain b.example\nnonsense\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n\
              nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
        );
        assert_eq!(settings.search, ["b.example"]);
        assert_eq!(settings.servers.len(), 3);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Settings::read(Path::new("/nowhere/resolv.conf")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/nowhere/resolv.conf: No such file or directory"
        );
    }
}
