//! The wire: one thread that takes frames from one end, does to them what the rules say, and sends them on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, PipeReader};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::net::clock;
use crate::net::sys::packet_socket::{PacketSocket, VNET_HEADER, wait_readable};
use crate::wire::{Packet, Payload, TcpOption};

use super::answers::answer_to;
use super::network::{Answer, Direction, Hold, ServerAction, Wire};
use super::rules::{Decision, Fate, Rules};

/// Length of an Ethernet header without tags.
const ETHERNET_HEADER: usize = 14;

/// What a receive buffer needs for the largest segment that the kernel hands over uncut.
const LARGEST_FRAME: usize = VNET_HEADER + ETHERNET_HEADER + 65_536 + 64;

/// What passed the wire, one line a packet: direction, packet as tcpdump writes it, what became of it.
pub(super) type Trace = Arc<Mutex<Vec<String>>>;

/// What is done to packets; it may be replaced while they pass.
pub(super) type SharedRules = Arc<Mutex<Rules>>;

/// Does something at the server and returns when it is done.
pub(super) type AtServer = Box<dyn FnMut(ServerAction) -> io::Result<()> + Send>;

/// The wire's two ends and all that is under way between them.
pub(super) struct Forwarder {
    client: PacketSocket,
    server: PacketSocket,
    delay_to_server: Duration,
    delay_to_client: Duration,
    rules: SharedRules,
    at_server: AtServer,
    trace: Trace,
    under_way: BinaryHeap<Reverse<(Instant, u64, Departure)>>,
    sent: u64,
    held: BTreeMap<usize, Held>,
}

/// A frame and the end that it leaves from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Departure {
    to_server: bool,
    frame: Vec<u8>,
}

struct Held {
    until: Instant,
    departures: Vec<Departure>,
}

impl Forwarder {
    /// Opens both ends, in the namespace of the calling thread.
    pub(super) fn open(
        (client, server): (&str, &str),
        wire: &Wire,
        rules: SharedRules,
        at_server: AtServer,
        trace: Trace,
    ) -> io::Result<Self> {
        Ok(Self {
            client: PacketSocket::open(client)?,
            server: PacketSocket::open(server)?,
            delay_to_server: wire.delay_to_server,
            delay_to_client: wire.delay_to_client,
            rules,
            at_server,
            trace,
            under_way: BinaryHeap::new(),
            sent: 0,
            held: BTreeMap::new(),
        })
    }

    /// Forwards until the other end of `stop` is closed.
    pub(super) fn run(mut self, stop: &PipeReader) {
        if let Err(error) = self.forward(stop) {
            self.note(format!("the wire broke: {error}"));
        }
    }

    fn forward(&mut self, stop: &PipeReader) -> io::Result<()> {
        let mut buffer = vec![0; LARGEST_FRAME];
        loop {
            self.release_held();
            let wait = self.send_due()?;
            let ends = [self.client.as_fd(), self.server.as_fd(), stop.as_fd()];
            let [from_client, from_server, stopped] = wait_readable(ends, wait)?;
            if stopped {
                return Ok(());
            }
            if from_client {
                self.take(Direction::Server, &mut buffer)?;
                self.note_losses("the client", self.client.lost()?);
            }
            if from_server {
                self.take(Direction::Client, &mut buffer)?;
                self.note_losses("the server", self.server.lost()?);
            }
        }
    }

    /// Takes the frames that have arrived at one end, but not so many that the other end waits.
    fn take(&mut self, towards: Direction, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..64 {
            let end = match towards {
                Direction::Server => &self.client,
                Direction::Client => &self.server,
            };
            let length = match end.receive(buffer) {
                Ok(Some(length)) => length,
                Ok(None) => return Ok(()),
                // The interface goes down when the lab ends.
                Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => return Ok(()),
                Err(error) => return Err(error),
            };
            if let Some(frame) = buffer.get(..length) {
                self.handle(towards, frame);
            }
        }
        Ok(())
    }

    fn handle(&mut self, towards: Direction, frame: &[u8]) {
        let departure = Departure {
            to_server: towards == Direction::Server,
            frame: frame.to_vec(),
        };
        let Some((packet, bytes)) = packet_of(frame) else {
            return self.send_at(clock::now(), departure);
        };
        let Decision { first, fate } = {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            rules.decide(towards, &packet)
        };
        let arrow = if departure.to_server { '>' } else { '<' };
        self.note(format!("{arrow} {packet}  {fate:?}"));
        for action in first {
            let outcome = (self.at_server)(action);
            self.note(format!("  first {action:?}: {outcome:?}"));
        }
        let takes = if departure.to_server {
            self.delay_to_server
        } else {
            self.delay_to_client
        };
        let arrives = clock::now() + takes;
        match fate {
            Fate::Drop => {}
            Fate::Pass => self.send_at(arrives, departure),
            Fate::Delay(delay) => self.send_at(arrives + delay, departure),
            Fate::Duplicate => {
                self.send_at(arrives, departure.clone());
                self.send_at(arrives, departure);
            }
            Fate::Hold(rule, hold) => self.hold(rule, hold, departure),
            Fate::Answer(answer) => self.answer(arrives, answer, &packet, bytes, frame, departure.to_server),
            Fate::ClampMss(most) => {
                let frame = clamped(&departure.frame, packet, most).unwrap_or(departure.frame);
                self.send_at(arrives, Departure { frame, ..departure });
            }
            Fate::Inject(answer) => {
                self.answer(arrives, answer, &packet, bytes, frame, departure.to_server);
                self.send_at(arrives, departure);
            }
        }
    }

    /// Sends something back to where a frame came from.
    fn answer(
        &mut self,
        at: Instant,
        answer: Answer,
        packet: &Packet,
        bytes: &[u8],
        frame: &[u8],
        to_server: bool,
    ) {
        let Some(reply) = answer_to(packet, bytes, answer) else {
            return;
        };
        if let Some(frame) = reply_frame(frame, &reply) {
            let arrow = if to_server { '<' } else { '>' };
            self.note(format!("{arrow} {reply}  by the wire itself"));
            let to_server = !to_server;
            self.send_at(at, Departure { to_server, frame });
        }
    }

    fn hold(&mut self, rule: usize, hold: Hold, departure: Departure) {
        let until = clock::now() + hold.at_most;
        let waiting = self.held.entry(rule).or_insert_with(|| Held {
            until,
            departures: Vec::new(),
        });
        waiting.departures.push(departure);
        if waiting.departures.len() >= hold.packets {
            waiting.until = clock::now();
        }
    }

    fn release_held(&mut self) {
        let now = clock::now();
        let ripe: Vec<usize> = self
            .held
            .iter()
            .filter(|(_, held)| held.until <= now)
            .map(|(rule, _)| *rule)
            .collect();
        for rule in ripe {
            for departure in self
                .held
                .remove(&rule)
                .into_iter()
                .flat_map(|held| held.departures)
            {
                self.send_at(now, departure);
            }
        }
    }

    fn send_at(&mut self, at: Instant, departure: Departure) {
        // The running number keeps frames that are due at the same time in their order.
        self.under_way.push(Reverse((at, self.sent, departure)));
        self.sent += 1;
    }

    /// Sends what is due and says how long it is until something else will be.
    fn send_due(&mut self) -> io::Result<Option<Duration>> {
        let now = clock::now();
        while let Some(Reverse((at, _, _))) = self.under_way.peek()
            && *at <= now
        {
            let Some(Reverse((_, _, Departure { to_server, frame }))) = self.under_way.pop() else {
                break;
            };
            let end = if to_server { &self.server } else { &self.client };
            match end.send(&frame) {
                // A queue that is full loses frames, as any other would.
                Err(error)
                    if !matches!(
                        error.raw_os_error(),
                        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENETDOWN)
                    ) =>
                {
                    return Err(error);
                }
                Ok(()) | Err(_) => {}
            }
        }
        let next_frame = self.under_way.peek().map(|Reverse((at, _, _))| *at);
        let next_release = self.held.values().map(|held| held.until).min();
        Ok(next_frame
            .into_iter()
            .chain(next_release)
            .min()
            .map(|at| at.saturating_duration_since(now)))
    }

    /// A loss that no rule asked for must not be taken for one that did.
    fn note_losses(&self, from: &str, lost: u32) {
        if lost > 0 {
            self.note(format!(
                "the wire was too slow and lost {lost} frames from {from}"
            ));
        }
    }

    fn note(&self, line: String) {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

/// The IP packet of a frame and its bytes, unless the frame is one that keeps the link itself alive.
fn packet_of(frame: &[u8]) -> Option<(Packet, &[u8])> {
    let (headers, bytes) = frame.split_at_checked(VNET_HEADER + ETHERNET_HEADER)?;
    let ether_type = u16::from_be_bytes([headers[VNET_HEADER + 12], headers[VNET_HEADER + 13]]);
    if ether_type != 0x0800 && ether_type != 0x86dd {
        return None;
    }
    let packet = Packet::parse(bytes).ok()?;
    let multicast = packet.destination.is_multicast();
    // Router and neighbour discovery (RFC 4861).
    let discovery = matches!(
        packet.icmp(),
        Some(crate::wire::Icmp::Other { icmp_type: 133..=137, .. }) if packet.source.is_ipv6()
    );
    (!multicast && !discovery).then_some((packet, bytes))
}

/// A frame whose MSS option is no higher; absent where it has none that is.
fn clamped(frame: &[u8], mut packet: Packet, most: u16) -> Option<Vec<u8>> {
    let Payload::Tcp(segment) = &mut packet.payload else {
        return None;
    };
    let mss = segment.options.iter_mut().find_map(|option| match option {
        TcpOption::MaximumSegmentSize(mss) => Some(mss),
        TcpOption::Nop
        | TcpOption::WindowScale(_)
        | TcpOption::SackPermitted
        | TcpOption::Sack(_)
        | TcpOption::Timestamps { .. }
        | TcpOption::Other { .. } => None,
    })?;
    *mss = most.min(*mss);
    let ethernet = frame.get(VNET_HEADER..VNET_HEADER + ETHERNET_HEADER)?;
    let mut bytes = vec![0; VNET_HEADER];
    bytes.extend_from_slice(ethernet);
    bytes.extend_from_slice(&packet.emit().ok()?);
    Some(bytes)
}

/// A frame that goes back to where `frame` came from.
fn reply_frame(frame: &[u8], reply: &Packet) -> Option<Vec<u8>> {
    let ethernet = frame.get(VNET_HEADER..VNET_HEADER + ETHERNET_HEADER)?;
    let mut bytes = vec![0; VNET_HEADER];
    bytes.extend_from_slice(&ethernet[6..12]);
    bytes.extend_from_slice(&ethernet[..6]);
    bytes.extend_from_slice(&ethernet[12..]);
    bytes.extend_from_slice(&reply.emit().ok()?);
    Some(bytes)
}
