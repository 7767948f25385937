//! Measures tcpprobe beside what one would use in its place: time and memory against nc, the round trip against tcpdump,
//! many ports of a lossy path against nmap, many hosts against nmap and zmap, all sockets of a namespace against ss.
//!
//! As root, `cargo bench --bench peers` prints the tables of `docs/performance.md`, or some of them: `-- process`,
//! `-- handshake`, `-- loss`, `-- matrix`, `-- sockets`, `-- probe`, `-- monitor`; `-- soak 30` takes so many minutes, and has
//! to be asked for. It needs what it compares with: nc of OpenBSD (package netcat-openbsd), tcpdump, hping3, nping and nmap
//! (package nmap), zmap, prometheus-blackbox-exporter; a peer that is not there is skipped by name.
//! All packets stay in a network of its own.
#![expect(clippy::print_stdout, reason = "its tables are what it is for")]

#[path = "capture.rs"]
mod capture;
#[path = "handshake.rs"]
mod handshake;
#[path = "loss.rs"]
mod loss;
#[path = "../machine/mod.rs"]
mod machine;
#[path = "matrix.rs"]
mod matrix;
#[path = "monitor.rs"]
mod monitor;
#[path = "probe.rs"]
mod probe;
#[path = "process.rs"]
mod process;
#[path = "soak.rs"]
mod soak;
#[path = "sockets.rs"]
mod sockets;
#[path = "tools.rs"]
mod tools;

use std::env;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::process::ExitCode;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::geteuid;
use tcpprobe::lab::{self, EnterError, Family, Lab, Network, Node, Place};

/// Where the server listens. Above the ports that Linux gives out, so that no client has it.
const OPEN: u16 = 61_000;
/// Where nothing listens.
const CLOSED: u16 = 60_999;

/// The program under test.
const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");

fn main() -> ExitCode {
    if let Some(exit) = process::measure_as_helper().or_else(matrix::measure_as_helper) {
        return exit;
    }
    // Before there is a second thread.
    if let Err(reason) = enter() {
        println!("nothing can be measured here: {reason}");
        return ExitCode::FAILURE;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("failed: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// As `lab::enter`, but for root without a user namespace: in that of `lab` there is one user alone, and tcpdump, which
/// insists on giving up what it may do as root, cannot.
fn enter() -> Result<(), EnterError> {
    let private = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    if !geteuid().is_root() || unshare(private).is_err() {
        return lab::enter();
    }
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).map_err(|error| EnterError::Failed {
        step: "make mounts private",
        error: error.into(),
    })
}

fn measure() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}\n", machine::described());
    if is_asked_for("process") || is_asked_for("handshake") {
        beside_peers()?;
    }
    if is_asked_for("loss") {
        loss::measure();
    }
    if is_asked_for("matrix") {
        matrix::measure()?;
    }
    if is_asked_for("sockets") {
        sockets::measure();
    }
    if is_asked_for("probe") {
        probe::measure()?;
    }
    if is_asked_for("monitor") {
        monitor::measure()?;
    }
    if env::args().any(|argument| argument == "soak") {
        let minutes = env::args().skip_while(|argument| argument != "soak").nth(1);
        let minutes = minutes.and_then(|minutes| minutes.parse().ok()).unwrap_or(30);
        soak::measure(minutes)?;
    }
    Ok(())
}

/// Whether a part is among the arguments, or none is.
fn is_asked_for(part: &str) -> bool {
    // Cargo adds `--bench`.
    let mut parts = env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .peekable();
    parts.peek().is_none() || parts.any(|asked| asked == part)
}

fn beside_peers() -> Result<(), Box<dyn std::error::Error>> {
    let lab = Lab::build(&Network::default())?;
    // Between r2 and the server is a pair of veth, with a kernel at both ends; the wire beside it is a program.
    lab.on(Node::Server, serve)?;
    lab.on(Node::R2, serve)?;
    let [v4, v6] = [Family::V4, Family::V6].map(|family| Place::Server.address(family));
    if is_asked_for("process") {
        lab.on(Node::R2, move || process::measure(&[v4, v6]))?;
    }
    if is_asked_for("handshake") {
        lab.on(Node::R2, move || {
            handshake::measure(&[
                ("loopback, v4", "lo", Ipv4Addr::LOCALHOST.into()),
                ("loopback, v6", "lo", Ipv6Addr::LOCALHOST.into()),
                ("veth, v4", "eth1", v4),
                ("veth, v6", "eth1", v6),
            ]);
        })?;
    }
    Ok(())
}

/// Accepts connections in this network, and closes each when its peer has.
fn serve() {
    let listener = TcpListener::bind(("::", OPEN)).expect("the network is ours alone");
    // It ends with the process.
    thread::spawn(move || {
        for connection in listener.incoming() {
            // A peer that resets is as welcome as one that closes.
            let _ =
                connection.and_then(|mut connection| std::io::copy(&mut connection, &mut std::io::sink()));
        }
    });
}

/// Smallest, median and largest of some numbers.
struct Spread {
    smallest: f64,
    median: f64,
    largest: f64,
}

impl Spread {
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        Some(Self {
            smallest: *numbers.first()?,
            median: *numbers.get(numbers.len() / 2)?,
            largest: *numbers.last()?,
        })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} | {:.2} | {:.2}",
            self.smallest, self.median, self.largest
        )
    }
}
