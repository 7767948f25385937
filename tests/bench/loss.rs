//! A thousand open ports behind a path that loses a fifth of all packets each way: how long it takes to look at them,
//! and how many are not found open, beside nmap.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tcpprobe::lab::{Family, Finished, Lab, Network, Node, Place, Powers, run};

use super::TCPPROBE;

const FIRST: u16 = 10_000;
const PORTS: u16 = 1000;

const LOSSY: &str = "
    [[listener]]
    port = 10000
    count = 1000
    [[wire.rule]]
    towards = 'server'
    probability = 0.2
    action = 'drop'
    [[wire.rule]]
    towards = 'client'
    probability = 0.2
    action = 'drop'
";

/// Longer than this nobody waits for an answer about one host.
const AT_MOST: Duration = Duration::from_secs(300);

/// How long nmap may take for the host (`--host-timeout`).
const NMAP_AT_MOST: &str = "60s";

/// What was said of the ports.
struct Tally {
    /// Open, or open but slow.
    open: usize,
    /// Anything else, and how many of these are called certain.
    other: usize,
    certain: usize,
}

/// Prints the table.
pub(super) fn measure() {
    println!("{PORTS} open ports, and a path that loses 20 % of all packets in each direction:\n");
    println!(
        "| program | IP | time, s | open or slow | anything else | of that, certain | nothing said |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    for family in Family::BOTH {
        row("tcpprobe", family, || {
            tcpprobe(family, Powers::None).map(|finished| (count_lines(&finished.stdout), finished.took))
        });
        row("tcpprobe with CAP_NET_RAW", family, || {
            tcpprobe(family, Powers::NetRaw).map(|finished| (count_lines(&finished.stdout), finished.took))
        });
        row("`nmap -sS -Pn`", family, || {
            nmap(family).map(|finished| (count_ports(&finished.stdout), finished.took))
        });
    }
    println!("\nnmap was to give up on the host after {NMAP_AT_MOST}; it then says nothing of any port.\n");
}

fn row(program: &str, family: Family, look: impl FnOnce() -> io::Result<(Tally, Duration)>) {
    let version = if family == Family::V4 { "v4" } else { "v6" };
    match look() {
        Ok((Tally { open, other, certain }, took)) => {
            let silent = usize::from(PORTS).saturating_sub(open + other);
            println!(
                "| {program} | {version} | {:.1} | {open} | {other} | {certain} | {silent} |",
                took.as_secs_f64()
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("| {program} | {version} | is not here |||||");
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            println!("| {program} | {version} | more than {} |||||", AT_MOST.as_secs());
        }
        Err(error) => println!("| {program} | {version} | failed: {error} |||||"),
    }
}

/// In a network of its own, so that the dice fall in the same order for everybody.
fn lossy() -> io::Result<Lab> {
    let network: Network = toml::from_str(LOSSY).map_err(io::Error::other)?;
    Lab::build(&network).map_err(io::Error::other)
}

fn tcpprobe(family: Family, powers: Powers) -> io::Result<Finished> {
    let lab = lossy()?;
    let server = Place::Server.address(family);
    let mut command = lab.command(TCPPROBE, powers, None)?;
    command
        .args(["-o", "jsonl"])
        .args((FIRST..FIRST + PORTS).map(|port| std::net::SocketAddr::new(server, port).to_string()));
    run(&mut command, AT_MOST)
}

/// Not as a command of the lab: Debian's nmap finds its libraries by way of `/etc/alternatives`, which these do not see.
fn nmap(family: Family) -> io::Result<Finished> {
    let lab = lossy()?;
    let server = Place::Server.address(family).to_string();
    let finished = lab.on(Node::Client, move || {
        let mut command = Command::new("nmap");
        if family == Family::V6 {
            command.arg("-6");
        }
        command
            .args([
                "-sS",
                "-Pn",
                "-n",
                "--host-timeout",
                NMAP_AT_MOST,
                "-oG",
                "-",
                "-p",
            ])
            .arg(format!("{FIRST}-{}", FIRST + PORTS - 1))
            .arg(server)
            .stdin(Stdio::null());
        run(&mut command, AT_MOST)
    })??;
    if !finished.status.success() {
        return Err(io::Error::other(finished.stderr));
    }
    Ok(finished)
}

fn count_lines(jsonl: &str) -> Tally {
    let lines: Vec<Value> = jsonl
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let (open, other): (Vec<_>, Vec<_>) = lines
        .iter()
        .partition(|line| line["class"] == "open" || line["class"] == "slow");
    Tally {
        open: open.len(),
        other: other.len(),
        certain: other
            .iter()
            .filter(|line| line["confidence"] == "certain")
            .count(),
    }
}

/// From lines such as `Host: 10.0.3.2 ()  Ports: 10000/open/tcp//ndmp///, 10001/filtered/tcp//…  Ignored State: filtered
/// (3)`. nmap does not say how sure it is.
fn count_ports(greppable: &str) -> Tally {
    let fields = greppable.lines().flat_map(|line| line.split('\t'));
    let (mut open, mut other) = (0, 0);
    for field in fields {
        if let Some(ports) = field.strip_prefix("Ports: ") {
            let said = ports.split(", ").count();
            let found = ports.split(", ").filter(|port| port.contains("/open/")).count();
            open += found;
            other += said - found;
        } else if let Some((_, count)) = field
            .strip_prefix("Ignored State: ")
            .and_then(|state| state.split_once('('))
        {
            other += count.trim_end_matches(')').parse::<usize>().unwrap_or(0);
        }
    }
    Tally {
        open,
        other,
        certain: 0,
    }
}
