//! Proves with plain sockets that each facility of the lab does what it says: without this, a wrong verdict and a
//! wrong network could not be told apart.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;

use tcpprobe::lab::{Family, Lab, Network, Node, Place, Powers, run};
use tcpprobe::net::clock;

use crate::{Test, inside};

/// Whether a facility does what it says.
pub(crate) type Outcome = Result<(), Failed>;

/// One trial for each facility, and for both IP versions where it is about packets.
pub(crate) fn trials() -> Vec<Test> {
    let mut trials = vec![
        test("a_command_without_powers_has_none", "", |lab| {
            what_it_is(lab, Powers::None)
        }),
        test("a_command_with_raw_sockets_has_nothing_else", "", |lab| {
            what_it_is(lab, Powers::NetRaw)
        }),
        test("a_command_with_filters_has_nothing_else", "", |lab| {
            what_it_is(lab, Powers::NetAdmin)
        }),
        test(
            "a_command_sees_the_files_of_the_description",
            "files.hosts = '10.0.3.2 there'",
            its_files,
        ),
        test("a_command_has_as_many_files_as_allowed", "", few_files),
        test("a_command_ends_with_who_started_it", "", ends_with_us),
    ];
    for family in Family::BOTH {
        trials.extend(CONNECTIONS.iter().map(|(name, network, wanted)| {
            let wanted = *wanted;
            test(&named(name, family), network, move |lab| {
                let (outcome, took) = connect(lab, family, Place::Server, 8080)?;
                wanted(
                    outcome.map_err(|error| error.raw_os_error().unwrap_or_default()),
                    took,
                )
            })
        }));
    }
    trials
}

pub(crate) fn named(name: &str, family: Family) -> String {
    format!("{name}::{}", if family == Family::V4 { "v4" } else { "v6" })
}

pub(crate) fn test(name: &str, network: &str, body: impl Fn(&Lab) -> Outcome + Send + 'static) -> Test {
    let network = toml::from_str::<Network>(network).unwrap_or_else(|error| panic!("{name}: {error}"));
    Test {
        name: format!("lab::{name}"),
        network,
        body: Box::new(body),
    }
}

/// What became of a connection: the bytes or the end that followed it, or the errno (0 for "no answer in time").
type Wanted = fn(Result<(), i32>, Duration) -> Outcome;

/// A busy machine may take its time, but what takes a second was retransmitted.
const BEFORE_A_SECOND_SYN: Duration = Duration::from_millis(950);

/// A connection to port 8080 of the server, in a network, and what becomes of it.
const CONNECTIONS: &[(&str, &str, Wanted)] = &[
    (
        "a_listener_accepts",
        "[[listener]]\nport = 8080",
        |outcome, took| ensure(outcome.is_ok() && took < BEFORE_A_SECOND_SYN, (outcome, took)),
    ),
    ("a_port_without_listener_refuses", "", |outcome, took| {
        ensure(outcome == Err(libc::ECONNREFUSED), (outcome, took))
    }),
    (
        "the_wire_takes_its_time",
        "wire = { delay-to-server = '100ms', delay-to-client = '50ms' }\n[[listener]]\nport = 8080",
        |outcome, took| {
            let fits = Duration::from_millis(150)..BEFORE_A_SECOND_SYN;
            ensure(outcome.is_ok() && fits.contains(&took), (outcome, took))
        },
    ),
    (
        "the_wire_drops_the_first_syn",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\ncount = 1\naction = 'drop'",
        |outcome, took| {
            ensure(
                outcome.is_ok() && took > Duration::from_millis(900),
                (outcome, took),
            )
        },
    ),
    (
        "the_wire_delays_one_kind_of_packet",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'client'\npacket = 'syn-ack'\nport = 8080\n\
         action = { delay = '300ms' }",
        |outcome, took| {
            let fits = Duration::from_millis(300)..BEFORE_A_SECOND_SYN;
            ensure(outcome.is_ok() && fits.contains(&took), (outcome, took))
        },
    ),
    (
        "the_wire_holds_packets_but_not_for_ever",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\n\
         action = { hold = { packets = 2, at-most = '200ms' } }",
        |outcome, took| {
            let fits = Duration::from_millis(200)..BEFORE_A_SECOND_SYN;
            ensure(outcome.is_ok() && fits.contains(&took), (outcome, took))
        },
    ),
    (
        "the_wire_repeats_packets_without_harm",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'server'\naction = 'duplicate'",
        |outcome, took| ensure(outcome.is_ok(), (outcome, took)),
    ),
    (
        "the_wire_resets",
        "[[listener]]\nport = 8080\n[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\n\
         action = { answer = { reset = { ttl = 61 } } }",
        |outcome, took| ensure(outcome == Err(libc::ECONNREFUSED), (outcome, took)),
    ),
    (
        "the_wire_accepts_in_the_servers_name",
        "[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\naction = { answer = { syn-ack = {} } }\n\
         [[wire.rule]]\ntowards = 'server'\naction = 'drop'",
        |outcome, took| ensure(outcome.is_ok(), (outcome, took)),
    ),
    (
        "the_wire_says_that_the_port_is_unreachable",
        "[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\n\
         action = { answer = { icmp = { says = 'port-unreachable', from = 'r2' } } }",
        |outcome, took| ensure(outcome == Err(libc::ECONNREFUSED), (outcome, took)),
    ),
    (
        "the_wire_says_that_the_host_is_unreachable",
        "[[wire.rule]]\ntowards = 'server'\npacket = 'syn'\n\
         action = { answer = { icmp = { says = 'host-unreachable', from = 'r1' } } }",
        |outcome, took| ensure(outcome == Err(libc::EHOSTUNREACH), (outcome, took)),
    ),
    (
        "a_router_drops_by_policy",
        "[[policy]]\nnode = 'r1'\nport = 8080\nway = 'blackhole'",
        silent,
    ),
    (
        "a_router_prohibits_by_policy",
        "[[policy]]\nnode = 'r2'\nport = 8080\nway = 'prohibit'",
        // EHOSTUNREACH for 3/13, EACCES for ICMPv6 1/1.
        |outcome, took| {
            ensure(
                matches!(outcome, Err(libc::EHOSTUNREACH | libc::EACCES)),
                (outcome, took),
            )
        },
    ),
    (
        "the_clients_own_route_prohibits",
        "[[route]]\nnode = 'client'\nto = 'server'\nway = 'prohibit'",
        |outcome, took| ensure(outcome == Err(libc::EACCES), (outcome, took)),
    ),
    (
        "the_client_has_no_route",
        "[[route]]\nnode = 'client'\nto = 'server'\nway = 'none'",
        |outcome, took| ensure(outcome == Err(libc::ENETUNREACH), (outcome, took)),
    ),
    (
        "a_loop_exceeds_the_ttl",
        "[[route]]\nnode = 'r2'\nto = 'server'\nway = 'r1'",
        |outcome, took| ensure(outcome == Err(libc::EHOSTUNREACH), (outcome, took)),
    ),
    (
        "a_full_accept_queue_is_silent",
        "[[listener]]\nport = 8080\nbacklog = 2\nbehaviour = 'never-accept'\nfull = true",
        silent,
    ),
    (
        "a_queue_that_nobody_accepts_from_is_not_full_yet",
        "[[listener]]\nport = 8080\nbacklog = 2\nbehaviour = 'never-accept'",
        |outcome, took| ensure(outcome.is_ok(), (outcome, took)),
    ),
];

pub(crate) fn silent(outcome: Result<(), i32>, took: Duration) -> Outcome {
    ensure(outcome == Err(0), (outcome, took))
}

pub(crate) fn ensure(holds: bool, saw: impl std::fmt::Debug) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(format!("saw {saw:?}").into())
    }
}

/// Connects from the client. No answer within 1.5 s is an error without an errno.
pub(crate) fn connect(
    lab: &Lab,
    family: Family,
    to: Place,
    port: u16,
) -> Result<(io::Result<()>, Duration), Failed> {
    let to = SocketAddr::new(to.address(family), port);
    let connect = move || {
        let started = clock::now();
        let outcome = TcpStream::connect_timeout(&to, Duration::from_millis(1500)).map(drop);
        (outcome, clock::now().duration_since(started))
    };
    Ok(lab.on(Node::Client, connect)?)
}

pub(crate) fn ask(lab: &Lab, powers: Powers, open_files: Option<u64>) -> Result<String, Failed> {
    let mut command = lab.command(std::env::current_exe()?, powers, open_files)?;
    let finished = run(command.arg(inside::WHAT_I_AM), Duration::from_secs(10))?;
    if !finished.status.success() {
        return Err(format!("{finished:?}").into());
    }
    Ok(finished.stdout)
}

fn what_it_is(lab: &Lab, powers: Powers) -> Outcome {
    let said = ask(lab, powers, None)?;
    let (raw, set) = match powers {
        Powers::None => ("raw: Err(PermissionDenied)", "0000000000000000"),
        Powers::NetRaw => ("raw: Ok(())", "0000000000002000"),
        Powers::NetAdmin => ("raw: Err(PermissionDenied)", "0000000000001000"),
    };
    let has = |line: String| said.lines().any(|said| said == line);
    let all = has(raw.to_owned())
        && has(format!("CapPrm:\t{set}"))
        && has(format!("CapEff:\t{set}"))
        && has(format!("CapBnd:\t{set}"))
        && has("CapInh:\t0000000000000000".to_owned())
        && has("CapAmb:\t0000000000000000".to_owned())
        && has("NoNewPrivs:\t1".to_owned());
    ensure(all, said)
}

fn its_files(lab: &Lab) -> Outcome {
    let said = ask(lab, Powers::None, None)?;
    let right = said.contains("resolv.conf: Err(NotFound)") && said.contains("hosts: Ok(\"10.0.3.2 there\")");
    ensure(right, said)
}

fn few_files(lab: &Lab) -> Outcome {
    let said = ask(lab, Powers::None, Some(10))?;
    ensure(said.contains("files: 7\n"), said)
}

/// The thread that starts it ends at once, as it does when this process is killed.
fn ends_with_us(lab: &Lab) -> Outcome {
    let mut command = lab.command("sleep", Powers::None, None)?;
    command.arg("60");
    let child = thread::spawn(move || command.spawn()).join();
    let mut child = child.map_err(|_| "the thread that starts it panicked")??;
    let until = clock::now() + Duration::from_secs(10);
    while clock::now() < until {
        if let Some(status) = child.try_wait()? {
            return ensure(status.signal() == Some(libc::SIGKILL), status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Err("it outlives who started it".into())
}
