//! Who the sockets are connected with, counted in bounded memory.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::evidence::sockets::{Settings, Socket, State, Timer};

/// So many peers of each address family are counted. The kernel lists sockets in the order of a keyed hash, so whoever has
/// one socket of five hundred is among the first so many but for one case in ten million.
const MOST: usize = 8192;

/// The other end, as far as it matters for how many connections there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// Connections that we make, from one address of ours to one port.
    To {
        /// Our address.
        from: IpAddr,
        /// The peer's address and port.
        to: SocketAddr,
    },
    /// Connections that we take, from one address to one port of ours.
    From {
        /// The peer's address.
        ip: IpAddr,
        /// Our port, on which something listens.
        port: u16,
    },
}

/// The sockets of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeerCount {
    states: [u32; 12],
    /// Of them those whose own port is of the range that the kernel gives out.
    pub in_range: u32,
    /// Of these those in `TIME_WAIT`.
    pub in_range_time_wait: u32,
    /// Segments with data that the live connections have sent since they were made, again or not.
    pub segments_out: u64,
    /// Segments that they have sent again.
    pub retransmitted: u64,
}

impl PeerCount {
    /// How many are in that state.
    pub fn of(&self, state: State) -> u32 {
        self.states[usize::from(state.number())]
    }

    /// Counts a socket.
    pub(super) fn note(&mut self, socket: &Socket, settings: &Settings) {
        self.states[usize::from(socket.state.number())] += 1;
        let port = socket.local.port();
        let in_range = settings
            .port_range
            .is_some_and(|(first, last)| (first..=last).contains(&port));
        self.in_range += u32::from(in_range);
        self.in_range_time_wait += u32::from(in_range && socket.state == State::TimeWait);
        if let Some((info, sent)) = socket.info.and_then(|info| Some((info, info.data_segments_out?)))
            && is_live(socket)
        {
            self.segments_out += u64::from(sent);
            self.retransmitted += u64::from(info.retransmitted);
        }
    }

    /// How many there are.
    pub fn total(&self) -> u32 {
        self.states.iter().sum()
    }
}

/// The sockets of every peer.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    v4: HashMap<Peer, PeerCount>,
    v6: HashMap<Peer, PeerCount>,
    /// Sockets whose peer is not counted, since there were too many peers before.
    pub not_counted: u64,
}

impl Peers {
    pub(super) fn note(&mut self, peer: Peer, socket: &Socket, settings: &Settings) {
        let counts = if socket.remote.is_ipv4() {
            &mut self.v4
        } else {
            &mut self.v6
        };
        if counts.len() >= MOST && !counts.contains_key(&peer) {
            self.not_counted += 1;
            return;
        }
        counts.entry(peer).or_default().note(socket, settings);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Peer, &PeerCount)> {
        self.v4.iter().chain(&self.v6).map(|(peer, count)| (*peer, count))
    }

    /// Those with the most sockets, the most first.
    pub fn most(&self, number: usize) -> Vec<(Peer, PeerCount)> {
        let mut all: Vec<(Peer, PeerCount)> = self.iter().map(|(peer, count)| (peer, *count)).collect();
        all.sort_unstable_by_key(|(peer, count)| (std::cmp::Reverse(count.total()), *peer));
        all.truncate(number);
        all
    }
}

/// Whether what it sent again says something of the path: a SYN or FIN that is sent again is no segment with data, and where
/// nothing is acknowledged any more (three timeouts in a row) there is no share that is lost.
fn is_live(socket: &Socket) -> bool {
    let is_stalled = matches!(socket.timer, Some((Timer::Retransmit, _))) && socket.tries >= 3;
    matches!(socket.state, State::Established | State::CloseWait) && !is_stalled
}
