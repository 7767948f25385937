//! Programs that say how long the handshakes take which they make.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use tcpprobe::lab;

use super::TCPPROBE;

pub(super) const HANDSHAKES: u16 = 200;

/// The time from one handshake to the next, in milliseconds.
const INTERVAL: u16 = 20;
/// Longer than this no program takes for its handshakes.
const AT_MOST: Duration = Duration::from_secs(60);
/// Where the ports of hping3 and nping begin: below those that Linux gives out.
const FIRST_PORT: u16 = 20_000;

#[derive(Clone, Copy)]
pub(super) enum Tool {
    /// A connection each process, without a pause: the kernel's `tcpi_rtt`.
    Once,
    /// Connections of one process.
    Connect,
    /// SYNs of our own making: the kernel's time stamps.
    Raw,
    Hping3,
    Nping,
}

/// One SYN of a tool.
pub(super) struct Said {
    pub(super) port: u16,
    /// What the tool says of the round trip; absent when it says nothing.
    pub(super) microseconds: Option<f64>,
    /// Whether that is by the kernel's time stamps; absent when it does not say.
    pub(super) stamped: Option<bool>,
}

impl Tool {
    pub(super) const ALL: [Self; 5] = [Self::Once, Self::Connect, Self::Raw, Self::Hping3, Self::Nping];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Once => "`tcpprobe`, a process each",
            Self::Connect => "`tcpprobe --mode connect --count`",
            Self::Raw => "`tcpprobe --mode raw --count`",
            Self::Hping3 => "`hping3 -S`",
            Self::Nping => "`nping --tcp`, a process each",
        }
    }

    pub(super) fn has_ipv6(self) -> bool {
        match self {
            Self::Hping3 => false,
            Self::Once | Self::Connect | Self::Raw | Self::Nping => true,
        }
    }

    /// Its SYNs, those of each port in the order in which they were sent.
    pub(super) fn run(self, interface: &str, server: SocketAddr) -> io::Result<Vec<Said>> {
        match self {
            Self::Once => once(server),
            Self::Connect => Ok(series("connect", server)?.iter().filter_map(connection).collect()),
            Self::Raw => Ok(series("raw", server)?.iter().flat_map(raw_syns).collect()),
            Self::Hping3 => hping3(interface, server),
            Self::Nping => nping(interface, server),
        }
    }
}

fn once(server: SocketAddr) -> io::Result<Vec<Said>> {
    let mut said = Vec::new();
    for _ in 0..HANDSHAKES {
        said.extend(tcpprobe(&[], server)?.iter().filter_map(connection));
    }
    Ok(said)
}

/// A line for each round.
fn series(mode: &str, server: SocketAddr) -> io::Result<Vec<Value>> {
    let count = HANDSHAKES.to_string();
    let interval = format!("{INTERVAL}ms");
    tcpprobe(
        &["--mode", mode, "--count", &count, "--interval", &interval],
        server,
    )
}

fn tcpprobe(options: &[&str], server: SocketAddr) -> io::Result<Vec<Value>> {
    let output = Command::new(TCPPROBE)
        .args(["-o", "jsonl"])
        .args(options)
        .arg(server.to_string())
        .stdin(Stdio::null())
        .output()?;
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

fn connection(round: &Value) -> Option<Said> {
    let seen = &round["evidence"][0];
    Some(Said {
        port: port(seen)?,
        microseconds: microseconds(&seen["answer"]["rtt_s"]),
        stamped: None,
    })
}

/// Each round sends two SYNs of its own; one has no time stamp option, which is for another question.
fn raw_syns(round: &Value) -> Vec<Said> {
    let seen = round["evidence"].as_array().map_or(&[][..], Vec::as_slice);
    seen.iter()
        .filter(|seen| seen["probe"] == "raw")
        .filter_map(|shot| {
            let reply = &shot["replies"][0];
            let counts = shot["question"] == "syn";
            Some(Said {
                port: port(shot)?,
                microseconds: microseconds(&reply["after_s"]).filter(|_| counts),
                stamped: Some(reply["timed_by"] == "kernel"),
            })
        })
        .collect()
}

fn port(seen: &Value) -> Option<u16> {
    Some(seen["from"].as_str()?.parse::<SocketAddr>().ok()?.port())
}

fn microseconds(seconds: &Value) -> Option<f64> {
    Some(seconds.as_f64()? * 1e6)
}

/// From lines such as `len=44 ip=10.0.3.2 ttl=64 DF id=0 sport=61000 flags=SA seq=0 win=64240 rtt=0.2 ms`; the first SYN
/// has the first port, and so on.
fn hping3(interface: &str, server: SocketAddr) -> io::Result<Vec<Said>> {
    let mut command = Command::new("hping3");
    command
        .args(["-S", "-n", "-I", interface])
        .args(["-c", &HANDSHAKES.to_string()])
        .args(["-i", &format!("u{}", u32::from(INTERVAL) * 1000)])
        .args(["-s", &FIRST_PORT.to_string()])
        .args(["-p", &server.port().to_string()])
        .arg(server.ip().to_string());
    let finished = lab::run(&mut command, AT_MOST)?;
    let said = |line: &str| {
        Some(Said {
            port: FIRST_PORT + number_after::<u16>(line, "seq=")?,
            microseconds: Some(number_after::<f64>(line, "rtt=")? * 1e3),
            stamped: None,
        })
    };
    Ok(finished.stdout.lines().filter_map(said).collect())
}

/// One SYN a process: of several it tells no more than the mean. It says `Avg rtt: 0.041ms`.
fn nping(interface: &str, server: SocketAddr) -> io::Result<Vec<Said>> {
    let options = match server.ip() {
        IpAddr::V4(_) => Vec::new(),
        IpAddr::V6(address) if address.is_loopback() => vec!["-6".to_owned()],
        IpAddr::V6(_) => on_link_options(interface, server.ip())?,
    };
    (FIRST_PORT..FIRST_PORT + HANDSHAKES)
        .map(|port| {
            let mut command = Command::new("nping");
            // The delay is what it waits after the last SYN, too.
            command
                .args(["--tcp", "-c", "1", "--delay"])
                .arg(format!("{INTERVAL}ms"))
                .args(["-e", interface, "-g", &port.to_string()])
                .args(["-p", &server.port().to_string()])
                .args(&options)
                .arg(server.ip().to_string());
            let finished = lab::run(&mut command, AT_MOST)?;
            Ok(Said {
                port,
                microseconds: number_after::<f64>(&finished.stdout, "Avg rtt: ").map(|ms| ms * 1e3),
                stamped: None,
            })
        })
        .collect()
}

/// Of IPv6 nping (0.7.93) hears answers only if it writes all headers itself, and then it has to be told all addresses.
fn on_link_options(interface: &str, server: IpAddr) -> io::Result<Vec<String>> {
    let server = server.to_string();
    let source = word_after(&["-6", "route", "get", &server], "src")?;
    let from = word_after(&["link", "show", "dev", interface], "link/ether")?;
    let to = word_after(&["-6", "neigh", "show", &server, "dev", interface], "lladdr")?;
    let options = [
        "-6",
        "--source-ip",
        &source,
        "--source-mac",
        &from,
        "--dest-mac",
        &to,
    ];
    Ok(options.map(str::to_owned).to_vec())
}

/// What `ip` says after that word.
pub(super) fn word_after(question: &[&str], word: &str) -> io::Result<String> {
    let said = lab::run(Command::new("ip").args(question), AT_MOST)?.stdout;
    said.split_whitespace()
        .skip_while(|said| *said != word)
        .nth(1)
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("ip {} says no {word}", question.join(" "))))
}

fn number_after<T: FromStr>(text: &str, word: &str) -> Option<T> {
    let (_, rest) = text.split_once(word)?;
    let end = rest
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
