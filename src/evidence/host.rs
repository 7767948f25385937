//! What our own host says: its route, its neighbour, its listening socket, its counters, its settings.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The result of looking at local state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "look", rename_all = "kebab-case")]
pub enum Look<T> {
    /// It was there.
    Saw(T),
    /// We looked, and there was nothing.
    Nothing,
    /// We could not look.
    CouldNot {
        /// Why not.
        why: String,
    },
}

/// The kernel's route to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where packets go next.
    pub next_hop: NextHop,
    /// The interface they leave by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// The source address that the kernel would choose.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<IpAddr>,
}

/// Who gets the packet first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextHop {
    /// The address is one of our own.
    Local,
    /// The address itself, on our own link.
    OnLink,
    /// A router.
    Gateway(IpAddr),
    /// The route is a blackhole, unreachable or prohibit route.
    Refused,
}

/// The state of a link-layer neighbour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The next hop's address.
    pub address: IpAddr,
    /// Whether ARP or ND knows where it is.
    pub state: NeighbourState,
    /// How many requests the kernel has sent for it without an answer.
    pub unanswered_requests: u32,
}

/// The states of `ip neigh`, as far as they differ for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeighbourState {
    /// It has answered (reachable, stale, delay, probe, permanent, noarp).
    Resolved,
    /// It is being asked and has not answered yet.
    Incomplete,
    /// It was asked and did not answer.
    Failed,
}

/// The accept queue of a listening socket of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Connections that wait to be accepted.
    pub queue: u32,
    /// The backlog: the queue is full when more than this many wait.
    pub limit: u32,
    /// Packets that this socket dropped while we probed.
    pub drops: u32,
    /// Growth of `ListenOverflows` of the namespace while we probed. Absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overflows: Option<u64>,
}

/// Growth of the network namespace's counters between the first packet and the verdict. Other traffic counts too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// `TCPRetransFail`: retransmissions that our own host refused to send.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retransmissions_failed: Option<u64>,
    /// `RetransSegs`: everything that this namespace tried to retransmit, whether it was sent or refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retransmissions: Option<u64>,
    /// SYNs that our own probes retransmitted in that time.
    pub our_retransmissions: u64,
    /// Packets received for this host that reached no protocol (`InReceives` less `InDelivers` and what was
    /// forwarded), of the endpoint's family.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub received_not_delivered: Option<u64>,
    /// SYNs that our own probes sent in that time and that went unanswered.
    pub our_unanswered_syns: u64,
    /// Other endpoints of the same family that this run looked into at the same time: their packets count too.
    #[serde(default)]
    pub alongside: u32,
}

/// The settings that decide how long a default client hangs on silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynSchedule {
    /// `net.ipv4.tcp_syn_retries`.
    pub retries: u32,
    /// `net.ipv4.tcp_syn_linear_timeouts`; absent before Linux 6.5.
    pub linear_timeouts: Option<u32>,
}
