//! Raw sockets: segments of our own making, and everything that comes back to them.
//!
//! One set of sockets serves all probes of a run. What is received is matched by `book` with what was sent; a reader
//! task for each socket does the receiving. The packets are sent over sockets that receive nothing, and received by
//! sockets of their own: TCP and ICMP of each IP version behind our own firewall, and all of it before (`AF_PACKET`).

mod answer;
mod book;
mod filter;
mod flight;
mod open;
mod ping;
mod receive;
mod send;
mod sight;
mod sweep;

pub use sight::{RawSight, Use};
pub use sweep::{Plain, Sweep, SweepOrder, Sweeper, Swept};

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::dial::Source;
use super::finish::Finish;
use super::{errno, privileges};
use crate::evidence::{LocalError, Question, Shot, ShotOutcome};
use book::Book;
use filter::Ear;
use flight::Flight;
use open::{Line, Opened, Ports};

/// The raw sockets of a run; clones share them. They serve thousands of endpoints at the same time.
#[derive(Clone)]
pub struct Raw(Arc<Owner>);

/// One raw probe.
#[derive(Debug, Clone)]
pub struct Order {
    /// What to ask.
    pub question: Question,
    /// Where to.
    pub to: SocketAddr,
    /// The length of the whole packet, which data makes up for, for [`Question::Ack`]; as short as can be when absent.
    pub size: Option<u32>,
    /// Our end of a connection that exists, for [`Question::Challenge`].
    pub on: Option<SocketAddr>,
    /// Where from; the port is one of ours in any case.
    pub source: Source,
    /// TTL or hop limit; the system's own when absent.
    pub ttl: Option<u8>,
    /// How long to wait for an answer.
    pub patience: Duration,
}

/// Ends the readers with the last [`Raw`].
struct Owner {
    shared: Arc<Shared>,
    _readers: JoinSet<()>,
}

/// What probes and readers share.
struct Shared {
    v4: Line,
    v6: Option<Line>,
    interface: tokio::net::UdpSocket,
    _ports: Ports,
    book: Mutex<Book>,
    filtered: bool,
    /// The ports of connections that are being challenged, which the filters have to let through too.
    guests: Mutex<Vec<u16>>,
}

impl Raw {
    /// Opens the sockets, with CAP_NET_RAW in force only meanwhile: afterwards this thread has lost it for good. Begins
    /// to receive, so it has to be called within a tokio runtime.
    ///
    /// # Errors
    /// `PermissionDenied` without CAP_NET_RAW, and what else the system says when it will not open sockets.
    pub fn open() -> io::Result<Self> {
        let opened = privileges::once_with_raw_sockets(open::open)?;
        let shared = Arc::new(Shared::new(opened));
        let mut readers = JoinSet::new();
        for ear in Ear::ALL {
            readers.spawn(hear(shared.clone(), ear));
        }
        readers.spawn(watch_departures(shared.clone(), true));
        readers.spawn(watch_departures(shared.clone(), false));
        Ok(Self(Arc::new(Owner {
            shared,
            _readers: readers,
        })))
    }

    /// Whether the kernel keeps from us what is not for us. Where it does not let us filter our own sockets, every
    /// packet of a busy host costs us time.
    pub fn filtered(&self) -> bool {
        self.0.shared.filtered
    }

    /// Sends a probe, and collects what answers it until the patience is over, or until shortly after the first answer.
    pub async fn shoot(&self, order: &Order, mut finish: Finish) -> Shot {
        let mut shot = Shot {
            question: order.question,
            to: order.to,
            from: None,
            outcome: ShotOutcome::Sent { replies: Vec::new() },
        };
        let shared = &*self.0.shared;
        let flight = match Flight::begin(shared, order) {
            Ok(flight) => flight,
            Err(error) => {
                shot.outcome = ShotOutcome::NotSent(error);
                return shot;
            }
        };
        shot.from = Some(flight.from());
        shot.outcome = match flight.send(order, &mut finish).await {
            Ok(()) => {
                flight.wait(order.patience, &mut finish).await;
                flight.outcome(order.question)
            }
            Err(error) => ShotOutcome::NotSent(error),
        };
        shot
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw")
            .field("filtered", &self.filtered())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn new(opened: Opened) -> Self {
        Self {
            v4: opened.v4,
            v6: opened.v6,
            interface: opened.interface,
            book: Mutex::new(Book::new(opened.ports.numbers.clone())),
            _ports: opened.ports,
            filtered: opened.filtered,
            guests: Mutex::default(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, to: SocketAddr) -> Result<&Line, LocalError> {
        let line = if to.is_ipv4() {
            Some(&self.v4)
        } else {
            self.v6.as_ref()
        };
        line.ok_or_else(|| errno::local("socket", &io::Error::from_raw_os_error(libc::EAFNOSUPPORT)))
    }

    fn socket(&self, ear: Ear) -> Option<&tokio::net::UdpSocket> {
        match ear {
            Ear::TcpV4 => Some(&self.v4.tcp),
            Ear::IcmpV4 => Some(&self.v4.icmp),
            Ear::TcpV6 => self.v6.as_ref().map(|line| &line.tcp),
            Ear::IcmpV6 => self.v6.as_ref().map(|line| &line.icmp),
            Ear::Interface => Some(&self.interface),
        }
    }

    /// Has the filters let through what is for the guests too.
    fn change_guests(&self, change: impl FnOnce(&mut Vec<u16>)) {
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut guests);
        if !self.filtered {
            return;
        }
        let ports = [self.book().ports(), &guests].concat();
        for ear in Ear::ALL {
            if let Some(socket) = self.socket(ear) {
                open::exchange_filter(socket, &ports, ear);
            }
        }
    }
}

/// Takes packets from a socket to those who wait for them.
async fn hear(shared: Arc<Shared>, ear: Ear) {
    let Some(socket) = shared.socket(ear) else { return };
    loop {
        match receive::receive(socket, ear).await {
            Ok(Some(heard)) => shared.book().hear(&heard),
            Ok(None) => {}
            Err(_) => sleep(AFTER_ERROR).await,
        }
    }
}

/// An error of a receiving socket (an interface that goes away) is told once, and concerns no probe.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// Notes when what we sent has left.
async fn watch_departures(shared: Arc<Shared>, is_ipv4: bool) {
    let line = if is_ipv4 {
        Some(&shared.v4)
    } else {
        shared.v6.as_ref()
    };
    let Some(line) = line else { return };
    loop {
        match line.sender.departure().await {
            Ok(Some((tuple, index, stamp))) => shared.book().departed(&tuple, index, stamp),
            Ok(None) => {}
            Err(_) => sleep(AFTER_ERROR).await,
        }
    }
}
