//! Addresses in the order in which a client tries them (RFC 6724, as `getaddrinfo` sorts them).

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Sorts by what the kernel's routes say now. No packet is sent.
pub(super) fn as_a_client_would(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort_by_cached_key(|&address| rank(address, source_of(address)));
    addresses
}

/// The address that the kernel would send from; `None` without a route.
fn source_of(address: IpAddr) -> Option<IpAddr> {
    /// Any port: connecting a UDP socket sends nothing.
    const DISCARD: u16 = 9;
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(SocketAddr::new(address, DISCARD)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The rules of RFC 6724, 6, that can be known from outside the kernel, as a key: the lower one is tried first, and
/// equal ones stay in the order of the answer (rule 10).
type Rank = (bool, bool, bool, Reverse<u8>, u8, Reverse<u32>);

fn rank(to: IpAddr, from: Option<IpAddr>) -> Rank {
    let to_policy = policy(to);
    let same = |what: fn(IpAddr) -> u8| from.is_none_or(|from| what(from) == what(to));
    let prefix = match (to, from) {
        (IpAddr::V6(to), Some(IpAddr::V6(from))) => (u128::from(to) ^ u128::from(from)).leading_zeros(),
        // Rule 9 is for IPv6: with NAT the prefixes of IPv4 say nothing, and it would undo round robin.
        _ => 0,
    };
    (
        from.is_none(),                         // 1: avoid unusable destinations
        !same(scope),                           // 2: prefer matching scope
        !same(|address| policy(address).label), // 5: prefer matching label
        Reverse(to_policy.precedence),          // 6: prefer higher precedence
        scope(to),                              // 8: prefer smaller scope
        Reverse(prefix),                        // 9: use longest matching prefix
    )
}

struct Policy {
    precedence: u8,
    label: u8,
}

/// The default policy table (RFC 6724, 2.1), longest prefix first. IPv4 addresses count as mapped ones.
fn policy(address: IpAddr) -> Policy {
    const TABLE: [(Ipv6Addr, u32, u8, u8); 9] = [
        (Ipv6Addr::LOCALHOST, 128, 50, 0),
        (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 35, 4),
        (Ipv6Addr::UNSPECIFIED, 96, 1, 3),
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 5, 5),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 30, 2),
        (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, 1, 12),
        (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, 1, 11),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, 3, 13),
        (Ipv6Addr::UNSPECIFIED, 0, 40, 1),
    ];
    let address = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let within =
        |prefix: Ipv6Addr, length| (u128::from(address) ^ u128::from(prefix)).leading_zeros() >= length;
    TABLE
        .iter()
        .find(|&&(prefix, length, ..)| within(prefix, length))
        .map_or(
            Policy {
                precedence: 40,
                label: 1,
            },
            |&(_, _, precedence, label)| Policy { precedence, label },
        )
}

/// Scopes as in RFC 4291, 2.7; for IPv4 as in RFC 6724, 3.2.
fn scope(address: IpAddr) -> u8 {
    const LINK_LOCAL: u8 = 2;
    const SITE_LOCAL: u8 = 5;
    const GLOBAL: u8 = 14;
    match address {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_link_local() => LINK_LOCAL,

        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unicast_link_local() => LINK_LOCAL,
        IpAddr::V6(v6) if v6.is_multicast() => v6.octets()[1] & 0xf,
        IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfec0 => SITE_LOCAL,
        IpAddr::V4(_) | IpAddr::V6(_) => GLOBAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each destination with its source, as the answer had them; the destinations as they are tried.
    fn sorted(pairs: &[(&str, &str)]) -> Vec<String> {
        let mut pairs: Vec<(IpAddr, Option<IpAddr>)> = pairs
            .iter()
            .map(|(to, from)| (to.parse().unwrap(), from.parse().ok()))
            .collect();
        pairs.sort_by_key(|&(to, from)| rank(to, from));
        pairs.iter().map(|(to, _)| to.to_string()).collect()
    }

    #[test]
    fn ipv6_comes_before_ipv4_where_both_have_a_source() {
        let both = [
            ("198.51.100.121", "198.51.100.117"),
            ("2001:db8:1::1", "2001:db8:1::2"),
        ];
        assert_eq!(sorted(&both), ["2001:db8:1::1", "198.51.100.121"]);
    }

    #[test]
    fn what_has_no_route_comes_last() {
        let pairs = [("2001:db8:1::1", "none"), ("198.51.100.121", "198.51.100.117")];
        assert_eq!(sorted(&pairs), ["198.51.100.121", "2001:db8:1::1"]);
    }

    #[test]
    fn a_source_of_another_scope_comes_after_one_that_matches() {
        // RFC 6724, 10.2: no global IPv6 address of our own.
        let pairs = [("2001:db8:1::1", "fe80::1"), ("198.51.100.121", "198.51.100.117")];
        assert_eq!(sorted(&pairs), ["198.51.100.121", "2001:db8:1::1"]);
    }

    #[test]
    fn ipv4_comes_before_a_transition_mechanism_and_before_unique_local_addresses() {
        let pairs = [
            ("2002:c633:6401::1", "2002:c633:6401::2"),
            ("198.51.100.121", "198.51.100.117"),
        ];
        assert_eq!(sorted(&pairs), ["198.51.100.121", "2002:c633:6401::1"]);
        let pairs = [("fd00::1", "fd00::2"), ("198.51.100.121", "198.51.100.117")];
        assert_eq!(sorted(&pairs), ["198.51.100.121", "fd00::1"]);
    }

    #[test]
    fn the_longest_prefix_wins_in_ipv6_and_ipv4_keeps_the_order_of_the_answer() {
        let pairs = [
            ("2001:db8:3ffe::1", "2001:db8:1::2"),
            ("2001:db8:1::1", "2001:db8:1::2"),
        ];
        assert_eq!(sorted(&pairs), ["2001:db8:1::1", "2001:db8:3ffe::1"]);
        let pairs = [("203.0.113.1", "192.0.2.2"), ("192.0.2.1", "192.0.2.2")];
        assert_eq!(sorted(&pairs), ["203.0.113.1", "192.0.2.1"]);
    }

    #[test]
    fn loopback_has_a_source() {
        assert_eq!(
            source_of(Ipv4Addr::LOCALHOST.into()),
            Some(Ipv4Addr::LOCALHOST.into())
        );
    }
}
