//! What shows that a target is alive, and why an edge may not be judged.

use super::*;
use crate::evidence::{
    Controls, IcmpError, IcmpSays, Question, Reply, ReplySays, ResetShape, SeenAt, Shot, ShotOutcome, TimedBy,
};

const DB: &str = "10.0.0.1:5432";
const DB6: &str = "[2001:db8::1]:5432";

fn come_to(cell: &Cell) -> (Judgement, Option<Why>, Option<&Proof>) {
    (cell.judged.judgement, cell.judged.why, cell.judged.proof.as_ref())
}

fn alone(edge: Made) -> Cell {
    answer(vec![edge]).cells.remove(0)
}

#[test]
fn what_can_be_connected_to_needs_no_proof() {
    for cause in [Cause::Healthy, Cause::LongPath] {
        let cell = alone(Made::new("a", DB, "reachable", cause));
        assert_eq!(come_to(&cell), (Judgement::Met, None, None));
        let cell = alone(Made::new("a", DB, "blocked", cause));
        assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
    }
}

#[test]
fn a_dead_server_is_not_proven_to_be_blocked() {
    for to in [DB, DB6] {
        let cell = alone(Made::new("a", to, "blocked", Cause::HostSilent));
        assert_eq!(come_to(&cell), (Judgement::Unproven, Some(Why::NoLife), None));
        let cell = alone(Made::new("a", to, "reachable", Cause::HostSilent));
        assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
    }
}

#[test]
fn a_control_that_was_not_open_proves_nothing() {
    let edge = || Made::new("a", DB, "blocked", Cause::Unattributed).controlled_by(&["10.0.0.9:80"]);
    assert_eq!(
        come_to(&alone(edge())),
        (Judgement::Unproven, Some(Why::NoControlOpen), None)
    );
    let refused = Made::new("a", "10.0.0.9:80", "refused", Cause::NoListener);
    let both = answer(vec![edge(), refused]);
    assert_eq!(of(&both, "a", DB).judged.why, Some(Why::NoControlOpen));
    // Another source's sight of the control says nothing of this one's.
    let from_elsewhere = Made::new("b", "10.0.0.9:80", "reachable", Cause::Healthy);
    let both = answer(vec![edge(), from_elsewhere]);
    assert_eq!(of(&both, "a", DB).judged.why, Some(Why::NoControlOpen));
}

#[test]
fn a_control_that_was_open_in_the_same_run_is_proof_whenever_it_is_learnt() {
    let edge = || Made::new("a", DB, "blocked", Cause::Unattributed).controlled_by(&["10.0.0.9:80"]);
    let control = || Made::new("a", "10.0.0.9:80", "reachable", Cause::SynLost);
    for edges in [vec![edge(), control()], vec![control(), edge()]] {
        let answer = answer(edges);
        let proof = Proof::Control(Arc::new(target("10.0.0.9:80")));
        assert_eq!(
            come_to(of(&answer, "a", DB)),
            (Judgement::Met, None, Some(&proof))
        );
    }
}

#[test]
fn a_control_one_of_whose_addresses_is_not_open_proves_nothing() {
    let addresses = [("10.0.0.8:80", Cause::Healthy), ("10.0.0.9:80", Cause::Port)];
    let edge = Made::new("a", DB, "blocked", Cause::Unattributed).controlled_by(&["web:80"]);
    let answer = answer(vec![edge, Made::named("a", "web:80", "reachable", &addresses)]);
    assert_eq!(of(&answer, "a", DB).judged.why, Some(Why::NoControlOpen));
}

#[test]
fn a_refusal_of_the_host_itself_is_its_own_proof_and_that_of_a_middlebox_is_not() {
    let cell = alone(Made::new("a", DB, "refused", Cause::NoListener));
    assert_eq!(come_to(&cell), (Judgement::Met, None, Some(&Proof::Answered)));
    let cell = alone(Made::new("a", DB, "blocked", Cause::MiddleboxReset));
    assert_eq!(come_to(&cell), (Judgement::Unproven, Some(Why::NoLife), None));
}

#[test]
fn a_full_queue_and_a_reset_after_accept_are_answers_of_the_host() {
    for (expected, cause) in [
        ("backlog-full", Cause::SynDropped),
        ("reset", Cause::ResetAfterAccept),
    ] {
        let cell = alone(Made::new("a", DB, expected, cause));
        assert_eq!(come_to(&cell), (Judgement::Met, None, Some(&Proof::Answered)));
    }
}

#[test]
fn a_host_that_answered_elsewhere_in_the_same_look_is_alive() {
    let sights = [
        control("10.0.0.1:44321"),
        Saw::Hop(dial("10.0.0.1:44321", Answered::Rst)),
        Saw::Echo(Ping::Reply),
        Saw::OtherControls(Controls {
            answered: 1,
            unanswered: 3,
        }),
    ];
    for saw in sights {
        let cell = alone(Made::new("a", DB, "blocked", Cause::Port).seeing(saw.clone()));
        assert_eq!(
            come_to(&cell),
            (Judgement::Met, None, Some(&Proof::AnsweredElsewhere)),
            "{saw:?}"
        );
    }
}

#[test]
fn what_others_say_of_the_host_and_what_the_port_itself_says_is_no_life_elsewhere() {
    let error = IcmpError {
        says: IcmpSays::AdminProhibited,
        icmp_type: 3,
        code: 13,
        from: Some("10.0.0.254".parse().unwrap()),
        from_self: false,
        mtu: None,
    };
    let sights = [
        Saw::Control(dial("10.0.0.1:44321", Answered::Silence)),
        Saw::Control(dial("10.0.0.1:44321", Answered::Icmp(error.clone()))),
        Saw::Hop(dial(DB, Answered::Rst)),
        Saw::Connect(dial(DB, Answered::Rst)),
        Saw::Echo(Ping::Silence),
        Saw::Echo(Ping::Icmp(error)),
        Saw::OtherControls(Controls {
            answered: 0,
            unanswered: 3,
        }),
    ];
    for saw in sights {
        let cell = alone(Made::new("a", DB, "blocked", Cause::Port).seeing(saw.clone()));
        assert_eq!(cell.judged.why, Some(Why::NoLife), "{saw:?}");
    }
}

#[test]
fn a_host_that_answered_the_same_source_at_another_target_is_alive() {
    for (host, closed) in [("10.0.0.1", "10.0.0.1:81"), ("[2001:db8::1]", "[2001:db8::1]:81")] {
        let edge = || Made::new("a", &format!("{host}:5432"), "blocked", Cause::Port);
        let other = answer(vec![edge(), Made::new("a", closed, "refused", Cause::NoListener)]);
        let proof = Proof::OtherTarget(Arc::new(target(closed)));
        assert_eq!(
            come_to(of(&other, "a", &format!("{host}:5432"))),
            (Judgement::Met, None, Some(&proof))
        );
        let from_elsewhere = answer(vec![edge(), Made::new("b", closed, "refused", Cause::NoListener)]);
        let cell = of(&from_elsewhere, "a", &format!("{host}:5432"));
        assert_eq!(cell.judged.why, Some(Why::NoLife));
    }
}

#[test]
fn a_block_is_proven_by_another_source_that_the_very_endpoint_was_open_from() {
    let edges = |port: &str| {
        vec![
            Made::new("frontend", DB, "blocked", Cause::HostSilent),
            Made::new("shop", port, "reachable", Cause::Healthy).on("node-1"),
        ]
    };
    let proven = answer(edges(DB));
    let proof = Proof::OpenFrom("shop@node-1".into());
    assert_eq!(
        come_to(of(&proven, "frontend", DB)),
        (Judgement::Met, None, Some(&proof))
    );
    let another_port = answer(edges("10.0.0.1:80"));
    assert_eq!(of(&another_port, "frontend", DB).judged.why, Some(Why::NoLife));
}

#[test]
fn a_name_that_fails_is_no_block_and_no_connection() {
    for cause in [Cause::NxDomain, Cause::ServFail, Cause::DnsTimeout] {
        let cell = alone(Made::nameless("a", "db:5432", "blocked", cause));
        assert_eq!(come_to(&cell), (Judgement::Unproven, Some(Why::NameFailed), None));
        assert_eq!(cell.verdict, Some((cause, Confidence::Likely)));
        let cell = alone(Made::nameless("a", "db:5432", "reachable", cause));
        assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
    }
}

#[test]
fn no_route_is_no_block_and_no_connection() {
    let cell = alone(Made::new("a", DB6, "blocked", Cause::NoRoute));
    assert_eq!(come_to(&cell), (Judgement::Unproven, Some(Why::NoRoute), None));
    let cell = alone(Made::new("a", DB6, "reachable", Cause::NoRoute));
    assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
}

#[test]
fn no_route_beside_an_address_that_is_as_expected_does_not_count() {
    let addresses = [(DB6, Cause::NoRoute), (DB, Cause::Healthy)];
    let cell = alone(Made::named("a", "db:5432", "reachable", &addresses));
    assert_eq!(come_to(&cell), (Judgement::Met, None, None));
    assert_eq!(cell.verdict, Some((Cause::Healthy, Confidence::Likely)));
    let addresses = [(DB6, Cause::NoRoute), (DB, Cause::NoListener)];
    let cell = alone(Made::named("a", "db:5432", "reachable", &addresses));
    assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
}

#[test]
fn trouble_of_our_own_is_an_error_whatever_is_expected() {
    for expected in ["reachable", "blocked"] {
        for cause in [
            Cause::NoPorts,
            Cause::NoDescriptors,
            Cause::Denied,
            Cause::OtherLocal,
        ] {
            let cell = alone(Made::new("a", DB, expected, cause));
            assert_eq!(come_to(&cell), (Judgement::Error, Some(Why::LocalError), None));
        }
        let undecided = (Judgement::Error, Some(Why::Undecided), None);
        let cell = alone(Made::new("a", DB, expected, Cause::Undecided));
        assert_eq!(come_to(&cell), undecided);
        let cell = alone(Made::without_verdict("a", DB, expected));
        assert_eq!(come_to(&cell), undecided);
        assert_eq!(cell.verdict, None);
    }
}

#[test]
fn of_several_addresses_the_worst_counts() {
    let other = "10.0.0.2:5432";
    let come_to = |expected, causes: [Cause; 2]| {
        let addresses = [(DB, causes[0]), (other, causes[1])];
        let cell = alone(Made::named("a", "db:5432", expected, &addresses));
        (cell.judged.judgement, cell.judged.why)
    };
    for turn in [|causes: [Cause; 2]| causes, |[a, b]: [Cause; 2]| [b, a]] {
        assert_eq!(
            come_to("reachable", turn([Cause::Healthy, Cause::Port])),
            (Judgement::Missed, None)
        );
        assert_eq!(
            come_to("blocked", turn([Cause::Healthy, Cause::HostSilent])),
            (Judgement::Missed, None)
        );
        assert_eq!(
            come_to("reachable", turn([Cause::Denied, Cause::Port])),
            (Judgement::Missed, None)
        );
        assert_eq!(
            come_to("blocked", turn([Cause::Denied, Cause::HostSilent])),
            (Judgement::Error, Some(Why::LocalError))
        );
        assert_eq!(
            come_to("blocked,refused", turn([Cause::NoListener, Cause::HostSilent])),
            (Judgement::Unproven, Some(Why::NoLife))
        );
    }
}

#[test]
fn the_proof_of_an_edge_is_that_of_one_of_its_addresses() {
    let addresses = [(DB, Cause::Healthy), ("10.0.0.2:5432", Cause::NoListener)];
    let cell = alone(Made::named("a", "db:5432", "open,refused", &addresses));
    assert_eq!(come_to(&cell), (Judgement::Met, None, Some(&Proof::Answered)));
}

#[test]
fn a_set_that_holds_open_and_blocked_asks_for_proof_of_the_block_alone() {
    let cell = alone(Made::new("a", DB, "open,filtered", Cause::HostSilent));
    assert_eq!(come_to(&cell), (Judgement::Unproven, Some(Why::NoLife), None));
    let cell = alone(Made::nameless("a", "db:5432", "open,filtered", Cause::NxDomain));
    assert_eq!(come_to(&cell), (Judgement::Missed, None, None));
}

#[test]
fn a_segment_of_our_own_that_the_host_answers_is_life_but_not_where_somebody_else_resets() {
    let ack = || shot(Question::Ack, DB);
    let alive = alone(Made::new("a", DB, "blocked", Cause::SynFilter).seeing(ack()));
    assert_eq!(alive.judged.proof, Some(Proof::AnsweredElsewhere));
    let at_a_control = shot(Question::Syn, "10.0.0.1:44321");
    let alive = alone(Made::new("a", DB, "blocked", Cause::MiddleboxReset).seeing(at_a_control));
    assert_eq!(alive.judged.proof, Some(Proof::AnsweredElsewhere));
    for saw in [ack(), shot(Question::Syn, DB)] {
        let cell = alone(Made::new("a", DB, "blocked", Cause::MiddleboxReset).seeing(saw.clone()));
        assert_eq!(cell.judged.why, Some(Why::NoLife), "{saw:?}");
    }
}

/// A segment of our own that a RST answered.
fn shot(question: Question, to: &str) -> Saw {
    Saw::Raw(Shot {
        question,
        to: socket(to),
        from: None,
        outcome: ShotOutcome::Sent {
            replies: vec![Reply {
                after_s: Duration::from_millis(1),
                timed_by: TimedBy::Kernel,
                hop_limit: Some(64),
                seen: SeenAt::Socket,
                says: ReplySays::Rst {
                    shape: ResetShape::Bare,
                },
            }],
        },
    })
}

#[test]
fn what_was_seen_at_another_time_proves_nothing() {
    let day = 24 * 3600;
    let control = "10.0.0.9:80";
    let edge = || Made::new("a", DB, "blocked", Cause::Unattributed).controlled_by(&[control]);
    let seen = [
        Made::new("a", control, "reachable", Cause::Healthy),
        Made::new("a", "10.0.0.1:80", "reachable", Cause::Healthy),
        Made::new("b", DB, "reachable", Cause::Healthy),
    ];
    for made in seen {
        for (second, comes_to) in [(100 + 3600, Judgement::Met), (100 + day, Judgement::Unproven)] {
            let earlier = Made(made.0.clone());
            let both = answer(vec![earlier, edge().at(second)]);
            assert_eq!(of(&both, "a", DB).judged.judgement, comes_to, "{second}");
            let later = Made(made.0.clone()).at(second);
            let both = answer(vec![later, edge()]);
            assert_eq!(of(&both, "a", DB).judged.judgement, comes_to, "{second}");
        }
    }
}

#[test]
fn of_what_was_seen_at_several_times_the_nearest_is_proof() {
    let day = 24 * 3600;
    let looks = vec![
        Made::new("old", DB, "reachable", Cause::Healthy),
        Made::new("new", DB, "reachable", Cause::Healthy).at(day),
        Made::new("a", DB, "blocked", Cause::Unattributed).at(day + 60),
    ];
    let answer = answer(looks);
    let proof = Proof::OpenFrom("new".into());
    assert_eq!(of(&answer, "a", DB).judged.proof, Some(proof));
}

#[test]
fn an_address_that_each_host_has_for_itself_is_not_proven_by_another_source() {
    for to in ["127.0.0.1:80", "[::1]:80", "169.254.20.10:53", "[fe80::1]:80"] {
        let open = Made::new("b", to, "reachable", Cause::Healthy);
        let blocked = Made::new("a", to, "blocked", Cause::Unattributed);
        let both = answer(vec![open, blocked]);
        assert_eq!(of(&both, "a", to).judged.why, Some(Why::NoLife), "{to}");
    }
}
