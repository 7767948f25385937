//! Proves that the lab holds many packets at a time, and many ports.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use tcpprobe::lab::{Lab, Node, Place};
use tcpprobe::net::clock;

use crate::behaviours::Proof;
use crate::facilities::ensure;

/// What is about many packets, or many ports.
pub(crate) const CROWDS: &[(&str, &str, Proof)] = &[
    ("a_burst_passes_the_wire_as_a_whole", "", |lab, family| {
        // The kernel doubles what the wire asks for, as far as it grants it, and charges less than a KiB for each.
        let most = fs::read_to_string("/proc/sys/net/core/rmem_max")?;
        let burst = (most.trim().parse::<usize>()? / 512).min(10_000);
        let to = SocketAddr::new(Place::Server.address(family), 9);
        let send = |datagrams: usize| {
            lab.on(Node::Client, move || {
                // Not connected, so that the server's port-unreachable is no error here.
                let socket = Socket::new(Domain::for_address(to), Type::DGRAM, None)?;
                (0..datagrams).try_for_each(|_| socket.send_to(b"now", &to.into()).map(drop))
            })?
        };
        // The first one finds the neighbours, for whom the kernel lets no more than a few hundred wait.
        send(1)?;
        let first = passed(lab, 1);
        send(burst)?;
        let all = passed(lab, first + burst);
        ensure(all == 1 + burst, (all, burst))
    }),
    (
        "so_many_listeners_in_a_row_listen_each",
        "[[listener]]\nport = 10000\ncount = 1000",
        |lab, family| {
            let to = Place::Server.address(family);
            let within = Duration::from_secs(2);
            let opened = lab.on(Node::Client, move || {
                let open =
                    |port: &u16| TcpStream::connect_timeout(&SocketAddr::new(to, *port), within).is_ok();
                (9_999..=11_000).filter(open).collect::<Vec<u16>>()
            })?;
            ensure(opened.iter().copied().eq(10_000..11_000), opened)
        },
    ),
];

/// How many packets have passed towards the server: waits for so many, but not for ever.
fn passed(lab: &Lab, wanted: usize) -> usize {
    let count = || lab.trace().iter().filter(|line| line.starts_with('>')).count();
    let until = clock::now() + Duration::from_secs(5);
    while count() < wanted && clock::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    count()
}
