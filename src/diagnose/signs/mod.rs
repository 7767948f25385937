//! Evidence reduced to signs: for each column of the hypothesis table, what answered, and how often nothing did.

mod connection;
mod handshake;
mod local;
mod path;
mod raw;
mod select;

pub(super) use connection::is_reset_at_close;
pub(super) use path::rejection_of_others;
pub(super) use raw::{delivered, gave_up_fragment, is_silent, shots};
pub use select::SHORTEST_WAIT;
pub(super) use select::{
    connects, controls, icmp_error, icmp_errors, last_hop, path_round_trip, shortest_wait, to_port,
};

use crate::evidence::{Evidence, IcmpSays, LocalMeans, Saw};

/// A column of the table: one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    /// What answers a SYN to the port.
    Syn,
    /// How a connection to the port ends.
    Ending,
    /// Whether the path itself is fast, when a SYN-ACK came late.
    PathTime,
    /// What answers a SYN to another port of the host.
    Control,
    /// What answers a ping.
    Echo,
    /// What answers a bare ACK to the port.
    Ack,
    /// What answers a bare ACK to another port of the host.
    ControlAck,
    /// What answers a bare FIN to the port.
    Fin,
    /// What answers a FIN out of the window of a handshake that is half done.
    HalfOpen,
    /// What answers a SYN on a connection that is made.
    Challenge,
    /// Whether a RST comes from where the host's other answers come from.
    Origin,
    /// What rejects other endpoints of the host.
    Others,
    /// How far SYNs to the port get, compared with SYNs to another port.
    Sweep,
    /// Whether the next hop answers ARP or ND.
    Neighbour,
    /// Whether the kernel has a route.
    Route,
    /// The listening socket, when the address is our own.
    Listener,
    /// Whether our own host refuses to send.
    Egress,
    /// Whether our own host drops what it receives.
    Ingress,
}

/// What a column may show besides silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sign {
    /// A SYN-ACK to the first SYN, in time.
    SynAck,
    /// A SYN-ACK to the first SYN, over the threshold.
    LateSynAck,
    /// The same, later than the path by just the time after which a server sends its SYN-ACK again.
    LateByTimeout,
    /// A SYN-ACK to a retransmitted SYN: the first one was lost.
    AfterLostSyn,
    /// A SYN-ACK after a retransmission, though it answers the first SYN.
    AfterLostSynAck,
    /// A SYN-ACK after a retransmission, no telling which was lost.
    AfterLoss,
    Rst,
    Icmp(IcmpSays),
    /// Our own kernel reports the host unreachable: the neighbour did not answer.
    OwnHostUnreachable,
    Local(LocalMeans),

    /// The peer's kernel acknowledged our FIN: it knows the connection.
    FinAcknowledged,
    /// Our FIN was not acknowledged, but we did not wait long enough to say that it is ignored.
    FinPending,
    /// Our FIN is ignored again and again.
    FinIgnored,
    /// Our FIN is ignored, and the SYN-ACK comes again.
    SynAckRepeated,
    /// A RST without the ACK flag.
    BareReset,
    /// A RST with the ACK flag.
    AbortReset,
    /// A RST after our FIN: the peer closes that way, or would not have the connection and was slow to say so.
    ResetAtClose,
    /// The same after the peer had kept the connection, quietly, for long enough.
    QuietThenReset,
    /// A RST whose flags could not be seen.
    AnyReset,

    PathFast,
    PathSlow,

    /// The host itself answered.
    HostAnswers,
    /// Somebody on the way answered with an ICMP error.
    PathRefuses,

    /// The server acknowledges a SYN whose SYN-ACK never came: it holds a request for it.
    HoldsRequest,
    /// A SYN on a connection that is made was answered: SYNs reach the host.
    SynReachesHost,
    /// It was not: SYNs are dropped before they reach the host.
    ChallengeIgnored,
    /// The RST arrives with the TTL of the host's other answers.
    SameDistance,
    /// It arrives with another.
    OtherDistance,
    /// One SYN was answered by a SYN-ACK and by a RST.
    AnswersContradict,

    /// SYNs to the port die before a hop that SYNs to another port reach.
    DiesEarlier,
    /// The same, but within the time in which a router need not send a second ICMP error.
    SeemsToDieEarlier,
    /// SYNs to the port get as far as SYNs to another port.
    GetsAsFar,

    Unresolved,
    /// The kernel has asked more than once without an answer, and will ask again.
    StillAsked,
    Resolved,

    HasRoute,
    NoRoute,

    /// The queue is over its limit and the socket dropped packets while we probed.
    QueueFullAndDropping,
    QueueFull,
    QueueNotFull,
    NoListener,

    /// Every SYN that our kernel retransmitted was refused by our own host.
    SendsFail,
    /// Our own host refused to send a SYN that we had made ourselves.
    SendRefused,
    SendsWork,

    /// As many packets as we expected answers were received and not delivered.
    NotDelivered,
    /// The answer to a SYN was seen on our interface, and never above our own firewall.
    StoppedByUs,
    Delivered,
}

/// What one column shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) column: Column,
    /// Each answer with the observation that holds it.
    pub(super) answers: Vec<(Sign, usize)>,
    /// Observations in which nothing came back.
    pub(super) silent: Vec<usize>,
    /// How many packets went unanswered in all.
    pub(super) unanswered: u32,
}

impl Reading {
    fn new(column: Column) -> Self {
        Self {
            column,
            answers: Vec::new(),
            silent: Vec::new(),
            unanswered: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.silent.is_empty()
    }

    pub(super) fn has(&self, sign: Sign) -> bool {
        self.answers.iter().any(|(seen, _)| *seen == sign)
    }

    pub(super) fn all_silent(&self) -> bool {
        self.answers.is_empty() && !self.silent.is_empty()
    }

    /// The observations behind this reading.
    pub(super) fn observations(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self
            .answers
            .iter()
            .map(|(_, index)| *index)
            .chain(self.silent.clone())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// All columns that this run has looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signs {
    readings: Vec<Reading>,
    /// The share of packets that the path loses, estimated from what the host surely answers.
    pub(super) loss: f64,
}

impl Signs {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let readings: Vec<Reading> = [
            connection::syn(evidence),
            connection::ending(evidence),
            connection::path_time(evidence),
            path::control(evidence),
            path::echo(evidence),
            raw::ack(evidence),
            raw::control_ack(evidence),
            raw::fin(evidence),
            raw::half_open(evidence),
            raw::challenge(evidence),
            raw::origin(evidence),
            path::others(evidence),
            path::sweep(evidence),
            local::neighbour(evidence),
            local::route(evidence),
            local::listener(evidence),
            local::egress(evidence),
            local::ingress(evidence),
        ]
        .into_iter()
        .filter(|reading| !reading.is_empty())
        .collect();
        let loss = loss(evidence, &readings);
        Self { readings, loss }
    }

    pub(super) fn column(&self, column: Column) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.column == column)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }
}

/// Laplace's estimate over what the host answers elsewhere, with a few per cent assumed before anything was seen.
fn loss(evidence: &Evidence, readings: &[Reading]) -> f64 {
    let (mut answered, mut unanswered) = (0u32, 0u32);
    for reading in readings {
        let answers_surely = match reading.column {
            Column::Control | Column::Echo => reading.has(Sign::HostAnswers),
            Column::ControlAck => reading.has(Sign::Rst),
            Column::Syn
            | Column::Ending
            | Column::PathTime
            | Column::Ack
            | Column::Fin
            | Column::HalfOpen
            | Column::Challenge
            | Column::Origin
            | Column::Others
            | Column::Sweep
            | Column::Neighbour
            | Column::Route
            | Column::Listener
            | Column::Egress
            | Column::Ingress => false,
        };
        if answers_surely {
            answered += u32::try_from(reading.answers.len()).unwrap_or(u32::MAX);
            unanswered += reading.unanswered;
        }
    }
    for observation in &evidence.observations {
        if let Saw::OtherControls(controls) = &observation.saw {
            answered += controls.answered;
            unanswered += controls.unanswered;
        }
    }
    (f64::from(unanswered) + 0.5) / (f64::from(answered + unanswered) + 10.0)
}
