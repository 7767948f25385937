//! Our round trip of the handshake against the times that tcpdump gives its packets.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{OPEN, Spread, TCPPROBE};

const HANDSHAKES: usize = 200;

/// Prints the table: a row for each way, which has a name, an interface and an address.
pub(super) fn measure(ways: &[(&str, &str, IpAddr)]) {
    println!(
        "`handshake_rtt_s` against SYN and SYN-ACK as tcpdump saw them, in microseconds, of {HANDSHAKES} handshakes:\n"
    );
    println!(
        "| way | tcpprobe, median | tcpdump, median | difference min | median | max | of them within 20 µs |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, interface, address) in ways {
        match compare(interface, SocketAddr::new(*address, OPEN)) {
            Ok(row) => println!("| {name} | {row} |"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("\nSkipped: tcpdump is not here (package tcpdump).");
                return;
            }
            Err(error) => println!("| {name} | failed: {error} |"),
        }
    }
}

fn compare(interface: &str, server: SocketAddr) -> io::Result<String> {
    let capture = Capture::start(interface)?;
    let ours: Vec<(u16, f64)> = (0..HANDSHAKES).map_while(|_| handshake(server)).collect();
    let theirs = round_trips(&capture.stop()?);
    let pairs: Vec<(f64, f64)> = ours
        .iter()
        .filter_map(|(port, ours)| Some((*ours, *theirs.get(port)?)))
        .collect();
    let difference = |pair: &(f64, f64)| (pair.0 - pair.1).abs();
    let spread = |number: &dyn Fn(&(f64, f64)) -> f64| Spread::of(pairs.iter().map(number).collect());
    let (Some(ours), Some(theirs), Some(differences)) = (
        spread(&|pair| pair.0),
        spread(&|pair| pair.1),
        spread(&difference),
    ) else {
        return Err(io::Error::other("tcpdump saw none of our handshakes"));
    };
    let near = pairs.iter().filter(|pair| difference(pair) <= 20.0).count();
    Ok(format!(
        "{:.2} | {:.2} | {differences} | {near} of {}",
        ours.median,
        theirs.median,
        pairs.len()
    ))
}

/// One check: our port, and the round trip in microseconds.
fn handshake(server: SocketAddr) -> Option<(u16, f64)> {
    let output = Command::new(TCPPROBE)
        .args(["-o", "jsonl", &server.to_string()])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let from: SocketAddr = line["evidence"][0]["from"].as_str()?.parse().ok()?;
    Some((from.port(), line["handshake_rtt_s"].as_f64()? * 1e6))
}

/// tcpdump at work.
struct Capture {
    tcpdump: Child,
    lines: thread::JoinHandle<String>,
}

impl Capture {
    fn start(interface: &str) -> io::Result<Self> {
        let mut tcpdump = Command::new("tcpdump")
            .args([
                "-i",
                interface,
                "-n",
                "-tt",
                "--time-stamp-precision=nano",
                "-l",
                "-Z",
                "root",
            ])
            .arg(format!("tcp port {OPEN}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdout = tcpdump.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let lines = thread::spawn(move || {
            let mut text = String::new();
            // What came before an error still counts.
            let _ = stdout.read_to_string(&mut text);
            text
        });
        let stderr = tcpdump.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut said = BufReader::new(stderr).lines();
        let listening = said
            .by_ref()
            .take(5)
            .any(|line| line.is_ok_and(|line| line.contains("listening on")));
        // Its last words must find a reader, too.
        thread::spawn(move || said.count());
        if !listening {
            tcpdump.kill()?;
            return Err(io::Error::other(format!(
                "tcpdump does not listen on {interface}"
            )));
        }
        Ok(Self { tcpdump, lines })
    }

    fn stop(mut self) -> io::Result<String> {
        // The kernel hands packets over in batches.
        thread::sleep(Duration::from_millis(1500));
        let pid = i32::try_from(self.tcpdump.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGINT)?;
        self.tcpdump.wait()?;
        Ok(self.lines.join().unwrap_or_default())
    }
}

/// The time from SYN to SYN-ACK in microseconds, by the client's port, from lines such as
/// `1700000000.123456789 IP 10.0.3.1.40000 > 10.0.3.2.61000: Flags [S], seq 1, …`.
fn round_trips(text: &str) -> HashMap<u16, f64> {
    let mut syns = HashMap::new();
    let mut found = HashMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [time, _, from, _, to, _, flags, ..] = words.as_slice() else {
            continue;
        };
        let port = |end: &str| end.trim_end_matches(':').rsplit('.').next()?.parse::<u16>().ok();
        let Some(nanoseconds) = nanoseconds(time) else {
            continue;
        };
        match *flags {
            "[S]," => syns.extend(port(from).map(|port| (port, nanoseconds))),
            "[S.]," => {
                if let Some((port, syn)) = port(to).and_then(|port| syns.get_key_value(&port)) {
                    // Less than a second, so nothing is lost.
                    let apart = u32::try_from(nanoseconds.saturating_sub(*syn)).unwrap_or(u32::MAX);
                    found.entry(*port).or_insert(f64::from(apart) / 1e3);
                }
            }
            _ => {}
        }
    }
    found
}

fn nanoseconds(time: &str) -> Option<u64> {
    let (seconds, fraction) = time.split_once('.')?;
    if fraction.len() != 9 {
        return None;
    }
    seconds
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(fraction.parse().ok()?)
}
