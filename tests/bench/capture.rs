//! tcpdump at work: what it saw of the handshakes with the server's port.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::OPEN;

pub(super) struct Capture {
    tcpdump: Child,
    lines: thread::JoinHandle<String>,
}

impl Capture {
    pub(super) fn start(interface: &str) -> io::Result<Self> {
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

    /// The round trips of each client port, in microseconds and in the order of their SYNs; absent for a SYN without a
    /// SYN-ACK.
    pub(super) fn stop(mut self) -> io::Result<HashMap<u16, Vec<Option<f64>>>> {
        // The kernel hands packets over in batches.
        thread::sleep(Duration::from_millis(1500));
        let pid = i32::try_from(self.tcpdump.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGINT)?;
        self.tcpdump.wait()?;
        Ok(round_trips(&self.lines.join().unwrap_or_default()))
    }
}

/// From lines such as `1700000000.123456789 IP 10.0.3.1.40000 > 10.0.3.2.61000: Flags [S], seq 1, …`.
fn round_trips(text: &str) -> HashMap<u16, Vec<Option<f64>>> {
    let mut syns = HashMap::new();
    let mut found: HashMap<u16, Vec<Option<f64>>> = HashMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [time, _, from, _, to, _, flags, ..] = words.as_slice() else {
            continue;
        };
        let port = |end: &str| end.trim_end_matches(':').rsplit('.').next()?.parse::<u16>().ok();
        let (Some(at), Some(from), Some(to)) = (nanoseconds(time), port(from), port(to)) else {
            continue;
        };
        match *flags {
            "[S]," => {
                syns.insert(from, at);
                found.entry(from).or_default().push(None);
            }
            "[S.]," => {
                // The first alone: the server may repeat it.
                if let (Some(syn), Some(last)) = (
                    syns.remove(&to),
                    found.get_mut(&to).and_then(|all| all.last_mut()),
                ) {
                    // Less than four seconds, so nothing is lost.
                    let apart = u32::try_from(at.saturating_sub(syn)).unwrap_or(u32::MAX);
                    *last = Some(f64::from(apart) / 1e3);
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
