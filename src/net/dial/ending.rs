//! How a connection ends: what the peer does while we say nothing, what it answers to our FIN, and whether a RST comes
//! that the socket's filter keeps away.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::time::sleep;

use super::{Line, would_block};
use crate::evidence::{Ending, Reset, ResetShape};
use crate::net::clock;
use crate::net::finish::Finish;
use crate::net::pause::pause;
use crate::net::tcp_info::{State, TcpInfo, dropped_packets};

/// What the peer did while we kept the connection open.
enum Held {
    Quiet,
    Closed,
    Reset,
}

/// What came after our FIN.
enum AfterFin {
    Acknowledged,
    Reset(ResetShape),
    Nothing,
}

/// Whether our FIN still waits for its answer.
enum Waiting {
    /// The peer has not closed its side.
    OneSideClosed,
    /// The peer has closed its side too.
    BothSidesClosed,
    /// It has it.
    Over(AfterFin),
}

/// How long a peer that has acknowledged our FIN may take to close its side: its kernel acknowledges, its application
/// may still reset.
const SHORTEST_WAIT_FOR_CLOSE: Duration = Duration::from_millis(10);
const LONGEST_WAIT_FOR_CLOSE: Duration = Duration::from_millis(250);

impl Line {
    /// Holds the connection, closes our side of it, and watches how the peer takes both.
    pub(super) async fn watch_ending(
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
        let received = handshake.segments_in.map_or(0, i64::from);
        self.least_drops_less_received.set(-received);

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
                // An answer that is there already counts, even when it is time to conclude.
                biased;
                after_fin = self.answer_to_fin() => after_fin,
                after_fin = self.bare_reset() => after_fin,
                () = finish.requested() => AfterFin::Nothing,
            };
            match after_fin {
                AfterFin::Acknowledged => {
                    ending.fin_acknowledged_after_s = Some(since());
                    let patience = (4 * hold).clamp(SHORTEST_WAIT_FOR_CLOSE, LONGEST_WAIT_FOR_CLOSE);
                    ending.reset = tokio::select! {
                        reset = self.peer_closes() => reset.then(|| self.reset(since())),
                        () = sleep(patience) => None,
                        () = finish.requested() => None,
                    };
                }
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
            if self.bare_reset_came() || matches!(self.stream.take_error(), Ok(Some(_))) {
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
        let look = || match self.seen_after_fin() {
            Waiting::OneSideClosed => Err(would_block()),
            waiting @ (Waiting::BothSidesClosed | Waiting::Over(_)) => Ok(waiting),
        };
        let interest = Interest::WRITABLE.add(Interest::READABLE);
        match self.stream.async_io(interest, look).await {
            Ok(Waiting::Over(after_fin)) => after_fin,
            // With both FINs sent the stream counts as closed, hence as ready, for good: to wait for that would
            // never give way to anything else, not even to the deadline.
            Ok(Waiting::OneSideClosed | Waiting::BothSidesClosed) => {
                look_often(|| match self.seen_after_fin() {
                    Waiting::Over(after_fin) => Some(after_fin),
                    Waiting::OneSideClosed | Waiting::BothSidesClosed => None,
                })
                .await
            }
            Err(_) => AfterFin::Nothing,
        }
    }

    fn seen_after_fin(&self) -> Waiting {
        if let Ok(Some(_)) = self.stream.take_error() {
            return Waiting::Over(AfterFin::Reset(self.shape_of_delivered_reset()));
        }
        let Some(info) = self.info() else {
            return Waiting::Over(AfterFin::Nothing);
        };
        match info.state {
            State::FinWait1 => Waiting::OneSideClosed,
            State::Closing | State::LastAck => Waiting::BothSidesClosed,
            // A socket in TIME-WAIT reads as closed; a reset would have left its error.
            State::FinWait2
            | State::Closed
            | State::Other(_)
            | State::Established
            | State::CloseWait
            | State::SynSent => Waiting::Over(AfterFin::Acknowledged),
        }
    }

    /// Returns when the peer closes its side too, which most do at once; whether it did so with a RST.
    async fn peer_closes(&self) -> bool {
        let look = || {
            if self.bare_reset_came() || matches!(self.stream.take_error(), Ok(Some(_))) {
                return Ok(true);
            }
            match self.info().map(|info| info.state) {
                Some(State::FinWait2) => Err(would_block()),
                _ => Ok(false),
            }
        };
        let interest = Interest::WRITABLE.add(Interest::READABLE);
        self.stream.async_io(interest, look).await.unwrap_or(false)
    }

    /// Returns when our filter has kept a bare RST away, which wakes nobody.
    async fn bare_reset(&self) -> AfterFin {
        look_often(|| (self.bare_reset_came()).then_some(AfterFin::Reset(ResetShape::Bare))).await
    }

    /// Whether our filter has kept a bare RST away.
    ///
    /// The socket counts as dropped what the filter keeps away, and also segments that TCP itself has no use for, such as
    /// a FIN or SYN-ACK that comes again. Only the latter are segments received (`tcp_v4_rcv` counts those behind the
    /// filter), so it is the drops beyond the segments received that tell.
    fn bare_reset_came(&self) -> bool {
        let Some(balance) = self.drops_less_received() else {
            return false;
        };
        let least = self.least_drops_less_received.get().min(balance);
        let came = balance > least;
        self.least_drops_less_received
            .set(if came { i64::MIN } else { least });
        came
    }

    /// Absent also where a segment came just between the looks.
    fn drops_less_received(&self) -> Option<i64> {
        if !self.filtered {
            return None;
        }
        let received = self.info()?.segments_in?;
        let drops = dropped_packets(self.stream.as_fd()).ok()?;
        (self.info()?.segments_in? == received).then(|| i64::from(drops) - i64::from(received))
    }

    fn reset(&self, after: Duration) -> Reset {
        let shape = if self.bare_reset_came() {
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
}

/// Looks until there is something to see, ever farther apart: for what wakes nobody.
async fn look_often<T>(look: impl Fn() -> Option<T>) -> T {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        sleep(pause).await;
        pause = (2 * pause).min(Duration::from_millis(100));
    }
}
