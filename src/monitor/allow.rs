//! What `allow` permits /probe to be aimed at, besides the targets of the configuration.
//!
//! A name permits that name, whatever it resolves to. A block of addresses permits addresses alone, never names: what a name
//! resolves to is decided by whoever runs its zone, and may be another address when the connection is made than when it was
//! asked. So no name is a way into a block, and no block is a way to a name.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::document::{Ports, block};
use crate::target::{Host, Services, Target};

/// Hosts and ports that are permitted: `db.shop:5432`, `*.shop:443`, `10.0.0.0/8:80,8000-8010`, `[2001:db8::/32]:*`, `*:443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    hosts: Permitted,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Permitted {
    /// Every name and every address.
    Any,
    /// This name or address.
    Host(Host),
    /// Every name below this one, at any depth, but not itself: `.shop`.
    Below(String),
    /// Every address of a block.
    Block(IpNet),
}

impl Permit {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence that also says what would be right.
    pub fn parse(text: &str, services: &Services) -> Result<Self, String> {
        let (host, ports) = split(text)?;
        let (hosts, stand_in) = match host {
            "*" => (Some(Permitted::Any), "any".to_owned()),
            _ => match (host.strip_prefix("*."), block(host)?) {
                (Some(suffix), _) => (
                    Some(Permitted::Below(format!(".{}", plain_name(suffix)))),
                    suffix.to_owned(),
                ),
                (None, Some(block)) => (
                    Some(Permitted::Block(block)),
                    match block.addr() {
                        IpAddr::V4(address) => address.to_string(),
                        IpAddr::V6(address) => format!("[{address}]"),
                    },
                ),
                (None, None) => (None, host.to_owned()),
            },
        };
        if stand_in.contains('*') {
            return Err(format!(
                "`{text}`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443{}",
                if stand_in.starts_with(|first: char| first.is_ascii_digit()) {
                    ", and a block of addresses as 10.0.0.0/24:443"
                } else {
                    ""
                }
            ));
        }
        if let Some(suffix) = stand_in.strip_prefix('.') {
            return Err(format!(
                "`{text}` begins with a dot: write *.{suffix}:{ports} for all names below {suffix}"
            ));
        }
        let (first, ports) = match ports {
            "*" => Ports::read(&stand_in, "1", text, services).map(|(host, _)| (host, Ports::all())),
            ports => Ports::read(&stand_in, ports, text, services),
        }?;
        if let (Some(Permitted::Below(_)), Host::Address { .. }) = (&hosts, &first) {
            return Err(format!("`{text}`: there are no names below an address"));
        }
        Ok(Self {
            hosts: hosts.unwrap_or_else(|| Permitted::Host(plain(&first))),
            ports,
        })
    }

    /// Whether a target may be looked at.
    pub fn permits(&self, target: &Target) -> bool {
        if !self.ports.contain(target.port) {
            return false;
        }
        match (&self.hosts, plain(&target.host)) {
            (Permitted::Any, _) => true,
            (Permitted::Host(own), host) => *own == host,
            (Permitted::Below(suffix), Host::Name(name)) => {
                name.len() > suffix.len() && name.ends_with(suffix.as_str())
            }
            // The interface of a link-local address only says which link is meant.
            (Permitted::Block(block), Host::Address { address, .. }) => block.contains(&address),
            (Permitted::Below(_), Host::Address { .. }) | (Permitted::Block(_), Host::Name(_)) => false,
        }
    }
}

/// As it is written.
impl fmt::Display for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Permitted::Any => f.write_str("*")?,
            Permitted::Below(suffix) => write!(f, "*{suffix}")?,
            Permitted::Block(block @ IpNet::V4(_)) => write!(f, "{block}")?,
            Permitted::Block(block @ IpNet::V6(_)) => write!(f, "[{block}]")?,
            Permitted::Host(
                host @ Host::Address {
                    address: IpAddr::V6(_),
                    ..
                },
            ) => write!(f, "[{host}]")?,
            Permitted::Host(host) => write!(f, "{host}")?,
        }
        write!(f, ":{}", self.ports)
    }
}

/// The same target in one form: a name in lower case and without its last dot, an IPv4-mapped address as IPv4.
pub fn in_one_form(target: &Target) -> Target {
    Target {
        host: plain(&target.host),
        port: target.port,
    }
}

/// The same host in one form: names in lower case and without the last dot, IPv4 addresses in IPv6 form as what they are.
pub(super) fn plain(host: &Host) -> Host {
    match host {
        Host::Name(name) => Host::Name(plain_name(name)),
        Host::Address { address, scope } => Host::Address {
            address: address.to_canonical(),
            scope: scope.clone(),
        },
    }
}

fn plain_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Hosts and ports; those of IPv6 keep their brackets.
fn split(text: &str) -> Result<(&str, &str), String> {
    if text.contains("://") {
        return Err(Target::parse(text, &Services::default())
            .map_or_else(|error| error.to_string(), |target| target.to_string()));
    }
    let end = match text.strip_prefix('[') {
        Some(_) => text.find(']').map(|end| end + 1),
        None => text.find(':'),
    };
    let (host, rest) = text.split_at(end.unwrap_or(text.len()));
    if !text.starts_with('[') && rest.matches(':').count() > 1 {
        // All but the last part may be a block or an address, and so may all of it.
        let address = text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok();
        let (inside, ports) = match text.rsplit_once(':') {
            Some((before, ports)) if !address => (before, ports),
            _ => (text, "443"),
        };
        return Err(format!(
            "`{text}`: an IPv6 address or block is in brackets, and its ports follow: write \"[{inside}]:{ports}\", in quotes"
        ));
    }
    match rest.strip_prefix(':') {
        Some("") | None if host.is_empty() => Err("nothing is permitted here: write HOST:PORT".to_owned()),
        Some("") => Err(format!(
            "`{text}` names no port after the colon: write {host}:443, or \"{host}:*\" for every port"
        )),
        Some(ports) if host.is_empty() => Err(format!(
            "`{text}` names no host: write \"*:{ports}\" for every host"
        )),
        Some(ports) => Ok((host, ports.trim())),
        None if host.starts_with('[') && !rest.is_empty() => Err(format!(
            "`{text}`: the length of a block belongs into the brackets, and ports follow them: write it as in \
             \"[2001:db8::/32]:443\""
        )),
        None => Err(format!(
            "`{text}` names no port: write {host}:443, several as in {host}:80,8000-8010, or \"{host}:*\" for every port"
        )),
    }
}

#[cfg(test)]
mod tests;
