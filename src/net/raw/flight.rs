//! One probe: its ends and numbers, its segments, and how long its answers are waited for.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::answer::{Asked, FourTuple, Sent};
use super::book::Departure;
use super::send::Origin;
use super::{Order, Shared};
use crate::evidence::{LocalError, LocalMeans, Question, ShotOutcome};
use crate::net::finish::Finish;
use crate::net::{clock, errno, pause};
use crate::wire::{Packet, Payload, Segment, Unwritable};

/// A SYN-ACK and a RST that both answer one SYN do not come at the same moment: somebody in between injects one.
const SHORTEST_LINGER: Duration = Duration::from_millis(10);

/// How long the SYN of a half-open probe is ahead of its FIN. They take the same way, so what could make the FIN arrive
/// first are the parallel queues of one link, and those differ by less than this.
const HEAD_START: Duration = Duration::from_millis(5);

/// A probe whose answers are waited for.
pub(super) struct Flight<'a> {
    shared: &'a Shared,
    to: SocketAddr,
    origin: Origin,
    hop_limit: u8,
    pub(super) tuple: FourTuple,
    sent: Sent,
    told: Arc<Notify>,
    is_guest: bool,
}

impl<'a> Flight<'a> {
    pub(super) fn begin(shared: &'a Shared, order: &Order) -> Result<Self, LocalError> {
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

    /// The local end.
    pub(super) fn from(&self) -> SocketAddr {
        let (address, port) = self.tuple.local;
        let mut from = SocketAddr::new(address, port);
        if let (SocketAddr::V6(from), SocketAddr::V6(to)) = (&mut from, self.to) {
            from.set_scope_id(to.scope_id());
        }
        from
    }

    /// Sends what asks the question.
    pub(super) async fn send(&self, order: &Order, finish: &mut Finish) -> Result<(), LocalError> {
        let ports = self.tuple.ports();
        let sequence = self.sent.sequence;
        let mss = if self.to.is_ipv4() { 1460 } else { 1440 };
        let syn = |timestamp| self.packet(Segment::syn(ports, sequence, mss, timestamp));
        let with_timestamp = || syn(Some(unpredictable()));
        match order.question {
            Question::Syn | Question::Challenge => self.depart(0, with_timestamp().emit()).await,
            Question::Cookie => self.depart(0, syn(None).emit()).await,
            Question::Ack => {
                let ack = Segment {
                    payload: vec![0; self.data(order.size)],
                    ..Segment::bare_ack(ports, sequence, self.sent.acknowledgement)
                };
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

    /// What came of it. Silence is one only if the packet left, which for a fragment the kernel's stamp alone can say.
    pub(super) fn outcome(&self, question: Question) -> ShotOutcome {
        let mut book = self.shared.book();
        let left = book.has_left(&self.tuple);
        let replies = book.end(&self.tuple);
        if question == Question::FirstFragment && replies.is_empty() && !left {
            return ShotOutcome::NotSent(LocalError {
                call: "sendmsg".to_owned(),
                errno: "our own kernel did not let the fragment go".to_owned(),
                means: LocalMeans::Other,
            });
        }
        ShotOutcome::Sent { replies }
    }

    /// How much data a segment without options needs to make its packet that long.
    fn data(&self, size: Option<u32>) -> usize {
        let headers: u32 = if self.to.is_ipv4() { 20 + 20 } else { 40 + 20 };
        let data = size.unwrap_or_default().saturating_sub(headers);
        usize::try_from(data).unwrap_or_default()
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

    /// Returns when no more answers are to be waited for.
    pub(super) async fn wait(&self, patience: Duration, finish: &mut Finish) {
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
pub(super) fn written(packet: Result<Vec<u8>, Unwritable>) -> Result<Vec<u8>, LocalError> {
    packet.map_err(|error| LocalError {
        call: "sendmsg".to_owned(),
        errno: error.to_string(),
        means: LocalMeans::Other,
    })
}

/// What nobody can guess: a keyed hash whose key is the system's random number.
fn unpredictable() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
