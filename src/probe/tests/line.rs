//! One connection in a network that does as it is told: what it has come to after a given time.

use std::net::SocketAddr;
use std::time::Duration;

use super::network::{ROUTER, ms};
use crate::evidence::{
    Answer, Dial, Ending, Handshake, IcmpError, IcmpSays, LocalError, LocalMeans, Reset, ResetShape,
};

/// What becomes of a SYN.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// Nothing comes back.
    Silence,
    /// It is answered after that time.
    After(Duration, Said),
}

/// What comes back to a SYN.
#[derive(Debug, Clone)]
pub(super) enum Said {
    SynAck(Closes),
    Rst,
    Icmp(IcmpSays),
    Local(LocalMeans),
}

/// How a connection ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Closes {
    /// Our FIN is acknowledged.
    InOrder,
    /// The peer closes first.
    AtOnce,
    /// Our FIN is ignored.
    Never,
    /// A RST comes right after the handshake.
    Reset(ResetShape),
}

/// When an unacknowledged FIN is sent again.
const FIN_RETRANSMISSIONS: [u64; 4] = [200, 600, 1_400, 3_000];
/// When the kernel sends a SYN again (Linux from 6.5 on).
const RETRANSMISSIONS: [u64; 4] = [1, 2, 3, 4];
/// When it is known how a connection ends whose handshake took that long: we hold it for two round trips.
pub(super) fn ending_known(after: Duration, closes: Closes) -> Option<Duration> {
    let round_trip = round_trip(after);
    match closes {
        Closes::InOrder => Some(after + hold(round_trip) + round_trip),
        Closes::AtOnce | Closes::Reset(_) => Some(after + round_trip),
        Closes::Never => None,
    }
}

/// What is left of the handshake's time without the wait for lost SYNs.
fn round_trip(after: Duration) -> Duration {
    Duration::from_nanos(after.subsec_nanos().into())
}

fn hold(round_trip: Duration) -> Duration {
    (2 * round_trip).clamp(ms(1), ms(250))
}

/// What a connection came to after that time.
pub(super) fn dialled(
    to: SocketAddr,
    from: SocketAddr,
    ttl: Option<u8>,
    fate: &Fate,
    time: Duration,
) -> Dial {
    let answer = match fate {
        Fate::After(after, said) if *after <= time => answer(*after, said, time),
        Fate::After(..) | Fate::Silence => Answer::Silence,
    };
    let connecting = if let Fate::After(after, _) = fate {
        time.min(*after)
    } else {
        time
    };
    let sent_again = RETRANSMISSIONS
        .iter()
        .filter(|at| ttl.is_none() && Duration::from_secs(**at) <= connecting)
        .count();
    let local = matches!(answer, Answer::Local(_));
    Dial {
        to,
        from: Some(from),
        ttl,
        syns: if local {
            0
        } else {
            1 + u32::try_from(sent_again).unwrap()
        },
        answer,
    }
}

fn answer(after: Duration, said: &Said, time: Duration) -> Answer {
    match said {
        Said::Rst => Answer::Rst,
        Said::Icmp(says) => Answer::Icmp(IcmpError {
            says: *says,
            icmp_type: 3,
            code: 0,
            from: Some(ROUTER),
            from_self: false,
            mtu: None,
        }),
        Said::Local(means) => Answer::Local(LocalError {
            call: "connect".to_owned(),
            errno: "E".to_owned(),
            means: *means,
        }),
        Said::SynAck(closes) => {
            let retransmitted_syns = u32::try_from(after.as_secs().min(4)).unwrap();
            Answer::SynAck(Handshake {
                connect_s: after,
                rtt_s: Some(round_trip(after)),
                retransmitted_syns,
                segments_in: Some(1),
                timestamps: true,
                peer_window: None,
                segments: None,
                ending: ending(after, *closes, time.saturating_sub(after)),
            })
        }
    }
}

fn ending(after: Duration, closes: Closes, watched: Duration) -> Ending {
    let is_over = ending_known(after, closes).is_some_and(|known| known <= after + watched);
    let fin_after = hold(round_trip(after));
    let ending = Ending {
        fin_after_s: (watched >= fin_after).then_some(fin_after),
        fin_acknowledged_after_s: None,
        fin_retransmissions: 0,
        peer_fin_after_s: None,
        reset: None,
        repeated_syn_acks: 0,
        watched_s: watched,
    };
    match closes {
        Closes::Never => Ending {
            fin_retransmissions: u32::try_from(
                FIN_RETRANSMISSIONS
                    .iter()
                    .filter(|at| fin_after + ms(**at) <= watched)
                    .count(),
            )
            .unwrap(),
            repeated_syn_acks: u32::from(watched >= ms(1_000)),
            ..ending
        },
        _ if !is_over => ending,
        Closes::InOrder => Ending {
            fin_acknowledged_after_s: Some(watched),
            ..ending
        },
        Closes::AtOnce => Ending {
            peer_fin_after_s: Some(Duration::ZERO),
            fin_after_s: Some(Duration::ZERO),
            fin_acknowledged_after_s: Some(watched),
            ..ending
        },
        Closes::Reset(shape) => Ending {
            fin_after_s: None,
            reset: Some(Reset {
                after_s: watched,
                shape,
            }),
            ..ending
        },
    }
}
