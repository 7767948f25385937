//! What the DNS server says.

use std::time::Duration;

use serde::Deserialize;

use super::humane;
use crate::lab::places::Place;

/// The DNS server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Dns {
    /// What it says. A name without an entry does not exist, and a name with one has no record of other types.
    pub answer: Vec<DnsAnswer>,
}

/// What the DNS server says to one question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsAnswer {
    /// The fully qualified name, without the last dot.
    pub name: String,
    /// The record type; absent means both of them.
    pub record: Option<Record>,
    /// What it says.
    pub reply: DnsReply,
    /// How long that takes.
    #[serde(default, with = "humane")]
    pub after: Duration,
}

/// A record type that holds addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Record {
    /// IPv4.
    A,
    /// IPv6.
    #[serde(rename = "AAAA")]
    Aaaa,
}

/// What the DNS server says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsReply {
    /// The addresses of these places, in the version that the record type holds.
    Addresses(Vec<Place>),
    /// There is no such name.
    Nxdomain,
    /// There is no record of this type.
    Nodata,
    /// The server failed.
    Servfail,
    /// The server will not.
    Refused,
    /// Nothing at all.
    Drop,
}
