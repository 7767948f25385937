//! What is matched with what, and what it took, without a socket.

use super::*;
use crate::evidence::ResetShape;
use crate::net::clock;
use crate::net::raw::answer::Asked;
use crate::wire::{Flags, Segment};

const LOCAL: (IpAddr, u16) = (IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 40_000);
const REMOTE: (IpAddr, u16) = (IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 80);
const TUPLE: FourTuple = FourTuple {
    local: LOCAL,
    remote: REMOTE,
};
const WALL: Duration = Duration::from_secs(1_700_000_000);

/// A book with one SYN in flight, which left `stamp` after it was handed to the kernel.
fn book(began: Instant, stamp: Option<Duration>) -> Book {
    let mut book = Book::new(vec![40_000, 40_001]);
    let sent = Sent {
        asked: Asked::Syn,
        sequence: 9,
        acknowledgement: 0,
    };
    book.begin(TUPLE, sent).unwrap();
    let departure = Departure {
        at: began,
        wall: WALL,
        stamp: None,
    };
    book.departs(&TUPLE, 0, departure);
    if let Some(stamp) = stamp {
        book.departed(&TUPLE, 0, WALL + stamp);
    }
    book
}

fn heard(flags: Flags, seen: SeenAt, at: Instant, stamp: Option<Duration>) -> Heard {
    let segment = Segment {
        acknowledgement: 10,
        ..Segment::new(REMOTE.1, LOCAL.1, flags)
    };
    Heard {
        packet: Packet {
            source: REMOTE.0,
            destination: LOCAL.0,
            hop_limit: 61,
            payload: Payload::Tcp(segment),
        },
        hop_limit: Some(61),
        seen,
        at,
        stamp: stamp.map(|stamp| WALL + stamp),
    }
}

const SYN_ACK: Flags = Flags(0x12);
const RST_ACK: Flags = Flags(0x14);

fn seen(book: &mut Book) -> Vec<SeenAt> {
    book.end(&TUPLE).iter().map(|reply| reply.seen).collect()
}

#[test]
fn a_packet_seen_at_the_interface_and_behind_the_firewall_is_one_answer() {
    let now = clock::now();
    for order in [
        [SeenAt::InterfaceOnly, SeenAt::Socket],
        [SeenAt::Socket, SeenAt::InterfaceOnly],
    ] {
        let mut book = book(now, None);
        for seen in order {
            book.hear(&heard(SYN_ACK, seen, now, None));
        }
        assert_eq!(seen(&mut book), [SeenAt::Socket]);
    }
}

#[test]
fn a_packet_that_came_twice_is_two_answers() {
    let now = clock::now();
    let mut book = book(now, None);
    for seen in [
        SeenAt::InterfaceOnly,
        SeenAt::InterfaceOnly,
        SeenAt::Socket,
        SeenAt::Socket,
    ] {
        book.hear(&heard(SYN_ACK, seen, now, None));
    }
    assert_eq!(seen(&mut book), [SeenAt::Socket, SeenAt::Socket]);
}

#[test]
fn a_syn_ack_and_a_reset_for_one_syn_are_both_there_in_their_order() {
    let now = clock::now();
    let mut book = book(now, None);
    book.hear(&heard(RST_ACK, SeenAt::Socket, now, None));
    book.hear(&heard(SYN_ACK, SeenAt::InterfaceOnly, now, None));
    let replies = book.end(&TUPLE);
    let shape = ResetShape::WithAck;
    assert_eq!(replies[0].says, ReplySays::Rst { shape });
    assert!(matches!(replies[1].says, ReplySays::SynAck(_)));
    assert_eq!(replies[1].seen, SeenAt::InterfaceOnly);
}

#[test]
fn both_stamps_of_the_kernel_measure_if_our_own_clock_agrees() {
    let ms = Duration::from_millis;
    let began = clock::now();
    let took = |departed: Option<Duration>, arrived: Option<Duration>| {
        let mut book = book(began, departed);
        book.hear(&heard(SYN_ACK, SeenAt::Socket, began + ms(10), arrived));
        let reply = book.end(&TUPLE).remove(0);
        (reply.after_s, reply.timed_by)
    };
    assert_eq!(took(Some(ms(1)), Some(ms(8))), (ms(7), TimedBy::Kernel));
    let by_process = (ms(10), TimedBy::Process);
    assert_eq!(took(None, Some(ms(8))), by_process);
    assert_eq!(took(Some(ms(1)), None), by_process);
    // The wall clock was set, forwards or backwards.
    assert_eq!(took(Some(ms(1)), Some(ms(5000))), by_process);
    assert_eq!(took(Some(ms(8)), Some(ms(1))), by_process);
}

#[test]
fn a_stamp_from_before_the_segment_was_sent_is_anothers() {
    let began = clock::now();
    let mut book = book(began, None);
    book.departed(&TUPLE, 0, WALL.saturating_sub(Duration::from_millis(1)));
    let at = began + Duration::from_millis(2);
    book.hear(&heard(
        SYN_ACK,
        SeenAt::Socket,
        at,
        Some(Duration::from_millis(1)),
    ));
    assert_eq!(book.end(&TUPLE)[0].timed_by, TimedBy::Process);
}

#[test]
fn what_goes_to_other_ports_or_comes_too_late_is_for_nobody() {
    let now = clock::now();
    let mut book = book(now, None);
    let mut other = heard(SYN_ACK, SeenAt::Socket, now, None);
    other.packet.source = LOCAL.0;
    book.hear(&other);
    assert_eq!(seen(&mut book), []);
    book.hear(&heard(SYN_ACK, SeenAt::Socket, now, None));
    assert_eq!(seen(&mut book), []);
}

#[test]
fn ports_take_turns_and_those_in_flight_are_left_out() {
    let mut book = book(clock::now(), None);
    let to = SocketAddr::from(REMOTE);
    assert_eq!(book.free_port(LOCAL.0, to, 0), Some(40_001));
    assert_eq!(book.free_port(LOCAL.0, to, 0), Some(40_001));
    book.end(&TUPLE);
    let turns: Vec<_> = (0..4).map(|_| book.free_port(LOCAL.0, to, 0)).collect();
    let [a, b] = [Some(40_000), Some(40_001)];
    assert_eq!(turns, [a, b, a, b]);
}
