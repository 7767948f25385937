//! What other programs of this host have open towards endpoints: asked of the kernel beside the probes, and seldom, since it
//! walks the table of all sockets of the host for each answer.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::diagnose::sockets::{Bounds, Toward};
use crate::evidence::sockets::{Owner, Settings, Socket, State};
use crate::evidence::{Look, OwnSockets};
use crate::net::clock;
use crate::net::sockets::{self, Filter, Owners};

/// What counts as long, as for `tcpprobe sockets`.
const BOUNDS: Bounds = Bounds {
    stuck: Duration::from_secs(60),
    silent: Duration::from_secs(600),
};
/// What many endpoints share is asked for again after so long, and after so many times the time that it took: it never
/// costs more than a twentieth of a core.
const EVERY: Duration = Duration::from_secs(5);
const TIMES: u32 = 20;
/// So many endpoints are kept in mind at most; each needs about 300 bytes.
const MOST: usize = 1 << 16;
/// `TIME_WAIT` lasts for a minute. Until then our own connections are kept in mind, so that they are not taken for those of
/// others: so many at most.
const REMEMBERED: Duration = Duration::from_secs(65);
const MOST_REMEMBERED: usize = 1 << 17;

/// The sockets of this host towards endpoints, but our own.
#[derive(Debug, Clone)]
pub struct Beside(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    way: Way,
    bounds: Bounds,
    /// Connections of our own that have ended.
    ours: Mutex<VecDeque<Made>>,
    /// What all endpoints share.
    table: Mutex<Option<Arc<Table>>>,
    /// Held by who asks for it again.
    asking: tokio::sync::Mutex<()>,
}

/// How the kernel is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// For each endpoint: the kernel selects.
    OneByOne,
    /// For all of them, every few seconds.
    Together,
}

/// A connection of our own.
#[derive(Debug, Clone, Copy)]
struct Made {
    ended: Instant,
    port: u16,
    to: SocketAddr,
}

/// The sockets of the host by endpoint.
#[derive(Debug)]
struct Table {
    taken: Instant,
    took: Duration,
    settings: Settings,
    endpoints: HashMap<SocketAddr, Toward>,
    /// Whether there were more endpoints than are kept in mind.
    is_full: bool,
    /// Why there is nothing.
    failed: Option<String>,
}

/// The answer that is on its way for one endpoint.
#[derive(Debug)]
pub(super) enum Asked {
    Kernel(JoinHandle<Option<Look<OwnSockets>>>),
    Table(SocketAddr),
}

impl Beside {
    /// For a few endpoints: the kernel is asked about each of them when it is looked at.
    pub fn one_by_one() -> Self {
        Self::new(Way::OneByOne, BOUNDS)
    }

    /// For many endpoints, which share what the kernel says every few seconds.
    pub fn together() -> Self {
        Self::new(Way::Together, BOUNDS)
    }

    /// The same, where something else counts as long.
    #[must_use]
    pub fn with(&self, bounds: Bounds) -> Self {
        Self::new(self.0.way, bounds)
    }

    fn new(way: Way, bounds: Bounds) -> Self {
        Self(Arc::new(Shared {
            way,
            bounds,
            ours: Mutex::default(),
            table: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }))
    }

    /// A connection of our own has ended.
    pub(super) fn ended(&self, from: SocketAddr, to: SocketAddr) {
        let now = clock::now();
        let mut ours = self.0.ours.lock().unwrap_or_else(PoisonError::into_inner);
        while ours
            .front()
            .is_some_and(|made| now.saturating_duration_since(made.ended) > REMEMBERED)
            || ours.len() >= MOST_REMEMBERED
        {
            ours.pop_front();
        }
        ours.push_back(Made {
            ended: now,
            port: from.port(),
            to,
        });
    }

    /// Asks what there is towards an endpoint; another thread waits for the answer.
    pub(super) fn ask(&self, endpoint: SocketAddr) -> Asked {
        match self.0.way {
            Way::Together => Asked::Table(endpoint),
            Way::OneByOne => {
                let shared = Arc::clone(&self.0);
                Asked::Kernel(tokio::task::spawn_blocking(move || shared.read_one(endpoint)))
            }
        }
    }

    /// The answer; absent where there is nothing towards the endpoint. `began` is when its first packet was sent.
    pub(super) async fn told(&self, asked: Asked, began: Instant) -> Option<Look<OwnSockets>> {
        match asked {
            Asked::Kernel(reading) => reading.await.ok().flatten(),
            Asked::Table(endpoint) => {
                self.refresh().await;
                self.known(endpoint, began)
            }
        }
    }

    /// What is known of an endpoint without asking again.
    pub(super) fn known(&self, endpoint: SocketAddr, began: Instant) -> Option<Look<OwnSockets>> {
        self.0.table()?.told(endpoint, began)
    }

    /// Asks again what all endpoints share, if that is old. Who comes meanwhile goes on with the old.
    pub(super) async fn refresh(&self) {
        let is_old = |table: Option<Arc<Table>>| table.is_none_or(|table| table.is_old());
        if self.0.way == Way::OneByOne || !is_old(self.0.table()) {
            return;
        }
        let _asking = match (self.0.asking.try_lock(), self.0.table()) {
            (Ok(asking), _) => asking,
            (Err(_), Some(_)) => return,
            (Err(_), None) => self.0.asking.lock().await,
        };
        if !is_old(self.0.table()) {
            return;
        }
        let shared = Arc::clone(&self.0);
        if let Ok(table) = tokio::task::spawn_blocking(move || shared.read_all()).await {
            *self.0.table.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(table));
        }
    }
}

impl Shared {
    fn table(&self) -> Option<Arc<Table>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read_one(&self, endpoint: SocketAddr) -> Option<Look<OwnSockets>> {
        let length = if endpoint.is_ipv4() { 32 } else { 128 };
        let filter = Filter {
            destination: Some((endpoint.ip(), length)),
            destination_port: Some(endpoint.port()..=endpoint.port()),
            ..all()
        };
        // Most endpoints have no socket towards them, and need no settings.
        let settings = OnceCell::new();
        let mut toward = Toward::default();
        let read = self.read(&filter, |socket| {
            if socket.remote == endpoint {
                toward.note(socket, &self.bounds, settings.get_or_init(sockets::settings));
            }
        });
        match read {
            Ok(()) => {
                let settings = settings.get_or_init(Settings::default);
                toward.told(endpoint.ip(), settings).map(Look::Saw)
            }
            Err(error) => Some(Look::CouldNot {
                why: sockets::why_not(&error),
            }),
        }
    }

    fn read_all(&self) -> Table {
        let taken = clock::now();
        let mut table = Table {
            taken,
            took: Duration::ZERO,
            settings: sockets::settings(),
            endpoints: HashMap::new(),
            is_full: false,
            failed: None,
        };
        let read = self.read(&all(), |socket| {
            if table.endpoints.len() >= MOST && !table.endpoints.contains_key(&socket.remote) {
                table.is_full = true;
                return;
            }
            let toward = table.endpoints.entry(socket.remote).or_default();
            toward.note(socket, &self.bounds, &table.settings);
        });
        table.failed = read.err().map(|error| sockets::why_not(&error));
        table.took = clock::now() - taken;
        table
    }

    /// Tells of the sockets of others.
    fn read(&self, filter: &Filter, mut tell: impl FnMut(&Socket)) -> io::Result<()> {
        let us = Owners::ourselves();
        let ours: HashSet<(u16, SocketAddr)> = {
            let ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
            ours.iter().map(|made| (made.port, made.to)).collect()
        };
        sockets::read(filter, &us, |socket| match socket.owner {
            Owner::Process(_) => {}
            Owner::Nobody | Owner::Unseen => {
                if !ours.contains(&(socket.local.port(), socket.remote)) {
                    tell(socket);
                }
            }
        })
    }
}

impl Table {
    fn is_old(&self) -> bool {
        let age = clock::now().saturating_duration_since(self.taken);
        age > EVERY.max(TIMES * self.took)
    }

    fn told(&self, endpoint: SocketAddr, began: Instant) -> Option<Look<OwnSockets>> {
        if let Some(why) = &self.failed {
            return Some(Look::CouldNot { why: why.clone() });
        }
        let Some(toward) = self.endpoints.get(&endpoint) else {
            return self.is_full.then(|| Look::CouldNot {
                why: format!("this host has connections with more than {MOST} endpoints"),
            });
        };
        let own = toward.told(endpoint.ip(), &self.settings)?;
        Some(Look::Saw(OwnSockets {
            age_s: began.saturating_duration_since(self.taken),
            ..own
        }))
    }
}

/// Listeners have no other end.
fn all() -> Filter {
    let states = State::ALL.iter().copied();
    Filter {
        states: states.filter(|state| *state != State::Listen).collect(),
        ..Filter::default()
    }
}
