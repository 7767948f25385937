//! One TCP connection through the kernel: opened, watched and closed, with all that a plain user may know of it.
//!
//! The order matters: the error queue before `SO_ERROR` before `TCP_INFO`, since an ICMP port-unreachable and a RST
//! have the same errno, and only the queue tells them apart.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::pause::pause;
use super::tcp_info::{State, TcpInfo, dropped_packets};
use super::{clock, errno, error_queue};
use crate::evidence::{Answer, Dial, Ending, Handshake, LocalError, Reset, ResetShape};

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

/// Says that whatever is still under way is to be concluded now.
#[derive(Debug, Clone)]
pub struct Finish(watch::Receiver<bool>);

/// The other end of [`Finish`].
#[derive(Debug)]
pub struct Finisher(watch::Sender<bool>);

/// A pair of which one end concludes what holds the other.
pub fn finisher() -> (Finisher, Finish) {
    let (sender, receiver) = watch::channel(false);
    (Finisher(sender), Finish(receiver))
}

impl Finisher {
    /// Concludes all probes that hold the other end.
    pub fn finish(&self) {
        self.0.send_replace(true);
    }
}

impl Finish {
    /// Whether it is time to conclude.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is time to conclude.
    pub async fn requested(&mut self) {
        // An error means that the other end is gone, which concludes as well.
        let _ = self.0.wait_for(|finish| *finish).await;
    }
}

/// Opens a connection, watches what becomes of it, and closes it.
///
/// `on_connected` is called as soon as the handshake is done, while the ending is still being watched.
pub async fn dial(call: &Call, mut finish: Finish, on_connected: impl FnOnce()) -> Dial {
    let mut dial = Dial {
        to: call.to,
        from: None,
        ttl: call.ttl,
        syns: 0,
        answer: Answer::Silence,
    };
    let line = match Line::open(call) {
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
            on_connected();
            let ending = line
                .watch_ending(
                    call.hold
                        .for_round_trip(info.rtt.unwrap_or(opened - line.started)),
                    opened,
                    &info,
                    &mut finish,
                )
                .await;
            Answer::SynAck(Handshake {
                connect_s: opened - line.started,
                rtt_s: info.rtt,
                retransmitted_syns: dial.syns.saturating_sub(1),
                segments_in: info.segments_in,
                timestamps: info.timestamps,
                peer_window: info.peer_window,
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

/// What came after our FIN.
enum AfterFin {
    Acknowledged,
    Reset(ResetShape),
    Nothing,
}

/// A connection under way.
struct Line {
    stream: TcpStream,
    started: Instant,
    /// Whether the filter that keeps bare RSTs away is in place.
    filtered: bool,
}

impl Line {
    fn open(call: &Call) -> Result<Self, LocalError> {
        let failed = |call| move |error: io::Error| errno::local(call, &error);
        let socket = Socket::new(Domain::for_address(call.to), Type::STREAM, Some(Protocol::TCP))
            .map_err(failed("socket"))?;
        socket.set_nonblocking(true).map_err(failed("fcntl"))?;
        // Without the queue (kernels before 5.9 keep it empty in SYN_SENT) errno has to do: `sight` says so.
        let _ = error_queue::enable(&socket, call.to.is_ipv4());
        let filtered = socket.attach_filter(&bare_reset_filter()).is_ok();
        if let Some(ttl) = call.ttl {
            set_ttl(&socket, call.to, ttl).map_err(failed("setsockopt"))?;
        }
        bind(&socket, call)?;
        let started = clock::now();
        match socket.connect(&call.to.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(errno::local("connect", &error)),
        }
        let stream = TcpStream::from_std(socket.into()).map_err(failed("epoll_ctl"))?;
        Ok(Self {
            stream,
            started,
            filtered,
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

    async fn watch_ending(
        &self,
        hold: Duration,
        opened: Instant,
        handshake: &TcpInfo,
        finish: &mut Finish,
    ) -> Ending {
        let mut ending = Ending {
            fin_after_s: None,
            fin_acknowledged_after_s: None,
            fin_retransmissions: 0,
            peer_fin_after_s: None,
            reset: None,
            repeated_syn_acks: 0,
            watched_s: Duration::ZERO,
        };
        let since = || clock::now() - opened;

        let during_hold = tokio::select! {
            event = self.peer_speaks() => event,
            () = pause(hold) => Held::Quiet,
            () = finish.requested() => Held::Quiet,
        };
        match during_hold {
            Held::Quiet => {}
            Held::Closed => ending.peer_fin_after_s = Some(since()),
            Held::Reset => ending.reset = Some(self.reset(since())),
        }
        if ending.reset.is_none() {
            ending.fin_after_s = Some(since());
            // A failure means that the connection is gone already, which the next look tells.
            let _ = SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write);
            let after_fin = tokio::select! {
                after_fin = self.answer_to_fin() => after_fin,
                after_fin = self.bare_reset() => after_fin,
                () = finish.requested() => AfterFin::Nothing,
            };
            match after_fin {
                AfterFin::Acknowledged => ending.fin_acknowledged_after_s = Some(since()),
                AfterFin::Nothing => {}
                AfterFin::Reset(shape) => {
                    ending.reset = Some(Reset {
                        after_s: since(),
                        shape,
                    });
                }
            }
        }
        if let Some(info) = self.info() {
            if info.state == State::FinWait1 {
                ending.fin_retransmissions = u32::from(info.retransmits);
                let before = handshake.segments_in.unwrap_or_default();
                ending.repeated_syn_acks = info.segments_in.unwrap_or_default().saturating_sub(before);
            }
            if ending.reset.is_some() && info.fin_was_acknowledged() {
                ending.fin_acknowledged_after_s = Some(since());
            }
        }
        ending.watched_s = since();
        ending
    }

    /// Returns when the peer ends the connection, for as long as we say nothing.
    async fn peer_speaks(&self) -> Held {
        let look = || {
            if self.bare_resets() > 0 || matches!(self.stream.take_error(), Ok(Some(_))) {
                return Ok(Held::Reset);
            }
            match self.info().map(|info| info.state) {
                Some(State::CloseWait) => Ok(Held::Closed),
                Some(State::Closed) => Ok(Held::Reset),
                _ => Err(would_block()),
            }
        };
        self.stream
            .async_io(Interest::READABLE, look)
            .await
            .unwrap_or(Held::Reset)
    }

    /// Returns when the peer's kernel answers our FIN.
    async fn answer_to_fin(&self) -> AfterFin {
        let look = || {
            if let Ok(Some(_)) = self.stream.take_error() {
                return Ok(AfterFin::Reset(self.shape_of_delivered_reset()));
            }
            let Some(info) = self.info() else {
                return Ok(AfterFin::Nothing);
            };
            match info.state {
                State::FinWait1 | State::Closing | State::LastAck => Err(would_block()),
                // A socket in TIME-WAIT reads as closed; a reset would have left its error.
                State::FinWait2
                | State::Closed
                | State::Other(_)
                | State::Established
                | State::CloseWait
                | State::SynSent => Ok(AfterFin::Acknowledged),
            }
        };
        let interest = Interest::WRITABLE.add(Interest::READABLE);
        self.stream
            .async_io(interest, look)
            .await
            .unwrap_or(AfterFin::Nothing)
    }

    /// Returns when our filter has kept a bare RST away, which wakes nobody: hence the looks, ever farther apart.
    async fn bare_reset(&self) -> AfterFin {
        let mut pause = Duration::from_millis(1);
        while self.bare_resets() == 0 {
            sleep(pause).await;
            pause = (2 * pause).min(Duration::from_millis(100));
        }
        AfterFin::Reset(ResetShape::Bare)
    }

    fn bare_resets(&self) -> u32 {
        if self.filtered {
            dropped_packets(self.stream.as_fd()).unwrap_or_default()
        } else {
            0
        }
    }

    fn reset(&self, after: Duration) -> Reset {
        let shape = if self.bare_resets() > 0 {
            ResetShape::Bare
        } else {
            self.shape_of_delivered_reset()
        };
        Reset {
            after_s: after,
            shape,
        }
    }

    fn shape_of_delivered_reset(&self) -> ResetShape {
        if self.filtered {
            ResetShape::WithAck
        } else {
            ResetShape::Unknown
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
        // Closing with unread data (a server's greeting) would send a RST.
        let mut scrap = [0u8; 4096];
        for _ in 0..16 {
            if !matches!(self.stream.try_read(&mut scrap), Ok(1..)) {
                break;
            }
        }
    }
}

/// What the peer did while we kept the connection open.
enum Held {
    Quiet,
    Closed,
    Reset,
}

fn would_block() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

/// Drops RSTs without the ACK flag and lets everything else through. The kernel runs it on segments for this socket,
/// from the TCP header on, and counts what it dropped: so a plain user can tell `[R]` from `[R.]`.
fn bare_reset_filter() -> [SockFilter; 5] {
    const RST_AND_ACK: u32 = 0x14;
    const RST: u32 = 0x04;
    [
        SockFilter::new(0x30, 0, 0, 13),          // ldb [13]: the flags
        SockFilter::new(0x54, 0, 0, RST_AND_ACK), // and
        SockFilter::new(0x15, 0, 1, RST),         // jeq: bare RST, else skip one
        SockFilter::new(0x06, 0, 0, 0),           // ret 0: drop
        SockFilter::new(0x06, 0, 0, u32::MAX),    // ret all: pass
    ]
}

fn set_ttl(socket: &Socket, to: SocketAddr, ttl: u8) -> io::Result<()> {
    if to.is_ipv4() {
        socket.set_ttl_v4(ttl.into())
    } else {
        socket.set_unicast_hops_v6(ttl.into())
    }
}

fn bind(socket: &Socket, call: &Call) -> Result<(), LocalError> {
    let source = &call.source;
    if let Some(interface) = &source.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(|error| errno::local("setsockopt", &error))?;
    }
    if source.address.is_none() && source.port.is_none() {
        return Ok(());
    }
    let any = if call.to.is_ipv4() {
        IpAddr::from([0u8; 4])
    } else {
        IpAddr::from([0u8; 16])
    };
    let mut address = SocketAddr::new(source.address.unwrap_or(any), source.port.unwrap_or(0));
    if let (SocketAddr::V6(address), SocketAddr::V6(to)) = (&mut address, call.to) {
        address.set_scope_id(to.scope_id());
    }
    if source.port.is_none() {
        // Leaves the choice of the port to connect(), which knows the destination. Before Linux 4.2: bind() chooses.
        let _ = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
    } else {
        // The port was ours a moment ago, for the previous hop of the same sweep.
        let _ = socket.set_reuse_address(true);
    }
    socket
        .bind(&address.into())
        .map_err(|error| errno::local("bind", &error))
}
