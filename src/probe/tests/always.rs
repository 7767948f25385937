//! What holds in any network: the investigation ends by its deadline, wakes in the future, and asks for little.
//!
//! The driver of [`super::network`] checks the rest at each turn: no ask after the end, no turn without a reason.

use std::time::Duration;

use proptest::prelude::*;

use super::line::{Closes, Fate, Said};
use super::network::{Came, Network, ROUTER, Segment, ms};
use crate::evidence::{IcmpSays, LocalMeans, NextHop, ReplySays, ResetShape, SynAckOptions};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_ends_in_time_and_asks_for_little(network in network(), timeout in 1..12_000u64) {
        let outcome = network.0.investigate(ms(timeout));
        prop_assert!(outcome.took <= ms(timeout));
        prop_assert!(outcome.asked.len() <= 40, "{:?}", outcome.asked);
    }

    #[test]
    fn it_sends_no_more_than_40_packets_by_default(network in network()) {
        let outcome = network.0.investigate(ms(3_000));
        prop_assert!(outcome.packets() <= 40, "{} packets: {:?}", outcome.packets(), outcome.asked);
    }

    #[test]
    fn an_interrupt_at_any_time_leaves_a_verdict(network in network(), interrupt in 0..3_000u64) {
        let outcome = network.0.investigate_until(ms(interrupt));
        prop_assert!(outcome.took <= ms(interrupt));
        prop_assert!(!outcome.diagnosis.because.is_empty());
    }
}

/// A network of which proptest can say no more than that it is one.
struct Any(Network);

impl std::fmt::Debug for Any {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a network behind {:?}", self.0.next_hop)
    }
}

fn network() -> impl Strategy<Value = Any> {
    let next_hop = prop_oneof![
        1 => Just(NextHop::OnLink),
        1 => Just(NextHop::Local),
        1 => Just(NextHop::Refused),
        3 => Just(NextHop::Gateway(ROUTER)),
    ];
    let replies = prop::collection::vec(prop::option::of(delay()), 1..4);
    let raw = prop::option::of(prop::collection::vec(prop::option::of(came()), 1..12));
    let looks = (next_hop, fates(), fates(), replies, raw, any::<bool>());
    looks.prop_map(|(next_hop, port, control, replies, raw, prove_life)| {
        let (mut port, mut control) = (port.into_iter().cycle(), control.into_iter().cycle());
        let mut replies = replies.into_iter().cycle();
        Any(Network {
            next_hop,
            port: Box::new(move |_| port.next().unwrap()),
            control: Box::new(move |_| control.next().unwrap()),
            echo: Box::new(move || replies.next().unwrap()),
            raw: raw.map(|came| {
                let mut came = came.into_iter().cycle();
                let next: Box<dyn FnMut(Segment) -> Option<Came>> = Box::new(move |_| came.next().unwrap());
                next
            }),
            locate: false,
            prove_life,
            believe_fast: false,
        })
    })
}

fn came() -> impl Strategy<Value = Came> {
    let options = SynAckOptions {
        window: 64_240,
        mss: Some(1_460),
        sack: true,
        window_scale: Some(7),
        timestamps: true,
    };
    let says = prop_oneof![
        Just(ReplySays::SynAck(options)),
        Just(ReplySays::Rst {
            shape: ResetShape::WithAck
        }),
        any::<bool>().prop_map(|acknowledges_us| ReplySays::Ack { acknowledges_us }),
    ];
    (delay(), says, 60..64u8).prop_map(|(after, says, hop_limit)| Came {
        after,
        says,
        hop_limit,
    })
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec(fate(), 1..12)
}

fn fate() -> impl Strategy<Value = Fate> {
    let closes = prop_oneof![
        3 => Just(Closes::InOrder),
        1 => Just(Closes::AtOnce),
        1 => Just(Closes::Never),
        1 => Just(Closes::Reset(ResetShape::Bare)),
    ];
    let said = prop_oneof![
        3 => closes.prop_map(Said::SynAck),
        1 => Just(Said::Rst),
        3 => Just(Said::Icmp(IcmpSays::TtlExceeded)),
        1 => Just(Said::Icmp(IcmpSays::AdminProhibited)),
        1 => Just(Said::Local(LocalMeans::NoPorts)),
    ];
    prop_oneof![
        1 => Just(Fate::Silence),
        2 => (delay(), said).prop_map(|(after, said)| Fate::After(after, said)),
    ]
}

/// From at once to later than anybody waits.
fn delay() -> impl Strategy<Value = Duration> {
    prop_oneof![0..2_000u64, 0..400_000u64, 0..5_000_000u64].prop_map(Duration::from_micros)
}
