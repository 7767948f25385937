//! A name becomes addresses, and every question on the way is written down.
//!
//! We ask ourselves what a library would hide: each candidate of the search list, each family and each server has
//! its own [`Lookup`](crate::evidence::Lookup), so that a SERVFAIL for the first candidate stays visible behind the
//! NXDOMAIN of the last. Encoding and decoding is hickory's; none of its types leaves this folder.

mod ask;
mod candidates;
mod exchange;
mod hosts;
mod log;
mod order;
mod settings;
mod system;
#[cfg(test)]
mod tests;

pub use settings::{Settings, SettingsError};

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::evidence::{Family, LookupOutcome, Resolution, ResolvedBy};

use log::Log;

/// A name to resolve, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveRequest {
    /// The name as the user wrote it. A trailing dot keeps the search list out.
    pub name: String,
    /// The families to ask for.
    pub families: Families,
    /// Who is asked.
    pub resolver: Resolver,
    /// How long all questions together may take.
    pub deadline: Duration,
}

/// The address families to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 and IPv6, at the same time.
    Both,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolver {
    /// The hosts file, then DNS servers.
    Dns {
        /// The servers.
        servers: Servers,
        /// The hosts file. One that cannot be read counts as empty.
        hosts: PathBuf,
    },
    /// The C library (`getaddrinfo`), with all that nsswitch.conf brings. It hides who was asked for what.
    System,
}

/// The DNS servers and how to ask them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servers {
    /// As this file says, in the format of resolv.conf(5).
    ResolvConf(PathBuf),
    /// As given.
    Given(Settings),
}

impl ResolveRequest {
    /// Both families of a name, from `/etc/hosts` and the servers of `/etc/resolv.conf`.
    pub fn new(name: impl Into<String>, deadline: Duration) -> Self {
        Self {
            name: name.into(),
            families: Families::Both,
            resolver: Resolver::default(),
            deadline,
        }
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::Dns {
            servers: Servers::ResolvConf("/etc/resolv.conf".into()),
            hosts: "/etc/hosts".into(),
        }
    }
}

/// Resolves a name within the deadline. What goes wrong is in the lookups of the resolution, of which there is
/// always at least one.
///
/// The hosts file comes first, then `localhost` (RFC 6761, 6.3), then DNS. A resolv.conf that is missing or names no
/// server gives [`LookupOutcome::NoServer`]; the C library would ask 127.0.0.1 there.
pub async fn resolve(request: &ResolveRequest) -> Resolution {
    let log = Log::start();
    let (by, addresses) = match &request.resolver {
        Resolver::System => (ResolvedBy::System, system::look_up(request, &log).await),
        Resolver::Dns { servers, hosts } => {
            let text = std::fs::read(hosts).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if hosts::look_up(&request.name, request.families.wanted(), &text, &log) {
                (ResolvedBy::HostsFile, order::as_a_client_would(log.addresses()))
            } else {
                by_dns(request, servers, &log).await;
                (ResolvedBy::Dns, order::as_a_client_would(log.addresses()))
            }
        }
    };
    let took_s = log.elapsed();
    Resolution {
        name: request.name.clone(),
        by,
        lookups: log.into_lookups(),
        addresses,
        took_s,
    }
}

async fn by_dns(request: &ResolveRequest, servers: &Servers, log: &Log) {
    let settings = match servers {
        Servers::Given(settings) => Ok(settings.clone()),
        Servers::ResolvConf(path) => Settings::read(path),
    };
    match settings.and_then(Settings::with_a_server) {
        Ok(settings) => ask::ask_all(request, &settings, log).await,
        Err(error) => {
            for &family in request.families.wanted() {
                let why = error.to_string();
                log.ask(&request.name, family, None)
                    .says(LookupOutcome::NoServer { why });
            }
        }
    }
}

impl Families {
    fn wanted(self) -> &'static [Family] {
        match self {
            Self::Both => &[Family::A, Family::Aaaa],
            Self::V4 => &[Family::A],
            Self::V6 => &[Family::Aaaa],
        }
    }
}

/// The addresses of one family as an outcome.
fn outcome_of(addresses: Vec<IpAddr>) -> LookupOutcome {
    if addresses.is_empty() {
        LookupOutcome::NoData
    } else {
        LookupOutcome::Addresses { addresses }
    }
}

fn family_of(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::A,
        IpAddr::V6(_) => Family::Aaaa,
    }
}
