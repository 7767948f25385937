//! Counts sockets while they are read: nothing that grows with their number is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::Label;
use super::peers::{Peer, Peers};
use super::table::{By, ROWS, Row};
use crate::evidence::sockets::{Owner, Settings, Socket, State};

/// So many groups of a label are kept apart, in the order in which they are met.
const MOST_GROUPS: usize = 512;
const MOST_LISTENERS: usize = 4096;
/// So many sockets of a group are shown.
const EXAMPLES: usize = 3;

/// What counts as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For a socket that should be on its way to another state, or data that should be on its way.
    pub stuck: Duration,
    /// For a connection on which nothing has to happen.
    pub silent: Duration,
}

/// What the sockets of one label have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The process that holds them.
    Process(u32),
    /// A user's processes that we may not look into.
    Unseen {
        /// The user.
        uid: u32,
    },
    /// Where they listen, or our end of them.
    Listener(SocketAddr),
    /// Who they are connected with.
    Peer(Peer),
    /// Nothing.
    Whole,
}

/// The sockets of one label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cases {
    /// By what they have in common.
    pub groups: BTreeMap<Group, Case>,
    /// Sockets of groups beyond those that are kept.
    pub ungrouped: u64,
}

/// The sockets of one label and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// How many.
    pub sockets: u64,
    /// The worst of them, the worst first.
    pub examples: Vec<Socket>,
    /// How long the worst has lasted, at least; absent where that is not known from one look.
    pub longest: Option<Duration>,
    pub(super) least: u64,
    worst: Vec<u64>,
}

/// A socket that waits for connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub local: SocketAddr,
    /// Connections that wait to be accepted.
    pub queue: u32,
    /// The backlog. The queue is full when more than this many wait.
    pub limit: u32,
    /// Packets dropped since the socket was made.
    pub drops: Option<u32>,
    /// Who holds it.
    pub owner: Owner,
    /// Whose user it is.
    pub uid: u32,
}

/// All sockets of a look, counted.
#[derive(Debug, Clone)]
pub struct Tally {
    bounds: Bounds,
    settings: Settings,
    listening: BTreeSet<u16>,
    states: [u64; 12],
    cases: BTreeMap<Label, Cases>,
    /// Every listener, up to some thousands.
    pub listeners: Vec<Listener>,
    /// Who the connections are with.
    pub peers: Peers,
    /// Sockets whose holder we could not find.
    pub owners_unseen: u64,
}

impl Tally {
    /// Nothing counted yet. A connection is one that we took when its port is among those that are listened on.
    pub fn new(bounds: Bounds, settings: Settings, listening: BTreeSet<u16>) -> Self {
        Self {
            bounds,
            settings,
            listening,
            states: [0; 12],
            cases: BTreeMap::new(),
            listeners: Vec::new(),
            peers: Peers::default(),
            owners_unseen: 0,
        }
    }

    /// Counts a socket.
    pub fn note(&mut self, socket: &Socket) {
        self.states[usize::from(socket.state.number())] += 1;
        self.owners_unseen += u64::from(socket.owner == Owner::Unseen);
        if socket.state == State::Listen {
            if self.listeners.len() < MOST_LISTENERS {
                self.listeners.push(Listener::of(socket));
            }
        } else {
            self.peers.note(self.peer(socket), socket, &self.settings);
        }
        for row in ROWS {
            if row.holds(socket, &self.bounds) {
                self.count(row, socket);
            }
        }
    }

    /// How many are in that state.
    pub fn of(&self, state: State) -> u64 {
        self.states[usize::from(state.number())]
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.states.iter().sum()
    }

    /// What counts as long.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The settings that hold here.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What counts towards a label, whether it is enough for a verdict or not.
    pub fn cases(&self, label: Label) -> Option<&Cases> {
        self.cases.get(&label)
    }

    fn count(&mut self, row: &Row, socket: &Socket) {
        let group = self.group(row.by, socket);
        let cases = self.cases.entry(row.label).or_default();
        if !cases.groups.contains_key(&group) && cases.groups.len() >= MOST_GROUPS {
            cases.ungrouped += 1;
            return;
        }
        let case = cases.groups.entry(group).or_insert_with(|| Case {
            sockets: 0,
            examples: Vec::new(),
            longest: None,
            least: row.least,
            worst: Vec::new(),
        });
        case.sockets += 1;
        let worst = row.worst.of(socket);
        let place = case.worst.partition_point(|other| *other >= worst);
        if place < EXAMPLES {
            case.worst.insert(place, worst);
            case.worst.truncate(EXAMPLES);
            case.examples.insert(place, socket.clone());
            case.examples.truncate(EXAMPLES);
        }
        case.longest = case.longest.max(row.worst.as_time(worst));
    }

    fn group(&self, by: By, socket: &Socket) -> Group {
        match (by, socket.owner) {
            (By::Process, Owner::Process(pid)) => Group::Process(pid),
            (By::Process, Owner::Unseen | Owner::Nobody) => Group::Unseen { uid: socket.uid },
            (By::Listener, _) => Group::Listener(socket.local),
            (By::Peer, _) => Group::Peer(self.peer(socket)),
            (By::Whole, _) => Group::Whole,
        }
    }

    fn peer(&self, socket: &Socket) -> Peer {
        if self.listening.contains(&socket.local.port()) {
            Peer::From {
                ip: socket.remote.ip(),
                port: socket.local.port(),
            }
        } else {
            Peer::To {
                from: socket.local.ip(),
                to: socket.remote,
            }
        }
    }
}

impl Listener {
    fn of(socket: &Socket) -> Self {
        Self {
            local: socket.local,
            queue: socket.receive_queue,
            limit: socket.send_queue,
            drops: socket.drops,
            owner: socket.owner,
            uid: socket.uid,
        }
    }
}
