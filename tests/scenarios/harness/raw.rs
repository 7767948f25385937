//! Proves that the raw sockets see what they are there to see, and that nothing is left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use caps::{CapSet, Capability};
use futures_util::future::join_all;

use tcpprobe::evidence::{
    IcmpSays, LocalMeans, Ping, Reply, ReplySays, ResetShape, SeenAt, Shot, ShotOutcome, TimedBy,
};
use tcpprobe::lab::{Family, Finished, Lab, Node, Place, Powers, run};
use tcpprobe::net::clock;
use tcpprobe::net::dial::Source;
use tcpprobe::net::finish::finisher;
use tcpprobe::net::privileges;
use tcpprobe::net::raw::{Kind, Order, Raw};

use crate::Test;
use crate::facilities::{Outcome, ensure, named, test};

type Proof = fn(&Lab, Family) -> Outcome;

/// One trial a proof and IP version.
pub(crate) fn trials() -> Vec<Test> {
    let mut trials: Vec<Test> = PROOFS
        .iter()
        .chain(PROGRAM)
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
        gives_up_net_raw,
    ));
    trials
}

const LISTENER: &str = "[[listener]]\nport = 8080";
/// Two round trips on the wire, and a busy machine.
const PATIENCE: Duration = Duration::from_millis(400);

const PROOFS: &[(&str, &str, Proof)] = &[
    (
        "a_raw_syn_to_an_open_port_is_answered_and_leaves_nothing_half_open",
        LISTENER,
        |lab, family| {
            let shot = one(lab, family, Kind::Syn)?;
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
            let shot = one(lab, family, Kind::SynWithoutTimestamps)?;
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
        let kinds = [
            Kind::Syn,
            Kind::SynWithoutTimestamps,
            Kind::Ack,
            Kind::Fin,
            Kind::HalfOpen,
        ];
        for (kind, shot) in kinds.iter().zip(all(lab, family, &kinds)?) {
            let shape = match kind {
                Kind::Ack => ResetShape::Bare,
                Kind::Syn
                | Kind::SynWithoutTimestamps
                | Kind::Fin
                | Kind::HalfOpen
                | Kind::Challenge { .. }
                | Kind::FirstFragment => ResetShape::WithAck,
            };
            let reset = ReplySays::Rst { shape };
            let right = replies(&shot)?.iter().all(|reply| {
                reply.says == reset && reply.hop_limit == Some(62) && reply.seen == SeenAt::Socket
            });
            ensure(right && !replies(&shot)?.is_empty(), (kind, &shot))?;
        }
        Ok(())
    }),
    (
        "a_listener_resets_an_ack_and_is_silent_to_a_fin",
        LISTENER,
        |lab, family| {
            let shots = all(lab, family, &[Kind::Ack, Kind::Fin])?;
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
            let shot = one(lab, family, Kind::Syn)?;
            let took = clock::now() - began;
            ensure(says(&shot)?.is_empty() && took >= PATIENCE, (shot, took))
        },
    ),
    (
        "a_reset_of_a_router_has_the_routers_hop_limit",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'reset'\n[[listener]]\nport = 8080",
        |lab, family| {
            let shot = one(lab, family, Kind::Syn)?;
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
            let shot = one(lab, family, Kind::HalfOpen)?;
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
            let shot = one(lab, family, Kind::HalfOpen)?;
            let answered = matches!(says(&shot)?[..], [ReplySays::SynAck(_)]);
            // A busy machine may take longer than the head start of the SYN.
            let slow = replies(&shot)?
                .first()
                .is_some_and(|reply| reply.after_s > Duration::from_millis(3));
            ensure(
                answered && (slow || passed(lab, '>', "Flags [F]") == 0),
                (&shot, lab.trace()),
            )
        },
    ),
    (
        "what_our_own_output_drops_is_not_sent",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = 'drop'\n[[listener]]\nport = 8080",
        |lab, family| {
            let shots = all(lab, family, &[Kind::Syn, Kind::Ack, Kind::HalfOpen])?;
            let dropped = |shot: &Shot| match &shot.outcome {
                ShotOutcome::NotSent(error) => error.means == LocalMeans::Dropped && error.errno == "EPERM",
                ShotOutcome::Sent { .. } => false,
            };
            ensure(shots.iter().all(dropped), shots)
        },
    ),
    (
        "what_our_own_input_drops_is_seen_on_the_interface_only",
        "[[firewall]]\nnode = 'client'\nhook = 'input'\nside = 'from'\nport = 8080\nverdict = 'drop'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            let shot = one(lab, family, Kind::Syn)?;
            let [reply] = replies(&shot)? else {
                return unexpected(&shot);
            };
            let right = reply.seen == SeenAt::InterfaceOnly && matches!(reply.says, ReplySays::SynAck(_));
            ensure(right, &shot)
        },
    ),
    (
        "the_kernel_stamps_both_packets_where_our_own_firewall_passes_them",
        LISTENER,
        |lab, family| stamped(lab, family, SeenAt::Socket),
    ),
    (
        "the_kernel_stamps_both_packets_where_our_own_firewall_drops_one",
        "[[firewall]]\nnode = 'client'\nhook = 'input'\nside = 'from'\nport = 8080\nverdict = 'drop'\n\
         [[listener]]\nport = 8080",
        |lab, family| stamped(lab, family, SeenAt::InterfaceOnly),
    ),
    (
        "an_icmp_error_that_our_own_host_sends_is_told_as_such",
        "",
        |lab, family| {
            let order = Order {
                to: SocketAddr::new(Place::NobodyNear.address(family), 8080),
                patience: Duration::from_secs(8),
                ..order(family, Kind::Syn)
            };
            let shots = shoot(lab, vec![order])?;
            let [ReplySays::Icmp(error)] = &says(&shots[0])?[..] else {
                return unexpected(&shots[0]);
            };
            ensure(error.says == IcmpSays::HostUnreachable && error.from_self, &shots)
        },
    ),
    (
        "a_refusal_by_icmp_says_who_and_what",
        "[[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\n\
         action = { answer = { icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 } } }",
        |lab, family| {
            for shot in all(lab, family, &[Kind::Syn, Kind::Ack, Kind::Fin])? {
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
                ..order(family, Kind::Syn)
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
         [[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\ncount = 1\naction = { delay = '4ms' }",
        |lab, family| {
            // The second SYN-ACK overtakes the first.
            let shot = one(lab, family, Kind::Syn)?;
            let both = matches!(says(&shot)?[..], [ReplySays::SynAck(_), ReplySays::SynAck(_)]);
            ensure(both, &shot)
        },
    ),
    (
        "a_host_that_gets_a_first_fragment_says_so_in_the_end",
        "sysctl.server.\"net.ipv4.ipfrag_time\" = '1'\nsysctl.server.\"net.ipv6.ip6frag_time\" = '1'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            let order = Order {
                patience: Duration::from_secs(4),
                ..order(family, Kind::FirstFragment)
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
            let shot = one(lab, family, Kind::FirstFragment)?;
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
            let shot = one(lab, family, Kind::Challenge { from })?;
            let challenge = ReplySays::Ack {
                acknowledges_us: false,
            };
            ensure(says(&shot)? == [challenge] && shot.from == Some(from), &shot)
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
        LISTENER,
        |lab, family| {
            let server = Place::Server.address(family);
            let orders: Vec<Order> = (7_580..8_580)
                .map(|port| Order {
                    to: SocketAddr::new(server, port),
                    patience: Duration::from_secs(3),
                    ..order(family, Kind::Syn)
                })
                .collect();
            let mut answered = 0;
            for shot in shoot(lab, orders)? {
                let right = match &says(&shot)?[..] {
                    [ReplySays::SynAck(_)] => shot.to.port() == 8080,
                    [ReplySays::Rst { .. }] => shot.to.port() != 8080,
                    // The wire's own socket has no room for a burst like this; what came back across it is heard.
                    [] => passed(lab, '<', &format!(".{} > ", shot.to.port())) == 0,
                    _ => false,
                };
                answered += replies(&shot)?.len();
                ensure(right, shot)?;
            }
            ensure(answered > 900, answered)
        },
    ),
    (
        "probes_of_one_endpoint_have_a_port_each_until_none_is_left",
        "[[wire.rule]]\ntowards = 'server'\naction = 'drop'",
        |lab, family| {
            let shots = shoot(lab, vec![order(family, Kind::Syn); 33])?;
            let ports: BTreeSet<u16> = shots.iter().filter_map(|shot| Some(shot.from?.port())).collect();
            let left_out = shots.iter().filter(|shot| match &shot.outcome {
                ShotOutcome::NotSent(error) => error.means == LocalMeans::NoPorts,
                ShotOutcome::Sent { .. } => false,
            });
            ensure(ports.len() == 32 && left_out.count() == 1, (ports, &shots[32]))
        },
    ),
    (
        "without_filters_of_the_kernel_the_answers_are_the_same",
        LISTENER,
        |lab, family| {
            // Where the kernel lets any user filter his own socket this proves no more than the others.
            lab.on(Node::Client, || {
                caps::drop(None, CapSet::Effective, Capability::CAP_NET_ADMIN)
            })??;
            let shots = all(lab, family, &[Kind::Syn, Kind::Ack, Kind::Fin])?;
            let right = matches!(says(&shots[0])?[..], [ReplySays::SynAck(_)])
                && matches!(says(&shots[1])?[..], [ReplySays::Rst { .. }])
                && says(&shots[2])?.is_empty();
            ensure(right, shots)
        },
    ),
    (
        "a_probe_to_where_no_route_leads_is_not_sent",
        "[[route]]\nnode = 'client'\nto = 'server'\nway = 'none'",
        |lab, family| {
            let shot = one(lab, family, Kind::Syn)?;
            let ShotOutcome::NotSent(error) = &shot.outcome else {
                return unexpected(&shot);
            };
            ensure(error.means == LocalMeans::NoRoute, &shot)
        },
    ),
];

/// What the program makes of being permitted raw sockets, or not.
const PROGRAM: &[(&str, &str, Proof)] = &[
    (
        "the_raw_mode_without_the_right_says_how_to_get_it",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::None, &["--mode", "raw"])?;
            let remedies = [
                "CAP_NET_RAW is missing",
                "sudo",
                "cap_net_raw+p",
                "NET_RAW",
                "leave --mode out",
            ];
            let named = remedies.iter().all(|remedy| finished.stderr.contains(remedy));
            let right = finished.status.code() == Some(3) && finished.stdout.is_empty() && named;
            ensure(right, &finished)?;
            ensure(lab.trace().is_empty(), lab.trace())
        },
    ),
    (
        "the_raw_mode_with_the_right_says_that_it_looked_so",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["--mode", "raw", "-v"])?;
            let said = finished.stdout.contains("Looked with connect() and raw probes");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "an_open_port_is_looked_at_without_raw_sockets_that_are_permitted",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["-v"])?;
            let said =
                finished.stdout.contains("Looked with connect()") && !finished.stdout.contains("raw probes");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "the_connect_mode_does_without_raw_sockets_that_are_permitted",
        LISTENER,
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["--mode", "connect", "-v"])?;
            let said = in_one_line(&finished.stdout).contains("raw probes (--mode connect does without)");
            ensure(finished.status.code() == Some(0) && said, &finished)
        },
    ),
    (
        "the_program_pings_over_raw_sockets_where_it_may_not_otherwise",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'drop'",
        |lab, family| {
            let finished = tcpprobe(lab, family, Powers::NetRaw, &["-o", "json"])?;
            let replied = finished
                .stdout
                .replace([' ', '\n'], "")
                .contains(r#""probe":"echo","answer":"reply""#);
            ensure(replied, &finished)
        },
    ),
];

fn tcpprobe(
    lab: &Lab,
    family: Family,
    powers: Powers,
    arguments: &[&str],
) -> Result<Finished, libtest_mimic::Failed> {
    let mut command = lab.command(env!("CARGO_BIN_EXE_tcpprobe"), powers, None)?;
    let target = SocketAddr::new(Place::Server.address(family), 8080);
    command.args(arguments).arg(target.to_string());
    Ok(run(&mut command, Duration::from_secs(20))?)
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bit 13 of a set of capabilities.
const NET_RAW: u64 = 1 << 13;

fn gives_up_net_raw(lab: &Lab) -> Outcome {
    let sets = lab.on(Node::Client, || -> io::Result<_> {
        let at_first = capabilities()?;
        privileges::lower()?;
        let lowered = capabilities()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (opened, again) = runtime.block_on(async { (Raw::open().map(drop), Raw::open().map(drop)) });
        Ok((
            at_first,
            lowered,
            capabilities()?,
            opened,
            again.map_err(|error| error.kind()),
        ))
    })??;
    let (at_first, lowered, at_last, opened, again) = &sets;
    let [permitted, effective] = *at_first;
    let right = permitted & NET_RAW != 0
        && *lowered == [permitted, effective & !NET_RAW]
        && *at_last == [permitted & !NET_RAW, effective & !NET_RAW]
        && opened.is_ok()
        && *again == Err(io::ErrorKind::PermissionDenied);
    ensure(right, sets)
}

/// What this thread is permitted, and what of it is in force.
fn capabilities() -> io::Result<[u64; 2]> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let set = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
            .ok_or_else(|| io::Error::other(name))
    };
    Ok([set("CapPrm:")?, set("CapEff:")?])
}

fn order(family: Family, kind: Kind) -> Order {
    Order {
        kind,
        to: SocketAddr::new(Place::Server.address(family), 8080),
        source: Source::default(),
        ttl: None,
        patience: PATIENCE,
    }
}

/// The second time at the latest: the kernel takes a moment to switch its stamps on.
fn stamped(lab: &Lab, family: Family, seen: SeenAt) -> Outcome {
    let shots = in_client(lab, move |raw| async move {
        let (_finisher, finish) = finisher();
        let order = order(family, Kind::Syn);
        let _ = raw.shoot(&order, finish.clone()).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        [raw.shoot(&order, finish).await]
    })?;
    let right = |reply: &Reply| reply.timed_by == TimedBy::Kernel && reply.seen == seen;
    ensure(
        replies(&shots[0])?.iter().all(right) && !replies(&shots[0])?.is_empty(),
        &shots,
    )
}

fn one(lab: &Lab, family: Family, kind: Kind) -> Result<Shot, libtest_mimic::Failed> {
    let mut shots = all(lab, family, &[kind])?;
    shots.pop().ok_or_else(|| "no shot".into())
}

fn all(lab: &Lab, family: Family, kinds: &[Kind]) -> Result<Vec<Shot>, libtest_mimic::Failed> {
    let orders = kinds.iter().map(|kind| order(family, *kind)).collect();
    shoot(lab, orders)
}

/// All of them at once, from the client.
fn shoot(lab: &Lab, orders: Vec<Order>) -> Result<Vec<Shot>, libtest_mimic::Failed> {
    in_client(lab, move |raw| async move {
        let (_finisher, finish) = finisher();
        join_all(orders.iter().map(|order| raw.shoot(order, finish.clone()))).await
    })
}

/// Does something with raw sockets of the client, once in a lab: they cannot be opened again.
fn in_client<T, F>(
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

fn replies(shot: &Shot) -> Result<&[Reply], libtest_mimic::Failed> {
    shot.replies().ok_or_else(|| format!("{shot:?}").into())
}

fn says(shot: &Shot) -> Result<Vec<ReplySays>, libtest_mimic::Failed> {
    Ok(replies(shot)?.iter().map(|reply| reply.says.clone()).collect())
}

fn unexpected(shot: &Shot) -> Outcome {
    ensure(false, shot)
}

/// How many such packets have passed the wire in that direction.
fn passed(lab: &Lab, direction: char, what: &str) -> usize {
    let lines = lab.trace();
    lines
        .iter()
        .filter(|line| line.starts_with(direction) && line.contains(what))
        .count()
}
