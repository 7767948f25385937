//! Proves what takes more than one look: what follows a handshake, what the wire saw of it, who may do what.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};

use tcpprobe::lab::{Family, Lab, Node, Place, Powers};

use crate::Test;
use crate::crowds::CROWDS;
use crate::facilities::{Outcome, ask, connect, ensure, named, silent, test};

pub(crate) type Proof = fn(&Lab, Family) -> Outcome;

/// One trial a facility and IP version.
pub(crate) fn trials() -> Vec<Test> {
    let proofs = FIREWALLS
        .iter()
        .chain(QUEUES)
        .chain(CROWDS)
        .chain(ENDINGS)
        .chain(ADDRESSES)
        .chain(NAMES);
    proofs
        .flat_map(|(name, network, proof)| {
            Family::BOTH.map(|family| {
                let proof = *proof;
                test(&named(name, family), network, move |lab| proof(lab, family))
            })
        })
        .collect()
}

const LISTENER: &str = "[[listener]]\nport = 8080";

/// What is about the firewalls of the kernel.
const FIREWALLS: &[(&str, &str, Proof)] = &[
    (
        "a_segment_that_the_client_drops_never_reaches_the_wire",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = 'drop'",
        |lab, family| {
            silent_connection(lab, family)?;
            ensure(saw(lab, '>', "[S]") == 0, lab.trace())
        },
    ),
    (
        "an_answer_that_the_client_drops_has_passed_the_wire",
        "[[firewall]]\nnode = 'client'\nhook = 'input'\nside = 'from'\nport = 8080\nverdict = 'drop'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            silent_connection(lab, family)?;
            ensure(saw(lab, '<', "[S.]") > 0, lab.trace())
        },
    ),
    (
        "a_router_drops_one_port_and_no_other",
        "[[firewall]]\nnode = 'r1'\nhook = 'forward'\nport = 8080\nverdict = 'drop'\n[[listener]]\nport = 8080",
        dropped_but_the_next_port_refuses,
    ),
    (
        "the_host_drops_what_begins_a_connection_to_one_port",
        "[[firewall]]\nnode = 'server'\nhook = 'input'\nport = 8080\nstate = 'new'\nverdict = 'drop'\n\
         [[listener]]\nport = 8080",
        dropped_but_the_next_port_refuses,
    ),
    (
        "a_router_that_rejects_with_a_reset_does_so",
        "[[firewall]]\nnode = 'r2'\nhook = 'forward'\nport = 8080\nverdict = 'reset'\n\
         [[listener]]\nport = 8080",
        |lab, family| {
            let (outcome, took) = connect(lab, family, Place::Server, 8080)?;
            ensure(errno(&outcome) == libc::ECONNREFUSED, (outcome, took))
        },
    ),
    (
        "a_redirected_connection_needs_no_more_than_one_hop",
        "[[firewall]]\nnode = 'client'\nhook = 'output'\nport = 8080\nverdict = { redirect = 15001 }\n\
         [[listener]]\nnode = 'client'\nport = 15001",
        |lab, family| {
            let to = SocketAddr::new(Place::Server.address(family), 8080);
            let outcome = lab.on(Node::Client, move || connect_with_ttl_one(to))?;
            ensure(
                outcome.is_ok() && saw(lab, '>', "[S]") == 0,
                (outcome, lab.trace()),
            )
        },
    ),
    (
        "a_router_that_redirects_accepts_what_would_expire_there",
        "[[firewall]]\nnode = 'r1'\nhook = 'prerouting'\nport = 8080\nverdict = { redirect = 15001 }\n\
         [[listener]]\nnode = 'r1'\nport = 15001",
        |lab, family| {
            let to = SocketAddr::new(Place::Server.address(family), 8080);
            let outcome = lab.on(Node::Client, move || connect_with_ttl_one(to))?;
            ensure(
                outcome.is_ok() && saw(lab, '<', "[S.]") == 1,
                (outcome, lab.trace()),
            )
        },
    ),
];

/// The ways in which an accept queue can be full.
const QUEUES: &[(&str, &str, Proof)] = &[
    (
        "an_ack_that_finds_the_queue_full_is_ignored",
        "[[listener]]\nport = 8080\nbacklog = 4\nbehaviour = 'never-accept'\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'ack'\naction = { first = { fill = 8080 } }",
        |lab, family| {
            let connection = open(lab, family)?;
            connection.shutdown(Shutdown::Write)?;
            thread::sleep(Duration::from_millis(300));
            let answers = lab.trace().iter().filter(|line| line.starts_with('<')).count();
            ensure(
                saw(lab, '>', "[F.]") > 0 && answers == saw(lab, '<', "[S.]"),
                lab.trace(),
            )
        },
    ),
    (
        "an_ack_that_finds_the_queue_full_is_reset_if_so_set",
        "sysctl.server.\"net.ipv4.tcp_abort_on_overflow\" = '1'\n\
         [[listener]]\nport = 8080\nbacklog = 4\nbehaviour = 'never-accept'\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'ack'\naction = { first = { fill = 8080 } }",
        |lab, family| {
            let ending = ending(open(lab, family));
            ensure(
                ending == Err(libc::ECONNRESET) && saw(lab, '<', "[R]") == 1,
                (ending, lab.trace()),
            )
        },
    ),
    (
        "a_queue_at_its_brim_answers_every_other_syn",
        "[[listener]]\nport = 8080\nbacklog = 2\nbehaviour = 'never-accept'\nfull = true\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'syn'\nskip = 1\nevery = 2\n\
         action = { first = { accept-one = 8080 } }",
        |lab, family| {
            let (outcome, took) = connect(lab, family, Place::Server, 8080)?;
            ensure(
                outcome.is_ok() && took > Duration::from_millis(900),
                (outcome, took),
            )
        },
    ),
    (
        "the_clients_own_full_queue_is_silent",
        "[[listener]]\nnode = 'client'\nport = 8080\nbacklog = 2\nbehaviour = 'never-accept'\nfull = true",
        |lab, family| {
            let (outcome, took) = connect(lab, family, Place::Client, 8080)?;
            silent(
                outcome.map_err(|error| error.raw_os_error().unwrap_or_default()),
                took,
            )
        },
    ),
];

/// What follows a handshake.
const ENDINGS: &[(&str, &str, Proof)] = &[
    (
        "a_connection_that_is_kept_stays_silent",
        LISTENER,
        |lab, family| {
            let ending = ending(open(lab, family));
            ensure(ending == Err(libc::EAGAIN), (ending, lab.trace()))
        },
    ),
    (
        "a_connection_that_is_closed_at_once_ends",
        "[[listener]]\nport = 8080\nbehaviour = 'accept-then-close'",
        |lab, family| {
            let ending = ending(open(lab, family));
            ensure(ending == Ok(0), (ending, lab.trace()))
        },
    ),
    (
        "a_connection_that_is_reset_at_once_is_reset_with_an_ack",
        "[[listener]]\nport = 8080\nbehaviour = 'accept-then-reset'",
        |lab, family| {
            let ending = ending(open(lab, family));
            ensure(
                ending == Err(libc::ECONNRESET) && saw(lab, '<', "[R.]") == 1,
                (ending, lab.trace()),
            )
        },
    ),
];

/// Addresses that are not there, and ports that are not left.
const ADDRESSES: &[(&str, &str, Proof)] = &[
    (
        "nobody_answers_for_an_address_on_our_own_link",
        "[sysctl.client]\n\"net.ipv4.neigh.eth0.retrans_time_ms\" = '200'\n\
         \"net.ipv6.neigh.eth0.retrans_time_ms\" = '200'",
        |lab, family| fails(lab, family, Place::NobodyNear, libc::EHOSTUNREACH),
    ),
    (
        "nobody_answers_for_an_address_behind_the_last_router",
        "[sysctl.r2]\n\"net.ipv4.neigh.eth1.retrans_time_ms\" = '200'\n\
         \"net.ipv6.neigh.eth1.retrans_time_ms\" = '200'",
        |lab, family| fails(lab, family, Place::NobodyFar, libc::EHOSTUNREACH),
    ),
    ("no_router_knows_the_way_elsewhere", "", |lab, family| {
        fails(lab, family, Place::Elsewhere, libc::ENETUNREACH)
    }),
    (
        "the_only_port_is_taken",
        "sysctl.client.\"net.ipv4.ip_local_port_range\" = '40000 40000'\n\
         [[listener]]\nport = 8080\n[[held]]\nto = 'server'\nport = 8080\ncount = 1",
        |lab, family| {
            ensure(lab.held().len() == 2, lab.held())?;
            fails(lab, family, Place::Server, libc::EADDRNOTAVAIL)
        },
    ),
    (
        "a_ping_passes_where_segments_do_not",
        "sysctl.client.\"net.ipv4.ping_group_range\" = '0 0'\n\
         [[wire.rule]]\ntowards = 'server'\npacket = 'tcp'\naction = 'drop'",
        |lab, family| {
            silent_connection(lab, family)?;
            let said = ask(lab, Powers::None, None)?;
            let which = if family == Family::V4 {
                "ping v4: Ok"
            } else {
                "ping v6: Ok"
            };
            ensure(said.contains(which), (said, lab.trace()))
        },
    ),
];

/// What the DNS server says.
const NAMES: &[(&str, &str, Proof)] = &[
    (
        "the_dns_server_says_what_it_was_told",
        "[[dns.answer]]\nname = 'here.test'\nreply = { addresses = ['server', 'server2'] }\n\
         [[dns.answer]]\nname = 'half.test'\nrecord = 'A'\nreply = { addresses = ['server'] }\n\
         [[dns.answer]]\nname = 'fails.test'\nreply = 'servfail'\n\
         [[dns.answer]]\nname = 'refuses.test'\nreply = 'refused'\n\
         [[dns.answer]]\nname = 'late.test'\nreply = 'nodata'\nafter = '100ms'\n\
         [[dns.answer]]\nname = 'silent.test'\nreply = 'drop'",
        |lab, family| {
            let said = |name: &'static str, record| look_up(lab, family, name, record);
            let both = [Place::Server, Place::Server2]
                .map(|place| place.address(Family::V6))
                .to_vec();
            let expected = [
                (
                    said("here.test", RecordType::AAAA)?,
                    Some((ResponseCode::NoError, both)),
                ),
                (
                    said("half.test", RecordType::A)?,
                    Some((ResponseCode::NoError, vec![Place::Server.address(Family::V4)])),
                ),
                (
                    said("half.test", RecordType::AAAA)?,
                    Some((ResponseCode::NoError, vec![])),
                ),
                (
                    said("fails.test", RecordType::A)?,
                    Some((ResponseCode::ServFail, vec![])),
                ),
                (
                    said("refuses.test", RecordType::A)?,
                    Some((ResponseCode::Refused, vec![])),
                ),
                (
                    said("late.test", RecordType::A)?,
                    Some((ResponseCode::NoError, vec![])),
                ),
                (
                    said("unknown.test", RecordType::A)?,
                    Some((ResponseCode::NXDomain, vec![])),
                ),
                (said("silent.test", RecordType::A)?, None),
            ];
            ensure(expected.iter().all(|(said, wanted)| said == wanted), expected)
        },
    ),
    ("where_no_dns_server_is_the_host_says_so", "", |lab, family| {
        let outcome = look_up(lab, family, "here.test", RecordType::A);
        ensure(
            outcome
                .as_ref()
                .is_err_and(|error| errno_of(error) == libc::ECONNREFUSED),
            outcome,
        )
    }),
];

fn open(lab: &Lab, family: Family) -> io::Result<TcpStream> {
    let to = SocketAddr::new(Place::Server.address(family), 8080);
    lab.on(Node::Client, move || {
        TcpStream::connect_timeout(&to, Duration::from_secs(2))
    })?
}

fn connect_with_ttl_one(to: SocketAddr) -> io::Result<()> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
    match to {
        SocketAddr::V4(_) => socket.set_ttl_v4(1)?,
        SocketAddr::V6(_) => socket.set_unicast_hops_v6(1)?,
    }
    socket.connect_timeout(&to.into(), Duration::from_secs(1))
}

/// How a connection on which nobody says anything ends, within 300 ms: bytes read, or errno. A reset that comes before
/// anybody looked is reported by the connect itself.
fn ending(connection: io::Result<TcpStream>) -> Result<usize, i32> {
    let read = |mut connection: TcpStream| {
        connection.set_read_timeout(Some(Duration::from_millis(300)))?;
        connection.read(&mut [0; 16])
    };
    connection.and_then(read).map_err(|error| errno_of(&error))
}

fn silent_connection(lab: &Lab, family: Family) -> Outcome {
    let (outcome, took) = connect(lab, family, Place::Server, 8080)?;
    silent(outcome.map_err(|error| errno_of(&error)), took)
}

fn dropped_but_the_next_port_refuses(lab: &Lab, family: Family) -> Outcome {
    silent_connection(lab, family)?;
    let (outcome, took) = connect(lab, family, Place::Server, 8081)?;
    ensure(errno(&outcome) == libc::ECONNREFUSED, (outcome, took))
}

fn fails(lab: &Lab, family: Family, to: Place, wanted: i32) -> Outcome {
    let (outcome, took) = connect(lab, family, to, 8080)?;
    ensure(errno(&outcome) == wanted, (outcome, took, lab.trace()))
}

fn errno(outcome: &io::Result<()>) -> i32 {
    outcome.as_ref().err().map_or(0, errno_of)
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or_default()
}

/// How many segments with these flags the wire saw in this direction.
fn saw(lab: &Lab, direction: char, flags: &str) -> usize {
    let flags = format!("Flags {flags},");
    lab.trace()
        .iter()
        .filter(|line| line.starts_with(direction) && line.contains(&flags))
        .count()
}

type Said = Option<(ResponseCode, Vec<std::net::IpAddr>)>;

/// What the DNS server says within 300 ms.
fn look_up(lab: &Lab, family: Family, name: &'static str, record: RecordType) -> io::Result<Said> {
    let server = SocketAddr::new(Place::Server.address(family), 53);
    let mut query = Message::query();
    query.add_query(Query::query(
        Name::from_ascii(name).map_err(io::Error::other)?,
        record,
    ));
    let query = query.to_vec().map_err(io::Error::other)?;
    let answer = lab.on(Node::Client, move || {
        let from: SocketAddr = if server.is_ipv4() {
            ([0; 4], 0).into()
        } else {
            ([0; 16], 0).into()
        };
        let socket = UdpSocket::bind(from)?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(Duration::from_millis(300)))?;
        socket.send(&query)?;
        let mut buffer = vec![0; 1500];
        match socket.recv(&mut buffer) {
            Ok(length) => Ok(Some(buffer[..length].to_vec())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    })??;
    let Some(answer) = answer else { return Ok(None) };
    let answer = Message::from_vec(&answer).map_err(io::Error::other)?;
    let addresses = answer.answers.iter().filter_map(|record| record.data.ip_addr());
    Ok(Some((answer.metadata.response_code, addresses.collect())))
}
