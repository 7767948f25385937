//! Links, addresses, routes and policies, over rtnetlink. Everything here runs on a thread of the namespace in question.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::path::Path;

use futures_util::TryStreamExt;
use rtnetlink::packet_route::IpProtocol;
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkAttribute, State};
use rtnetlink::packet_route::route::RouteType;
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RulePortRange};
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use crate::net::sys::namespace::NetNamespace;

use super::network::{Policy, PolicyWay};
use super::places::{Family, address_length, prefix_length};

/// Sets `net.ipv4.ip_forward` and the like, in the namespace of the calling thread.
pub(super) fn set_sysctl(name: &str, value: &str) -> io::Result<()> {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    fs::write(&path, value)
        .map_err(|error| io::Error::new(error.kind(), format!("sysctl {name} = {value}: {error}")))
}

/// Runs requests over a netlink socket of the calling thread's namespace.
pub(super) fn netlink<T>(
    requests: impl AsyncFnOnce(&Handle) -> Result<T, rtnetlink::Error>,
) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        requests(&handle).await.map_err(io::Error::other)
    })
}

fn index(interface: &str) -> Result<u32, rtnetlink::Error> {
    nix::net::if_::if_nametoindex(interface)
        .map_err(|errno| rtnetlink::Error::NamespaceError(format!("{interface}: {errno}")))
}

/// Makes a pair of interfaces, one here and one in the other namespace.
pub(super) async fn add_pair(
    handle: &Handle,
    here: &str,
    there: &str,
    other: &NetNamespace,
) -> Result<(), rtnetlink::Error> {
    let mut peer = LinkMessageBuilder::<LinkUnspec>::new().name(there).build();
    peer.attributes
        .push(LinkAttribute::NetNsFd(other.file().as_raw_fd()));
    let pair = LinkVeth::new(here, there)
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .build();
    handle.link().add(pair).execute().await
}

/// Brings interfaces up, and the loopback interface with them.
pub(super) async fn bring_up(handle: &Handle, interfaces: &[&str]) -> Result<(), rtnetlink::Error> {
    for interface in interfaces.iter().chain(&["lo"]) {
        handle
            .link()
            .set(LinkUnspec::new_with_index(index(interface)?).up().build())
            .execute()
            .await?;
    }
    Ok(())
}

/// Sets the largest packet that an interface takes.
pub(super) async fn set_mtu(handle: &Handle, interface: &str, mtu: u32) -> Result<(), rtnetlink::Error> {
    let link = LinkUnspec::new_with_index(index(interface)?).mtu(mtu).build();
    handle.link().set(link).execute().await
}

/// Whether the interfaces carry frames already: the kernel takes note of a new carrier in the background.
pub(super) async fn are_up(handle: &Handle, interfaces: &[&str]) -> Result<bool, rtnetlink::Error> {
    for interface in interfaces {
        let mut links = handle.link().get().match_index(index(interface)?).execute();
        let link = links.try_next().await?;
        let up = link.is_some_and(|link| link.attributes.contains(&LinkAttribute::OperState(State::Up)));
        if !up {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives an interface an address.
pub(super) async fn add_address(
    handle: &Handle,
    interface: &str,
    address: IpAddr,
) -> Result<(), rtnetlink::Error> {
    handle
        .address()
        .add(index(interface)?, address, prefix_length(Family::of(address)))
        .execute()
        .await
}

/// Whether every IPv6 address of the calling thread's namespace is in use. The kernel joins the multicast group by
/// which neighbours find an address in the background, before it clears this flag (`addrconf_dad_work`); until then
/// they ask in vain, and again only after a second.
pub(super) fn addresses_are_in_use() -> io::Result<bool> {
    const TENTATIVE: u32 = 0x40;
    let addresses = fs::read_to_string("/proc/thread-self/net/if_inet6")?;
    let flags = addresses
        .lines()
        .filter_map(|line| line.split_whitespace().nth(4));
    Ok(flags
        .filter_map(|flags| u32::from_str_radix(flags, 16).ok())
        .all(|flags| flags & TENTATIVE == 0))
}

/// What a route does with packets.
#[derive(Debug, Clone, Copy)]
pub(super) enum RouteTo {
    Via(IpAddr),
    Kind(RouteType),
}

/// Where a route leads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// Everywhere.
    Default(Family),
    /// To the whole link of that address.
    Link(IpAddr),
    /// To that address alone.
    Host(IpAddr),
}

/// Adds a route. It is preferred to those that the kernel makes of addresses when its prefix is longer.
pub(super) async fn add_route(handle: &Handle, reach: Reach, to: RouteTo) -> Result<(), rtnetlink::Error> {
    let invalid = |error| rtnetlink::Error::NamespaceError(format!("route: {error}"));
    let (prefix, length) = match reach {
        Reach::Default(Family::V4) => (IpAddr::from([0; 4]), 0),
        Reach::Default(Family::V6) => (IpAddr::from([0; 16]), 0),
        Reach::Link(address) => (network_of(address), prefix_length(Family::of(address))),
        Reach::Host(address) => (address, address_length(Family::of(address))),
    };
    let mut route = RouteMessageBuilder::<IpAddr>::new()
        .destination_prefix(prefix, length)
        .map_err(invalid)?;
    route = match to {
        RouteTo::Via(gateway) => route.gateway(gateway).map_err(invalid)?,
        RouteTo::Kind(kind) => route.kind(kind),
    };
    handle.route().add(route.build()).replace().execute().await
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            [a, b, c, 0].into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

/// Adds a policy in both IP versions.
pub(super) async fn add_policy(
    handle: &Handle,
    policy: &Policy,
    priority: u32,
) -> Result<(), rtnetlink::Error> {
    let action = match policy.way {
        PolicyWay::Blackhole => RuleAction::Blackhole,
        PolicyWay::Unreachable => RuleAction::Unreachable,
        PolicyWay::Prohibit => RuleAction::Prohibit,
    };
    let matches = [
        RuleAttribute::IpProtocol(IpProtocol::Tcp),
        RuleAttribute::DestinationPortRange(RulePortRange {
            start: policy.port,
            end: policy.port,
        }),
    ];
    let rule = || handle.rule().add().priority(priority).action(action);
    let mut v4 = rule().v4();
    v4.message_mut().attributes.extend_from_slice(&matches);
    v4.execute().await?;
    let mut v6 = rule().v6();
    v6.message_mut().attributes.extend_from_slice(&matches);
    v6.execute().await
}
