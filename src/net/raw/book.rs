//! Who waits for what: the probes in flight, and what came back to each. Pure but for the waking.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::answer::{FourTuple, Sent, Which, in_words, says_that_it_failed};
use crate::evidence::{Ping, Reply, ReplySays, SeenAt, TimedBy};
use crate::wire::{Icmp, IcmpError, Packet, Payload};

/// A flood that pretends to answer one probe is not to fill our memory.
const MOST_REPLIES: usize = 32;
/// So many endpoints have their own turn among the ports.
const MOST_TURNS: usize = 65_536;

/// A packet that one of our sockets has received.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) packet: Packet,
    pub(super) hop_limit: Option<u8>,
    pub(super) seen: SeenAt,
    pub(super) at: Instant,
    /// When it reached this host by the kernel's (wall) clock.
    pub(super) stamp: Option<Duration>,
}

/// When a segment of ours was handed to the kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    /// Just before.
    pub(super) at: Instant,
    /// The same by the wall clock.
    pub(super) wall: Duration,
    /// When the kernel gave it to the interface.
    pub(super) stamp: Option<Duration>,
}

struct Flight {
    question: Sent,
    departures: Vec<Departure>,
    arrivals: Vec<Arrival>,
    told: Arc<Notify>,
}

struct Arrival {
    says: ReplySays,
    which: Which,
    hop_limit: Option<u8>,
    seen: SeenAt,
    at: Instant,
    stamp: Option<Duration>,
}

struct Echo {
    answer: Option<Ping>,
    told: Arc<Notify>,
}

/// All probes in flight.
pub(super) struct Book {
    /// Our own ports; the first is our echo identifier too.
    ports: Vec<u16>,
    flights: HashMap<FourTuple, Flight>,
    /// Which port is the next for an endpoint.
    turns: HashMap<(IpAddr, u16), usize>,
    echoes: HashMap<(IpAddr, u16), Echo>,
    next_echo: u16,
}

impl Book {
    /// `ports` are never none.
    pub(super) fn new(ports: Vec<u16>) -> Self {
        Self {
            ports,
            flights: HashMap::new(),
            turns: HashMap::new(),
            echoes: HashMap::new(),
            next_echo: 0,
        }
    }

    /// Ports whose segments are for us.
    pub(super) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// A port of ours that no probe of that endpoint uses now, and that was not used for it lately: a server may still
    /// hold what it knows of the last one.
    pub(super) fn free_port(&mut self, local: IpAddr, to: SocketAddr, first: usize) -> Option<u16> {
        let remote = (to.ip(), to.port());
        if self.turns.len() >= MOST_TURNS {
            self.turns.clear();
        }
        let turn = *self.turns.entry(remote).or_insert(first);
        let count = self.ports.len();
        let (over, port) = (0..count)
            .map(|over| (over, self.ports[(turn % count + over) % count]))
            .find(|(_, port)| {
                let local = (local, *port);
                !self.flights.contains_key(&FourTuple { local, remote })
            })?;
        self.turns.insert(remote, (turn % count + over + 1) % count);
        Some(port)
    }

    /// Begins to wait for answers. `None` when a probe with the same ports is in flight.
    pub(super) fn begin(&mut self, tuple: FourTuple, question: Sent) -> Option<Arc<Notify>> {
        if self.flights.contains_key(&tuple) {
            return None;
        }
        let told = Arc::new(Notify::new());
        let flight = Flight {
            question,
            departures: Vec::new(),
            arrivals: Vec::new(),
            told: told.clone(),
        };
        self.flights.insert(tuple, flight);
        Some(told)
    }

    /// A segment of a probe is about to be sent: the one of that index, perhaps not for the first time.
    pub(super) fn departs(&mut self, tuple: &FourTuple, index: usize, departure: Departure) {
        if let Some(flight) = self.flights.get_mut(tuple) {
            flight.departures.truncate(index);
            flight.departures.push(departure);
        }
    }

    /// The kernel says when it gave a segment to the interface.
    pub(super) fn departed(&mut self, tuple: &FourTuple, index: usize, stamp: Duration) {
        let departure = self
            .flights
            .get_mut(tuple)
            .and_then(|flight| flight.departures.get_mut(index));
        // An earlier one belongs to an earlier probe with these ports.
        if let Some(departure) = departure.filter(|departure| stamp >= departure.wall) {
            departure.stamp = Some(stamp);
        }
    }

    /// Whether the kernel says that all segments of a probe have left. Not every driver lets it know.
    pub(super) fn has_left(&self, tuple: &FourTuple) -> bool {
        self.flights.get(tuple).is_some_and(|flight| {
            flight
                .departures
                .iter()
                .all(|departure| departure.stamp.is_some())
        })
    }

    /// Stops waiting, and says what came.
    pub(super) fn end(&mut self, tuple: &FourTuple) -> Vec<Reply> {
        let Some(flight) = self.flights.remove(tuple) else {
            return Vec::new();
        };
        flight
            .arrivals
            .iter()
            .filter_map(|arrival| Some(arrival.reply(flight.departure(arrival.which)?)))
            .collect()
    }

    /// How long the first answer took; `None` when there is none yet.
    pub(super) fn first_answer_took(&self, tuple: &FourTuple) -> Option<Duration> {
        let flight = self.flights.get(tuple)?;
        let first = flight.arrivals.first()?;
        Some(first.reply(flight.departure(first.which)?).after_s)
    }

    /// Begins to wait for the answer to an echo request; says which sequence number it is to have.
    pub(super) fn begin_echo(&mut self, to: IpAddr) -> (u16, Arc<Notify>) {
        let told = Arc::new(Notify::new());
        self.next_echo = self.next_echo.wrapping_add(1);
        let echo = Echo {
            answer: None,
            told: told.clone(),
        };
        self.echoes.insert((to, self.next_echo), echo);
        (self.next_echo, told)
    }

    /// Stops waiting, and says what came.
    pub(super) fn end_echo(&mut self, to: IpAddr, sequence: u16) -> Option<Ping> {
        self.echoes.remove(&(to, sequence))?.answer
    }

    /// The identifier of our echo requests.
    pub(super) fn echo_identifier(&self) -> u16 {
        self.ports[0]
    }

    /// Takes a packet to whoever waits for it.
    pub(super) fn hear(&mut self, heard: &Heard) {
        match &heard.packet.payload {
            Payload::Tcp(segment) => {
                let tuple = FourTuple::answered_by(&heard.packet, segment);
                self.answer(heard, &tuple, |question| question.answered_by(segment));
            }
            Payload::Icmp(Icmp::Error(error)) => self.hear_error(heard, error),
            Payload::Icmp(Icmp::EchoReply(echo)) if echo.identifier == self.echo_identifier() => {
                self.answer_echo(heard, (heard.packet.source, echo.sequence), Ping::Reply);
            }
            Payload::Icmp(Icmp::EchoReply(_) | Icmp::EchoRequest(_) | Icmp::Other { .. })
            | Payload::Other { .. } => {}
        }
    }

    fn hear_error(&mut self, heard: &Heard, error: &IcmpError) {
        let from = heard.packet.source;
        if !says_that_it_failed(from.is_ipv4(), error.icmp_type) {
            return;
        }
        let Some(quoted) = error.quote.packet() else {
            return;
        };
        if let Some(tuple) = FourTuple::quoted_by(&quoted) {
            self.answer(heard, &tuple, |question| {
                question.refused_by(error, &quoted, from)
            });
        }
        if let Some((identifier, sequence)) = quoted.echo
            && identifier == self.echo_identifier()
        {
            let said = in_words(error, from);
            self.answer_echo(heard, (quoted.destination, sequence), Ping::Icmp(said));
        }
    }

    fn answer(
        &mut self,
        heard: &Heard,
        tuple: &FourTuple,
        says: impl FnOnce(&Sent) -> Option<(Which, ReplySays)>,
    ) {
        if let Some(flight) = self.flights.get_mut(tuple)
            && let Some((which, says)) = says(&flight.question)
        {
            flight.arrives(Arrival {
                says,
                which,
                hop_limit: heard.hop_limit,
                seen: heard.seen,
                at: heard.at,
                stamp: heard.stamp,
            });
        }
    }

    /// A reply that our own firewall keeps away is none for an echo request: it only has to say whether the host is there
    /// and reachable in both directions.
    fn answer_echo(&mut self, heard: &Heard, of: (IpAddr, u16), answer: Ping) {
        if heard.seen == SeenAt::InterfaceOnly {
            return;
        }
        if let Some(echo) = self.echoes.get_mut(&of) {
            echo.answer.get_or_insert(answer);
            echo.told.notify_one();
        }
    }
}

impl Flight {
    /// Every packet comes twice, from the interface and through our firewall, in either order.
    fn arrives(&mut self, arrival: Arrival) {
        let mut same = self
            .arrivals
            .iter_mut()
            .filter(|known| known.says == arrival.says && known.hop_limit == arrival.hop_limit);
        match arrival.seen {
            SeenAt::InterfaceOnly => {
                if same.next().is_some() {
                    return;
                }
            }
            SeenAt::Socket => {
                if let Some(known) = same.find(|known| known.seen == SeenAt::InterfaceOnly) {
                    known.seen = SeenAt::Socket;
                    return;
                }
            }
        }
        if self.arrivals.len() < MOST_REPLIES {
            self.arrivals.push(arrival);
        }
        self.told.notify_one();
    }

    fn departure(&self, which: Which) -> Option<&Departure> {
        match which {
            Which::First => self.departures.first(),
            Which::Last => self.departures.last(),
        }
    }
}

impl Arrival {
    fn reply(&self, departure: &Departure) -> Reply {
        let by_process = self.at.saturating_duration_since(departure.at);
        // The wall clock may be set meanwhile: the kernel's stamps have to lie within what our own clock saw.
        let by_kernel = departure
            .stamp
            .zip(self.stamp)
            .and_then(|(departed, arrived)| arrived.checked_sub(departed))
            .filter(|by_kernel| *by_kernel <= by_process);
        let (after, timed_by) = match by_kernel {
            Some(after) => (after, TimedBy::Kernel),
            None => (by_process, TimedBy::Process),
        };
        Reply {
            after_s: after,
            timed_by,
            hop_limit: self.hop_limit,
            seen: self.seen,
            says: self.says.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
