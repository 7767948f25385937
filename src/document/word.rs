//! A word for targets: a host or a block of addresses, and ports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::{FileError, Place, Ports};
use crate::target::{Host, Services, Target};

/// Bits of a block's hosts: 65,536 addresses.
const LARGEST_BLOCK: u8 = 16;

/// `host:port`, `host:80,443`, `host:8000-8010`, `10.0.0.0/24:22` or `[2001:db8::/120]:22`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it is written.
    pub at: Place,
    /// As it is written.
    pub text: String,
    /// The hosts.
    pub hosts: Hosts,
    ports: Ports,
}

/// The hosts of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// A single one; a name is in lower case.
    One(Host),
    /// All hosts of a block of addresses.
    Block(IpNet),
}

impl Word {
    /// Reads a word.
    pub fn read(text: &str, at: Place, services: &Services) -> Result<Self, FileError> {
        let (host, ports) = split(text).map_err(|says| at.says(says))?;
        let block = block(host).map_err(|says| at.says(says))?;
        if let Some(says) = block.as_ref().and_then(too_large) {
            return Err(at.says(says));
        }
        // The reader of ports wants a single host before them.
        let stand_in = match block.map(|block| block.addr()) {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            None => host.to_owned(),
        };
        let (host, ports) = Ports::read(&stand_in, ports, text, services).map_err(|says| at.says(says))?;
        let hosts = match block {
            Some(block) => Hosts::Block(block),
            None => Hosts::One(in_lower_case(host)),
        };
        Ok(Self {
            at,
            text: text.to_owned(),
            hosts,
            ports,
        })
    }

    /// How many targets it stands for.
    pub fn count(&self) -> u64 {
        self.hosts.count() * self.ports.count()
    }

    /// The targets: host by host, the ports of each in their order.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        (0..self.hosts.count()).flat_map(move |number| {
            self.ports.iter().map(move |port| Target {
                host: self.hosts.host(number),
                port,
            })
        })
    }

    /// Whether a target is among them.
    pub fn contains(&self, target: &Target) -> bool {
        self.ports.contain(target.port) && self.hosts.contain(&target.host)
    }
}

impl Hosts {
    /// At most 65,536.
    fn count(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Block(block) => {
                let addresses = 1 << (block.max_prefix_len() - block.prefix_len()).min(LARGEST_BLOCK);
                addresses - 2 * skipped(block)
            }
        }
    }

    fn host(&self, number: u64) -> Host {
        let block = match self {
            Self::One(host) => return host.clone(),
            Self::Block(block) => block,
        };
        let address = match block.network() {
            IpAddr::V4(first) => {
                let number = u32::try_from(number + skipped(block)).unwrap_or(u32::MAX);
                IpAddr::from(Ipv4Addr::from_bits(first.to_bits().wrapping_add(number)))
            }
            IpAddr::V6(first) => {
                IpAddr::from(Ipv6Addr::from_bits(first.to_bits().wrapping_add(number.into())))
            }
        };
        Host::Address { address, scope: None }
    }

    fn contain(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::One(own), host) => own == host,
            (Self::Block(block), Host::Address { address, scope: None }) => block.contains(address),
            (Self::Block(_), Host::Address { scope: Some(_), .. } | Host::Name(_)) => false,
        }
    }
}

/// How many addresses at each end of a block are no hosts: of an IPv4 block the network's and the broadcast address, unless it
/// is a link of two (RFC 3021) or a single host. IPv6 has no broadcast.
fn skipped(block: &IpNet) -> u64 {
    u64::from(block.addr().is_ipv4() && block.prefix_len() < 31)
}

/// Host and ports. The host keeps its brackets.
fn split(text: &str) -> Result<(&str, &str), String> {
    let end = match text.strip_prefix('[') {
        Some(_) => text.find(']').map(|end| end + 1),
        None => text.find(':'),
    };
    let Some(end) = end else {
        return Err(Target::parse(text, &Services::default())
            .map_or_else(|error| error.to_string(), |target| target.to_string()));
    };
    let (host, rest) = text.split_at(end);
    if text.parse::<Ipv6Addr>().is_ok() {
        let known = Target::parse(text, &Services::default());
        let says = known.map_or_else(|error| error.to_string(), |target| target.to_string());
        return Err(format!("{says}; in YAML it needs quotes"));
    }
    if let Some((block, port)) = text.rsplit_once(':')
        && block.parse::<Ipv6Net>().is_ok()
    {
        return Err(format!(
            "`{text}` is a block without brackets: write \"[{block}]:{port}\", in quotes"
        ));
    }
    if let (Some(address), Some((length, port))) = (host.strip_suffix(']'), rest.split_once(':'))
        && length.starts_with('/')
    {
        return Err(format!(
            "the length of a block belongs into the brackets: write \"{address}{length}]:{port}\""
        ));
    }
    match rest.strip_prefix(':') {
        Some(ports) => Ok((host, ports)),
        None => Err(format!(
            "`{text}` has no port after the bracket: write it as in \"{host}:443\", in quotes"
        )),
    }
}

/// What says that a block is too large, if it is.
fn too_large(block: &IpNet) -> Option<String> {
    let most = block.max_prefix_len() - LARGEST_BLOCK;
    (block.prefix_len() < most).then(|| {
        format!(
            "{block} is too large: a block has at most 65,536 addresses, so write /{most} or longer, or several blocks"
        )
    })
}

/// The block of addresses that a host stands for; none where it is a single host. IPv6 ones are in brackets.
///
/// # Errors
/// Where there is a `/`, and what is there is no block.
pub fn block(host: &str) -> Result<Option<IpNet>, String> {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let Some((address, length)) = inside.split_once('/') else {
        return Ok(None);
    };
    if length.starts_with('/') {
        return Ok(None);
    }
    let block: IpNet = inside.parse().map_err(|_| {
        format!("`{inside}` is no block of addresses: write it as 10.0.0.0/24 or [2001:db8::/120]")
    })?;
    if block.addr().is_ipv4() && inside != host {
        return Err(format!(
            "{inside} is no block of IPv6 addresses: only those are written in brackets"
        ));
    }
    if block.addr() != block.network() {
        return Err(format!(
            "{address} is not where a block of /{length} begins: write {} for the block, or {address} for one host",
            block.trunc()
        ));
    }
    Ok(Some(block))
}

/// DNS does not tell upper and lower case apart, and no target is to be looked at twice.
fn in_lower_case(host: Host) -> Host {
    match host {
        Host::Name(name) => Host::Name(name.to_ascii_lowercase()),
        address @ Host::Address { .. } => address,
    }
}
