//! Connections that do not outlive being idle: what `tcpprobe hold` says of them, and what they are confused with.

use super::Explanation;
use crate::diagnose::hold::HoldLabel;
use crate::diagnose::hold::explain::explain_hold;

pub(super) const IDLE_DROPPED: Explanation = as_hold_says(
    HoldLabel::IdleDropped,
    "filtered: to a program both hang. A new connection that can be made tells them apart, and is made each time.",
);

pub(super) const IDLE_RESET: Explanation = as_hold_says(
    HoldLabel::IdleReset,
    "reset/reset-after-accept, which comes at once; and a restart of the server, which resets connections of any age.",
);

pub(super) const IDLE_REJECTED: Explanation = as_hold_says(
    HoldLabel::IdleRejected,
    "rejected: there the error answers a SYN, and no connection can be made.",
);

pub(super) const PEER_CLOSED: Explanation = as_hold_says(
    HoldLabel::PeerClosed,
    "A restart of the server, which closes connections of any age.",
);

const fn as_hold_says(label: HoldLabel, looks_like: &'static str) -> Explanation {
    let text = explain_hold(label);
    Explanation {
        in_short: text.in_short,
        meaning: text.meaning,
        how_told: text.how_told,
        looks_like,
        what_to_do: text.what_to_do,
        what_not_to_do: text.what_not_to_do,
    }
}
