//! What one finished handshake says by itself: in time, late, or after a loss, and of which packet.

use std::time::Duration;

use super::Sign;
use crate::evidence::Handshake;

/// The sign of one handshake; over `slow` it is late.
pub(super) fn handshake_sign(handshake: &Handshake, slow: Duration) -> Sign {
    if handshake.retransmitted_syns == 0 {
        return if handshake.connect_s <= slow {
            Sign::SynAck
        } else if is_by_timeout(handshake.connect_s) {
            Sign::LateByTimeout
        } else {
            Sign::LateSynAck
        };
    }
    // A Linux server echoes the timestamp of the first SYN that it saw, so the kernel's round trip reaches back to
    // that SYN (facts: measured both ways). Without timestamps a second SYN-ACK tells as much.
    match handshake.rtt_s {
        Some(rtt) if handshake.timestamps && 2 * rtt < handshake.connect_s => Sign::AfterLostSyn,
        Some(_) if handshake.timestamps => Sign::AfterLostSynAck,
        _ if handshake.segments_in.is_some_and(|segments| segments >= 2) => Sign::AfterLostSynAck,
        _ => Sign::AfterLoss,
    }
}

/// A server sends an unanswered SYN-ACK again after one second (RFC 6298; Linux: 1.00 to 1.03 s, measured), which may be
/// a moment before our own SYN is sent again: then no retransmission of ours shows.
fn is_by_timeout(connect: Duration) -> bool {
    (Duration::from_millis(990)..Duration::from_millis(1100)).contains(&connect)
}
