//! The description of a network and of what is wrong with it: plain data, as a scenario file holds it.

use std::collections::BTreeMap;
use std::time::Duration;

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

/// The programmable wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Wire {
    /// How long every packet takes to the server's side.
    #[serde(with = "humane")]
    pub delay_to_server: Duration,
    /// How long every packet takes to the client's side.
    #[serde(with = "humane")]
    pub delay_to_client: Duration,
    /// Where the dice of rules with a probability start.
    pub seed: u64,
    /// What happens to which packets. The first rule that applies decides.
    pub rule: Vec<Rule>,
}

/// What the wire does to some packets. Neighbour discovery and ARP always pass, at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The direction that it looks at.
    pub towards: Direction,
    /// What kind of packets it is about.
    #[serde(default)]
    pub packet: PacketKind,
    /// The port on the server's side.
    pub port: Option<u16>,
    /// The address on the server's side.
    pub host: Option<Place>,
    /// How many of them pass before it applies.
    #[serde(default)]
    pub skip: u32,
    /// To how many of them it applies; absent means all.
    pub count: Option<u32>,
    /// It applies to the first, and then to every n-th.
    pub every: Option<u32>,
    /// It applies with this probability (0 to 1), by seeded dice.
    pub probability: Option<f64>,
    /// What it does.
    pub action: Action,
}

/// A direction along the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to the server's side.
    Server,
    /// From the server's side to the client.
    Client,
}

/// A kind of packet, the same in both IP versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PacketKind {
    /// Any.
    #[default]
    Any,
    /// Any TCP segment.
    Tcp,
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// ACK without SYN, FIN or RST, and without data.
    Ack,
    /// FIN, whatever else is set.
    Fin,
    /// RST, whatever else is set.
    Rst,
    /// A UDP datagram.
    Udp,
    /// An echo request.
    EchoRequest,
    /// An echo reply.
    EchoReply,
    /// An ICMP error.
    IcmpError,
}

/// What the wire does to a packet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// Lets it pass, whatever later rules say.
    Pass,
    /// Drops it.
    Drop,
    /// Lets it wait, beyond what the wire itself takes.
    #[serde(with = "humane")]
    Delay(Duration),
    /// Keeps it until so many are there, or until the time is up.
    Hold(Hold),
    /// Sends it twice.
    Duplicate,
    /// Drops it and sends something back.
    Answer(Answer),
    /// Has something done at the server before it goes on; later rules still apply.
    First(ServerAction),
}

/// How long packets are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hold {
    /// Until so many of them are there.
    pub packets: usize,
    /// But no longer than this since the first of them.
    #[serde(with = "humane")]
    pub at_most: Duration,
}

/// What the wire sends back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Answer {
    /// A RST from the address that the segment was for.
    Reset(Arrival),
    /// A SYN-ACK from the address that the SYN was for.
    SynAck(Arrival),
    /// An ICMP error.
    Icmp(IcmpAnswer),
}

/// How an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Arrival {
    /// Its TTL or hop limit when the client gets it.
    pub ttl: u8,
}

impl Default for Arrival {
    fn default() -> Self {
        Self { ttl: 64 }
    }
}

/// An ICMP error that the wire sends back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IcmpAnswer {
    /// What it says.
    pub says: IcmpMeaning,
    /// Who seems to have sent it.
    pub from: Place,
    /// Its TTL or hop limit when the client gets it.
    #[serde(default = "IcmpAnswer::default_ttl")]
    pub ttl: u8,
}

impl IcmpAnswer {
    const fn default_ttl() -> u8 {
        64
    }
}

/// What an ICMP error says, in terms of both versions. ICMPv6 has but one code for all that is prohibited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcmpMeaning {
    /// 3/3, v6 1/4.
    PortUnreachable,
    /// 3/13, v6 1/1.
    AdminProhibited,
    /// 3/10, v6 1/1.
    HostProhibited,
    /// 3/9, v6 1/1.
    NetProhibited,
    /// 3/1, v6 1/3.
    HostUnreachable,
    /// 3/0, v6 1/0.
    NetUnreachable,
    /// 11/0, v6 3/0.
    TtlExceeded,
}

/// Something that is done at the server, to the listener on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerAction {
    /// Fills the accept queue.
    Fill(u16),
    /// Accepts one connection, and keeps it.
    AcceptOne(u16),
    /// Accepts all that wait, and closes them.
    Drain(u16),
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

/// A firewall rule about TCP, in both IP versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Firewall {
    /// Where.
    pub node: Node,
    /// Which packets it sees there.
    pub hook: Hook,
    /// Whether the port is the one that segments go to or come from.
    #[serde(default)]
    pub side: Side,
    /// The port.
    pub port: u16,
    /// What connection tracking says of the segment; absent means anything.
    pub state: Option<TrackedState>,
    /// What is done with such segments.
    pub verdict: FirewallVerdict,
}

/// A place where the kernel asks its firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// What arrives, before it is decided where it goes.
    Prerouting,
    /// What is for the node itself.
    Input,
    /// What passes through.
    Forward,
    /// What the node sends.
    Output,
}

/// An end of a segment's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Where it comes from.
    From,
    /// Where it goes.
    #[default]
    To,
}

/// What connection tracking says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackedState {
    /// It begins a connection.
    New,
    /// It belongs to one.
    Established,
}

/// What a firewall does with a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallVerdict {
    /// Drops it.
    Drop,
    /// Answers with a RST.
    Reset,
    /// Sends the connection to this port of the node itself; for prerouting and output alone.
    Redirect(u16),
}

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

/// Files that the client's command sees in `/etc`; without a text there is no such file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Files {
    /// `/etc/resolv.conf`.
    pub resolv_conf: Option<String>,
    /// `/etc/hosts`.
    pub hosts: Option<String>,
}

/// Durations as people write them (`600ms`, `1s 500ms`).
mod humane {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        humantime::parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
