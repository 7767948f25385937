//! Proves what our own side has to do with it: firewalls, interfaces, ports and clocks of the host that asks.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use caps::{CapSet, Capability};

use tcpprobe::evidence::{
    IcmpSays, LocalMeans, Question, Reply, ReplySays, SeenAt, Shot, ShotOutcome, TimedBy,
};
use tcpprobe::lab::{Family, Lab, Node, Place};
use tcpprobe::net::dial::Source;
use tcpprobe::net::finish::finisher;
use tcpprobe::net::raw::Order;
use tcpprobe::net::{clock, interfaces};

use crate::facilities::{Outcome, ensure};
use crate::raw::{LISTENER, Proof, all, in_client, one, order, passed, replies, says, shoot, unexpected};

/// One trial a proof and IP version.
pub(crate) const PROOFS: &[(&str, &str, Proof)] = &[
    (
        "what_our_own_output_drops_is_not_sent",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = 'drop'\n[[listener]]\nport = 8080",
        |lab, family| {
            let shots = all(lab, family, &[Question::Syn, Question::Ack, Question::HalfOpen])?;
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
            let shot = one(lab, family, Question::Syn)?;
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
                ..order(family, Question::Syn)
            };
            let shots = shoot(lab, vec![order])?;
            let [ReplySays::Icmp(error)] = &says(&shots[0])?[..] else {
                return unexpected(&shots[0]);
            };
            ensure(error.says == IcmpSays::HostUnreachable && error.from_self, &shots)
        },
    ),
    (
        "probes_of_one_endpoint_have_a_port_each_until_none_is_left",
        "[[wire.rule]]\ntowards = 'server'\naction = 'drop'",
        |lab, family| {
            let shots = shoot(lab, vec![order(family, Question::Syn); 33])?;
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
            let shots = all(lab, family, &[Question::Syn, Question::Ack, Question::Fin])?;
            let right = matches!(says(&shots[0])?[..], [ReplySays::SynAck(_)])
                && matches!(says(&shots[1])?[..], [ReplySays::Rst { .. }])
                && says(&shots[2])?.is_empty();
            ensure(right, shots)
        },
    ),
    (
        "a_probe_leaves_by_the_interface_that_is_named_or_not_at_all",
        LISTENER,
        |lab, family| {
            let by = |interface: &str| Order {
                source: Source {
                    interface: Some(interface.to_owned()),
                    ..Source::default()
                },
                ..order(family, Question::Syn)
            };
            let shots = shoot(lab, vec![by("eth0"), by("gone0")])?;
            ensure(matches!(says(&shots[0])?[..], [ReplySays::SynAck(_)]), &shots)?;
            match &shots[1].outcome {
                ShotOutcome::NotSent(error) if error.errno == "ENODEV" => Ok(()),
                ShotOutcome::NotSent(_) | ShotOutcome::Sent { .. } => unexpected(&shots[1]),
            }
        },
    ),
    (
        "an_interface_that_goes_down_between_two_probes_is_no_silence",
        LISTENER,
        |lab, family| {
            let shots = in_client(lab, move |raw| async move {
                let (_finisher, finish) = finisher();
                let order = order(family, Question::Syn);
                let before = raw.shoot(&order, finish.clone()).await;
                let down = take_down("eth0").await;
                (before, down.is_ok(), raw.shoot(&order, finish).await)
            })?;
            let (before, down, after) = &shots;
            let not_sent = match &after.outcome {
                ShotOutcome::NotSent(error) => error.means == LocalMeans::NoRoute,
                ShotOutcome::Sent { .. } => false,
            };
            ensure(replies(before)?.len() == 1 && *down && not_sent, &shots)
        },
    ),
    (
        "conclude_at_once_ends_a_probe",
        "[[wire.rule]]\ntowards = 'server'\naction = 'drop'",
        |lab, family| {
            let began = clock::now();
            let shot = in_client(lab, move |raw| async move {
                let (finisher, finish) = finisher();
                let order = Order {
                    patience: Duration::from_secs(20),
                    ..order(family, Question::HalfOpen)
                };
                let conclude = async {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    finisher.finish();
                };
                tokio::join!(raw.shoot(&order, finish), conclude).0
            })?;
            let took = clock::now() - began;
            ensure(
                says(&shot)?.is_empty() && took < Duration::from_secs(10),
                (shot, took),
            )
        },
    ),
    (
        "a_first_fragment_that_our_own_connection_tracking_keeps_is_not_sent",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 9\nstate = 'new'\nverdict = 'drop'",
        |lab, family| {
            let shot = one(lab, family, Question::FirstFragment)?;
            let left = passed(lab, '>', "Flags [S]");
            // Over IPv4 a socket may ask that its fragments be left alone.
            let right = match (family, &shot.outcome) {
                (Family::V4, ShotOutcome::Sent { replies }) => replies.is_empty() && left == 1,
                (Family::V6, ShotOutcome::NotSent(error)) => error.means == LocalMeans::Other && left == 0,
                (Family::V4, ShotOutcome::NotSent(_)) | (Family::V6, ShotOutcome::Sent { .. }) => false,
            };
            ensure(right, (shot, lab.trace()))
        },
    ),
    (
        "a_failed_send_does_not_confuse_the_stamps_of_others",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = 'drop'",
        |lab, family| {
            let shots = in_client(lab, move |raw| async move {
                let (_finisher, finish) = finisher();
                let mut shots = Vec::new();
                for port in [8081, 8080, 8080, 8081, 8080, 8081] {
                    let mut order = order(family, Question::Syn);
                    order.to.set_port(port);
                    shots.push(raw.shoot(&order, finish.clone()).await);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                shots
            })?;
            // The kernel takes a moment to switch its stamps on.
            let answered = shots.iter().skip(1).filter_map(Shot::replies).flatten();
            let by: Vec<TimedBy> = answered.map(|reply| reply.timed_by).collect();
            ensure(by == [TimedBy::Kernel, TimedBy::Kernel], shots)
        },
    ),
    (
        "a_probe_to_where_no_route_leads_is_not_sent",
        "[[route]]\nnode = 'client'\nto = 'server'\nway = 'none'",
        |lab, family| {
            let shot = one(lab, family, Question::Syn)?;
            let ShotOutcome::NotSent(error) = &shot.outcome else {
                return unexpected(&shot);
            };
            ensure(error.means == LocalMeans::NoRoute, &shot)
        },
    ),
];

/// The second time at the latest: the kernel takes a moment to switch its stamps on.
fn stamped(lab: &Lab, family: Family, seen: SeenAt) -> Outcome {
    let shots = in_client(lab, move |raw| async move {
        let (_finisher, finish) = finisher();
        let order = order(family, Question::Syn);
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

/// Switches an interface of this namespace off.
async fn take_down(interface: &str) -> io::Result<()> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    let link = rtnetlink::LinkUnspec::new_with_index(interfaces::index_of(interface)?);
    let request = handle.link().set(link.down().build());
    request.execute().await.map_err(io::Error::other)
}
