//! What the user named: host and port, nothing resolved.
//!
//! Pure text in, [`Target`]s out. The text of the services file is handed in ([`Services`]), so that nothing here
//! reads a file.

mod error;
mod parse;
mod services;

pub use error::{ListError, TargetError};
pub use services::Services;

use std::fmt;
use std::net::IpAddr;

/// A target as the user named it. Its `Display` is the canonical form, which [`Target::parse`] reads back.
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
        address: IpAddr,
        /// The interface of a link-local address (`fe80::1%eth0`).
        scope: Option<String>,
    },
    /// A name, as the user wrote it (a trailing dot is kept).
    Name(String),
}

impl Target {
    /// Reads one word: `host:port`, `[v6]:port` or `[v6%scope]:port`, where the port is a number or a service name.
    pub fn parse(word: &str, services: &Services) -> Result<Self, TargetError> {
        match parse::word(word, services)? {
            parse::Word::Whole(target) => Ok(target),
            parse::Word::HostAlone(_) => Err(parse::port_is_missing(word)),
        }
    }

    /// Reads the words of a command line, each a whole target or a host that is followed by its port:
    /// `web:80 db 5432 2001:db8::1 443`.
    ///
    /// From left to right: a word that names a port (see [`Target::parse`]) is a target by itself. A word that names
    /// none (a name, an address, an IPv6 address with or without brackets) takes the next word, which then has to be
    /// a port number or a service name. An IPv6 address without brackets never has its port in the same word:
    /// `::1:80` alone is an error, and `::1:80 443` is port 443 of the address `::1:80`.
    pub fn parse_words<W: AsRef<str>>(words: &[W], services: &Services) -> Result<Vec<Self>, TargetError> {
        let mut words = words.iter().map(AsRef::as_ref);
        let mut targets = Vec::new();
        while let Some(word) = words.next() {
            targets.push(match parse::word(word, services)? {
                parse::Word::Whole(target) => target,
                parse::Word::HostAlone(host) => {
                    let port = words.next().ok_or_else(|| parse::port_is_missing(word))?;
                    let port = parse::port_after(word, port, services)?;
                    Self { host, port }
                }
            });
        }
        Ok(targets)
    }

    /// Reads a list: one target a line, as `host:port` or `host port`; what follows a `#` is a comment.
    pub fn parse_list(text: &str, services: &Services) -> Result<Vec<Self>, ListError> {
        let mut targets = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let at_this_line = |error| ListError { line: number, error };
            let mut found = Self::parse_words(&words, services).map_err(at_this_line)?;
            if found.len() > 1 {
                return Err(at_this_line(TargetError::SeveralOnOneLine { count: found.len() }));
            }
            targets.append(&mut found);
        }
        Ok(targets)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address {
                address: IpAddr::V6(_),
                ..
            } => write!(f, "[{}]:{}", self.host, self.port),
            Host::Address { .. } | Host::Name(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Without brackets: `fe80::1%eth0`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                address,
                scope: Some(scope),
            } => write!(f, "{address}%{scope}"),
            Self::Address { address, scope: None } => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests;
