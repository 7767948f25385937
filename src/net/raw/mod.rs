//! Raw sockets: segments of our own making, and everything that comes back to them.
//!
//! One set of sockets serves all probes of a run. What is received is matched by [`book`] with what was sent; a reader
//! task for each socket does the receiving. The packets are sent over sockets that receive nothing, and received by
//! sockets of their own: TCP and ICMP of each IP version behind our own firewall, and all of it before (`AF_PACKET`).

mod answer;
mod book;
mod filter;
mod open;
mod ping;
mod receive;
mod send;
mod sight;

pub use sight::{RawSight, Use};

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::dial::Source;
use super::finish::Finish;
use super::{clock, errno, pause, privileges};
use crate::evidence::{LocalError, LocalMeans, Question, Shot, ShotOutcome};
use crate::wire::{Packet, Payload, Segment, Unwritable};
use answer::{Asked, FourTuple, Sent};
use book::{Book, Departure};
use filter::Ear;
use open::{Line, Opened, Ports};
use send::Origin;

/// A SYN-ACK and a RST that both answer one SYN do not come at the same moment: somebody in between injects one.
const SHORTEST_LINGER: Duration = Duration::from_millis(10);

/// How long the SYN of a half-open probe is ahead of its FIN. They take the same way, so what could make the FIN arrive
/// first are the parallel queues of one link, and those differ by less than this.
const HEAD_START: Duration = Duration::from_millis(5);

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
    filtered: AtomicBool,
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
        for (ear, exists) in [
            (Ear::TcpV4, true),
            (Ear::IcmpV4, true),
            (Ear::Interface, true),
            (Ear::TcpV6, shared.v6.is_some()),
            (Ear::IcmpV6, shared.v6.is_some()),
        ] {
            if exists {
                readers.spawn(hear(shared.clone(), ear));
            }
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
        self.0.shared.filtered.load(Ordering::Relaxed)
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
        shot.outcome = match flight.send(order.question, &mut finish).await {
            Ok(()) => {
                flight.wait(order.patience, &mut finish).await;
                ShotOutcome::Sent {
                    replies: shared.book().end(&flight.tuple),
                }
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
            filtered: AtomicBool::new(opened.filtered),
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
        if !self.filtered.load(Ordering::Relaxed) {
            return;
        }
        let ports = [self.book().ports(), &guests].concat();
        for ear in [Ear::TcpV4, Ear::TcpV6, Ear::IcmpV4, Ear::IcmpV6, Ear::Interface] {
            if let Some(socket) = self.socket(ear) {
                open::exchange_filter(socket, &ports, ear);
            }
        }
    }
}

/// A probe whose answers are waited for.
struct Flight<'a> {
    shared: &'a Shared,
    to: SocketAddr,
    origin: Origin,
    hop_limit: u8,
    tuple: FourTuple,
    sent: Sent,
    told: Arc<Notify>,
    is_guest: bool,
}

impl<'a> Flight<'a> {
    fn begin(shared: &'a Shared, order: &Order) -> Result<Self, LocalError> {
        shared.line(order.to)?;
        let origin = Origin::towards(order.to, &order.source)?;
        let sent = Sent {
            asked: match order.question {
                Question::Syn | Question::Cookie | Question::Challenge | Question::FirstFragment => {
                    Asked::Syn
                }
                Question::Ack => Asked::Ack,
                Question::Fin => Asked::Fin,
                Question::HalfOpen => Asked::SynAndFin,
            },
            sequence: unpredictable(),
            acknowledgement: unpredictable(),
        };
        let no_port = || errno::local("bind", &io::Error::from_raw_os_error(libc::EADDRINUSE));
        let first = unpredictable() as usize;
        let mut book = shared.book();
        let local = match order.on {
            Some(ours) => (ours.ip(), ours.port()),
            None => (
                origin.address,
                book.free_port(origin.address, order.to, first)
                    .ok_or_else(no_port)?,
            ),
        };
        let tuple = FourTuple {
            local,
            remote: (order.to.ip(), order.to.port()),
        };
        let told = book.begin(tuple, sent).ok_or_else(no_port)?;
        drop(book);
        let is_guest = order.on.is_some();
        if is_guest {
            shared.change_guests(|guests| guests.push(tuple.local.1));
        }
        Ok(Self {
            shared,
            to: order.to,
            origin,
            hop_limit: order.ttl.unwrap_or(origin.hop_limit),
            tuple,
            sent,
            told,
            is_guest,
        })
    }

    fn from(&self) -> SocketAddr {
        let (address, port) = self.tuple.local;
        let mut from = SocketAddr::new(address, port);
        if let (SocketAddr::V6(from), SocketAddr::V6(to)) = (&mut from, self.to) {
            from.set_scope_id(to.scope_id());
        }
        from
    }

    async fn send(&self, question: Question, finish: &mut Finish) -> Result<(), LocalError> {
        let ports = self.tuple.ports();
        let sequence = self.sent.sequence;
        let mss = if self.to.is_ipv4() { 1460 } else { 1440 };
        let syn = |timestamp| self.packet(Segment::syn(ports, sequence, mss, timestamp));
        let with_timestamp = || syn(Some(unpredictable()));
        match question {
            Question::Syn | Question::Challenge => self.depart(0, with_timestamp().emit()).await,
            Question::Cookie => self.depart(0, syn(None).emit()).await,
            Question::Ack => {
                let ack = Segment::bare_ack(ports, sequence, self.sent.acknowledgement);
                self.depart(0, self.packet(ack).emit()).await
            }
            Question::Fin => {
                let fin = Segment::bare_fin(ports, sequence);
                self.depart(0, self.packet(fin).emit()).await
            }
            Question::FirstFragment => {
                let fragment = with_timestamp().emit_first_fragment(unpredictable());
                self.depart(0, fragment).await
            }
            Question::HalfOpen => {
                self.depart(0, with_timestamp().emit()).await?;
                tokio::select! {
                    () = pause::pause(HEAD_START) => {}
                    () = self.told.notified() => {
                        // For whoever waits for the answers.
                        self.told.notify_one();
                        return Ok(());
                    }
                    () = finish.requested() => return Ok(()),
                }
                let fin = Segment::out_of_window_fin(ports, sequence);
                self.depart(1, self.packet(fin).emit()).await
            }
        }
    }

    fn packet(&self, segment: Segment) -> Packet {
        Packet {
            source: self.tuple.local.0,
            destination: self.to.ip(),
            hop_limit: self.hop_limit,
            payload: Payload::Tcp(segment),
        }
    }

    async fn depart(&self, index: usize, packet: Result<Vec<u8>, Unwritable>) -> Result<(), LocalError> {
        let packet = written(packet)?;
        let note = || {
            let departure = Departure {
                at: clock::now(),
                wall: clock::unix_now(),
                stamp: None,
            };
            self.shared.book().departs(&self.tuple, index, departure);
            Some((self.tuple, index))
        };
        let line = self.shared.line(self.to)?;
        line.sender.send(&packet, self.to, &self.origin, note).await
    }

    async fn wait(&self, patience: Duration, finish: &mut Finish) {
        tokio::select! {
            () = self.told.notified() => {}
            () = sleep(patience) => return,
            () = finish.requested() => return,
        }
        let took = self.shared.book().first_answer_took(&self.tuple);
        tokio::select! {
            () = sleep(took.unwrap_or_default().max(SHORTEST_LINGER)) => {}
            () = finish.requested() => {}
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.shared.book().end(&self.tuple);
        if self.is_guest {
            let port = self.tuple.local.1;
            self.shared.change_guests(|guests| {
                if let Some(at) = guests.iter().position(|guest| *guest == port) {
                    guests.swap_remove(at);
                }
            });
        }
    }
}

/// Packets of ours can always be written, unless their ends are of different IP versions: the user's source address.
fn written(packet: Result<Vec<u8>, Unwritable>) -> Result<Vec<u8>, LocalError> {
    packet.map_err(|error| LocalError {
        call: "sendmsg".to_owned(),
        errno: error.to_string(),
        means: LocalMeans::Other,
    })
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

/// What nobody can guess: a keyed hash whose key is the system's random number.
fn unpredictable() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
