//! Who is asked when, and which answers count, without a socket and without waiting.

use super::*;
use crate::net::clock;
use crate::wire::{Flags, Packet, Segment};

const PORTS: [u16; TRIES] = [40_000, 40_001, 40_002];
const SLOW: Duration = Duration::from_millis(250);
const WALL: Duration = Duration::from_secs(1_700_000_000);

/// Both IP versions, and two endpoints of one host.
fn endpoints() -> Vec<SocketAddr> {
    ["10.0.0.9:80", "10.0.0.2:80", "[2001:db8::2]:80", "10.0.0.2:443"]
        .map(|endpoint| endpoint.parse().unwrap())
        .to_vec()
}

fn roll() -> Roll {
    let origin = Origin {
        at: clock::now(),
        wall: WALL,
    };
    Roll::new(endpoints(), PORTS.to_vec(), SLOW, origin)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A segment that comes at that time and answers a SYN, as long as `off` is 0.
fn answer(roll: &Roll, to: Departure, flags: Flags, off: u32, at: Duration) -> Heard {
    let local = if to.to.is_ipv4() {
        "10.0.0.1"
    } else {
        "2001:db8::1"
    };
    let segment = Segment {
        acknowledgement: to.sequence.wrapping_add(1).wrapping_add(off),
        ..Segment::new(to.to.port(), to.port, flags)
    };
    Heard {
        packet: Packet {
            source: to.to.ip(),
            destination: local.parse().unwrap(),
            hop_limit: 61,
            payload: Payload::Tcp(segment),
        },
        hop_limit: Some(61),
        seen: SeenAt::Socket,
        at: roll.origin.at + at,
        stamp: None,
    }
}

const SYN_ACK: Flags = Flags(0x12);
const RST_ACK: Flags = Flags(0x14);

fn plain(swept: &[Swept]) -> Vec<&Plain> {
    let answers = swept.iter();
    answers
        .filter_map(|one| match one {
            Swept::Plain(plain) => Some(plain),
            Swept::Odd { .. } => None,
        })
        .collect()
}

fn odd(swept: &[Swept]) -> Vec<usize> {
    let odd = |one: &Swept| match one {
        Swept::Plain(_) => None,
        Swept::Odd { index } => Some(*index),
    };
    swept.iter().filter_map(odd).collect()
}

#[test]
fn all_are_asked_in_order_and_no_more_at_once_than_may_be() {
    let mut roll = roll();
    let asked: Vec<SocketAddr> = [3, 3, 3]
        .iter()
        .flat_map(|most| roll.due(ms(0), *most))
        .map(|departure| departure.to)
        .collect();
    assert_eq!(asked, endpoints());
}

#[test]
fn an_answer_in_time_is_plain_once_a_second_one_has_had_its_time() {
    let mut roll = roll();
    let due = roll.due(ms(0), 10);
    roll.depart(&due, ms(1));
    for (departure, flags) in due.iter().zip([SYN_ACK, RST_ACK, SYN_ACK, RST_ACK]) {
        roll.hear(&answer(&roll, *departure, flags, 0, ms(4)));
    }
    assert_eq!(roll.conclude(ms(13)), []);
    let swept = roll.conclude(ms(14));
    let plain = plain(&swept);
    assert_eq!(plain.len(), 4);
    for (index, plain) in plain.iter().enumerate() {
        assert_eq!(plain.index, index);
        assert_eq!(plain.shot.to, endpoints()[index]);
        assert_eq!(plain.shot.from.unwrap().port(), PORTS[0]);
        assert_eq!(plain.shot.replies().unwrap()[0].after_s, ms(3));
        assert_eq!(plain.started_unix_s, WALL + ms(1));
    }
    assert!(roll.is_done());
    assert_eq!(roll.take_resets(), 2);
}

#[test]
fn what_does_not_acknowledge_our_syn_is_no_answer() {
    let mut roll = roll();
    let due = roll.due(ms(0), 10);
    let (first, second) = (due[0], due[1]);
    roll.hear(&answer(&roll, first, SYN_ACK, 1, ms(1)));
    // The number that another endpoint was asked with.
    let of_another = Departure {
        sequence: second.sequence,
        ..first
    };
    roll.hear(&answer(&roll, of_another, RST_ACK, 0, ms(1)));
    // Nobody was asked from there, or there.
    roll.hear(&answer(
        &roll,
        Departure {
            port: 50_000,
            ..first
        },
        SYN_ACK,
        0,
        ms(1),
    ));
    let elsewhere = Departure {
        to: "10.0.0.77:80".parse().unwrap(),
        ..first
    };
    roll.hear(&answer(&roll, elsewhere, SYN_ACK, 0, ms(1)));
    assert_eq!(roll.conclude(ms(400)), []);
    assert_eq!(roll.take_resets(), 0);
}

#[test]
fn silence_is_asked_twice_more_over_more_than_a_second_from_other_ports_and_then_given_up() {
    let mut roll = roll();
    let first = roll.due(ms(0), 10);
    roll.hear(&answer(&roll, first[1], SYN_ACK, 0, ms(1)));
    assert_eq!(roll.due(ms(449), 10), []);
    assert_eq!(roll.next_due(), Some(ms(450)));
    let second = roll.due(ms(450), 10);
    let third = roll.due(ms(1_100), 10);
    for (again, port) in [(&second, PORTS[1]), (&third, PORTS[2])] {
        let to: Vec<u32> = again.iter().map(|departure| departure.index).collect();
        assert_eq!(to, [0, 2, 3]);
        assert!(again.iter().all(|departure| departure.port == port));
    }
    assert_eq!(plain(&roll.conclude(ms(1_599))).len(), 1);
    assert_eq!(odd(&roll.conclude(ms(1_600))), [0, 2, 3]);
    assert!(roll.is_done());
    assert_eq!(roll.due(ms(9_000), 10), []);
}

#[test]
fn an_answer_to_a_later_syn_and_a_late_one_are_odd() {
    let mut roll = roll();
    let first = roll.due(ms(0), 10);
    // One that is slow, but not so slow that it is asked again.
    roll.hear(&answer(&roll, first[3], SYN_ACK, 0, ms(251)));
    let second = roll.due(ms(450), 10);
    roll.hear(&answer(&roll, second[0], SYN_ACK, 0, ms(460)));
    roll.hear(&answer(&roll, first[1], RST_ACK, 0, ms(460)));
    assert_eq!(odd(&roll.conclude(ms(600))), [0, 1, 3]);
}

#[test]
fn two_answers_that_contradict_each_other_are_odd_and_one_that_is_repeated_is_not() {
    let mut roll = roll();
    let due = roll.due(ms(0), 10);
    for (departure, flags) in [(due[0], RST_ACK), (due[1], SYN_ACK)] {
        roll.hear(&answer(&roll, departure, SYN_ACK, 0, ms(2)));
        roll.hear(&answer(&roll, departure, flags, 0, ms(3)));
    }
    let swept = roll.conclude(ms(20));
    assert_eq!(odd(&swept), [0]);
    assert_eq!(plain(&swept)[0].index, 1);
}

#[test]
fn what_our_own_kernel_would_not_send_is_odd_at_once_and_once() {
    let mut roll = roll();
    roll.due(ms(0), 10);
    roll.failed(2);
    roll.failed(2);
    assert_eq!(odd(&roll.conclude(ms(1))), [2]);
}

#[test]
fn the_kernels_stamp_leaves_out_how_long_an_answer_waited_for_us() {
    let mut roll = roll();
    let due = roll.due(ms(0), 10);
    let late = |stamp| Heard {
        stamp: Some(WALL + stamp),
        ..answer(&roll, due[0], SYN_ACK, 0, ms(9))
    };
    let (stamped, absurd) = (late(ms(3)), late(ms(30)));
    let after = |heard: &Heard| {
        roll.reply(
            0,
            ReplySays::Rst {
                shape: crate::evidence::ResetShape::WithAck,
            },
            heard,
        )
        .after_s
    };
    assert_eq!(after(&stamped), ms(3));
    assert_eq!(after(&absurd), ms(9));
}
