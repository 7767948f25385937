//! The programmable wire: what it does to which packets.

use std::time::Duration;

use serde::Deserialize;

use super::humane;
use crate::lab::places::Place;

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
    /// It is about packets longer than this alone, in bytes with their IP header.
    pub longer_than: Option<usize>,
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
    /// Sends something back, and lets it pass.
    Inject(Answer),
    /// Lowers the MSS option of a SYN or SYN-ACK to this, if it is higher.
    ClampMss(u16),
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
    /// What it says fits, where it says that something does not.
    #[serde(default)]
    pub mtu: u16,
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
    /// 3/4, v6 2/0.
    TooBig,
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
