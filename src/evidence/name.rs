//! What the name resolution saw: every candidate, every family, every server's word.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

/// How one name became addresses, or did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// The name as the user wrote it.
    pub name: String,
    /// Who was asked.
    pub by: ResolvedBy,
    /// Each question and its answer, in the order asked.
    pub lookups: Vec<Lookup>,
    /// The addresses found, in the order in which a client would use them (RFC 6724).
    pub addresses: Vec<IpAddr>,
    /// Time from the first question to the last answer.
    #[serde(with = "seconds")]
    pub took_s: Duration,
}

/// Who turned the name into addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedBy {
    /// The hosts file.
    HostsFile,
    /// Our own DNS questions to the servers of resolv.conf.
    Dns,
    /// The C library (`getaddrinfo`).
    System,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// The fully qualified name that was asked for (a candidate of the search list).
    pub candidate: String,
    /// The record type.
    pub family: Family,
    /// The server that was asked. Absent for the hosts file, the C library, and where no server could be asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<SocketAddr>,
    /// When it was asked, since the first question.
    #[serde(with = "seconds")]
    pub at_s: Duration,
    /// How long the answer took.
    #[serde(with = "seconds")]
    pub took_s: Duration,
    /// What it said.
    pub outcome: LookupOutcome,
}

/// A record type that holds addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    #[serde(rename = "AAAA")]
    Aaaa,
}

/// What a lookup said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum LookupOutcome {
    /// Addresses.
    Addresses {
        /// The addresses, in the answer's order.
        addresses: Vec<IpAddr>,
    },
    /// NXDOMAIN: there is no such name.
    NxDomain,
    /// NOERROR without a record of this type.
    NoData,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// Any other response code (RFC 6895).
    OtherCode {
        /// The code's number.
        code: u16,
    },
    /// No answer in time.
    Timeout,
    /// An ICMP error, or our own kernel, said that the server cannot be reached.
    ServerUnreachable {
        /// What the system said (`ECONNREFUSED`, `ENETUNREACH`, …).
        errno: String,
    },
    /// There is no server to ask.
    NoServer {
        /// Why there is none.
        why: String,
    },
    /// An answer that is no valid DNS message, or is to another question; without a server, a name that DNS cannot
    /// hold.
    Malformed {
        /// What was wrong with it.
        why: String,
    },
}
