//! Investigations of who may send segments of his own: which he sends, and what they come to.

use std::time::Duration;

use super::line::{Closes, Fate, Said};
use super::network::{Came, Network, Segment, ms};
use super::{DEADLINE, OPEN, answered};
use crate::diagnose::{Cause, Confidence};
use crate::evidence::{Question, ReplySays, ResetShape, SynAckOptions};
use crate::probe::Ask;

const OPTIONS: SynAckOptions = SynAckOptions {
    window: 64_240,
    mss: Some(1_460),
    sack: true,
    window_scale: Some(7),
    timestamps: true,
};

fn came(after: u64, says: ReplySays) -> Came {
    Came {
        after: ms(after),
        says,
        hop_limit: 62,
    }
}

fn reset() -> Came {
    came(
        1,
        ReplySays::Rst {
            shape: ResetShape::WithAck,
        },
    )
}

/// A host whose closed ports answer as they should.
fn closed(segment: Segment) -> Option<Came> {
    match segment.question {
        Question::Syn | Question::Ack | Question::Fin => Some(reset()),
        Question::HalfOpen | Question::Challenge | Question::Cookie | Question::FirstFragment => None,
    }
}

/// A host that ignores SYNs to a port that something listens on.
fn full_queue(segment: Segment) -> Option<Came> {
    if segment.to_port && segment.question != Question::Ack {
        return None;
    }
    closed(segment)
}

fn questions(asked: &[(Duration, Ask)], wanted: Question) -> Vec<Duration> {
    let moments = asked.iter().filter_map(|(at, ask)| match ask {
        Ask::Raw { question, to, .. } if *question == wanted && to.port() == 443 => Some(*at),
        Ask::Raw { .. }
        | Ask::Connect
        | Ask::ConnectAndHold(_)
        | Ask::Control(_)
        | Ask::Hop { .. }
        | Ask::TtlOne { .. }
        | Ask::Echo { .. }
        | Ask::Listener
        | Ask::Route
        | Ask::Host => None,
    });
    moments.collect()
}

fn is_raw(ask: &Ask) -> bool {
    matches!(ask, Ask::Raw { .. })
}

#[test]
fn an_open_port_costs_one_handshake_and_nothing_raw() {
    let network = Network::with(|_| answered(20, &OPEN)).seen_raw(closed);
    let outcome = network.investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::Healthy);
    assert_eq!(outcome.asked.len(), 1, "{:?}", outcome.asked);
}

#[test]
fn a_full_queue_is_told_from_a_filter_within_two_seconds() {
    let full = Network::with(|_| Fate::Silence)
        .seen_raw(full_queue)
        .investigate(DEADLINE);
    assert_eq!(full.diagnosis.cause, Cause::SynDropped);
    assert_eq!(full.diagnosis.confidence, Confidence::Likely);
    assert_eq!(full.diagnosis.not_ruled_out, [Cause::SynFilter]);
    assert_eq!(full.took, ms(1_850));
    let filtered = Network::with(|_| Fate::Silence)
        .seen_raw(|segment| if segment.to_port { None } else { closed(segment) });
    assert_eq!(filtered.investigate(DEADLINE).diagnosis.cause, Cause::Port);
}

#[test]
fn raw_tries_are_spread_over_more_than_a_second_beside_one_connection() {
    let network = Network::with(|_| Fate::Silence).seen_raw(full_queue);
    let outcome = network.investigate(DEADLINE);
    assert_eq!(outcome.connects_at(), [ms(0)]);
    let syns = questions(&outcome.asked, Question::Syn);
    assert_eq!(syns, [ms(250), ms(600), ms(1_100)]);
}

#[test]
fn a_refused_port_is_compared_with_another_at_once() {
    let network = Network::with(|_| answered(5, &Said::Rst)).seen_raw(closed);
    let outcome = network.investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::NoListener);
    assert_eq!(outcome.diagnosis.not_ruled_out, []);
    assert_eq!(outcome.count(is_raw), 2);
    assert_eq!(outcome.took, ms(6));
}

#[test]
fn a_refusal_that_nothing_can_be_compared_with_does_not_wait_long() {
    let network = Network::with(|_| answered(5, &Said::Rst))
        .seen_raw(|segment| if segment.to_port { closed(segment) } else { None });
    let outcome = network.investigate(DEADLINE);
    assert_eq!(outcome.diagnosis.cause, Cause::NoListener);
    assert!(outcome.took < ms(100), "{:?}", outcome.took);
}

#[test]
fn controls_that_are_lost_mean_more_tries() {
    let network = Network::with(|_| Fate::Silence).seen_raw(|segment| {
        let is_lost = segment.question == Question::Syn && segment.nth == 0;
        if is_lost { None } else { full_queue(segment) }
    });
    let outcome = network.investigate(DEADLINE);
    assert_eq!(questions(&outcome.asked, Question::Syn).len(), 6);
    assert!(
        outcome.took > ms(2_000) && outcome.took < DEADLINE,
        "{:?}",
        outcome.took
    );
    assert!(outcome.packets() <= 40, "{}", outcome.packets());
}

#[test]
fn a_syn_ack_to_a_raw_syn_is_followed_by_connections_and_a_look_for_cookies() {
    let network = Network::with(|syn| {
        if syn.nth == 0 {
            Fate::Silence
        } else {
            answered(10, &OPEN)
        }
    });
    let network = network.seen_raw(|segment| match segment.question {
        Question::Syn | Question::Cookie if segment.to_port => Some(came(10, ReplySays::SynAck(OPTIONS))),
        Question::Syn
        | Question::Ack
        | Question::Fin
        | Question::HalfOpen
        | Question::Challenge
        | Question::Cookie
        | Question::FirstFragment => closed(segment),
    });
    let outcome = network.investigate(DEADLINE);
    assert_eq!(outcome.connects_at(), [ms(0), ms(260), ms(510)]);
    assert_eq!(questions(&outcome.asked, Question::Cookie), [ms(260)]);
}

#[test]
fn a_connection_at_hand_is_used_to_ask_whether_syns_arrive() {
    let network = Network::with(|syn| {
        if syn.nth == 1 {
            answered(10, &Said::SynAck(Closes::InOrder))
        } else {
            Fate::Silence
        }
    });
    let network = network.seen_raw(|segment| match (segment.question, segment.nth) {
        (Question::Syn, 1) if segment.to_port => Some(came(10, ReplySays::SynAck(OPTIONS))),
        (Question::Syn, _) if segment.to_port => None,
        (Question::Challenge, _) => Some(came(
            10,
            ReplySays::Ack {
                acknowledges_us: false,
            },
        )),
        (question, _) => closed(Segment { question, ..segment }),
    });
    let outcome = network.investigate(DEADLINE);
    assert_eq!(questions(&outcome.asked, Question::Challenge).len(), 1);
    assert_eq!(outcome.diagnosis.cause, Cause::Overloaded);
    assert!(!outcome.diagnosis.not_ruled_out.contains(&Cause::SynFilter));
}

#[test]
fn locating_waits_for_the_host_to_give_up_a_fragment() {
    let network = Network::with(|_| Fate::Silence)
        .locating()
        .seen_raw(|segment| if segment.to_port { None } else { closed(segment) });
    let outcome = network.investigate(DEADLINE);
    assert_eq!(questions(&outcome.asked, Question::FirstFragment), [ms(250)]);
    assert_eq!(outcome.took, ms(31_250));
    assert!(outcome.packets() <= 40, "{}", outcome.packets());
}

#[test]
fn locating_costs_no_time_where_the_port_answers() {
    let network = Network::with(|_| answered(5, &Said::Rst))
        .locating()
        .seen_raw(closed);
    assert!(network.investigate(DEADLINE).took < ms(100));
}
