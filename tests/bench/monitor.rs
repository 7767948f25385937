//! Ten thousand targets, looked at every ten seconds: what that costs, and how punctual it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tcpprobe::lab::{Family, Lab, Network, Node, Place};
use tcpprobe::net::clock;

use super::TCPPROBE;
use super::matrix::{BLOCK_V4, BLOCK_V6, PORT, ip, serve};

const TARGETS: u16 = 10_000;
const INTERVAL: Duration = Duration::from_secs(10);
/// Until memory and pace have settled.
const WARM_UP: Duration = Duration::from_secs(30);
const MEASURED: Duration = Duration::from_secs(120);

/// Prints the table.
pub(super) fn measure() -> io::Result<()> {
    let lab = Lab::build(&Network::default()).map_err(io::Error::other)?;
    let [v4, v6] = [Family::V4, Family::V6].map(|family| Place::Server.address(family));
    lab.on(Node::Server, serve)??;
    // Between r2 and the server is a pair of veth, with a kernel at both ends; all addresses have one neighbour.
    lab.on(Node::R2, move || -> io::Result<()> {
        ip(&["route", "add", BLOCK_V4, "via", &v4.to_string()])?;
        ip(&["-6", "route", "add", BLOCK_V6, "via", &v6.to_string()])?;
        println!(
            "{TARGETS} targets, half of them IPv6, each looked at every {} s, for {} s:\n",
            INTERVAL.as_secs(),
            MEASURED.as_secs()
        );
        println!(
            "| | share of a core | of it the kernel's | memory, MiB | checks begun | missed or left out | late (> 100 ms) | lateness p99 |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        row("open")?;
        println!();
        Ok(())
    })?
}

fn row(name: &str) -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let targets = (0..TARGETS).map(|number| {
        let [high, low] = (number / 2 + 1).to_be_bytes();
        if number % 2 == 0 {
            format!("10.78.{high}.{low}:{PORT}")
        } else {
            format!("[2001:db8:78::{:x}]:{PORT}", number / 2 + 1)
        }
    });
    let mut command = Command::new(TCPPROBE);
    command.args(["monitor", "-i", "10s"]).args(targets);
    let errors = directory.path().join("errors");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&errors)?)
        .spawn()?;
    let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let reader = thread::spawn(move || last_line(out));
    thread::sleep(WARM_UP);
    let before = Cost::of(&child)?;
    let began = clock::now();
    thread::sleep(MEASURED);
    let took = (clock::now() - began).as_secs_f64();
    let after = Cost::of(&child)?;
    let metrics = metrics();
    let ended = end(child, reader)?;
    let lateness = metrics.map_or_else(
        |error| format!("no metrics: {error}"),
        |metrics| quantile(&metrics, 0.99),
    );
    let count = |name: &str| ended[name].as_u64().unwrap_or_default();
    println!(
        "| {name} | {:.2} | {:.2} | {:.0} | {} | {} | {} | {lateness} |",
        (after.cpu_s - before.cpu_s) / took,
        (after.kernel_s - before.kernel_s) / took,
        after.peak_mib,
        count("begun"),
        count("missed") + count("left_out"),
        count("late"),
    );
    println!(
        "\nChanges of verdict, the first of each target among them: {}",
        ended["verdicts"]
    );
    let errors = fs::read_to_string(errors)?;
    if !errors.is_empty() {
        println!("\n{errors}");
    }
    Ok(())
}

/// What a process has cost so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) cpu_s: f64,
    pub(super) kernel_s: f64,
    pub(super) resident_mib: f64,
    pub(super) peak_mib: f64,
    pub(super) descriptors: usize,
    pub(super) threads: usize,
}

impl Cost {
    pub(super) fn of(child: &Child) -> io::Result<Self> {
        let about = format!("/proc/{}", child.id());
        let stat = fs::read_to_string(format!("{about}/stat"))?;
        // The name of the program is in brackets, and may hold anything.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks = |field: usize| {
            fields
                .get(field)
                .and_then(|ticks| ticks.parse::<f64>().ok())
                .unwrap_or(f64::NAN)
        };
        // USER_HZ is 100 on every architecture that Linux has today.
        let (user, kernel) = (ticks(11) / 100.0, ticks(12) / 100.0);
        let status = fs::read_to_string(format!("{about}/status"))?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            kib.unwrap_or(f64::NAN) / 1024.0
        };
        Ok(Self {
            cpu_s: user + kernel,
            kernel_s: kernel,
            resident_mib: mib("VmRSS:"),
            peak_mib: mib("VmHWM:"),
            descriptors: fs::read_dir(format!("{about}/fd"))?.count(),
            threads: fs::read_dir(format!("{about}/task"))?.count(),
        })
    }
}

/// Has the program end, and reads what it says last of itself.
fn end(mut child: Child, reader: thread::JoinHandle<io::Result<Value>>) -> io::Result<Value> {
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    kill(Pid::from_raw(pid), Signal::SIGTERM)?;
    child.wait()?;
    reader
        .join()
        .map_err(|_| io::Error::other("the reader panicked"))?
}

/// What it says last, with how many checks found what.
fn last_line(out: impl Read) -> io::Result<Value> {
    let mut last = Value::Null;
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        if line.contains("\"kind\":\"verdict\"") {
            let change: Value = serde_json::from_str(&line)?;
            let verdict = format!("{}/{}", change["to"]["class"], change["to"]["cause"]);
            *verdicts.entry(verdict.replace('"', "")).or_default() += 1;
        }
        if line.contains("\"record\":\"ended\"") {
            last = serde_json::from_str(&line)?;
        }
    }
    last["verdicts"] = verdicts.into_iter().collect();
    Ok(last)
}

/// All metrics, of a monitor that listens where it does by itself.
pub(super) fn metrics() -> io::Result<String> {
    get("/metrics").map(|(_, body)| body)
}

/// Asks a monitor that listens where it does by itself; returns the status and the body.
pub(super) fn get(path: &str) -> io::Result<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9965));
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        connection,
        "GET {path} HTTP/1.0\r\nHost: monitor\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    connection.read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.to_owned()))
}

/// The edge of the bucket that a share of the lateness of all checks is below.
fn quantile(metrics: &str, share: f64) -> String {
    let buckets: Vec<(&str, f64)> = metrics
        .lines()
        .filter(|line| line.contains("lateness") && line.contains("_bucket{"))
        .filter_map(|line| {
            let edge = line.split("le=\"").nth(1)?.split('"').next()?;
            let count = line.rsplit(' ').next()?.parse().ok()?;
            Some((edge, count))
        })
        .collect();
    let Some((_, all)) = buckets.last() else {
        return "not told".to_owned();
    };
    let found = buckets.iter().find(|(_, count)| *count >= share * all);
    found.map_or_else(String::new, |(edge, _)| format!("≤ {edge} s"))
}
