//! The table: for each label the states and signs of a socket that counts towards it, what such sockets are gathered by, and
//! how many it takes.

use std::time::Duration;

use super::Label;
use super::tally::Bounds;
use crate::evidence::sockets::{Owner, Socket, State, Timer};

/// A label and what leads to it. A label may have several rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) label: Label,
    pub(super) states: &'static [State],
    /// All of them have to hold.
    pub(super) signs: &'static [Sign],
    pub(super) by: By,
    /// So many sockets of one group, at least.
    pub(super) least: u64,
    /// Which of them are worth showing: those with the most of this.
    pub(super) worst: Worst,
}

/// A label that counts all sockets towards one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerRow {
    pub(super) label: Label,
    pub(super) measure: PeerMeasure,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum PeerMeasure {
    /// Their part of the port range, in percent; only those in `TIME_WAIT`, or all of them.
    TimeWaitShare(u32),
    PortShare(u32),
    /// Segments that were sent again: so many, and so many percent of all.
    Loss {
        least: u64,
        percent: u64,
    },
}

/// What has to hold of a socket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// A program holds it.
    Held,
    /// No program does.
    Orphaned,
    /// The retransmission timer has fired so often in a row.
    Retransmitted(u8),
    /// The persist timer runs.
    Persisting,
    /// No timer runs.
    NoTimer,
    /// Nothing is left to be sent or acknowledged.
    NothingToSend,
    /// Something came that our program has not read.
    Unread,
    /// So long without this.
    Without(Since, Patience),
    /// More connections wait than the backlog says.
    QueueFull,
    /// Four fifths of it.
    QueueNear,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    /// A segment of any kind from the peer.
    Heard,
    DataReceived,
    DataSent,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Patience {
    /// [`Bounds::stuck`]
    Stuck,
    /// [`Bounds::silent`]
    Silent,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Process,
    Listener,
    Peer,
    Whole,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Worst {
    Time(Since),
    Tries,
    Queue,
}

/// States in which something can still be sent.
const SENDING: &[State] = &[
    State::Established,
    State::CloseWait,
    State::FinWait1,
    State::Closing,
    State::LastAck,
];

/// In which something can still come.
const RECEIVING: &[State] = &[
    State::Established,
    State::CloseWait,
    State::FinWait1,
    State::FinWait2,
];

pub(super) const ROWS: &[Row] = &[
    Row {
        label: Label::AcceptQueueFull,
        states: &[State::Listen],
        signs: &[Sign::QueueFull],
        by: By::Listener,
        least: 1,
        worst: Worst::Queue,
    },
    Row {
        label: Label::AcceptQueueNear,
        states: &[State::Listen],
        signs: &[Sign::QueueNear],
        by: By::Listener,
        least: 1,
        worst: Worst::Queue,
    },
    Row {
        label: Label::SynSentStuck,
        states: &[State::SynSent],
        signs: &[Sign::Retransmitted(1)],
        by: By::Peer,
        least: 1,
        worst: Worst::Tries,
    },
    Row {
        label: Label::SynReceivedPiling,
        states: &[State::SynReceived],
        signs: &[Sign::Retransmitted(1)],
        by: By::Listener,
        least: 10,
        worst: Worst::Tries,
    },
    // Three timeouts in a row without an acknowledgement between them: that is no lost segment.
    Row {
        label: Label::SendStalled,
        states: &[State::Established, State::CloseWait],
        signs: &[Sign::Retransmitted(3)],
        by: By::Peer,
        least: 1,
        worst: Worst::Tries,
    },
    Row {
        label: Label::ZeroWindow,
        states: SENDING,
        signs: &[Sign::Persisting, Sign::Without(Since::DataSent, Patience::Stuck)],
        by: By::Peer,
        least: 1,
        worst: Worst::Time(Since::DataSent),
    },
    // Our program reads in order: while anything is unread, what came last is.
    Row {
        label: Label::ReceiveUnread,
        states: RECEIVING,
        signs: &[
            Sign::Held,
            Sign::Unread,
            Sign::Without(Since::DataReceived, Patience::Stuck),
        ],
        by: By::Process,
        least: 1,
        worst: Worst::Time(Since::DataReceived),
    },
    // The peer's FIN was a segment, so it came no later than its last one.
    Row {
        label: Label::CloseWaitLeak,
        states: &[State::CloseWait],
        signs: &[Sign::Held, Sign::Without(Since::Heard, Patience::Stuck)],
        by: By::Process,
        least: 10,
        worst: Worst::Time(Since::Heard),
    },
    Row {
        label: Label::FinWaitStuck,
        states: &[State::FinWait1, State::Closing],
        signs: &[Sign::Retransmitted(3)],
        by: By::Peer,
        least: 1,
        worst: Worst::Tries,
    },
    // Held by a program, so that tcp_fin_timeout does not count.
    Row {
        label: Label::FinWaitStuck,
        states: &[State::FinWait2],
        signs: &[
            Sign::Held,
            Sign::NoTimer,
            Sign::Without(Since::Heard, Patience::Stuck),
        ],
        by: By::Process,
        least: 1,
        worst: Worst::Time(Since::Heard),
    },
    Row {
        label: Label::LastAckStuck,
        states: &[State::LastAck],
        signs: &[Sign::Retransmitted(3)],
        by: By::Peer,
        least: 1,
        worst: Worst::Tries,
    },
    Row {
        label: Label::Orphans,
        states: &[State::FinWait1, State::Closing, State::LastAck],
        signs: &[Sign::Orphaned, Sign::Retransmitted(1)],
        by: By::Whole,
        least: 10,
        worst: Worst::Tries,
    },
    Row {
        label: Label::PeerSilent,
        states: &[State::Established],
        signs: &[
            Sign::NoTimer,
            Sign::NothingToSend,
            Sign::Without(Since::Heard, Patience::Silent),
        ],
        by: By::Peer,
        least: 1,
        worst: Worst::Time(Since::Heard),
    },
];

pub(super) const PEER_ROWS: &[PeerRow] = &[
    PeerRow {
        label: Label::PortsNearlyExhausted,
        measure: PeerMeasure::PortShare(80),
    },
    PeerRow {
        label: Label::TimeWaitPressure,
        measure: PeerMeasure::TimeWaitShare(20),
    },
    PeerRow {
        label: Label::Retransmitting,
        measure: PeerMeasure::Loss { least: 5, percent: 2 },
    },
];

impl Row {
    /// Whether the socket counts.
    pub(super) fn holds(&self, socket: &Socket, bounds: &Bounds) -> bool {
        self.states.contains(&socket.state) && self.signs.iter().all(|sign| sign.holds(socket, bounds))
    }
}

impl Sign {
    fn holds(self, socket: &Socket, bounds: &Bounds) -> bool {
        match self {
            Self::Held => socket.owner != Owner::Nobody,
            Self::Orphaned => socket.owner == Owner::Nobody,
            Self::Retransmitted(least) => {
                matches!(socket.timer, Some((Timer::Retransmit, _))) && socket.tries >= least
            }
            Self::Persisting => matches!(socket.timer, Some((Timer::Persist, _))),
            Self::NoTimer => socket.timer.is_none(),
            Self::NothingToSend => socket.send_queue == 0,
            // The peer's FIN counts as a byte until it is read.
            Self::Unread => socket.receive_queue > u32::from(socket.state == State::CloseWait),
            Self::Without(since, patience) => since.ago(socket).is_some_and(|ago| ago >= patience.of(bounds)),
            Self::QueueFull => socket.receive_queue > socket.send_queue,
            Self::QueueNear => {
                let (waiting, limit) = (u64::from(socket.receive_queue), u64::from(socket.send_queue));
                waiting > 0 && waiting <= limit && waiting * 5 >= limit * 4
            }
        }
    }
}

impl Since {
    fn ago(self, socket: &Socket) -> Option<Duration> {
        let info = socket.info?;
        Some(match self {
            Self::Heard => info.heard_ago,
            Self::DataReceived => info.data_received_ago,
            Self::DataSent => info.data_sent_ago,
        })
    }
}

impl Patience {
    fn of(self, bounds: &Bounds) -> Duration {
        match self {
            Self::Stuck => bounds.stuck,
            Self::Silent => bounds.silent,
        }
    }
}

impl Worst {
    /// How bad, to compare sockets of one row with.
    pub(super) fn of(self, socket: &Socket) -> u64 {
        match self {
            Self::Time(since) => since
                .ago(socket)
                .map_or(0, |ago| u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
            Self::Tries => socket.tries.into(),
            Self::Queue => socket.receive_queue.into(),
        }
    }

    /// The same as a time, where it is one.
    pub(super) fn as_time(self, worst: u64) -> Option<Duration> {
        match self {
            Self::Time(_) => Some(Duration::from_millis(worst)),
            Self::Tries | Self::Queue => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_a_row() {
        for label in Label::ALL {
            let rows = ROWS.iter().map(|row| row.label);
            assert!(
                rows.chain(PEER_ROWS.iter().map(|row| row.label))
                    .any(|known| known == *label),
                "{label}"
            );
        }
    }
}
