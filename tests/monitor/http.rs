//! Requests over HTTP: routes, bounds, TLS and passwords.

#[path = "http/bounds.rs"]
mod bounds;
#[path = "http/certificates.rs"]
mod certificates;
#[path = "http/client.rs"]
pub(crate) mod client;
#[path = "http/program.rs"]
mod program;
#[path = "http/secured.rs"]
mod secured;
#[path = "http/server.rs"]
mod server;

use std::net::IpAddr;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use tcpprobe::lab::{Family, Lab, Network, Node};

use crate::House;

type OnLoopback = fn(IpAddr) -> Result<(), Failed>;

/// On loopback of a network of their own, with the server within the trial.
const WITHIN: &[(&str, OnLoopback)] = &[
    (
        "requests_are_understood_as_they_are_meant",
        bounds::requests_are_understood_as_they_are_meant,
    ),
    (
        "head_says_what_get_would_and_keeps_the_body",
        bounds::head_says_what_get_would_and_keeps_the_body,
    ),
    (
        "bodies_are_packed_for_those_who_ask",
        bounds::bodies_are_packed_for_those_who_ask,
    ),
    (
        "requests_in_one_packet_are_answered_in_their_order",
        bounds::requests_in_one_packet_are_answered_in_their_order,
    ),
    (
        "who_closes_the_own_side_gets_what_is_at_hand",
        bounds::who_closes_the_own_side_gets_what_is_at_hand,
    ),
    (
        "who_is_gone_is_not_worked_for",
        bounds::who_is_gone_is_not_worked_for,
    ),
    ("slow_requests_are_given_up", bounds::slow_requests_are_given_up),
    (
        "who_does_not_read_is_reset_and_costs_little",
        bounds::who_does_not_read_is_reset_and_costs_little,
    ),
    (
        "one_peer_has_its_share_of_connections_and_all_have_theirs",
        bounds::one_peer_has_its_share_of_connections_and_all_have_theirs,
    ),
    (
        "requests_beyond_the_limit_are_told_to_come_again",
        bounds::requests_beyond_the_limit_are_told_to_come_again,
    ),
    (
        "what_is_too_large_is_refused",
        bounds::what_is_too_large_is_refused,
    ),
    ("no_nonsense_brings_it_down", bounds::no_nonsense_brings_it_down),
    (
        "what_is_under_way_at_the_end_is_finished_within_its_time",
        bounds::what_is_under_way_at_the_end_is_finished_within_its_time,
    ),
    (
        "both_families_are_heard_and_a_port_that_is_taken_is_named",
        bounds::both_families_are_heard_and_a_port_that_is_taken_is_named,
    ),
    (
        "both_versions_of_tls_are_spoken_and_plain_http_is_told",
        secured::both_versions_of_tls_are_spoken_and_plain_http_is_told,
    ),
    (
        "a_handshake_has_its_time_and_a_client_its_end",
        secured::a_handshake_has_its_time_and_a_client_its_end,
    ),
    (
        "versions_suites_and_curves_are_those_of_the_file",
        secured::versions_suites_and_curves_are_those_of_the_file,
    ),
    (
        "clients_show_the_certificates_that_the_file_asks_for",
        secured::clients_show_the_certificates_that_the_file_asks_for,
    ),
    (
        "a_certificate_that_is_renewed_is_shown_from_then_on",
        secured::a_certificate_that_is_renewed_is_shown_from_then_on,
    ),
    (
        "passwords_are_asked_for_where_there_are_users",
        secured::passwords_are_asked_for_where_there_are_users,
    ),
    (
        "guessing_passwords_keeps_nobody_out",
        secured::guessing_passwords_keeps_nobody_out,
    ),
    (
        "what_is_wrong_with_the_file_is_told_with_its_place",
        secured::what_is_wrong_with_the_file_is_told_with_its_place,
    ),
];

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let mut trials = Vec::new();
    for family in Family::BOTH {
        let at = loopback(family);
        for (name, job) in WITHIN {
            trials.push(
                house.trial(format!("http_{name}_{family:?}").to_lowercase(), move || {
                    let lab = Lab::build(&Network::default())?;
                    lab.on(Node::Client, move || job(at))?
                }),
            );
        }
    }
    trials.extend(program::trials(house));
    trials
}

fn loopback(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([127, 0, 0, 1]),
        Family::V6 => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

/// Waits until something holds; that it never does is a failure.
pub(crate) fn until(holds: impl Fn() -> bool) -> Result<(), Failed> {
    let rounds = client::PATIENCE.as_millis() / 5;
    for _ in 0..rounds {
        if holds() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err("it never came to that".into())
}

/// The name of the threads that servers run on.
const SERVER: &str = "served";

/// How often such a thread panicked since this was first asked, whether or not anybody caught it.
fn panics_of_servers() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some(SERVER) {
                COUNT.fetch_add(1, Ordering::SeqCst);
            }
            before(panic);
        }));
    });
    COUNT.load(Ordering::SeqCst)
}
