//! The thread that sends.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, sendmmsg};
use socket2::Socket;

use super::cadence::Cadence;
use super::compass::{Bearing, Compass};
use super::roll::Departure;
use super::{Shared, address_of};
use crate::net::clock;
use crate::net::dial::Source;
use crate::net::raw::open;
use crate::wire::{Packet, Payload, Segment};

/// So many packets are handed to the kernel at once.
const BATCH: usize = 64;
/// What waits here has not left: more of it would only be older.
const SEND_BUFFER: usize = 1 << 20;
/// How long to sleep at most when there is nothing to send: others may have ended the sweep.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
/// A queue that is full now may have room a little later; so often it is tried.
const FULL: Duration = Duration::from_micros(500);
const MOST_TRIES_AT_A_FULL_QUEUE: u32 = 100;

/// Sends whole packets of one IP version.
pub(super) struct Outlet(Socket);

impl Outlet {
    pub(super) fn open(is_ipv4: bool, source: &Source) -> io::Result<Self> {
        let socket = open::sender(is_ipv4)?;
        // As much as any user may have.
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        if let Some(name) = &source.interface {
            socket.bind_device(Some(name.as_bytes()))?;
        }
        if let Some(address) = address_of(source, is_ipv4).filter(|address| !is_link_local(*address)) {
            // For the routes that go by it; the packets have it in any case.
            socket.bind(&SocketAddr::new(address, 0).into())?;
        }
        Ok(Self(socket))
    }
}

/// Of these a socket cannot be bound to one without a link, and the destination names that.
fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// Sends until something has been said of all endpoints.
pub(super) fn run(
    shared: &Shared,
    outlets: &[Option<Outlet>; 2],
    mut compass: Compass,
    mut cadence: Cadence,
) {
    while !shared.is_stopped() {
        let mut roll = shared.roll();
        if roll.is_done() {
            return;
        }
        let now = roll.now(clock::now());
        cadence.spend(roll.take_resets(), now);
        let due = roll.due(now, cadence.may_leave(now).min(BATCH));
        let next = roll.next_due().unwrap_or_default().max(cadence.next());
        drop(roll);
        if due.is_empty() {
            thread::sleep(
                next.saturating_sub(now)
                    .clamp(Duration::from_micros(50), LONGEST_PAUSE),
            );
            continue;
        }
        cadence.spend(due.len(), now);
        send_all(shared, outlets, &mut compass, &due);
    }
}

fn send_all(shared: &Shared, outlets: &[Option<Outlet>; 2], compass: &mut Compass, due: &[Departure]) {
    let [v4, v6] = outlets;
    for (outlet, is_ipv4) in [(v4, true), (v6, false)] {
        let mut batch = Batch::default();
        for departure in due.iter().filter(|departure| departure.to.is_ipv4() == is_ipv4) {
            let packet = compass
                .towards(departure.to)
                .ok()
                .and_then(|bearing| syn(departure, bearing));
            match (packet, outlet) {
                (Some(packet), Some(_)) => batch.add(*departure, packet),
                // The full look says why.
                (None, _) | (_, None) => shared.roll().failed(departure.index),
            }
        }
        if let Some(outlet) = outlet
            && !batch.departures.is_empty()
        {
            batch.send(shared, outlet, is_ipv4);
        }
    }
}

fn syn(departure: &Departure, bearing: Bearing) -> Option<Vec<u8>> {
    let ports = (departure.port, departure.to.port());
    let mss = if departure.to.is_ipv4() { 1460 } else { 1440 };
    // The value of the timestamps option only has to be another than zero.
    let timestamp = departure.sequence.rotate_left(16) | 1;
    let packet = Packet {
        source: bearing.address,
        destination: departure.to.ip(),
        hop_limit: bearing.hop_limit,
        payload: Payload::Tcp(Segment::syn(ports, departure.sequence, mss, Some(timestamp))),
    };
    packet.emit().ok()
}

/// Packets that are handed to the kernel together.
#[derive(Default)]
struct Batch {
    departures: Vec<Departure>,
    packets: Vec<Vec<u8>>,
}

impl Batch {
    fn add(&mut self, departure: Departure, packet: Vec<u8>) {
        self.departures.push(departure);
        self.packets.push(packet);
    }

    fn send(&self, shared: &Shared, outlet: &Outlet, is_ipv4: bool) {
        let (mut first, mut tries) = (0, 0);
        while first < self.packets.len() && !shared.is_stopped() {
            let mut roll = shared.roll();
            let now = roll.now(clock::now());
            roll.depart(&self.departures[first..], now);
            drop(roll);
            let sent = if is_ipv4 {
                self.send_from(first, outlet, v4)
            } else {
                self.send_from(first, outlet, v6)
            };
            match sent {
                Ok(sent) => {
                    first += sent;
                    tries = 0;
                }
                Err(error) => {
                    let is_full = matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN));
                    if is_full && tries < MOST_TRIES_AT_A_FULL_QUEUE {
                        tries += 1;
                        thread::sleep(FULL);
                    } else {
                        shared.roll().failed(self.departures[first].index);
                        first += 1;
                        tries = 0;
                    }
                }
            }
        }
    }

    /// How many of them the kernel took; an error is about the first.
    fn send_from<A: SockaddrLike + Copy>(
        &self,
        first: usize,
        outlet: &Outlet,
        address: impl Fn(SocketAddr) -> Option<A>,
    ) -> io::Result<usize> {
        let slices: Vec<[IoSlice<'_>; 1]> = self.packets[first..]
            .iter()
            .map(|packet| [IoSlice::new(packet)])
            .collect();
        let to: Vec<Option<A>> = self.departures[first..]
            .iter()
            .map(|departure| address(departure.to))
            .collect();
        let mut headers = MultiHeaders::preallocate(slices.len(), None);
        let flags = MsgFlags::MSG_DONTWAIT;
        let sent = sendmmsg(outlet.0.as_raw_fd(), &mut headers, &slices, &to, [], flags)?;
        Ok(sent.count())
    }
}

/// The port of the destination has to be 0: a raw socket takes it for a protocol.
fn v4(to: SocketAddr) -> Option<SockaddrIn> {
    let SocketAddr::V4(mut to) = to else { return None };
    to.set_port(0);
    Some(to.into())
}

fn v6(to: SocketAddr) -> Option<SockaddrIn6> {
    let SocketAddr::V6(mut to) = to else { return None };
    to.set_port(0);
    Some(to.into())
}
