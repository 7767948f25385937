//! The description of a network and of what is wrong with it: plain data, as a scenario file holds it.

mod dns;
mod firewall;
mod humane;
mod wire;

pub use dns::{Dns, DnsAnswer, DnsReply, Record};
pub use firewall::{About, Firewall, FirewallVerdict, Hook, Side, TrackedState};
pub use wire::{
    Action, Answer, Arrival, Direction, Hold, IcmpAnswer, IcmpMeaning, PacketKind, Rule, ServerAction, Wire,
};

use std::collections::BTreeMap;

use serde::Deserialize;

use super::places::{Family, Node, Place};

/// A network and what is wrong with it. The default is one in which nothing is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Network {
    /// The programmable wire between the client and r1.
    pub wire: Wire,
    /// Listening sockets.
    pub listener: Vec<Listener>,
    /// Connections that the client already has when the command starts.
    pub held: Vec<Held>,
    /// Routes beyond those that connect everybody.
    pub route: Vec<Route>,
    /// Links that take less than others.
    pub link: Vec<Link>,
    /// Policies by destination port.
    pub policy: Vec<Policy>,
    /// Rules of the kernel's own firewalls.
    pub firewall: Vec<Firewall>,
    /// Sysctls by node, as `"net.ipv4.tcp_timestamps" = "0"`.
    pub sysctl: BTreeMap<Node, BTreeMap<String, String>>,
    /// A DNS server on port 53 of the server.
    pub dns: Option<Dns>,
    /// Files that the client's command sees.
    pub files: Files,
}

/// A listening socket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Where.
    #[serde(default)]
    pub node: Node,
    /// On which port.
    pub port: u16,
    /// On so many ports, of which `port` is the first; on each there is a listener of its own.
    #[serde(default = "Listener::one")]
    pub count: u16,
    /// Over which IP version alone; absent means both.
    pub family: Option<Family>,
    /// On which address alone; absent means all.
    pub place: Option<Place>,
    /// The backlog. A backlog of n holds n+1 connections.
    #[serde(default = "Listener::default_backlog")]
    pub backlog: u16,
    /// What it does with connections.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Whether its accept queue is full from the start.
    #[serde(default)]
    pub full: bool,
}

impl Listener {
    const fn one() -> u16 {
        1
    }

    /// The ports that it is on; those past 65535 are not there.
    pub fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        (self.port..=u16::MAX).take(usize::from(self.count))
    }

    const fn default_backlog() -> u16 {
        16
    }
}

/// What a listener does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Accepts them and keeps them until the peer closes.
    #[default]
    Accept,
    /// Accepts them and closes them at once.
    AcceptThenClose,
    /// Accepts them and resets them at once.
    AcceptThenReset,
    /// Accepts them, keeps them until the peer closes, and resets them then.
    ResetAtClose,
    /// Leaves them in the queue.
    NeverAccept,
}

/// Connections that the client already has, in both IP versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Held {
    /// To where.
    pub to: Place,
    /// To which port.
    pub port: u16,
    /// How many.
    pub count: u16,
}

/// A route, in both IP versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Where.
    pub node: Node,
    /// To this one address.
    pub to: Place,
    /// What the node does with packets to it.
    pub way: Way,
}

/// What a route does with packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Sends them to r1 (from the client or r2).
    R1,
    /// Sends them to r2 (from r1).
    R2,
    /// Drops them.
    Blackhole,
    /// Answers that the host cannot be reached.
    Unreachable,
    /// Answers that it is prohibited.
    Prohibit,
    /// Behaves as if there were no route to that address, whatever other routes there are.
    None,
}

/// A link that takes less than others, as one of its ends sees it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Where.
    pub node: Node,
    /// The interface: `eth0` towards the client, `eth1` of a router towards the server.
    pub interface: String,
    /// The largest packet that it takes, in bytes.
    pub mtu: u32,
}

/// A policy for TCP segments by destination port, in both IP versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Where.
    pub node: Node,
    /// The port.
    pub port: u16,
    /// What happens to the segments.
    pub way: PolicyWay,
}

/// What a policy does with segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyWay {
    /// Drops them.
    Blackhole,
    /// Answers that the network cannot be reached (IPv4), or that there is no route (IPv6).
    Unreachable,
    /// Answers that it is prohibited.
    Prohibit,
}

/// Files that the client's command sees in `/etc`; without a text there is no such file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Files {
    /// `/etc/resolv.conf`.
    pub resolv_conf: Option<String>,
    /// `/etc/hosts`.
    pub hosts: Option<String>,
}
