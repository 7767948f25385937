//! The TCP sockets of this host's network namespace as the kernel tells of them, who holds them, and what decides how long
//! they stay.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::host::SynSchedule;

/// The states of a TCP socket (RFC 9293, section 3.3.2), by the kernel's numbers (`include/net/tcp_states.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The connection is made, and neither side has closed it.
    Established = 1,
    /// Our SYN was sent and not answered yet.
    SynSent = 2,
    /// A SYN came and was answered; the last part of the handshake has not come yet.
    SynReceived = 3,
    /// We closed first, and our FIN is not acknowledged yet.
    FinWait1 = 4,
    /// We closed first, our FIN is acknowledged, and the peer has not closed yet.
    FinWait2 = 5,
    /// We closed first and both FINs are done: the ports are kept from being used again too early.
    TimeWait = 6,
    /// The peer has closed, and our program has not.
    CloseWait = 8,
    /// The peer closed first, then we did, and our FIN is not acknowledged yet.
    LastAck = 9,
    /// Waits for connections.
    Listen = 10,
    /// Both sides closed at the same time, and our FIN is not acknowledged yet.
    Closing = 11,
}

impl State {
    /// Every state, in the order in which a connection may pass them.
    pub const ALL: &[Self] = &[
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::Closing,
        Self::TimeWait,
        Self::CloseWait,
        Self::LastAck,
    ];

    /// The stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn-sent",
            Self::SynReceived => "syn-received",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::TimeWait => "time-wait",
            Self::CloseWait => "close-wait",
            Self::LastAck => "last-ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
        }
    }

    /// The kernel's number for it.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The state of that number; absent for what is no connection, such as a socket that is only bound.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.number() == number)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        let state = Self::ALL.iter().copied().find(|state| state.label() == label);
        state.ok_or_else(|| serde::de::Error::custom(format!("'{label}' is no state of a TCP socket")))
    }
}

/// What a socket's next timer is for (`idiag_timer`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// What was sent is sent again, unless it is acknowledged.
    Retransmit,
    /// A keepalive probe; also the end of `FIN_WAIT2`.
    Keepalive,
    /// The end of `TIME_WAIT`, or of a `FIN_WAIT2` that nobody holds.
    TimeWait,
    /// The peer's window is closed: it is asked again (persist, RFC 9293, section 3.8.6.1).
    Persist,
    /// An acknowledgement that is held back for a moment.
    DelayedAck,
}

/// One socket at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Its state.
    pub state: State,
    /// Our end. An IPv4 connection of an IPv6 socket has IPv4 addresses here.
    pub local: SocketAddr,
    /// The peer's end; of a listener the unspecified address and port 0.
    pub remote: SocketAddr,
    /// The timer that runs, if one does, and in how long it fires.
    pub timer: Option<(Timer, Duration)>,
    /// How often that timer has fired in a row without success: retransmissions, or probes.
    pub tries: u8,
    /// Bytes that came and that our program has not read. Of a listener: connections that wait to be accepted.
    pub receive_queue: u32,
    /// Bytes that our program wrote and the peer has not acknowledged. Of a listener: its backlog.
    pub send_queue: u32,
    /// Packets that the socket dropped; absent where the kernel does not say.
    pub drops: Option<u32>,
    /// Whose user it is.
    pub uid: u32,
    /// `TCP_INFO`, as far as the kernel has it; absent for what is no full socket (`TIME_WAIT`, `SYN_RECV`).
    pub info: Option<Info>,
    /// Who holds it.
    pub owner: Owner,
}

/// The part of `TCP_INFO` that says how a connection fares. Absent is what this kernel is too old to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Info {
    /// The retransmission timeout, as it is doubled by now.
    pub rto: Duration,
    /// How often it was doubled.
    pub backoff: u8,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Since our last segment with data.
    pub data_sent_ago: Duration,
    /// Since the peer's last segment with data; since the handshake where none came.
    pub data_received_ago: Duration,
    /// Since the peer's last segment of any kind.
    pub heard_ago: Duration,
    /// Segments sent again since the connection was made.
    pub retransmitted: u32,
    /// Segments with data sent, those that were sent again among them.
    pub data_segments_out: Option<u32>,
    /// The window that the peer last offered, in bytes.
    pub peer_window: Option<u32>,
}

/// Who holds a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// No program: the kernel finishes it alone, or no program has accepted it yet.
    Nobody,
    /// This process, by its id; of several that share the socket the one with the lowest.
    Process(u32),
    /// A process that we may not look into, or that is not in our `/proc`.
    Unseen,
}

/// A process that holds sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`); empty when it has ended meanwhile.
    pub name: String,
    /// Its command line, cut after 200 characters.
    pub command: String,
    /// How many descriptors it had open.
    pub descriptors: u64,
    /// How many it may have open (soft limit); absent where that cannot be read or there is no limit.
    pub descriptor_limit: Option<u64>,
}

/// How much of `/proc` could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Visibility {
    /// Processes whose descriptors were read.
    pub processes_read: u32,
    /// Processes that we may not look into.
    pub processes_denied: u32,
    /// Whether there were more descriptors than are remembered.
    pub cut: bool,
}

/// The kernel's settings that decide how long sockets stay and how many there can be. Absent is what this kernel does not
/// have or this namespace does not show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `net.ipv4.tcp_retries2`.
    pub retries2: Option<u32>,
    /// `net.ipv4.tcp_rto_max_ms`; absent before Linux 6.15, where it is two minutes.
    pub rto_max: Option<Duration>,
    /// `net.ipv4.tcp_keepalive_time`.
    pub keepalive_time: Option<Duration>,
    /// `net.ipv4.tcp_keepalive_intvl`.
    pub keepalive_interval: Option<Duration>,
    /// `net.ipv4.tcp_keepalive_probes`.
    pub keepalive_probes: Option<u32>,
    /// `net.ipv4.tcp_syn_retries` and `tcp_syn_linear_timeouts`.
    pub syn_schedule: Option<SynSchedule>,
    /// `net.ipv4.tcp_synack_retries`.
    pub synack_retries: Option<u32>,
    /// `net.ipv4.tcp_orphan_retries`; 0 stands for 8.
    pub orphan_retries: Option<u32>,
    /// `net.ipv4.tcp_max_orphans`; the host's own namespace alone shows it.
    pub max_orphans: Option<u32>,
    /// `net.ipv4.tcp_fin_timeout`.
    pub fin_timeout: Option<Duration>,
    /// `net.ipv4.ip_local_port_range`.
    pub port_range: Option<(u16, u16)>,
    /// How many ports of that range `net.ipv4.ip_local_reserved_ports` takes out of it.
    pub reserved_ports: u32,
    /// `net.ipv4.tcp_tw_reuse`.
    pub tw_reuse: Option<u32>,
    /// `net.ipv4.tcp_max_tw_buckets`.
    pub max_tw_buckets: Option<u32>,
    /// `net.core.somaxconn`.
    pub somaxconn: Option<u32>,
    /// `net.ipv4.tcp_abort_on_overflow`.
    pub abort_on_overflow: Option<u32>,
    /// `net.ipv4.tcp_syncookies`.
    pub syncookies: Option<u32>,
    /// `net.ipv4.tcp_timestamps`.
    pub timestamps: Option<u32>,
    /// Connections that connection tracking holds, and how many it may.
    pub conntrack: Option<(u32, u32)>,
}

impl Settings {
    /// How many ports there are for connections from one address to one port of one other; absent where the range cannot
    /// be read.
    pub fn ports(&self) -> Option<u32> {
        let (first, last) = self.port_range?;
        (u32::from(last) + 1)
            .checked_sub(u32::from(first))?
            .checked_sub(self.reserved_ports)
            .filter(|ports| *ports > 0)
    }

    /// Whether the kernel takes a port that waits in `TIME_WAIT` for a new connection to that address, after a second.
    pub fn reuses_time_wait(&self, to: IpAddr) -> bool {
        // `tcp_twsk_unique()`: without timestamps it could not tell old segments from new ones.
        let possible = self.timestamps.is_some_and(|timestamps| timestamps != 0);
        possible && (self.tw_reuse == Some(1) || self.tw_reuse == Some(2) && to.is_loopback())
    }
}

/// One of the namespace's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counter {
    /// Its name in `/proc/net/netstat` or `/proc/net/snmp`.
    pub name: &'static str,
    /// Its value since the namespace was made.
    pub total: u64,
    /// By how much it grew since the last look; absent in the first.
    pub since_last_look: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_number() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(*state));
        }
        assert_eq!(State::from_number(7), None);
    }

    #[test]
    fn ports_in_time_wait_are_taken_again_where_both_settings_say_so() {
        let with = |tw_reuse, timestamps| Settings {
            tw_reuse: Some(tw_reuse),
            timestamps: Some(timestamps),
            ..Settings::default()
        };
        let (own, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
        assert!(with(1, 1).reuses_time_wait(other) && !with(1, 0).reuses_time_wait(other));
        assert!(with(2, 1).reuses_time_wait(own) && !with(2, 1).reuses_time_wait(other));
        assert!(!with(0, 1).reuses_time_wait(own));
    }

    #[test]
    fn reserved_ports_are_no_part_of_the_range() {
        let settings = Settings {
            port_range: Some((32768, 60999)),
            reserved_ports: 32,
            ..Settings::default()
        };
        assert_eq!(settings.ports(), Some(28_200));
        assert_eq!(Settings::default().ports(), None);
    }
}
