//! A hundred thousand sockets of one namespace: how long it takes to read them and how much memory, beside ss.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};
use tcpprobe::lab::{Lab, Network, Node};

use super::process::{milliseconds, peak, words};
use super::{Spread, TCPPROBE};

/// Each connection is two sockets: the client closes it, and nobody has accepted the other end.
const CONNECTIONS: usize = 50_000;
const LISTENERS: usize = 2;
const RUNS: usize = 15;

/// Prints the table.
pub(super) fn measure() {
    let lab = match Lab::build(&Network::default()) {
        Ok(lab) => lab,
        Err(error) => return println!("no network: {error}\n"),
    };
    let measured = lab.on(Node::R2, || {
        let _listeners = fill()?;
        let sockstat = fs::read_to_string("/proc/thread-self/net/sockstat")?;
        let tcp = sockstat
            .lines()
            .find(|line| line.starts_with("TCP:"))
            .unwrap_or_default();
        println!(
            "{} sockets in one namespace ({tcp}), {RUNS} runs each:\n",
            2 * CONNECTIONS
        );
        println!(
            "| program | time, s: min | median | max | peak memory, KiB |\n| --- | --- | --- | --- | --- |"
        );
        for command in [
            &[TCPPROBE, "sockets"][..],
            &[TCPPROBE, "sockets", "-o", "json"],
            &["ss", "-tanie"],
            &["ss", "-tan"],
        ] {
            row(command);
        }
        println!();
        Ok::<(), io::Error>(())
    });
    if let Err(error) = measured.and_then(|result| result) {
        println!("failed: {error}\n");
    }
}

fn row(command: &[&str]) {
    let mut name = command.to_vec();
    name[0] = name[0].rsplit('/').next().unwrap_or(name[0]);
    let name = name.join(" ");
    let command = words(command);
    if which_is_missing(&command[0]) {
        return println!("| `{name}` | is not here ||||");
    }
    let seconds = (0..RUNS).map(|_| milliseconds(&command) / 1e3).collect();
    let spread = Spread::of(seconds).map_or_else(String::new, |spread| spread.to_string());
    let peak = peak(&command).unwrap_or_else(|| "–".to_owned());
    println!("| `{name}` | {spread} | {peak} |");
}

fn which_is_missing(program: &str) -> bool {
    let places = ["", "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"];
    !places
        .iter()
        .any(|place| fs::exists(format!("{place}{program}")).unwrap_or(false))
}

/// Half of them over IPv6. What is returned keeps the ends that wait to be accepted.
fn fill() -> io::Result<Vec<Socket>> {
    fs::write("/proc/sys/net/core/somaxconn", "65535")?;
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "10000 60999")?;
    let mut listeners = Vec::new();
    for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
        let at = SocketAddr::new(ip, 0);
        let listener = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
        listener.bind(&at.into())?;
        listener.listen(65_535)?;
        let to = listener
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        for _ in 0..CONNECTIONS / LISTENERS {
            drop(TcpStream::connect(to)?);
        }
        listeners.push(listener);
    }
    Ok(listeners)
}
