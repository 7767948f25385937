//! Proves that the raw sockets see what they are there to see, and that nothing is left behind.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;

use tcpprobe::evidence::{IcmpSays, Ping, Question, Reply, ReplySays, ResetShape, SeenAt, Shot};
use tcpprobe::lab::{Family, Lab, Node, Place};
use tcpprobe::net::clock;
use tcpprobe::net::dial::Source;
use tcpprobe::net::finish::finisher;
use tcpprobe::net::raw::{Order, Raw};

use crate::facilities::{Outcome, ensure, named, test};
use crate::{Test, raw_own, raw_program, sweep};

pub(crate) type Proof = fn(&Lab, Family) -> Outcome;

/// One trial a proof and IP version.
pub(crate) fn trials() -> Vec<Test> {
    let mut trials: Vec<Test> = ANSWERS
        .iter()
        .chain(raw_own::PROOFS)
        .chain(raw_program::PROOFS)
        .chain(sweep::PROOFS)
        .flat_map(|(name, network, proof)| {
            Family::BOTH.map(|family| {
                let proof = *proof;
                test(&named(name, family), network, move |lab| proof(lab, family))
            })
        })
        .collect();
    trials.push(test(
        "opening_raw_sockets_gives_up_what_it_needs_and_nothing_else",
        "",
        raw_program::gives_up_net_raw,
    ));
    trials
}

pub(crate) const LISTENER: &str = "[[listener]]\nport = 8080";
/// Two round trips on the wire, and a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
/// What the scheduler of a busy machine may spoil once, it does not spoil so often.
const SEVERAL: usize = 8;

/// What comes back to each question of probe.
const ANSWERS: &[(&str, &str, Proof)] = &[
    (
        "a_raw_syn_to_an_open_port_is_answered_and_leaves_nothing_half_open",
        LISTENER,
        |lab, family| {
            let shot = one(lab, family, Question::Syn)?;
            let [reply] = replies(&shot)? else {
                return unexpected(&shot);
            };
            let ReplySays::SynAck(offer) = reply.says else {
                return unexpected(&shot);
            };
            let right = offer.mss.is_some()
                && offer.sack
                && offer.window_scale.is_some()
                && offer.timestamps
                && offer.window > 0
                && reply.hop_limit == Some(62)
                && reply.seen == SeenAt::Socket;
            ensure(right, &shot)?;
            // Our own kernel's, since nobody listens on our port.
            ensure(passed(lab, '>', "Flags [R]") == 1, lab.trace())
        },
    ),
    (
        "a_raw_syn_without_timestamps_is_answered_without",
        LISTENER,
        |lab, family| {
            let shot = one(lab, family, Question::Cookie)?;
            let offered = |reply: &Reply| match reply.says {
                ReplySays::SynAck(offer) => !offer.timestamps && offer.sack && offer.window_scale.is_some(),
                ReplySays::Rst { .. } | ReplySays::Ack { .. } | ReplySays::Icmp(_) => false,
            };
            ensure(
                replies(&shot)?.iter().all(offered) && replies(&shot)?.len() == 1,
                &shot,
            )
        },
    ),
    ("a_closed_port_resets_every_raw_probe", "", |lab, family| {
        let questions = [
            Question::Syn,
            Question::Cookie,
            Question::Ack,
            Question::Fin,
            Question::HalfOpen,
        ];
        for (question, shot) in questions.iter().zip(all(lab, family, &questions)?) {
            let shape = match question {
                Question::Ack => ResetShape::Bare,
                Question::Syn
                | Question::Cookie
                | Question::Fin
                | Question::HalfOpen
                | Question::Challenge
                | Question::FirstFragment => ResetShape::WithAck,
            };
            let reset = ReplySays::Rst { shape };
            let right = replies(&shot)?.iter().all(|reply| {
                reply.says == reset && reply.hop_limit == Some(62) && reply.seen == SeenAt::Socket
            });
            ensure(right && !replies(&shot)?.is_empty(), (question, &shot))?;
        }
        Ok(())
    }),
    (
        "a_listener_resets_an_ack_and_is_silent_to_a_fin",
        LISTENER,
        |lab, family| {
            let shots = all(lab, family, &[Question::Ack, Question::Fin])?;
            let reset = ReplySays::Rst {
                shape: ResetShape::Bare,
            };
            ensure(says(&shots[0])? == [reset] && says(&shots[1])?.is_empty(), shots)
        },
    ),
    (
        "a_dropped_port_is_silent_for_as_long_as_the_patience",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'drop'",
        |lab, family| {
            let began = clock::now();
            let shot = one(lab, family, Question::Syn)?;
            let took = clock::now() - began;
            ensure(says(&shot)?.is_empty() && took >= PATIENCE, (shot, took))
        },
    ),
    (
        "a_reset_of_a_router_has_the_routers_hop_limit",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'reset'\n[[listener]]\nport = 8080",
        |lab, family| {
            let shot = one(lab, family, Question::Syn)?;
            let [reply] = replies(&shot)? else {
                return unexpected(&shot);
            };
            ensure(reply.hop_limit == Some(64), &shot)
        },
    ),
    (
        "a_server_with_our_syn_acknowledges_a_fin_outside_its_window",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\naction = 'drop'",
        |lab, family| {
            let shot = one(lab, family, Question::HalfOpen)?;
            let acknowledged = ReplySays::Ack {
                acknowledges_us: true,
            };
            ensure(says(&shot)? == [acknowledged], &shot)
        },
    ),
    (
        "a_half_open_probe_that_is_answered_at_once_sends_no_fin",
        LISTENER,
        |lab, family| {
            // A busy machine may take longer than the head start of the SYN, though not each time.
            for shot in &one_by_one(lab, family, Question::HalfOpen)? {
                ensure(matches!(says(shot)?[..], [ReplySays::SynAck(_), ..]), shot)?;
            }
            ensure(passed(lab, '>', "Flags [F]") < SEVERAL, lab.trace())
        },
    ),
    (
        "a_refusal_by_icmp_says_who_and_what",
        "[[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\n\
         action = { answer = { icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 } } }",
        |lab, family| {
            for shot in all(lab, family, &[Question::Syn, Question::Ack, Question::Fin])? {
                let [reply] = replies(&shot)? else {
                    return unexpected(&shot);
                };
                let ReplySays::Icmp(error) = &reply.says else {
                    return unexpected(&shot);
                };
                let right = error.says == IcmpSays::AdminProhibited
                    && error.from == Some(Place::R2.address(family))
                    && !error.from_self
                    && reply.hop_limit == Some(63)
                    && reply.seen == SeenAt::Socket;
                ensure(right, &shot)?;
            }
            Ok(())
        },
    ),
    (
        "a_ttl_of_two_ends_at_the_second_router",
        LISTENER,
        |lab, family| {
            let order = Order {
                ttl: Some(2),
                ..order(family, Question::Syn)
            };
            let shots = shoot(lab, vec![order])?;
            let [ReplySays::Icmp(error)] = &says(&shots[0])?[..] else {
                return unexpected(&shots[0]);
            };
            let right = error.says == IcmpSays::TtlExceeded && error.from == Some(Place::R2.address(family));
            ensure(right, &shots)
        },
    ),
    (
        "what_comes_shortly_after_the_first_answer_is_seen_too",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\naction = 'duplicate'\n\
         [[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\nevery = 2\naction = { delay = '4ms' }",
        |lab, family| {
            // The second SYN-ACK overtakes the first. On a busy machine that one may come too late, though not each time.
            let shots = one_by_one(lab, family, Question::Syn)?;
            let both = |shot: &Shot| {
                says(shot).is_ok_and(|says| matches!(says[..], [ReplySays::SynAck(_), ReplySays::SynAck(_)]))
            };
            ensure(shots.iter().any(both), &shots)
        },
    ),
    (
        "a_host_that_gets_a_first_fragment_says_so_in_the_end",
        "sysctl.server.\"net.ipv4.ipfrag_time\" = '1'\nsysctl.server.\"net.ipv6.ip6frag_time\" = '1'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            let order = Order {
                patience: Duration::from_secs(4),
                ..order(family, Question::FirstFragment)
            };
            let shots = shoot(lab, vec![order])?;
            let [ReplySays::Icmp(error)] = &says(&shots[0])?[..] else {
                return unexpected(&shots[0]);
            };
            let right = error.says == IcmpSays::ReassemblyTimeExceeded
                && error.from == Some(Place::Server.address(family));
            ensure(right, &shots)
        },
    ),
    (
        "a_first_fragment_that_nobody_gets_is_silent",
        "[[wire.rule]]\ntowards = 'server'\naction = 'drop'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            let shot = one(lab, family, Question::FirstFragment)?;
            ensure(says(&shot)?.is_empty(), shot)
        },
    ),
    (
        "a_connection_that_exists_challenges_a_syn",
        "[[listener]]\nport = 8080\n[[held]]\nto = 'server'\nport = 8080\ncount = 1",
        |lab, family| {
            let to = SocketAddr::new(Place::Server.address(family), 8080);
            let held = lab
                .held()
                .iter()
                .find(|held| held.peer_addr().is_ok_and(|peer| peer == to));
            let from = held.ok_or("no connection is held")?.local_addr()?;
            let order = Order {
                on: Some(from),
                ..order(family, Question::Challenge)
            };
            let shots = shoot(lab, vec![order])?;
            let [shot] = &shots[..] else {
                return Err("no shot".into());
            };
            let challenge = ReplySays::Ack {
                acknowledges_us: false,
            };
            ensure(says(shot)? == [challenge] && shot.from == Some(from), shot)
        },
    ),
    ("a_raw_ping_needs_no_ping_group", "", |lab, family| {
        let to = SocketAddr::new(Place::Server.address(family), 0);
        let nobody = SocketAddr::new(Place::Elsewhere.address(family), 0);
        let answers = in_client(lab, move |raw| async move {
            let (_finisher, finish) = finisher();
            let source = Source::default();
            [
                raw.ping(to, &source, PATIENCE, finish.clone()).await,
                raw.ping(nobody, &source, PATIENCE, finish).await,
            ]
        })?;
        let [there, nowhere] = &answers;
        ensure(*there == Ping::Reply && matches!(nowhere, Ping::Icmp(_)), answers)
    }),
    (
        "a_thousand_endpoints_are_told_apart_on_one_pair_of_sockets",
        "wire = { delay-to-client = '1s' }\n[[listener]]\nport = 8080",
        |lab, family| {
            let server = Place::Server.address(family);
            let orders = (7_580..8_580).map(move |port| Order {
                to: SocketAddr::new(server, port),
                patience: Duration::from_secs(5),
                ..order(family, Question::Syn)
            });
            let shots = in_client(lab, move |raw| async move {
                let (_finisher, finish) = finisher();
                // The wire has no room for a burst, but takes its time: all are in flight before the first is answered.
                let shots = orders.zip(0u64..).map(|(order, turn)| {
                    let (raw, finish) = (raw.clone(), finish.clone());
                    async move {
                        tokio::time::sleep(Duration::from_micros(turn * 500)).await;
                        raw.shoot(&order, finish).await
                    }
                });
                join_all(shots).await
            })?;
            let mut answered = 0;
            for shot in shots {
                let right = match &says(&shot)?[..] {
                    [ReplySays::SynAck(_)] => shot.to.port() == 8080,
                    [ReplySays::Rst { .. }] => shot.to.port() != 8080,
                    // A busy machine's wire may lose some; what came back across it is heard.
                    [] => passed(lab, '<', &format!(".{} > ", shot.to.port())) == 0,
                    _ => false,
                };
                answered += replies(&shot)?.len();
                ensure(right, shot)?;
            }
            ensure(answered > 900, answered)
        },
    ),
];

pub(crate) fn order(family: Family, question: Question) -> Order {
    Order {
        size: None,
        question,
        on: None,
        to: SocketAddr::new(Place::Server.address(family), 8080),
        source: Source::default(),
        ttl: None,
        patience: PATIENCE,
    }
}

pub(crate) fn one(lab: &Lab, family: Family, question: Question) -> Result<Shot, libtest_mimic::Failed> {
    let mut shots = all(lab, family, &[question])?;
    shots.pop().ok_or_else(|| "no shot".into())
}

/// Several of them, one after another.
fn one_by_one(lab: &Lab, family: Family, question: Question) -> Result<Vec<Shot>, libtest_mimic::Failed> {
    in_client(lab, move |raw| async move {
        let (_finisher, finish) = finisher();
        let mut shots = Vec::new();
        for _ in 0..SEVERAL {
            shots.push(raw.shoot(&order(family, question), finish.clone()).await);
        }
        shots
    })
}

pub(crate) fn all(
    lab: &Lab,
    family: Family,
    questions: &[Question],
) -> Result<Vec<Shot>, libtest_mimic::Failed> {
    let orders = questions
        .iter()
        .map(|question| order(family, *question))
        .collect();
    shoot(lab, orders)
}

/// All of them at once, from the client.
pub(crate) fn shoot(lab: &Lab, orders: Vec<Order>) -> Result<Vec<Shot>, libtest_mimic::Failed> {
    in_client(lab, move |raw| async move {
        let (_finisher, finish) = finisher();
        join_all(orders.iter().map(|order| raw.shoot(order, finish.clone()))).await
    })
}

/// Does something with raw sockets of the client, once in a lab: they cannot be opened again.
pub(crate) fn in_client<T, F>(
    lab: &Lab,
    body: impl FnOnce(Raw) -> F + Send + 'static,
) -> Result<T, libtest_mimic::Failed>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let outcome = lab.on(Node::Client, move || -> io::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async { Ok(body(Raw::open()?).await) })
    });
    Ok(outcome??)
}

pub(crate) fn replies(shot: &Shot) -> Result<&[Reply], libtest_mimic::Failed> {
    shot.replies().ok_or_else(|| format!("{shot:?}").into())
}

pub(crate) fn says(shot: &Shot) -> Result<Vec<ReplySays>, libtest_mimic::Failed> {
    Ok(replies(shot)?.iter().map(|reply| reply.says.clone()).collect())
}

pub(crate) fn unexpected(shot: &Shot) -> Outcome {
    ensure(false, shot)
}

/// How many such packets have passed the wire in that direction.
pub(crate) fn passed(lab: &Lab, direction: char, what: &str) -> usize {
    let lines = lab.trace();
    lines
        .iter()
        .filter(|line| line.starts_with(direction) && line.contains(what))
        .count()
}
