//! The investigation in a network that does as it is told, with a clock that jumps: what it costs, when it judges,
//! and that it always ends.

mod always;
mod line;
mod network;
mod raw;

use std::time::Duration;

use super::Ask;
use crate::diagnose::{Cause, Confidence};
use crate::evidence::{Answer, IcmpSays, LocalMeans, ResetShape, Saw};
use line::{Closes, Fate, Said};
use network::{Network, Outcome, ms};

const OPEN: Said = Said::SynAck(Closes::InOrder);
/// The deadline that a user who says nothing gets.
const DEADLINE: Duration = Duration::from_secs(3);

fn is_hop(ask: &Ask) -> bool {
    matches!(ask, Ask::Hop { .. })
}

fn is_ttl_one(ask: &Ask) -> bool {
    matches!(ask, Ask::TtlOne { .. })
}

fn is_control(ask: &Ask) -> bool {
    matches!(ask, Ask::Control(_))
}

fn answered(after: u64, said: &Said) -> Fate {
    Fate::After(ms(after), said.clone())
}

#[test]
fn an_open_port_costs_one_handshake() {
    // The round trips from a neighbour's to one around the world.
    for round_trip in [1, 20, 70, 120, 200, 249] {
        let outcome = Network::with(move |_| answered(round_trip, &OPEN)).investigate(DEADLINE);
        assert_eq!(outcome.diagnosis.cause, Cause::Healthy, "{round_trip} ms");
        assert_eq!(
            outcome.diagnosis.confidence,
            Confidence::Certain,
            "{round_trip} ms"
        );
        assert_eq!(outcome.asked.len(), 1, "{round_trip} ms: {:?}", outcome.asked);
    }
}

#[test]
fn a_refused_port_is_judged_at_once() {
    let outcome = Network::with(|_| answered(5, &Said::Rst)).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::NoListener);
    assert_eq!((outcome.took, outcome.packets()), (ms(5), 1));
}

#[test]
fn a_rejected_port_is_judged_at_once() {
    let said = Said::Icmp(IcmpSays::AdminProhibited);
    let outcome = Network::with(move |_| answered(5, &said)).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::AdminProhibited);
    assert_eq!((outcome.took, outcome.packets()), (ms(5), 1));
}

#[test]
fn a_rejecting_host_is_asked_for_a_sign_of_life_where_that_matters() {
    let said = Said::Icmp(IcmpSays::AdminProhibited);
    let rejected = || {
        let said = said.clone();
        Network::with(move |_| answered(5, &said)).proving_life()
    };
    let outcome = rejected().investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::AdminProhibited);
    assert_eq!(outcome.count(is_control), 1, "{:?}", outcome.asked);
    // One answer of any kind is enough.
    assert_eq!(outcome.took, ms(6));
    let mut dead = rejected();
    dead.control = Box::new(|_| Fate::Silence);
    dead.echo = Box::new(|| None);
    let outcome = dead.investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::AdminProhibited);
    assert!(outcome.took < ms(1_000), "{:?}", outcome.took);
    let open = Network::with(|_| answered(5, &OPEN)).proving_life();
    assert_eq!(open.investigate(DEADLINE).asked.len(), 1);
}

#[test]
fn a_local_failure_asks_our_own_host_why_and_nobody_else() {
    let outcome = Network::with(|_| answered(0, &Said::Local(LocalMeans::Denied))).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::Denied);
    assert_eq!((outcome.took, outcome.packets()), (Duration::ZERO, 0));
    assert_eq!(outcome.count(|ask| *ask == Ask::Host), 1);
}

#[test]
fn silence_is_judged_after_1850_ms_when_the_controls_answer() {
    let outcome = Network::with(|_| Fate::Silence).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::Unattributed);
    assert_eq!(outcome.took, ms(1_850));
}

#[test]
fn silence_is_judged_at_the_deadline_when_nothing_answers() {
    let outcome = Network::silent().investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::HostSilent);
    assert_eq!(outcome.took, DEADLINE);
}

#[test]
fn tries_are_fresh_connections_spread_over_more_than_a_second() {
    let outcome = Network::with(|_| Fate::Silence).investigate(DEADLINE);
    assert_eq!(outcome.connects_at(), [ms(0), ms(250), ms(600), ms(1_100)]);
    assert_eq!(outcome.count(is_control), 3);
}

#[test]
fn no_situation_costs_more_than_40_packets() {
    let mut worst = 0;
    for routers in 0..30 {
        for network in [
            Network::silent(),
            Network::with(|_| Fate::Silence),
            Network::with(|syn| {
                if syn.nth.is_multiple_of(2) {
                    Fate::Silence
                } else {
                    answered(1, &OPEN)
                }
            }),
            Network::with(|_| answered(2_500, &OPEN)),
            Network::with(|_| answered(1, &Said::SynAck(Closes::Never))),
            Network::with(|_| answered(1, &Said::SynAck(Closes::Reset(ResetShape::Bare)))),
            without_every_second_hop(),
        ] {
            let network = if routers > 0 {
                network.behind(routers)
            } else {
                network
            };
            worst = worst.max(network.investigate(DEADLINE).packets());
        }
    }
    assert!(worst <= 40, "{worst} packets");
}

/// Every second router is silent, and so is the host.
fn without_every_second_hop() -> Network {
    let fate = |syn: network::Syn| match syn.ttl {
        Some(ttl) if ttl.is_multiple_of(2) => answered(1, &Said::Icmp(IcmpSays::TtlExceeded)),
        _ => Fate::Silence,
    };
    Network {
        control: Box::new(fate),
        ..Network {
            port: Box::new(fate),
            next_hop: crate::evidence::NextHop::Gateway(network::ROUTER),
            ..Network::silent()
        }
    }
}

#[test]
fn a_sweep_keeps_its_source_port_and_stops_where_the_hops_are_silent() {
    let outcome = Network::with(|_| Fate::Silence).behind(3).investigate(DEADLINE);
    let hops = outcome.hops_to_port();
    let ttls: Vec<u8> = hops.iter().map(|(ttl, _)| *ttl).collect();
    assert_eq!(
        ttls,
        [1, 2, 3, 4, 4, 5, 5, 4],
        "two tries a hop, and the first silent one again"
    );
    assert_eq!(hops[0].1, None, "the first one's port is the kernel's choice");
    assert!(hops[1].1.is_some() && hops[1..].iter().all(|(_, port)| *port == hops[1].1));
    assert_eq!(outcome.diagnosis.cause, Cause::Unattributed);
    assert_eq!(outcome.took, ms(1_850), "a sweep does not delay the verdict");
}

#[test]
fn a_drop_at_the_second_router_is_found_by_a_sweep() {
    let network = Network::with(|_| Fate::Silence).behind(3);
    let mut reached = network.port;
    let dropped_after_one = move |syn: network::Syn| match syn.ttl {
        Some(1) => reached(syn),
        _ => Fate::Silence,
    };
    let outcome = Network {
        port: Box::new(dropped_after_one),
        ..network
    }
    .investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::Port);
    assert_eq!(outcome.diagnosis.confidence, Confidence::Likely);
    assert!(!outcome.diagnosis.not_ruled_out.contains(&Cause::SynDropped));
}

#[test]
fn a_sweep_that_is_rejected_on_the_way_is_judged_at_once() {
    let rejected = |syn: network::Syn| match syn.ttl {
        Some(2) => answered(1, &Said::Icmp(IcmpSays::AdminProhibited)),
        Some(1) => answered(1, &Said::Icmp(IcmpSays::TtlExceeded)),
        _ => Fate::Silence,
    };
    let network = Network::with(|_| Fate::Silence).behind(3);
    let outcome = Network {
        port: Box::new(rejected),
        ..network
    }
    .investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::AdminProhibited);
    assert!(outcome.took < ms(300), "{:?}", outcome.took);
}

#[test]
fn there_is_no_sweep_on_our_own_link() {
    let outcome = Network::with(|_| Fate::Silence).investigate(DEADLINE);
    assert_eq!(outcome.count(is_hop), 0);
}

#[test]
fn ttl_one_asks_only_behind_a_gateway() {
    // Answered in no time at all, which hardly a wire can do.
    let at_once = || Network::with(|_| Fate::After(Duration::from_micros(100), OPEN));
    assert_eq!(at_once().investigate(DEADLINE).count(is_ttl_one), 0);
    assert_eq!(at_once().behind(2).investigate(DEADLINE).count(is_ttl_one), 1);
}

#[test]
fn ttl_one_does_not_ask_where_fast_handshakes_are_believed_unless_the_peer_closes_first() {
    let believed = |closes: Closes| {
        let said = Said::SynAck(closes);
        let network = Network::with(move |_| Fate::After(Duration::from_micros(100), said.clone()));
        Network {
            believe_fast: true,
            ..network.behind(2)
        }
    };
    let plain = believed(Closes::InOrder).investigate(DEADLINE);
    assert_eq!((plain.diagnosis.cause, plain.asked.len()), (Cause::Healthy, 1));
    let closes = believed(Closes::AtOnce).investigate(DEADLINE);
    assert_eq!(closes.count(is_ttl_one), 1);
}

#[test]
fn ttl_one_asks_only_about_suspicious_answers() {
    let plain = Network::with(|_| answered(5, &OPEN)).behind(2);
    assert_eq!(plain.investigate(DEADLINE).count(is_ttl_one), 0);
    let closes_at_once = Said::SynAck(Closes::AtOnce);
    let closes = Network::with(move |_| answered(5, &closes_at_once)).behind(2);
    assert_eq!(closes.investigate(DEADLINE).count(is_ttl_one), 1);
    let refused = Network::with(|_| answered(5, &Said::Rst)).behind(2);
    assert_eq!(refused.investigate(DEADLINE).count(is_ttl_one), 0);
}

#[test]
fn a_reset_is_looked_at_twice_more() {
    let reset = Said::SynAck(Closes::Reset(ResetShape::Bare));
    let outcome = Network::with(move |_| answered(5, &reset)).investigate(DEADLINE);
    assert_eq!(outcome.connects_at(), [ms(0), ms(10), ms(260)]);
    assert_eq!(outcome.diagnosis.cause, Cause::ResetOnOverflow);
    assert!(outcome.took < ms(300));
}

#[test]
fn a_reset_that_silence_follows_is_not_waited_for_until_the_deadline() {
    let reset = Said::SynAck(Closes::Reset(ResetShape::Bare));
    let outcome = Network::with(move |syn| {
        if syn.nth == 0 {
            answered(5, &reset)
        } else {
            Fate::Silence
        }
    })
    .investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::ResetOnOverflow);
    assert!(outcome.took < ms(1_000), "{:?}", outcome.took);
}

#[test]
fn a_connection_that_only_we_believe_in_is_told_from_a_healthy_one() {
    let never = Said::SynAck(Closes::Never);
    let outcome = Network::with(move |_| answered(5, &never)).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::AckIgnored);
    assert!(outcome.took < DEADLINE);
}

#[test]
fn a_lost_syn_is_told_from_a_queue_at_its_brim() {
    let lost_once = |syn: network::Syn| answered(if syn.nth == 0 { 1_005 } else { 5 }, &OPEN);
    let outcome = Network::with(lost_once).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::SynLost);
    let every_second = |syn: network::Syn| {
        if syn.nth.is_multiple_of(2) {
            Fate::Silence
        } else {
            answered(5, &OPEN)
        }
    };
    let outcome = Network::with(every_second).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::Overloaded);
}

#[test]
fn a_late_syn_ack_is_compared_with_the_path() {
    let outcome = Network::with(|_| answered(600, &OPEN)).investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::LateSynAck);
    let far = Network {
        control: Box::new(|_| answered(400, &Said::Rst)),
        echo: Box::new(|| Some(ms(400))),
        ..Network::with(|_| answered(400, &OPEN))
    };
    let outcome = far.investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::LongPath);
    assert_eq!(
        outcome.diagnosis.findings,
        [],
        "what was under way at the end is not lost"
    );
}

#[test]
fn short_timeouts_scale() {
    let outcome = Network::with(|_| Fate::Silence).investigate(ms(1_000));
    assert_eq!(outcome.connects_at(), [ms(0), ms(125), ms(300), ms(550)]);
    assert_eq!(outcome.took, ms(925));
    assert_eq!(
        outcome.diagnosis.confidence,
        Confidence::Possible,
        "too short to be sure of anything"
    );
    let nothing = Network::silent().investigate(ms(1_000));
    assert_eq!(
        (nothing.took, nothing.diagnosis.confidence),
        (ms(1_000), Confidence::Possible)
    );
}

#[test]
fn an_interrupt_leaves_what_is_known() {
    let outcome = Network::with(|_| Fate::Silence).investigate_until(ms(100));
    assert_eq!(outcome.diagnosis.cause, Cause::Undecided);
    let outcome = Network::silent().investigate_until(ms(900));
    assert_eq!(outcome.diagnosis.confidence, Confidence::Possible);
    assert!(silent_connects(&outcome) > 1);
}

fn silent_connects(outcome: &Outcome) -> usize {
    let silent = outcome.evidence.observations.iter().filter(
        |observation| matches!(&observation.saw, Saw::Connect(dial) if dial.answer == Answer::Silence),
    );
    silent.count()
}
