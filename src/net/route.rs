//! The kernel's route to an address, and the state of the link-layer neighbour that it sends to.

use std::io;
use std::net::{IpAddr, SocketAddr};

use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState as KernelState,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::dial::Source;
use super::netlink::{Extent, ask};
use super::{errno, interfaces, settings};
use crate::evidence::{Look, Neighbour, NeighbourState, NextHop, Route};

/// The kernel's route to an endpoint for a socket with that local end, as `ip route get` shows it.
pub fn route_to(endpoint: SocketAddr, source: &Source) -> Look<Route> {
    match route_message(endpoint, source) {
        Ok(Some(message)) => Look::Saw(parse_route(&message)),
        Ok(None) => Look::Nothing,
        Err(error) => match error.raw_os_error() {
            Some(libc::ENETUNREACH) => Look::Nothing,
            Some(libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL) => Look::Saw(Route {
                next_hop: NextHop::Refused,
                interface: None,
                source: None,
            }),
            _ => Look::CouldNot {
                why: errno::name(&error),
            },
        },
    }
}

/// What ARP or ND knows of a next hop on the link of that interface. The same address may be on other links too
/// (`fe80::1` is the gateway of many).
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enums of everything there is"
)]
pub fn neighbour(next_hop: IpAddr, interface: Option<&str>) -> Look<Neighbour> {
    let index = interface.and_then(|name| interfaces::index_of(name).ok());
    let before_first = settings::unicast_requests(next_hop.is_ipv4(), interface);
    let answers = match neighbours(next_hop, index) {
        Ok(answers) => answers,
        Err(error) => {
            return Look::CouldNot {
                why: errno::name(&error),
            };
        }
    };
    let found = answers.iter().find_map(|answer| match answer {
        RouteNetlinkMessage::NewNeighbour(message)
            if index.is_none_or(|index| index == message.header.ifindex) =>
        {
            parse_neighbour(message, next_hop, before_first)
        }
        _ => None,
    });
    found.map_or(Look::Nothing, Look::Saw)
}

/// The entry of an address on a link; all entries where the link is not known, or the kernel cannot look one up (before 5.0).
/// To go through all of them for each of many silent neighbours takes more time than everything else.
fn neighbours(address: IpAddr, index: Option<u32>) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut question = NeighbourMessage::default();
    question.header.family = family(address);
    if let Some(index) = index {
        let mut one = question.clone();
        one.header.ifindex = index;
        one.attributes
            .push(NeighbourAttribute::Destination(address.into()));
        match ask(NETLINK_ROUTE, RouteNetlinkMessage::GetNeighbour(one), Extent::One) {
            Ok(answers) => return Ok(answers),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(Vec::new()),
            Err(_) => {}
        }
    }
    ask(
        NETLINK_ROUTE,
        RouteNetlinkMessage::GetNeighbour(question),
        Extent::All,
    )
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enums of everything there is"
)]
fn route_message(endpoint: SocketAddr, source: &Source) -> io::Result<Option<RouteMessage>> {
    let address = endpoint.ip();
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let mut question = RouteMessage::default();
    question.header.address_family = family(address);
    question.header.destination_prefix_length = whole;
    question
        .attributes
        .push(RouteAttribute::Destination(address.into()));
    if let Some(address) = source.address {
        question.header.source_prefix_length = whole;
        question.attributes.push(RouteAttribute::Source(address.into()));
    }
    if let Some(index) = outgoing(endpoint, source)? {
        question.attributes.push(RouteAttribute::Oif(index));
    }
    let answers = ask(
        NETLINK_ROUTE,
        RouteNetlinkMessage::GetRoute(question),
        Extent::One,
    )?;
    Ok(answers.into_iter().find_map(|answer| match answer {
        RouteNetlinkMessage::NewRoute(message) => Some(message),
        _ => None,
    }))
}

/// The interface that the socket is bound to, by its name or by the scope of the address.
fn outgoing(endpoint: SocketAddr, source: &Source) -> io::Result<Option<u32>> {
    if let Some(name) = &source.interface {
        return interfaces::index_of(name).map(Some);
    }
    Ok(match endpoint {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(v6.scope_id()),
        SocketAddr::V4(_) | SocketAddr::V6(_) => None,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enums of everything there is"
)]
fn parse_route(message: &RouteMessage) -> Route {
    let mut route = Route {
        next_hop: match message.header.kind {
            RouteType::Local => NextHop::Local,
            RouteType::BlackHole | RouteType::Unreachable | RouteType::Prohibit => NextHop::Refused,
            _ => NextHop::OnLink,
        },
        interface: None,
        source: None,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(address) => {
                if let Some(gateway) = ip(address) {
                    route.next_hop = NextHop::Gateway(gateway);
                }
            }
            RouteAttribute::PrefSource(address) => route.source = ip(address),
            RouteAttribute::Oif(index) => {
                route.interface = nix::net::if_::if_indextoname(*index)
                    .ok()
                    .and_then(|name| name.into_string().ok());
            }
            _ => {}
        }
    }
    route
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enums of everything there is"
)]
fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enums of everything there is"
)]
fn parse_neighbour(message: &NeighbourMessage, wanted: IpAddr, before_first: u32) -> Option<Neighbour> {
    let mut address = None;
    let mut probes = 0;
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(found)) => address = Some((*found).into()),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(found)) => {
                address = Some((*found).into());
            }
            NeighbourAttribute::Probes(count) => probes = *count,
            _ => {}
        }
    }
    let state = match message.header.state {
        KernelState::Incomplete => NeighbourState::Incomplete,
        KernelState::Failed => NeighbourState::Failed,
        _ => NeighbourState::Resolved,
    };
    (address == Some(wanted)).then_some(Neighbour {
        address: wanted,
        state,
        unanswered_requests: match state {
            NeighbourState::Resolved => 0,
            // A neighbour that was known failed after unicast requests; a new one is asked for by multicast, and the
            // kernel then counts as if it had sent the unicast ones before (`__neigh_event_send`).
            NeighbourState::Failed if probes <= before_first => probes,
            NeighbourState::Incomplete | NeighbourState::Failed => probes.saturating_sub(before_first),
        },
    })
}
