//! One TCP connection through the kernel: opened, watched and closed, with all that a plain user may know of it.
//!
//! The order matters: the error queue before `SO_ERROR` before `TCP_INFO`, since an ICMP port-unreachable and a RST
//! have the same errno, and only the queue tells them apart.

mod ending;
mod idle;
mod socket;

pub use idle::{Idle, hold};
pub(super) use socket::can_filter;
use std::cell::Cell;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::finish::Finish;
use super::tcp_info::{State, TcpInfo};
use super::{clock, errno, error_queue};
use crate::evidence::{Answer, Dial, Handshake, LocalError};

/// What to dial, and how.
#[derive(Debug, Clone)]
pub struct Call {
    /// Where to.
    pub to: SocketAddr,
    /// Where from.
    pub source: Source,
    /// TTL or hop limit; the system's own when absent.
    pub ttl: Option<u8>,
    /// How long to keep an open connection open and silent before our FIN: a peer that resets or closes what it
    /// has just accepted does so in that time.
    pub hold: Hold,
    /// How long to wait for an answer to the SYN; until `Finish` when absent.
    pub patience: Option<Duration>,
}

/// The local end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The source address; the kernel's choice when absent.
    pub address: Option<IpAddr>,
    /// The source port; the kernel's choice when absent.
    pub port: Option<u16>,
    /// The interface to leave by (`SO_BINDTODEVICE`).
    pub interface: Option<String>,
}

/// How long an open connection is kept open before our FIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Twice the handshake's round trip, and a quarter of a second at most.
    RoundTrips,
    /// Exactly so long.
    Exactly(Duration),
}

/// Opens a connection, watches what becomes of it, and closes it.
///
/// `on_connected` is called as soon as the handshake is done, while the ending is still being watched: with our side of the
/// connection, and with how long it will be kept open.
pub async fn dial(
    call: &Call,
    mut finish: Finish,
    on_connected: impl FnOnce(Option<SocketAddr>, Duration),
) -> Dial {
    let mut dial = Dial {
        to: call.to,
        from: None,
        ttl: call.ttl,
        syns: 0,
        answer: Answer::Silence,
    };
    let line = match Line::open_to_another(call) {
        Ok(line) => line,
        Err(error) => {
            dial.answer = Answer::Local(error);
            return dial;
        }
    };
    dial.from = line.stream.local_addr().ok();

    let opening = tokio::select! {
        opening = line.opening() => opening,
        () = wait(call.patience) => line.last_look(),
        () = finish.requested() => line.last_look(),
    };
    dial.syns = line.info().map_or(1, |info| info.total_retransmits + 1);
    dial.answer = match opening {
        Opening::Answered(answer) => answer,
        Opening::Established(info) => {
            let opened = clock::now();
            let hold = call
                .hold
                .for_round_trip(info.rtt.unwrap_or(opened - line.started));
            on_connected(dial.from, hold);
            let ending = line.watch_ending(hold, opened, &info, &mut finish).await;
            Answer::SynAck(Handshake {
                connect_s: opened - line.started,
                rtt_s: info.rtt,
                retransmitted_syns: dial.syns.saturating_sub(1),
                segments_in: info.segments_in,
                timestamps: info.timestamps,
                peer_window: info.peer_window,
                segments: info.segments,
                ending,
            })
        }
    };
    line.close(&dial.answer);
    dial
}

impl Hold {
    /// A peer or proxy that will not have the connection says so one round trip after our ACK. One that thinks longer
    /// than that resets after our FIN, which makes the investigation look again and hold longer.
    fn for_round_trip(self, round_trip: Duration) -> Duration {
        match self {
            Self::Exactly(hold) => hold,
            Self::RoundTrips => (2 * round_trip).min(Duration::from_millis(250)),
        }
    }
}

/// So often the kernel does not choose the one port that is wrong.
const SELF_CONNECTIONS: usize = 16;

async fn wait(patience: Option<Duration>) {
    match patience {
        Some(patience) => sleep(patience).await,
        None => std::future::pending().await,
    }
}

/// How the handshake came out.
enum Opening {
    Established(TcpInfo),
    Answered(Answer),
}

/// A connection under way.
struct Line {
    stream: TcpStream,
    started: Instant,
    /// Whether the filter that keeps bare RSTs away is in place.
    filtered: bool,
    /// The least that the filter's drops have been ahead of the segments received.
    least_drops_less_received: Cell<i64>,
}

impl Line {
    /// The kernel may give a connection to a port of this host that very port: both ends are one socket, and it is made although
    /// nobody listens (simultaneous open, RFC 9293, 3.5). That says nothing of the port, so another one is asked for.
    fn open_to_another(call: &Call) -> Result<Self, LocalError> {
        for _ in 0..SELF_CONNECTIONS {
            let line = Self::open(call)?;
            if call.source.port.is_some_and(|port| port > 0) || !line.is_to_itself(call.to) {
                return Ok(line);
            }
            let _ = SockRef::from(&line.stream).set_linger(Some(Duration::ZERO));
        }
        Self::open(call)
    }

    fn is_to_itself(&self, to: SocketAddr) -> bool {
        let from = self.stream.local_addr();
        from.is_ok_and(|from| from.port() == to.port() && from.ip() == to.ip())
    }

    fn open(call: &Call) -> Result<Self, LocalError> {
        let (socket, filtered) = socket::open(call)?;
        let started = clock::now();
        match socket.connect(&call.to.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(errno::local("connect", &error)),
        }
        let stream = TcpStream::from_std(socket.into()).map_err(|error| errno::local("epoll_ctl", &error))?;
        Ok(Self {
            stream,
            started,
            filtered,
            least_drops_less_received: Cell::new(i64::MAX),
        })
    }

    fn info(&self) -> Option<TcpInfo> {
        TcpInfo::of(self.stream.as_fd()).ok()
    }

    async fn opening(&self) -> Opening {
        let answered = self
            .stream
            .async_io(Interest::WRITABLE, || self.look().ok_or_else(would_block))
            .await;
        answered.unwrap_or_else(|error| Opening::Answered(Answer::Local(errno::local("connect", &error))))
    }

    /// What is known when the wait is over.
    fn last_look(&self) -> Opening {
        self.look().unwrap_or(Opening::Answered(Answer::Silence))
    }

    fn look(&self) -> Option<Opening> {
        if let Some(error) = error_queue::take(&self.stream) {
            return Some(Opening::Answered(Answer::Icmp(error)));
        }
        let info = self.info()?;
        if let Ok(Some(error)) = self.stream.take_error() {
            // The kernel queues an ICMP error before it sets the errno: it may have done both since the first look.
            if let Some(error) = error_queue::take(&self.stream) {
                return Some(Opening::Answered(Answer::Icmp(error)));
            }
            return Some(match error.raw_os_error() {
                Some(libc::ECONNREFUSED) => Opening::Answered(Answer::Rst),
                Some(libc::ETIMEDOUT) => Opening::Answered(Answer::Silence),
                // The handshake was done, and a RST came before we looked.
                Some(libc::ECONNRESET | libc::EPIPE) => Opening::Established(info),
                _ => Opening::Answered(Answer::Local(errno::local("connect", &error))),
            });
        }
        match info.state {
            State::SynSent | State::Closed => None,
            State::Established
            | State::CloseWait
            | State::FinWait1
            | State::FinWait2
            | State::LastAck
            | State::Closing
            | State::Other(_) => Some(Opening::Established(info)),
        }
    }

    /// Closes in good order where the peer knows the connection, and with a RST where it does not: nothing of ours
    /// keeps retransmitting.
    fn close(self, answer: &Answer) {
        let Answer::SynAck(handshake) = answer else { return };
        let ending = &handshake.ending;
        if ending.fin_acknowledged_after_s.is_none() || ending.reset.is_some() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
            return;
        }
        self.drain();
    }

    /// Closing with unread data (a server's greeting) would send a RST.
    fn drain(&self) {
        let mut scrap = [0u8; 4096];
        for _ in 0..16 {
            if !matches!(self.stream.try_read(&mut scrap), Ok(1..)) {
                break;
            }
        }
    }
}

fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}
