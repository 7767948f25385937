//! One connection that is left idle, then asked by the kernel's own keepalive whether anybody still knows it. No byte goes to
//! the application.

use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::Interest;
use tokio::time::sleep;

use super::{Call, Line, Opening, wait, would_block};
use crate::evidence::hold::{Asked, End};
use crate::evidence::{Answer, LocalError};
use crate::net::finish::Finish;
use crate::net::tcp_info::{State, TcpInfo};
use crate::net::{clock, errno};

/// What became of one connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    /// Our end.
    pub from: Option<SocketAddr>,
    /// When its handshake was done; absent without one.
    pub made: Option<Instant>,
    /// SYNs that it took.
    pub syns: u32,
    /// From the handshake until it was asked, or until it ended by itself.
    pub idle: Duration,
    /// The end of that time in which the peer sent nothing.
    pub quiet: Duration,
    /// Segments that the peer sent meanwhile.
    pub peer_segments: Option<u32>,
    /// What became of it.
    pub end: End,
}

/// So many keepalive probes have to go unanswered, a second apart: the shortest pause that the kernel has.
const PROBES: u8 = 5;
const BETWEEN_PROBES: Duration = Duration::from_secs(1);
/// A keepalive that nobody answers is given up after this, however many probes our own kernel could send.
const ASKING: Duration = Duration::from_secs(6);
/// How long a FIN is waited for after that; the kernel repeats it after 0.2, 0.6 and 1.4 s on a short path.
const LAST_QUESTION: Duration = Duration::from_secs(2);
/// How long the peer may take to acknowledge the FIN by which we close what is done.
const CLOSING: Duration = Duration::from_millis(500);

/// Opens a connection, says nothing for as long as `after`, asks, and closes. Once `finish` says so it closes at once.
pub async fn hold(call: &Call, after: Duration, mut finish: Finish) -> Idle {
    let mut idle = Idle {
        from: None,
        made: None,
        syns: 0,
        idle: Duration::ZERO,
        quiet: Duration::ZERO,
        peer_segments: None,
        end: End::CutShort,
    };
    let mut line = match Line::open_to_another(call) {
        Ok(line) => line,
        Err(error) => return idle.not_made(Answer::Local(error)),
    };
    idle.from = line.stream.local_addr().ok();
    let opening = tokio::select! {
        opening = line.opening() => opening,
        () = wait(call.patience) => line.last_look(),
        () = finish.requested() => line.last_look(),
    };
    idle.syns = line.info().map_or(1, |info| info.total_retransmits + 1);
    match opening {
        Opening::Answered(Answer::Silence) if finish.is_requested() => return idle,
        Opening::Answered(answer) => return idle.not_made(answer),
        Opening::Established(_) => {}
    }
    // What comes is to end the connection, as it does for everybody.
    line.filtered = SockRef::from(&line.stream).detach_filter().is_err() && line.filtered;

    let mut ear = Ear::new(&line);
    idle.made = Some(ear.made);
    let ended = line.say_nothing(after, &mut ear, &mut finish).await;
    let now = clock::now();
    idle.idle = now - ear.made;
    idle.quiet = now - ear.heard;
    idle.peer_segments = ear.peer_segments();
    idle.end = match ended {
        Some(end) => end,
        None => line.ask(&mut finish).await,
    };
    line.close_idle(&idle.end).await;
    idle
}

impl Idle {
    fn not_made(self, answer: Answer) -> Self {
        Self {
            end: End::NotMade { answer },
            ..self
        }
    }
}

/// Counts what the peer sends while we say nothing.
struct Ear {
    made: Instant,
    heard: Instant,
    first: Option<u32>,
    last: Option<u32>,
}

impl Ear {
    fn new(line: &Line) -> Self {
        let (now, segments) = (clock::now(), line.info().and_then(|info| info.segments_in));
        Self {
            made: now,
            heard: now,
            first: segments,
            last: segments,
        }
    }

    /// What ends the connection is no sign of life.
    fn listen(&mut self, info: &TcpInfo) {
        if info.state == State::Established && info.segments_in > self.last {
            self.last = info.segments_in;
            self.heard = clock::now();
        }
    }

    fn peer_segments(&self) -> Option<u32> {
        Some(self.last?.saturating_sub(self.first?))
    }
}

impl Line {
    /// Returns when the time is over (`None`), or with how the connection ended before.
    async fn say_nothing(&self, after: Duration, ear: &mut Ear, finish: &mut Finish) -> Option<End> {
        let until = ear.made + after;
        // A peer's keepalive wakes nobody.
        let tick = (after / 50).clamp(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            let rest = until.saturating_duration_since(clock::now());
            tokio::select! {
                end = self.ends() => return Some(end),
                () = sleep(rest.min(tick)) => {}
                () = finish.requested() => return Some(End::CutShort),
            }
            if let Some(info) = self.info() {
                ear.listen(&info);
            }
            if clock::now() >= until {
                return None;
            }
        }
    }

    /// Returns when the connection ends although nobody asked.
    async fn ends(&self) -> End {
        let look = || self.look_for_end(Asked::Nothing).ok_or_else(would_block);
        let ended = self.stream.async_io(Interest::READABLE, look).await;
        ended.unwrap_or_else(|error| could_not(&errno::local("epoll_wait", &error)))
    }

    fn look_for_end(&self, to: Asked) -> Option<End> {
        if let Ok(Some(error)) = self.stream.take_error() {
            // An established connection's errors are ECONNRESET for a RST and those of ICMP errors; ETIMEDOUT is our own
            // kernel's, which has been told to be patient for longer than we are.
            return Some(match error.raw_os_error() {
                Some(libc::ECONNRESET | libc::EPIPE) => End::Reset { to },
                _ => End::Rejected {
                    to,
                    errno: errno::name(&error),
                },
            });
        }
        let state = self.info()?.state;
        match (state, to) {
            // A FIN answers no probe: it came by itself, just then.
            (State::CloseWait, _) => Some(End::Closed { to: Asked::Nothing }),
            // The error was taken by somebody else: there is nobody else.
            (State::Closed, Asked::Nothing | Asked::Keepalive) => Some(End::Reset { to }),
            (
                State::Closed
                | State::Established
                | State::SynSent
                | State::FinWait1
                | State::FinWait2
                | State::LastAck
                | State::Closing
                | State::Other(_),
                _,
            ) => None,
        }
    }

    /// Has the kernel ask, a second apart; after [`PROBES`] in vain with our FIN, which is of the connection and not before it,
    /// so that an ICMP error in answer to it is heard too.
    async fn ask(&self, finish: &mut Finish) -> End {
        let asked = clock::now();
        let before = self.info().and_then(|info| info.segments_in);
        if let Err(error) = self.begin_to_ask() {
            return could_not(&errno::local("setsockopt", &error));
        }
        let mut pause = Duration::from_millis(1);
        let mut probes = 0;
        loop {
            if let Some(end) = self.look_for_end(Asked::Keepalive) {
                return end;
            }
            let now = clock::now();
            if let Some(info) = self.info() {
                if answered(before, &info, probes) {
                    return End::Alive {
                        after_s: now - asked,
                        probes: probes.max(1),
                        to: Asked::Keepalive,
                    };
                }
                probes = probes.max(info.probes);
            }
            let waited = now - asked;
            if waited >= ASKING || probes >= PROBES && waited >= BETWEEN_PROBES * PROBES.into() {
                return self.ask_by_fin(asked, probes, finish).await;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = finish.requested() => return End::CutShort,
            }
            pause = (2 * pause).min(Duration::from_millis(50));
        }
    }

    /// Idle for longer than a second, the kernel asks at once when it is told to ask after a second.
    fn begin_to_ask(&self) -> std::io::Result<()> {
        /// Of them the kernel would give up the connection; 127 is the most that it takes.
        const MORE_THAN_EVER: u32 = 127;
        let socket = SockRef::from(&self.stream);
        let asking = TcpKeepalive::new()
            .with_interval(BETWEEN_PROBES)
            .with_retries(MORE_THAN_EVER);
        // The pause has to be known before the first probe leaves.
        socket.set_tcp_keepalive(&asking.clone().with_time(Duration::from_secs(7200)))?;
        socket.set_tcp_keepalive(&asking.with_time(BETWEEN_PROBES))
    }

    async fn ask_by_fin(&self, asked: Instant, probes: u8, finish: &mut Finish) -> End {
        let began = clock::now();
        // A failure means that the connection is gone already, which the next look tells.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
        let mut fins = 1;
        loop {
            if let Some(end) = self.look_for_end(Asked::Fin) {
                return end;
            }
            let Some(info) = self.info() else {
                return End::Silent { probes, fins };
            };
            if fin_is_acknowledged(&info) {
                return End::Alive {
                    after_s: clock::now() - asked,
                    probes,
                    to: Asked::Fin,
                };
            }
            fins = fins.max(1 + u32::from(info.retransmits));
            if clock::now() - began >= LAST_QUESTION {
                return End::Silent { probes, fins };
            }
            tokio::select! {
                () = sleep(Duration::from_millis(20)) => {}
                () = finish.requested() => return End::CutShort,
            }
        }
    }

    /// In good order where the peer still knows the connection, and with a RST where it does not: nothing of ours keeps
    /// retransmitting.
    async fn close_idle(&self, end: &End) {
        let socket = SockRef::from(&self.stream);
        let is_known = match end {
            End::Alive { .. } | End::Closed { .. } | End::CutShort | End::CouldNotAsk { .. } => true,
            End::NotMade { .. } | End::Silent { .. } | End::Reset { .. } | End::Rejected { .. } => false,
        };
        if is_known {
            // The probes come to an end too.
            let _ = socket.set_keepalive(false);
            let _ = socket.shutdown(Shutdown::Write);
            let began = clock::now();
            while clock::now() - began < CLOSING {
                if self.info().is_none_or(|info| fin_is_acknowledged(&info)) {
                    self.drain();
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

/// Whether the peer has our FIN.
fn fin_is_acknowledged(info: &TcpInfo) -> bool {
    match info.state {
        State::FinWait2 | State::Closed => true,
        // 6 is TIME_WAIT.
        State::Other(number) => number == 6,
        State::Established
        | State::SynSent
        | State::FinWait1
        | State::CloseWait
        | State::LastAck
        | State::Closing => false,
    }
}

/// Whether something came since the question: a segment, or where the kernel does not count these, the end of unanswered probes.
fn answered(before: Option<u32>, info: &TcpInfo, probes: u8) -> bool {
    match (before, info.segments_in) {
        (Some(before), Some(segments)) => segments > before,
        _ => probes > 0 && info.probes == 0,
    }
}

fn could_not(error: &LocalError) -> End {
    End::CouldNotAsk {
        errno: error.errno.clone(),
    }
}
