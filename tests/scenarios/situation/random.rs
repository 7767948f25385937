//! What must hold for any evidence, however odd: random observations, put together at random.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use tcpprobe::diagnose::{Confidence, Diagnosis, diagnose};
use tcpprobe::evidence::hold::{Asked, End, Held, Holding};
use tcpprobe::evidence::sockets::State;
use tcpprobe::evidence::{
    Answer, Controls, Counters, Dial, Ending, Evidence, Handshake, IcmpError, IcmpSays, LinkMtu, Listener,
    LocalError, LocalMeans, Look, Neighbour, NeighbourState, NextHop, Observation, OwnPorts, OwnSegments,
    OwnSockets, OwnStuck, Ping, Question, Reply, ReplySays, Reset, ResetShape, Route, Saw, SeenAt,
    SegmentSizes, Shot, ShotOutcome, SizeMeans, SizeOutcome, SizeProbe, Small, SynAckOptions, TimedBy,
    TooBig,
};

use crate::endpoint::nothing_seen;
use crate::version::Version;

/// Pure and fast, so there can be many.
const CASES: u32 = 500;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, holds: fn(&Evidence, &Diagnosis) -> bool| {
        Trial::test(format!("any_evidence::{name}"), move || for_any_evidence(holds))
    };
    vec![
        trial(
            "the_verdict_is_not_among_what_is_not_ruled_out",
            |_, diagnosis| !diagnosis.not_ruled_out.contains(&diagnosis.cause),
        ),
        trial("nothing_is_not_ruled_out_twice", |_, diagnosis| {
            let left = &diagnosis.not_ruled_out;
            (1..left.len()).all(|index| !left[index..].contains(&left[index - 1]))
        }),
        trial("certain_has_no_rival", |_, diagnosis| {
            diagnosis.confidence < Confidence::Certain || diagnosis.not_ruled_out.is_empty()
        }),
        trial("every_verdict_has_a_reason", |_, diagnosis| {
            !diagnosis.because.is_empty()
        }),
        trial(
            "reasons_and_findings_point_at_observations",
            |evidence, diagnosis| {
                let reasons = diagnosis.because.iter().flat_map(|reason| &reason.observations);
                let findings = diagnosis
                    .findings
                    .iter()
                    .flat_map(|finding| &finding.observations);
                reasons
                    .chain(findings)
                    .all(|index| *index < evidence.observations.len())
            },
        ),
        trial("the_verdict_is_the_same_again", |evidence, diagnosis| {
            diagnose(evidence) == *diagnosis
        }),
    ]
}

fn for_any_evidence(holds: fn(&Evidence, &Diagnosis) -> bool) -> Result<(), Failed> {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&evidence(), |evidence| {
            let diagnosis = diagnose(&evidence);
            prop_assert!(holds(&evidence, &diagnosis), "{diagnosis:#?}");
            Ok(())
        })
        .map_err(|error| Failed::from(error.to_string()))
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![Just(Version::V4), Just(Version::V6)].prop_flat_map(|version| {
        prop::collection::vec(observation(version), 0..14).prop_map(move |observations| Evidence {
            observations,
            ..nothing_seen(version)
        })
    })
}

fn observation(version: Version) -> BoxedStrategy<Observation> {
    (duration(), duration(), saw(version))
        .prop_map(|(at_s, took_s, saw)| Observation { at_s, took_s, saw })
        .boxed()
}

/// From nothing to more than any deadline, with the short ones as often as the long ones.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![0..2_000u64, 0..500_000u64, 0..140_000_000u64].prop_map(Duration::from_micros)
}

fn saw(version: Version) -> BoxedStrategy<Saw> {
    let endpoint = version.endpoint();
    let either = prop_oneof![Just(endpoint), Just(version.control())];
    prop_oneof![
        4 => dial(Just(endpoint).boxed(), Just(None).boxed()).prop_map(Saw::Connect),
        2 => dial(Just(version.control()).boxed(), Just(None).boxed()).prop_map(Saw::Control),
        2 => dial(either.boxed(), (1..17u8).prop_map(Some).boxed()).prop_map(Saw::Hop),
        1 => dial(Just(endpoint).boxed(), Just(Some(1)).boxed()).prop_map(Saw::TtlOne),
        1 => prop_oneof![
            Just(Ping::Reply),
            icmp(endpoint).prop_map(Ping::Icmp),
            Just(Ping::Silence),
            Just(Ping::CouldNot { why: String::new() }),
        ].prop_map(Saw::Echo),
        6 => shot(version).prop_map(Saw::Raw),
        1 => (0..9u32, 0..9u32).prop_map(|(answered, unanswered)| {
            Saw::OtherControls(Controls { answered, unanswered })
        }),
        1 => icmp(endpoint).prop_map(Saw::OtherRejection),
        1 => look(route(endpoint.ip())).prop_map(Saw::Route),
        1 => look(neighbour(endpoint.ip())).prop_map(Saw::Neighbour),
        1 => look(listener()).prop_map(Saw::Listener),
        1 => look(counters()).prop_map(Saw::Counters),
        1 => look(own_sockets()).prop_map(Saw::OwnSockets),
        3 => size_probe(endpoint).prop_map(Saw::Size),
        1 => look((68..70_000u32).prop_map(|mtu| LinkMtu { mtu })).prop_map(Saw::LinkMtu),
        2 => holding(endpoint).prop_map(|holding| Saw::Idle { holding: Box::new(holding) }),
    ]
    .boxed()
}

fn holding(endpoint: SocketAddr) -> impl Strategy<Value = Holding> {
    let held = prop::collection::vec(held(endpoint), 0..4);
    (held, duration(), any::<bool>()).prop_map(move |(held, max_s, interrupted)| Holding {
        endpoint,
        started_unix_s: Duration::from_secs(1_700_000_000),
        max_s,
        took_s: max_s + Duration::from_secs(10),
        interrupted,
        sight: nothing_seen(if endpoint.is_ipv4() {
            Version::V4
        } else {
            Version::V6
        })
        .sight,
        held,
        shots: Vec::new(),
    })
}

fn held(endpoint: SocketAddr) -> impl Strategy<Value = Held> {
    let asked = prop_oneof![Just(Asked::Nothing), Just(Asked::Keepalive), Just(Asked::Fin)];
    let errno = "EHOSTUNREACH".to_owned();
    let end = prop_oneof![
        answer(endpoint).prop_map(|answer| End::NotMade { answer }),
        (duration(), 1..6u8, asked.clone()).prop_map(|(after_s, probes, to)| End::Alive {
            after_s,
            probes,
            to
        }),
        (0..6u8, 0..5u32).prop_map(|(probes, fins)| End::Silent { probes, fins }),
        asked.clone().prop_map(|to| End::Reset { to }),
        asked.clone().prop_map(|to| End::Closed { to }),
        asked.prop_map(move |to| End::Rejected {
            to,
            errno: errno.clone()
        }),
        Just(End::CutShort),
        Just(End::CouldNotAsk {
            errno: "EINVAL".to_owned()
        }),
    ];
    let control = prop::option::of(dial(Just(endpoint).boxed(), Just(None).boxed()));
    (end, control, duration(), duration(), 1..4u32).prop_map(|(end, control, idle_s, wanted_s, syns)| Held {
        round: 1,
        at_s: Duration::from_millis(10),
        from: None,
        wanted_s,
        syns,
        idle_s,
        quiet_s: idle_s,
        peer_segments: Some(0),
        end,
        control,
    })
}

fn own_sockets() -> impl Strategy<Value = OwnSockets> {
    let stuck = || {
        let some = (1..9u64, 0..9u8, prop::option::of(duration())).prop_map(|(sockets, tries, longest_s)| {
            OwnStuck {
                sockets,
                tries,
                longest_s,
                gives_up_in_s: longest_s,
            }
        });
        prop::option::of(some)
    };
    let states = prop::collection::btree_map(prop::sample::select(State::ALL), 1..2000u64, 0..4);
    let ports = prop::option::of((0..101u32, 1..101u32).prop_map(|(taken, of)| OwnPorts {
        taken,
        waiting: taken / 2,
        of,
    }));
    (states, stuck(), stuck(), stuck(), stuck(), ports, 0..1000u64).prop_map(
        |(states, syn_sent_again, send_stalled, zero_window, close_wait_old, ports, sent)| OwnSockets {
            age_s: Duration::ZERO,
            states,
            syn_sent_again,
            send_stalled,
            zero_window,
            close_wait_old,
            segments: OwnSegments {
                sent,
                sent_again: sent / 7,
            },
            ports,
        },
    )
}

fn size_probe(endpoint: SocketAddr) -> impl Strategy<Value = SizeProbe> {
    let says = (prop::option::of(0..2000u32), any::<bool>()).prop_map(move |(mtu, stopped_by_us)| TooBig {
        mtu,
        from: Some(endpoint.ip()),
        stopped_by_us,
    });
    let outcome = prop_oneof![
        Just(SizeOutcome::Through),
        says.prop_map(SizeOutcome::TooBig),
        Just(SizeOutcome::Rejected { from: None }),
        Just(SizeOutcome::Silence),
        Just(SizeOutcome::NotSent {
            errno: "E".to_owned()
        }),
    ];
    let means = prop_oneof![
        Just(SizeMeans::Segment),
        Just(SizeMeans::Datagram),
        Just(SizeMeans::Ping)
    ];
    let small = prop::option::of(prop_oneof![Just(Small::Answered), Just(Small::Unanswered)]);
    let size = prop_oneof![Just(576), Just(1280), Just(1500), 0..u32::MAX];
    (means, size, outcome, small).prop_map(move |(means, size, outcome, small)| SizeProbe {
        means,
        to: endpoint,
        size,
        outcome,
        small,
    })
}

fn shot(version: Version) -> BoxedStrategy<Shot> {
    let question = prop_oneof![
        Just(Question::Syn),
        Just(Question::Ack),
        Just(Question::Fin),
        Just(Question::HalfOpen),
        Just(Question::Challenge),
        Just(Question::Cookie),
        Just(Question::FirstFragment),
    ];
    let to = prop_oneof![Just(version.endpoint()), Just(version.control())];
    let sent = prop::collection::vec(reply(version), 0..3).prop_map(|replies| ShotOutcome::Sent { replies });
    let refused = ShotOutcome::NotSent(LocalError {
        call: "sendto".to_owned(),
        errno: "E".to_owned(),
        means: LocalMeans::Dropped,
    });
    (question, to, prop_oneof![6 => sent, 1 => Just(refused)])
        .prop_map(|(question, to, outcome)| Shot {
            question,
            to,
            from: None,
            outcome,
        })
        .boxed()
}

fn reply(version: Version) -> BoxedStrategy<Reply> {
    let shape = prop_oneof![Just(ResetShape::Bare), Just(ResetShape::WithAck)];
    let options = (any::<bool>(), any::<bool>()).prop_map(|(sack, timestamps)| SynAckOptions {
        window: 64_240,
        mss: Some(1_460),
        sack,
        window_scale: None,
        timestamps,
    });
    let says = prop_oneof![
        3 => options.prop_map(ReplySays::SynAck),
        3 => shape.prop_map(|shape| ReplySays::Rst { shape }),
        2 => any::<bool>().prop_map(|acknowledges_us| ReplySays::Ack { acknowledges_us }),
        1 => icmp(version.endpoint()).prop_map(ReplySays::Icmp),
    ];
    let seen = prop_oneof![4 => Just(SeenAt::Socket), 1 => Just(SeenAt::InterfaceOnly)];
    (duration(), prop::option::of(60..66u8), seen, says)
        .prop_map(|(after_s, hop_limit, seen, says)| Reply {
            after_s,
            timed_by: TimedBy::Kernel,
            hop_limit,
            seen,
            says,
        })
        .boxed()
}

fn look<T: std::fmt::Debug + Clone + 'static>(
    saw: impl Strategy<Value = T>,
) -> impl Strategy<Value = Look<T>> {
    prop_oneof![
        4 => saw.prop_map(Look::Saw),
        1 => Just(Look::Nothing),
        1 => Just(Look::CouldNot { why: String::new() }),
    ]
}

fn dial(to: BoxedStrategy<SocketAddr>, ttl: BoxedStrategy<Option<u8>>) -> impl Strategy<Value = Dial> {
    (to, ttl, 0..12u32).prop_flat_map(|(to, ttl, syns)| {
        answer(to).prop_map(move |answer| Dial {
            to,
            from: None,
            ttl,
            syns,
            answer,
        })
    })
}

fn answer(host: SocketAddr) -> BoxedStrategy<Answer> {
    let local = prop_oneof![
        Just(LocalMeans::NoRoute),
        Just(LocalMeans::Denied),
        Just(LocalMeans::Dropped),
        Just(LocalMeans::NoPorts),
        Just(LocalMeans::NoDescriptors),
        Just(LocalMeans::Other),
    ];
    prop_oneof![
        4 => handshake().prop_map(Answer::SynAck),
        1 => Just(Answer::Rst),
        2 => icmp(host).prop_map(Answer::Icmp),
        1 => local.prop_map(|means| Answer::Local(LocalError {
            call: "connect".to_owned(),
            errno: "E".to_owned(),
            means,
        })),
        4 => Just(Answer::Silence),
    ]
    .boxed()
}

fn handshake() -> BoxedStrategy<Handshake> {
    (
        duration(),
        prop::option::of(duration()),
        0..4u32,
        prop::option::of(0..5u32),
        any::<bool>(),
        ending(),
    )
        .prop_map(
            |(connect_s, rtt_s, retransmitted_syns, segments_in, timestamps, ending)| Handshake {
                connect_s,
                rtt_s,
                retransmitted_syns,
                segments_in,
                timestamps,
                peer_window: None,
                segments: Some(SegmentSizes {
                    sends: u32::MAX.wrapping_mul(retransmitted_syns.wrapping_add(1)),
                    path_mtu: 1500,
                    advertised: 1460,
                }),
                ending,
            },
        )
        .boxed()
}

fn ending() -> BoxedStrategy<Ending> {
    let shape = prop_oneof![
        Just(ResetShape::Bare),
        Just(ResetShape::WithAck),
        Just(ResetShape::Unknown),
    ];
    let reset = (duration(), shape).prop_map(|(after_s, shape)| Reset { after_s, shape });
    (
        prop::option::of(duration()),
        prop::option::of(duration()),
        0..6u32,
        prop::option::of(duration()),
        prop::option::of(reset),
        0..4u32,
        duration(),
    )
        .prop_map(
            |(
                fin_after_s,
                fin_acknowledged_after_s,
                fin_retransmissions,
                peer_fin_after_s,
                reset,
                repeated_syn_acks,
                watched_s,
            )| Ending {
                fin_after_s,
                fin_acknowledged_after_s,
                fin_retransmissions,
                peer_fin_after_s,
                reset,
                repeated_syn_acks,
                watched_s,
            },
        )
        .boxed()
}

fn icmp(host: SocketAddr) -> BoxedStrategy<IcmpError> {
    let says = prop_oneof![
        Just(IcmpSays::PortUnreachable),
        Just(IcmpSays::AdminProhibited),
        Just(IcmpSays::HostProhibited),
        Just(IcmpSays::NetProhibited),
        Just(IcmpSays::HostUnreachable),
        Just(IcmpSays::NetUnreachable),
        Just(IcmpSays::TtlExceeded),
        Just(IcmpSays::ReassemblyTimeExceeded),
        Just(IcmpSays::Other),
    ];
    (says, any::<bool>(), any::<bool>())
        .prop_map(move |(says, named, from_self)| IcmpError {
            says,
            icmp_type: 3,
            code: 0,
            from: named.then_some(host.ip()),
            from_self,
            mtu: None,
        })
        .boxed()
}

fn route(gateway: IpAddr) -> impl Strategy<Value = Route> {
    let next_hop = prop_oneof![
        Just(NextHop::Local),
        Just(NextHop::OnLink),
        Just(NextHop::Gateway(gateway)),
        Just(NextHop::Refused),
    ];
    next_hop.prop_map(|next_hop| Route {
        next_hop,
        interface: None,
        source: None,
    })
}

fn neighbour(address: IpAddr) -> impl Strategy<Value = Neighbour> {
    let state = prop_oneof![
        Just(NeighbourState::Resolved),
        Just(NeighbourState::Incomplete),
        Just(NeighbourState::Failed),
    ];
    (state, 0..5u32).prop_map(move |(state, unanswered_requests)| Neighbour {
        address,
        state,
        unanswered_requests,
    })
}

fn listener() -> impl Strategy<Value = Listener> {
    (0..5u32, 0..5u32, 0..3u32, prop::option::of(0..3u64)).prop_map(|(queue, limit, drops, overflows)| {
        Listener {
            queue,
            limit,
            drops,
            overflows,
        }
    })
}

fn counters() -> BoxedStrategy<Counters> {
    (
        prop::option::of(0..9u64),
        prop::option::of(0..9u64),
        0..9u64,
        prop::option::of(0..40u64),
        0..9u64,
        0..2u32,
    )
        .prop_map(
            |(
                retransmissions_failed,
                retransmissions,
                our_retransmissions,
                received_not_delivered,
                our_unanswered_syns,
                alongside,
            )| Counters {
                retransmissions_failed,
                retransmissions,
                our_retransmissions,
                received_not_delivered,
                our_unanswered_syns,
                alongside,
            },
        )
        .boxed()
}
