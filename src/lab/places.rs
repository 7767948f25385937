//! Who is where: the nodes of the lab and the addresses by which a description names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;

/// An IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// That of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv6() { Self::V6 } else { Self::V4 }
    }
}

/// A host of the lab. Between the client and r1 runs the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Node {
    /// Where the command runs.
    Client,
    /// The first router.
    R1,
    /// The second router.
    R2,
    /// The host that the client wants to talk to.
    #[default]
    Server,
}

/// An address of the lab, for which there is one in each IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The client.
    Client,
    /// The first router, as the client sees it.
    R1,
    /// The second router, as the client sees it.
    R2,
    /// The server.
    Server,
    /// The server's second address.
    Server2,
    /// An address on the client's own link that nobody has.
    NobodyNear,
    /// An address on the server's link that nobody has.
    NobodyFar,
    /// An address that no router knows a way to.
    Elsewhere,
}

/// How many leading bits of an address name its link.
pub(super) const fn prefix_length(family: Family) -> u8 {
    match family {
        Family::V4 => 24,
        Family::V6 => 64,
    }
}

/// How many bits an address has.
pub(super) const fn address_length(family: Family) -> u8 {
    match family {
        Family::V4 => 32,
        Family::V6 => 128,
    }
}

/// Address `host` on link `link`, from 10.0.0.0/16 and from the documentation prefix of RFC 3849.
pub(super) fn address(family: Family, link: u8, host: u8) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(10, 0, link, host).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, u16::from(link), 0, 0, 0, 0, u16::from(host)).into(),
    }
}

impl Place {
    /// Every place, with the name that it has in a description.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Client, "client"),
        (Self::R1, "r1"),
        (Self::R2, "r2"),
        (Self::Server, "server"),
        (Self::Server2, "server2"),
        (Self::NobodyNear, "nobody-near"),
        (Self::NobodyFar, "nobody-far"),
        (Self::Elsewhere, "elsewhere"),
    ];

    /// Its address.
    pub fn address(self, family: Family) -> IpAddr {
        let (link, host) = match self {
            Self::Client => (1, 2),
            Self::R1 => (1, 1),
            Self::R2 => (2, 2),
            Self::Server => (3, 2),
            Self::Server2 => (3, 3),
            Self::NobodyNear => (1, 99),
            Self::NobodyFar => (3, 99),
            Self::Elsewhere => (9, 9),
        };
        address(family, link, host)
    }
}
