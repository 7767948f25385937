//! Who was asked, how often and when, and who has answered what. Pure.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::super::answer::{Asked, Sent, says_that_it_failed};
use super::super::book::Heard;
use super::{Plain, Swept};
use crate::evidence::{IcmpError, IcmpSays, Question, Reply, ReplySays, SeenAt, Shot, ShotOutcome, TimedBy};
use crate::wire::{Icmp, Payload};

/// SYNs to an endpoint that does not answer.
pub(super) const TRIES: usize = 3;

/// How long each SYN's answer is waited for before the next is sent, or before we give up: more than a second in all, so
/// that what hits one of them need not hit the others.
const PATIENCE: [Duration; TRIES] = [
    Duration::from_millis(450),
    Duration::from_millis(650),
    Duration::from_millis(500),
];

/// A SYN-ACK and a RST that both answer one SYN do not come at the same moment: somebody in between injects one.
const SHORTEST_LINGER: Duration = Duration::from_millis(10);

/// A flood that pretends to answer one SYN is not to fill our memory.
const MOST_REPLIES: usize = 4;

/// When the sweep began, by both clocks. Times are counted from there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) at: Instant,
    pub(super) wall: Duration,
}

/// A SYN that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Departure {
    pub(super) index: u32,
    pub(super) to: SocketAddr,
    pub(super) port: u16,
    pub(super) sequence: u32,
}

/// All endpoints of a sweep.
pub(super) struct Roll {
    endpoints: Vec<SocketAddr>,
    /// The endpoints' places, by address and port.
    sorted: Vec<u32>,
    states: Vec<State>,
    /// One for each try.
    ports: Vec<u16>,
    slow: Duration,
    origin: Origin,
    key: RandomState,
    /// For each try, the first endpoint whose turn it may still be. All are asked in the same order each time.
    cursors: [usize; TRIES],
    /// The first endpoint that may still have to be given up.
    giving_up: usize,
    lingering: HashMap<u32, Lingering>,
    linger_until: VecDeque<(Duration, u32)>,
    swept: Vec<Swept>,
    /// Endpoints of which nothing has been said.
    left: usize,
    /// Our kernel resets what a SYN-ACK has half opened.
    resets: usize,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// When the last SYN left.
    at: Duration,
    tried: u8,
    /// Whether no more SYNs are to be sent.
    is_settled: bool,
}

/// An endpoint that has answered and may still say something else.
struct Lingering {
    from: SocketAddr,
    replies: Vec<Reply>,
}

impl Roll {
    pub(super) fn new(endpoints: Vec<SocketAddr>, ports: Vec<u16>, slow: Duration, origin: Origin) -> Self {
        let mut sorted: Vec<u32> = (0..).take(endpoints.len()).collect();
        sorted.sort_unstable_by_key(|index| end(&endpoints[*index as usize]));
        let unasked = State {
            at: Duration::ZERO,
            tried: 0,
            is_settled: false,
        };
        Self {
            states: vec![unasked; endpoints.len()],
            left: endpoints.len(),
            endpoints,
            sorted,
            ports,
            slow,
            origin,
            key: RandomState::new(),
            cursors: [0; TRIES],
            giving_up: 0,
            lingering: HashMap::new(),
            linger_until: VecDeque::new(),
            swept: Vec::new(),
            resets: 0,
        }
    }

    pub(super) fn now(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.origin.at)
    }

    /// Whether something has been said of all.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The SYNs whose turn it is, those that are sent again first.
    pub(super) fn due(&mut self, now: Duration, most: usize) -> Vec<Departure> {
        let mut due = Vec::new();
        for attempt in (0..TRIES).rev() {
            while due.len() < most
                && let Some(index) = self.next_of(attempt, now)
            {
                due.push(self.departure(index, attempt));
            }
        }
        due
    }

    /// When the next SYN has to be sent again, or the next endpoint given up; absent while there are some that nobody has
    /// asked.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let cursors = self.cursors[1..].iter().zip(&self.cursors);
        let sent_again = cursors
            .zip(PATIENCE)
            .filter(|((next, before), _)| next < before)
            .map(|((next, _), patience)| self.states[*next].at + patience);
        if self.cursors[0] < self.endpoints.len() {
            return None;
        }
        sent_again.min()
    }

    /// SYNs are about to leave.
    pub(super) fn depart(&mut self, departures: &[Departure], now: Duration) {
        for departure in departures {
            self.states[departure.index as usize].at = now;
        }
    }

    /// Our own kernel would not send a SYN.
    pub(super) fn failed(&mut self, index: u32) {
        if !self.states[index as usize].is_settled {
            self.odd(index);
        }
    }

    /// How many segments our kernel has added since this was last asked.
    pub(super) fn take_resets(&mut self) -> usize {
        std::mem::take(&mut self.resets)
    }

    /// Takes a packet that may be an answer.
    pub(super) fn hear(&mut self, heard: &Heard) {
        let packet = &heard.packet;
        let (local, remote) = match &packet.payload {
            Payload::Tcp(segment) => (
                SocketAddr::new(packet.destination, segment.destination_port),
                (packet.source, segment.source_port),
            ),
            Payload::Icmp(Icmp::Error(error)) => {
                let Some(quoted) = error.quote.packet() else {
                    return;
                };
                let Some((from, to)) = quoted.ports else { return };
                (SocketAddr::new(quoted.source, from), (quoted.destination, to))
            }
            Payload::Icmp(Icmp::EchoReply(_) | Icmp::EchoRequest(_) | Icmp::Other { .. })
            | Payload::Other { .. } => return,
        };
        let Some(attempt) = self.ports.iter().position(|port| *port == local.port()) else {
            return;
        };
        let answered = self
            .at_end(remote)
            .find_map(|index| Some((index, self.says(heard, index, attempt)?)));
        if let Some((index, says)) = answered {
            self.answered(index, attempt, local, says, heard);
        }
    }

    /// Concludes what is not to be waited for any longer, and says what has been concluded since this was last asked.
    pub(super) fn conclude(&mut self, now: Duration) -> Vec<Swept> {
        while let Some((until, index)) = self.linger_until.front().copied() {
            if now < until {
                break;
            }
            self.linger_until.pop_front();
            if let Some(lingering) = self.lingering.remove(&index) {
                self.told(index, lingering, now);
            }
        }
        while self.giving_up < self.cursors[TRIES - 1] {
            let state = self.states[self.giving_up];
            if !state.is_settled {
                if now < state.at + PATIENCE[TRIES - 1] {
                    break;
                }
                self.odd(number(self.giving_up));
            }
            self.giving_up += 1;
        }
        std::mem::take(&mut self.swept)
    }

    /// The next endpoint whose turn it is for that try.
    fn next_of(&mut self, attempt: usize, now: Duration) -> Option<usize> {
        let end = match attempt.checked_sub(1) {
            Some(before) => self.cursors[before],
            None => self.endpoints.len(),
        };
        while self.cursors[attempt] < end {
            let index = self.cursors[attempt];
            let state = &mut self.states[index];
            if !state.is_settled {
                if attempt > 0 && now < state.at + PATIENCE[attempt - 1] {
                    return None;
                }
                state.tried += 1;
                state.at = now;
            }
            self.cursors[attempt] += 1;
            if !self.states[index].is_settled {
                return Some(index);
            }
        }
        None
    }

    fn departure(&self, index: usize, attempt: usize) -> Departure {
        Departure {
            index: number(index),
            to: self.endpoints[index],
            port: self.ports[attempt],
            sequence: self.sequence(index, attempt),
        }
    }

    /// What nobody can guess who has not seen the SYN.
    fn sequence(&self, index: usize, attempt: usize) -> u32 {
        let [a, b, c, d, ..] = self.key.hash_one((self.endpoints[index], attempt)).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// The endpoints of that address and port: several where their scopes differ.
    fn at_end(&self, remote: (IpAddr, u16)) -> impl Iterator<Item = u32> {
        let end_of = |index: &u32| end(&self.endpoints[*index as usize]);
        let first = self.sorted.partition_point(|index| end_of(index) < remote);
        self.sorted[first..]
            .iter()
            .copied()
            .take_while(move |index| end_of(index) == remote)
    }

    /// What a packet says to that SYN, if it answers it.
    fn says(&self, heard: &Heard, index: u32, attempt: usize) -> Option<ReplySays> {
        let sent = Sent {
            asked: Asked::Syn,
            sequence: self.sequence(index as usize, attempt),
            acknowledgement: 0,
        };
        let from = heard.packet.source;
        let (_, says) = match &heard.packet.payload {
            Payload::Tcp(segment) => sent.answered_by(segment)?,
            Payload::Icmp(Icmp::Error(error)) if says_that_it_failed(from.is_ipv4(), error.icmp_type) => {
                sent.refused_by(error, &error.quote.packet()?, from)?
            }
            Payload::Icmp(_) | Payload::Other { .. } => return None,
        };
        Some(says)
    }

    fn answered(&mut self, index: u32, attempt: usize, from: SocketAddr, says: ReplySays, heard: &Heard) {
        if matches!(says, ReplySays::SynAck(_)) {
            self.resets += 1;
        }
        let state = self.states[index as usize];
        let Some(lingering) = self.lingering.get_mut(&index) else {
            if !state.is_settled {
                if attempt == 0 && state.tried == 1 {
                    self.begin_to_linger(index, from, says, heard);
                } else {
                    // One of its SYNs or of its answers was lost, or took long.
                    self.odd(index);
                }
            }
            return;
        };
        let is_known = lingering.replies.iter().any(|reply| reply.says == says);
        if !is_known && lingering.replies.len() < MOST_REPLIES {
            let reply = self.reply(index, says, heard);
            if let Some(lingering) = self.lingering.get_mut(&index) {
                lingering.replies.push(reply);
            }
        }
    }

    fn begin_to_linger(&mut self, index: u32, from: SocketAddr, says: ReplySays, heard: &Heard) {
        self.states[index as usize].is_settled = true;
        let reply = self.reply(index, says, heard);
        let until = self.now(heard.at) + reply.after_s.max(SHORTEST_LINGER);
        let mut from = from;
        if let (SocketAddr::V6(from), SocketAddr::V6(to)) = (&mut from, self.endpoints[index as usize]) {
            from.set_scope_id(to.scope_id());
        }
        let replies = vec![reply];
        self.lingering.insert(index, Lingering { from, replies });
        self.linger_until.push_back((until, index));
    }

    /// The kernel's stamp of an answer leaves out how long it waited for us. The wall clock may be set meanwhile: it has to
    /// lie within what our own clock saw.
    fn reply(&self, index: u32, says: ReplySays, heard: &Heard) -> Reply {
        let departed = self.states[index as usize].at;
        let by_process = self.now(heard.at).saturating_sub(departed);
        let by_stamp = heard
            .stamp
            .and_then(|stamp| stamp.checked_sub(self.origin.wall + departed))
            .filter(|by_stamp| *by_stamp <= by_process);
        Reply {
            after_s: by_stamp.unwrap_or(by_process),
            timed_by: TimedBy::Process,
            hop_limit: heard.hop_limit,
            seen: SeenAt::Socket,
            says,
        }
    }

    fn told(&mut self, index: u32, lingering: Lingering, now: Duration) {
        let [reply] = lingering.replies.as_slice() else {
            self.odd(index);
            return;
        };
        if reply.after_s > self.slow || !is_plain(&reply.says) {
            self.odd(index);
            return;
        }
        let departed = self.states[index as usize].at;
        self.left -= 1;
        self.swept.push(Swept::Plain(Plain {
            index: index as usize,
            started_unix_s: self.origin.wall + departed,
            took_s: now.saturating_sub(departed),
            shot: Shot {
                question: Question::Syn,
                to: self.endpoints[index as usize],
                from: Some(lingering.from),
                outcome: ShotOutcome::Sent {
                    replies: lingering.replies,
                },
            },
        }));
    }

    fn odd(&mut self, index: u32) {
        self.states[index as usize].is_settled = true;
        self.left -= 1;
        self.swept.push(Swept::Odd {
            index: index as usize,
        });
    }
}

fn is_plain(says: &ReplySays) -> bool {
    match says {
        ReplySays::SynAck(_) | ReplySays::Rst { .. } => true,
        // That somebody has another connection on these ports is odd.
        // What our own host says of a neighbour is for its own look.
        ReplySays::Ack { .. } | ReplySays::Icmp(IcmpError { from_self: true, .. }) => false,
        ReplySays::Icmp(error) => match error.says {
            IcmpSays::PortUnreachable
            | IcmpSays::AdminProhibited
            | IcmpSays::HostProhibited
            | IcmpSays::NetProhibited
            | IcmpSays::HostUnreachable
            | IcmpSays::NetUnreachable => true,
            IcmpSays::TtlExceeded | IcmpSays::ReassemblyTimeExceeded | IcmpSays::Other => false,
        },
    }
}

fn end(endpoint: &SocketAddr) -> (IpAddr, u16) {
    (endpoint.ip(), endpoint.port())
}

/// There are never more endpoints than a `u32` can count.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
