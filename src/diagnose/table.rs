//! The hypothesis table: a row for each way in which a cause may show, a column for each question, a cell for what
//! the cause makes us expect. A new failure is a new row, a new probe a new column.

use super::cell::{Cell, Silence, fits};
use super::signs::{Column, Sign};
use super::{Cause, Confidence};
use crate::evidence::{IcmpSays, LocalMeans};

/// One hypothesis.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) cause: Cause,
    /// How common this is among connections that show what it shows, before anything else is known. Estimates, not
    /// measurements: only their ratios matter, and only between rows that the evidence cannot separate.
    pub(super) prior: f64,
    /// The most that may be claimed when only this row is left.
    pub(super) ceiling: Confidence,
    /// What it makes us expect. [`EVERYWHERE`] governs a column that is not named here; one that is not named there
    /// either says nothing about the row.
    pub(super) cells: &'static [(Column, Cell)],
}

/// Exactly these answers, and at least one of them; silence beside them is loss.
macro_rules! answers {
    ($($sign:expr),+) => { fits(&[$(($sign, 1.0)),+]).needs(&[$($sign),+]).silence(Silence::Loss) };
}
/// The same for ICMP errors: their senders limit their rate, so silence beside one says nothing.
macro_rules! icmp {
    ($says:ident) => {
        answers!(Sign::Icmp(IcmpSays::$says)).silence(Silence::Either)
    };
}
macro_rules! local {
    ($means:ident) => {
        answers!(Sign::Local(LocalMeans::$means))
    };
}

const SILENT: Cell = fits(&[]).silence(Silence::Expected);
const HOST_ANSWERS: Cell = answers!(Sign::HostAnswers);
/// Nothing of the host answers; somebody on the way may.
const HOST_SILENT: Cell = fits(&[(Sign::PathRefuses, 0.5)]).silence(Silence::Expected);
const EITHER: Cell =
    fits(&[(Sign::HostAnswers, 0.5), (Sign::PathRefuses, 0.5)]).silence(Silence::UnlessItAnswers);
const ANY_ECHO: Cell =
    fits(&[(Sign::HostAnswers, 0.8), (Sign::PathRefuses, 0.5)]).silence(Silence::UnlessItAnswers);
/// SYNs get as far as those to another port; that an ICMP error is missing may still be chance.
const GETS_AS_FAR: Cell = fits(&[(Sign::GetsAsFar, 1.0), (Sign::SeemsToDieEarlier, 0.2)]).otherwise(0.01);
/// The host's TCP answers; somebody on the way may answer for it.
const RESETS: Cell = fits(&[(Sign::Rst, 1.0), (Sign::PathRefuses, 0.3)]).silence(Silence::Loss);
const MAY_RESET: Cell = fits(&[(Sign::Rst, 0.5), (Sign::PathRefuses, 0.3)]);
/// Only SYN-ACKs are lost, or whatever comes back.
const ACK_PASSES: Cell = fits(&[(Sign::Rst, 1.0), (Sign::PathRefuses, 0.3)]);
/// A listener that ignores SYNs answers no FIN either, in its window or out of it.
const IGNORES: Cell = fits(&[(Sign::PathRefuses, 0.3)]).silence(Silence::Expected);
/// The server answers for a request that it holds; whose RST, if any, came is another matter.
const HOLDS_REQUEST: Cell = fits(&[(Sign::HoldsRequest, 1.0)]).silence(Silence::Loss);
/// SYNs reach the host.
const REACHED: Cell = fits(&[(Sign::SynReachesHost, 1.0), (Sign::ChallengeIgnored, 0.05)]);
/// SYNs do not reach the host.
const NOT_REACHED: Cell = fits(&[(Sign::ChallengeIgnored, 1.0)]);

/// What the listener's own queue must look like, where we can see it.
const QUEUE_FULL: Cell = fits(&[
    (Sign::QueueFull, 1.0),
    (Sign::QueueFullAndDropping, 1.0),
    (Sign::QueueNotFull, 0.02),
]);

/// A listener that takes some and turns others away may have room when we look.
const QUEUE_AT_THE_BRIM: Cell = fits(&[
    (Sign::QueueFull, 1.0),
    (Sign::QueueFullAndDropping, 1.0),
    (Sign::QueueNotFull, 0.3),
])
.otherwise(0.001);

const ANY_SYN_ACK: &[Sign] = &[
    Sign::SynAck,
    Sign::LateSynAck,
    Sign::LateByTimeout,
    Sign::AfterLostSyn,
    Sign::AfterLostSynAck,
    Sign::AfterLoss,
];
const CONNECTED: Cell = fits(&[
    (Sign::SynAck, 1.0),
    (Sign::LateSynAck, 1.0),
    (Sign::LateByTimeout, 1.0),
    (Sign::AfterLostSyn, 1.0),
    (Sign::AfterLostSynAck, 1.0),
    (Sign::AfterLoss, 1.0),
])
.needs(ANY_SYN_ACK)
.silence(Silence::PerhapsMixed);
const CONNECTED_OR_RESET: Cell = fits(&[
    (Sign::Rst, 1.0),
    (Sign::SynAck, 1.0),
    (Sign::LateSynAck, 1.0),
    (Sign::LateByTimeout, 1.0),
    (Sign::AfterLostSyn, 0.5),
    (Sign::AfterLostSynAck, 0.5),
    (Sign::AfterLoss, 0.5),
])
.needs(&[Sign::Rst]);
/// The RST comes from where the host's other answers come from.
const OF_THE_HOST: Cell = fits(&[(Sign::SameDistance, 1.0), (Sign::OtherDistance, 0.02)]);
/// A listener at its brim has no memory of the SYNs it ignored, so the SYN-ACK answers the last one.
const AT_THE_BRIM: Cell = fits(&[
    (Sign::SynAck, 1.0),
    (Sign::LateSynAck, 1.0),
    (Sign::LateByTimeout, 1.0),
    (Sign::AfterLostSyn, 1.0),
    (Sign::AfterLoss, 1.0),
])
.needs(ANY_SYN_ACK)
.silence(Silence::Mixed);
/// At the brim some connections are the server's too, and some are ours alone.
const SOME_KNOWN: Cell = fits(&[
    (Sign::FinAcknowledged, 1.0),
    (Sign::FinPending, 0.5),
    (Sign::FinIgnored, 0.5),
    (Sign::SynAckRepeated, 0.5),
    (Sign::BareReset, 0.3),
])
.silence(Silence::Expected);
const CLOSED_IN_ORDER: Cell = fits(&[
    (Sign::FinAcknowledged, 1.0),
    (Sign::FinPending, 0.3),
    (Sign::FinIgnored, 1.0),
    (Sign::SynAckRepeated, 1.0),
    (Sign::QuietThenReset, 1.0),
    (Sign::ResetAtClose, 0.3),
])
.silence(Silence::Lost);

/// What every row expects of columns that it does not name.
pub(super) const EVERYWHERE: &[(Column, Cell)] = &[
    // A SYN that waits for ARP or ND has not left, which explains any silence. An answer all the same is an answer: the
    // neighbour was lost, or found, in between.
    (Column::Neighbour, fits(&[(Sign::Resolved, 1.0)]).otherwise(0.001)),
    (
        Column::Listener,
        fits(&[(Sign::NoListener, 1.0), (Sign::QueueNotFull, 1.0)]).otherwise(0.001),
    ),
    // Other traffic moves these counters too.
    (
        Column::Egress,
        fits(&[(Sign::SendsWork, 1.0), (Sign::SendRefused, 0.001)]).otherwise(0.01),
    ),
    (
        Column::Ingress,
        fits(&[(Sign::Delivered, 1.0), (Sign::StoppedByUs, 0.001)]).otherwise(0.05),
    ),
    // Two answers to one SYN are two answerers.
    (
        Column::Origin,
        fits(&[(Sign::SameDistance, 1.0), (Sign::OtherDistance, 1.0)]).otherwise(0.005),
    ),
];

macro_rules! row {
    ($cause:ident, $prior:literal, $ceiling:ident, $($column:ident: $cell:expr),+ $(,)?) => {
        Row {
            cause: Cause::$cause,
            prior: $prior,
            ceiling: Confidence::$ceiling,
            cells: &[$((Column::$column, $cell)),+],
        }
    };
}

/// The table.
pub(super) const ROWS: &[Row] = &[
    row!(Healthy, 0.9, Certain,
        Syn: answers!(Sign::SynAck),
        Ending: CLOSED_IN_ORDER),
    // Slow: connected, but not as it should be.
    row!(SynLost, 0.5, Likely,
        Syn: fits(&[(Sign::AfterLostSyn, 1.0), (Sign::AfterLostSynAck, 0.3), (Sign::AfterLoss, 0.3),
                (Sign::LateByTimeout, 0.3), (Sign::SynAck, 1.0), (Sign::LateSynAck, 0.5)])
            .needs(&[Sign::AfterLostSyn])
            .silence(Silence::Loss),
        Ending: CLOSED_IN_ORDER),
    row!(SynAckLost, 0.5, Likely,
        Syn: fits(&[(Sign::AfterLostSynAck, 1.0), (Sign::AfterLostSyn, 0.3), (Sign::AfterLoss, 0.3),
                (Sign::LateByTimeout, 1.0), (Sign::SynAck, 1.0), (Sign::LateSynAck, 0.5)])
            .needs(&[Sign::AfterLostSynAck, Sign::LateByTimeout])
            .silence(Silence::Loss),
        PathTime: fits(&[(Sign::PathFast, 1.0)]).otherwise(0.02),
        Ending: CLOSED_IN_ORDER),
    row!(Retransmitted, 0.5, Likely,
        Syn: fits(&[(Sign::AfterLoss, 1.0), (Sign::AfterLostSyn, 0.02), (Sign::AfterLostSynAck, 0.02),
                (Sign::LateByTimeout, 0.02), (Sign::SynAck, 1.0), (Sign::LateSynAck, 0.5)])
            .needs(&[Sign::AfterLoss, Sign::AfterLostSyn, Sign::AfterLostSynAck])
            .silence(Silence::Loss),
        Ending: CLOSED_IN_ORDER),
    row!(LateSynAck, 0.4, Likely,
        Syn: fits(&[(Sign::LateSynAck, 1.0), (Sign::LateByTimeout, 0.1), (Sign::SynAck, 1.0)])
            .needs(&[Sign::LateSynAck, Sign::LateByTimeout])
            .silence(Silence::Loss),
        PathTime: fits(&[(Sign::PathFast, 1.0)]).otherwise(0.02),
        Ending: CLOSED_IN_ORDER),
    row!(LongPath, 0.5, Likely,
        Syn: fits(&[(Sign::LateSynAck, 1.0), (Sign::LateByTimeout, 0.5), (Sign::SynAck, 0.1)])
            .needs(&[Sign::LateSynAck, Sign::LateByTimeout])
            .silence(Silence::Loss),
        PathTime: fits(&[(Sign::PathSlow, 1.0)]).otherwise(0.01),
        Ending: CLOSED_IN_ORDER),
    // Refused: a RST, and from the client's side alone no telling whose. On our own host we see that nobody listens, but a
    // DNAT rule (a NodePort, a published container port) may have taken the SYN elsewhere.
    // A RST with another TTL than the host's other answers comes from elsewhere, or by another way; some middleboxes copy
    // the TTL.
    row!(NoListener, 0.9, Likely,
        Syn: answers!(Sign::Rst),
        Origin: OF_THE_HOST,
        Listener: fits(&[(Sign::NoListener, 1.0)]).otherwise(0.02)),
    row!(NoListener, 90.0, Likely,
        Syn: answers!(Sign::Rst), Origin: OF_THE_HOST, Listener: answers!(Sign::NoListener)),
    row!(MiddleboxReset, 0.1, Likely,
        Syn: answers!(Sign::Rst),
        Origin: fits(&[(Sign::OtherDistance, 1.0), (Sign::SameDistance, 0.1)])),
    // Some SYNs are refused and some are not: one of several hosts behind the address has nothing that listens.
    row!(NoListener, 0.02, Possible,
        Syn: CONNECTED_OR_RESET, Origin: OF_THE_HOST, Listener: fits(&[(Sign::NoListener, 1.0)]).otherwise(0.02)),
    row!(MiddleboxReset, 0.005, Possible,
        Syn: CONNECTED_OR_RESET, Origin: fits(&[(Sign::OtherDistance, 1.0), (Sign::SameDistance, 0.1)])),
    // Injected: the host accepts, and somebody else resets.
    row!(MiddleboxReset, 1.0, Likely,
        Syn: CONNECTED_OR_RESET,
        Origin: fits(&[(Sign::AnswersContradict, 1.0), (Sign::OtherDistance, 0.5), (Sign::SameDistance, 0.5)])
            .needs(&[Sign::AnswersContradict])),
    // Rejected, unreachable: somebody said so.
    row!(PortUnreachable, 1.0, Certain, Syn: icmp!(PortUnreachable)),
    row!(AdminProhibited, 1.0, Certain, Syn: icmp!(AdminProhibited)),
    row!(HostProhibited, 1.0, Certain, Syn: icmp!(HostProhibited)),
    row!(NetProhibited, 1.0, Certain, Syn: icmp!(NetProhibited)),
    row!(HostUnreachable, 1.0, Certain, Syn: icmp!(HostUnreachable)),
    row!(NetUnreachable, 1.0, Certain, Syn: icmp!(NetUnreachable)),
    row!(TtlExceeded, 1.0, Certain, Syn: icmp!(TtlExceeded)),
    row!(Undecided, 1.0, Possible, Syn: icmp!(Other)),
    // The kernel queues the SYN until ARP or ND answers, and after three seconds says so itself. A rule of its own
    // firewall (REJECT) may say the same.
    row!(NeighbourUnresolved, 1.0, Certain,
        Syn: answers!(Sign::OwnHostUnreachable).silence(Silence::Either),
        Neighbour: answers!(Sign::Unresolved)),
    row!(NeighbourUnresolved, 1.0, Likely,
        Syn: answers!(Sign::OwnHostUnreachable).silence(Silence::Either),
        Neighbour: fits(&[(Sign::StillAsked, 1.0), (Sign::Resolved, 0.02)])),
    row!(Egress, 0.2, Likely,
        Syn: answers!(Sign::OwnHostUnreachable).silence(Silence::Either)),
    row!(NeighbourUnresolved, 1.0, Certain,
        Syn: SILENT,
        Neighbour: answers!(Sign::Unresolved)),
    row!(NeighbourUnresolved, 1.0, Likely,
        Syn: SILENT,
        Neighbour: answers!(Sign::StillAsked)),
    // Our own kernel would not even try.
    row!(NoRoute, 0.9, Certain,
        Syn: local!(NoRoute),
        Route: fits(&[(Sign::NoRoute, 1.0)]).otherwise(0.02)),
    // A socket-level load balancer (Cilium) answers a connect() to a Service without backends with EHOSTUNREACH.
    row!(Denied, 0.1, Likely,
        Syn: local!(NoRoute),
        Route: fits(&[(Sign::HasRoute, 1.0)])),
    row!(Denied, 1.0, Certain, Syn: local!(Denied)),
    row!(NoPorts, 1.0, Certain,
        Syn: local!(NoPorts),
        Route: fits(&[(Sign::HasRoute, 1.0)]).otherwise(0.01)),
    // Where IPv6 is switched off, connect() finds no source address before it looks for a route: EADDRNOTAVAIL.
    row!(NoRoute, 0.9, Certain,
        Syn: local!(NoPorts),
        Route: answers!(Sign::NoRoute)),
    row!(NoDescriptors, 1.0, Certain, Syn: local!(NoDescriptors)),
    row!(OtherLocal, 1.0, Certain, Syn: local!(Other)),
    // Others of the host are rejected, and this one's ICMP error may be missing for its sender's limit alone.
    row!(PortUnreachable, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(PortUnreachable)),
    row!(AdminProhibited, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(AdminProhibited)),
    row!(HostProhibited, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(HostProhibited)),
    row!(NetProhibited, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(NetProhibited)),
    row!(HostUnreachable, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(HostUnreachable)),
    row!(NetUnreachable, 1.0, Likely, Syn: SILENT, Ack: IGNORES, Fin: IGNORES, Others: icmp!(NetUnreachable)),
    // Silence. A whole host that is silent answers nothing; one that answers elsewhere may have the port filtered.
    row!(Port, 0.3, Likely,
        Syn: SILENT, Control: HOST_ANSWERS, Ack: IGNORES, Fin: IGNORES, HalfOpen: IGNORES),
    row!(Port, 0.1, Likely,
        Syn: SILENT, Control: HOST_SILENT, Echo: HOST_ANSWERS, Ack: IGNORES, Fin: IGNORES, HalfOpen: IGNORES),
    row!(HostSilent, 0.3, Likely,
        Syn: SILENT, Control: HOST_SILENT, Echo: HOST_SILENT, Ack: IGNORES, ControlAck: IGNORES, Fin: IGNORES,
        HalfOpen: IGNORES),
    // A router reports a dead neighbour only after three seconds: it may be about to.
    row!(HostUnreachable, 0.06, Possible,
        Syn: SILENT, Control: HOST_SILENT, Echo: HOST_SILENT, Ack: IGNORES, ControlAck: IGNORES, Fin: IGNORES,
        HalfOpen: IGNORES),
    // Without state: all but SYNs pass. Whether something listens behind it, a FIN tells.
    row!(SynFilter, 0.022, Likely,
        Syn: SILENT, Control: EITHER, Echo: ANY_ECHO, Ack: RESETS, ControlAck: RESETS, Fin: IGNORES,
        HalfOpen: IGNORES, Challenge: NOT_REACHED),
    row!(SynFilter, 0.022, Likely,
        Syn: SILENT, Control: EITHER, Echo: ANY_ECHO, Ack: RESETS, ControlAck: RESETS, Fin: RESETS,
        HalfOpen: RESETS),
    // The same before a host whose firewall drops all other ports.
    row!(SynFilter, 0.005, Likely,
        Syn: SILENT, Control: HOST_SILENT, Echo: ANY_ECHO, Ack: RESETS, ControlAck: IGNORES, Fin: MAY_RESET,
        HalfOpen: MAY_RESET, Challenge: NOT_REACHED),
    // By state: a bare ACK begins a connection too, for conntrack; a FIN belongs to none and passes.
    row!(SynFilter, 0.05, Likely,
        Syn: SILENT, Control: EITHER, Echo: ANY_ECHO, Ack: IGNORES,
        Fin: fits(&[(Sign::Rst, 1.0)]).needs(&[Sign::Rst]), HalfOpen: MAY_RESET),
    // The server holds a request for our SYN, so it had the SYN, and its SYN-ACK is lost.
    row!(ReturnPath, 1.0, Certain, Syn: SILENT, HalfOpen: answers!(Sign::HoldsRequest)),
    row!(ReturnPath, 0.03, Likely,
        Syn: SILENT, Control: EITHER, Echo: ANY_ECHO, Sweep: GETS_AS_FAR, Ack: ACK_PASSES, HalfOpen: HOLDS_REQUEST),
    // Whatever comes from that port is lost on its way back.
    row!(ReturnPath, 0.02, Likely,
        Syn: SILENT, Control: EITHER, Echo: ANY_ECHO, Sweep: GETS_AS_FAR, Ack: IGNORES, Fin: IGNORES,
        HalfOpen: IGNORES),
    row!(SynDropped, 0.3, Likely,
        Syn: SILENT, Control: HOST_ANSWERS, Sweep: GETS_AS_FAR, Listener: QUEUE_FULL, Ack: RESETS, Fin: IGNORES,
        HalfOpen: IGNORES, Challenge: REACHED),
    // The same on a host whose firewall drops all other ports.
    row!(SynDropped, 0.04, Likely,
        Syn: SILENT, Control: HOST_SILENT, Echo: EITHER, Sweep: GETS_AS_FAR, Listener: QUEUE_FULL, Ack: RESETS,
        ControlAck: IGNORES, Fin: IGNORES, HalfOpen: IGNORES, Challenge: REACHED),
    row!(SynDropped, 3.0, Certain, Syn: SILENT, Listener: answers!(Sign::QueueFullAndDropping)),
    row!(Egress, 0.05, Likely, Syn: SILENT, Egress: answers!(Sign::SendsFail)),
    row!(Egress, 1.0, Certain, Syn: SILENT, Egress: answers!(Sign::SendRefused)),
    row!(Ingress, 0.1, Likely, Syn: SILENT, Ingress: answers!(Sign::NotDelivered)),
    row!(Ingress, 1.0, Certain, Syn: SILENT, Ingress: answers!(Sign::StoppedByUs)),
    // A mixture of answers and silence. A filter that lets some SYNs pass looks the same, but for a challenge.
    row!(Overloaded, 0.2, Likely, Syn: AT_THE_BRIM, Control: HOST_ANSWERS, Ending: SOME_KNOWN,
        Listener: QUEUE_AT_THE_BRIM, Challenge: REACHED),
    row!(Overloaded, 0.05, Likely, Syn: AT_THE_BRIM, Control: HOST_SILENT, Ending: SOME_KNOWN,
        Listener: QUEUE_AT_THE_BRIM, Challenge: REACHED),
    row!(SynFilter, 0.1, Likely, Syn: AT_THE_BRIM, Challenge: answers!(Sign::ChallengeIgnored)),
    // Connected for us, and then not.
    row!(AckIgnored, 0.3, Likely,
        Syn: CONNECTED,
        Ending: fits(&[(Sign::SynAckRepeated, 1.0), (Sign::FinIgnored, 1.0), (Sign::FinPending, 0.05),
                (Sign::FinAcknowledged, 0.1)])
            .silence(Silence::Expected)
            .needs(&[Sign::SynAckRepeated, Sign::FinIgnored, Sign::FinPending]),
        Listener: QUEUE_AT_THE_BRIM),
    row!(Unattributed, 0.02, Likely,
        Syn: CONNECTED,
        Ending: fits(&[(Sign::FinIgnored, 1.0), (Sign::SynAckRepeated, 1.0), (Sign::FinPending, 0.05)])
            .silence(Silence::Expected)
            .needs(&[Sign::FinIgnored, Sign::SynAckRepeated])),
    row!(ResetOnOverflow, 0.2, Likely,
        Syn: CONNECTED,
        Ending: fits(&[(Sign::BareReset, 1.0), (Sign::AnyReset, 0.5), (Sign::AbortReset, 0.05),
                (Sign::ResetAtClose, 0.05), (Sign::QuietThenReset, 0.01), (Sign::FinAcknowledged, 0.3)])
            .needs(&[Sign::BareReset, Sign::AnyReset, Sign::AbortReset]),
        Listener: QUEUE_AT_THE_BRIM),
    row!(ResetAfterAccept, 0.7, Likely,
        Syn: CONNECTED.silence(Silence::Loss),
        Ending: fits(&[(Sign::AbortReset, 1.0), (Sign::AnyReset, 1.0), (Sign::BareReset, 0.05),
                (Sign::ResetAtClose, 0.5), (Sign::QuietThenReset, 0.02), (Sign::FinAcknowledged, 0.3)])
            .needs(&[Sign::BareReset, Sign::AnyReset, Sign::AbortReset, Sign::ResetAtClose])),
];
