//! A whole /16 of answering hosts: how fast each program finds who is open, what that costs, and how many it finds.

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use socket2::{Domain, Protocol, Socket, Type};
use tcpprobe::lab::{self, Family, Lab, Network, Node, Place};
use tcpprobe::net::clock;

use super::TCPPROBE;
use super::tools::word_after;

/// Where all of them listen. Below the ports that Linux gives out.
pub(super) const PORT: u16 = 7000;
/// Hosts of each block.
const HOSTS: u32 = 65_536;
pub(super) const BLOCK_V4: &str = "10.78.0.0/16";
pub(super) const BLOCK_V6: &str = "2001:db8:78::/112";
/// Those of the IPv4 block that a matrix leaves out of a block, as they are no hosts of a usual network.
const ENDS_V4: &str = "10.78.0.0:7000, 10.78.255.255:7000";
/// More packets a second than anybody here can send.
const UNLIMITED: &str = "10000000";
/// Packets a second where all are to send as fast.
const FIXED: &str = "20000";
/// Each program is run so often, in turn with the others; the run of median time counts.
const RUNS: usize = 3;
/// Longer than this no program takes.
const AT_MOST: Duration = Duration::from_secs(300);

/// The first argument of this program when it is to run a command once and print what that cost.
const COST_OF: &str = "--cost-of";

/// A program and how it is told to look.
struct Contender {
    name: &'static str,
    command: fn(&Field) -> io::Result<Vec<String>>,
    /// How many hosts its output says are open.
    count: fn(&Field) -> io::Result<usize>,
    /// Among those of one kind ratios are told: to the peer that is named here.
    beside: Option<&'static str>,
}

/// Where it all happens.
struct Field {
    directory: tempfile::TempDir,
    v4: IpAddr,
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    peak_kib: i64,
    found: usize,
}

const CONTENDERS: &[Contender] = &[
    Contender {
        name: "`tcpprobe matrix`, v4",
        command: |field| Ok(tcpprobe(field, Family::V4, "connect", UNLIMITED)),
        count: count_text,
        beside: Some(NMAP_CONNECT),
    },
    Contender {
        name: "`tcpprobe matrix`, v6",
        command: |field| Ok(tcpprobe(field, Family::V6, "connect", UNLIMITED)),
        count: count_text,
        beside: Some(NMAP_CONNECT),
    },
    Contender {
        name: NMAP_CONNECT,
        command: |field| Ok(nmap(field, "-sT")),
        count: count_greppable,
        beside: None,
    },
    Contender {
        name: "`tcpprobe matrix --sweep syn`, v4",
        command: |field| Ok(tcpprobe(field, Family::V4, "syn", UNLIMITED)),
        count: count_text,
        beside: Some(ZMAP),
    },
    Contender {
        name: "`tcpprobe matrix --sweep syn`, v6",
        command: |field| Ok(tcpprobe(field, Family::V6, "syn", UNLIMITED)),
        count: count_text,
        beside: Some(ZMAP),
    },
    Contender {
        name: "`nmap -sS`, v4",
        command: |field| Ok(nmap(field, "-sS")),
        count: count_greppable,
        beside: Some(ZMAP),
    },
    Contender {
        name: ZMAP,
        command: |field| zmap(field, "0"),
        count: count_lines,
        beside: None,
    },
];

const NMAP_CONNECT: &str = "`nmap -sT`, v4";
const ZMAP: &str = "`zmap`, v4";

/// Prints the tables.
pub(super) fn measure() -> io::Result<()> {
    let lab = Lab::build(&Network::default()).map_err(io::Error::other)?;
    let [v4, v6] = [Family::V4, Family::V6].map(|family| Place::Server.address(family));
    lab.on(Node::Server, serve)??;
    // Between r2 and the server is a pair of veth, with a kernel at both ends; all addresses have one neighbour.
    lab.on(Node::R2, move || -> io::Result<()> {
        ip(&["route", "add", BLOCK_V4, "via", &v4.to_string()])?;
        ip(&["-6", "route", "add", BLOCK_V6, "via", &v6.to_string()])?;
        let field = Field {
            directory: tempfile::tempdir()?,
            v4,
        };
        table(&field);
        Ok(())
    })?
}

fn table(field: &Field) {
    println!(
        "One open port of each of {HOSTS} addresses, at any rate; of {RUNS} runs in turn the one of median time:\n"
    );
    rows(field, CONTENDERS);
    println!("\nThe same SYNs at {FIXED} packets a second:\n");
    rows(field, PACED);
}

/// All at one rate. Our kernel answers each SYN-ACK with a RST, which tcpprobe counts as a packet and zmap does not.
const PACED: &[Contender] = &[
    Contender {
        name: "`tcpprobe matrix --sweep syn`, v4",
        command: |field| Ok(tcpprobe(field, Family::V4, "syn", &doubled(FIXED))),
        count: count_text,
        beside: Some(ZMAP),
    },
    Contender {
        name: ZMAP,
        command: |field| zmap(field, FIXED),
        count: count_lines,
        beside: None,
    },
];

fn doubled(rate: &str) -> String {
    rate.parse::<u32>().map_or(0, |rate| 2 * rate).to_string()
}

fn rows(field: &Field, contenders: &[Contender]) {
    println!(
        "| program | hosts found | seconds | edges a second | beside its peer | CPU, s | peak memory, MiB |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    let mut costs: Vec<Vec<io::Result<Cost>>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..RUNS {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            costs.push(contender.run(field));
        }
    }
    let medians: Vec<io::Result<Cost>> = costs.into_iter().map(median).collect();
    for (contender, cost) in contenders.iter().zip(&medians) {
        let name = contender.name;
        match cost {
            Ok(cost) => {
                let peer = contenders.iter().zip(&medians).find_map(|(peer, cost)| {
                    let cost = cost.as_ref().ok()?;
                    (Some(peer.name) == contender.beside).then_some((peer.name, cost))
                });
                let ratio = peer.map_or_else(
                    || "–".to_owned(),
                    |(peer, theirs)| format!("{:.2} × {peer}", theirs.seconds / cost.seconds),
                );
                println!(
                    "| {name} | {} | {:.2} | {:.0} | {ratio} | {:.2} | {:.0} |",
                    cost.found,
                    cost.seconds,
                    f64::from(HOSTS) / cost.seconds,
                    cost.cpu_seconds,
                    kib_to_mib(cost.peak_kib)
                );
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("| {name} | is not here ||||||");
            }
            Err(error) => println!("| {name} | failed: {error} ||||||"),
        }
    }
}

fn kib_to_mib(kib: i64) -> f64 {
    i32::try_from(kib).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Of the median time; one that failed makes all fail.
fn median(runs: Vec<io::Result<Cost>>) -> io::Result<Cost> {
    let mut runs = runs.into_iter().collect::<io::Result<Vec<Cost>>>()?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let middle = runs.get(runs.len() / 2);
    middle.copied().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

impl Contender {
    fn run(&self, field: &Field) -> io::Result<Cost> {
        let words = (self.command)(field)?;
        // Connections of the last run are gone from the server's tables before the next begins.
        thread::sleep(Duration::from_secs(2));
        let mut helper = Command::new(env::current_exe()?);
        helper.arg(COST_OF).arg(field.output()).args(words);
        let finished = lab::run(&mut helper, AT_MOST)?;
        let numbers: Vec<f64> = finished
            .stdout
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let [seconds, cpu_seconds, peak_kib] = numbers[..] else {
            return Err(not_found_or(&finished.stdout));
        };
        #[expect(clippy::cast_possible_truncation, reason = "a number of KiB")]
        let peak_kib = peak_kib as i64;
        Ok(Cost {
            seconds,
            cpu_seconds,
            peak_kib,
            found: (self.count)(field)?,
        })
    }
}

fn not_found_or(said: &str) -> io::Error {
    if said.contains("NotFound") {
        return io::ErrorKind::NotFound.into();
    }
    io::Error::other(said.trim().to_owned())
}

impl Field {
    /// Where standard output goes.
    fn output(&self) -> PathBuf {
        self.directory.path().join("output")
    }

    fn said(&self) -> io::Result<String> {
        fs::read_to_string(self.output())
    }
}

fn tcpprobe(field: &Field, family: Family, sweep: &str, rate: &str) -> Vec<String> {
    let (block, ends) = match family {
        Family::V4 => (format!("{BLOCK_V4}:{PORT}"), format!(", {ENDS_V4}")),
        Family::V6 => (format!("\"[{BLOCK_V6}]:{PORT}\""), String::new()),
    };
    let file = field.directory.path().join("matrix.yaml");
    let text = format!("rules:\n  - to: [ {block}{ends} ]\n    expect: open\n");
    // What cannot be written shows as a program that finds nothing.
    let _ = fs::write(&file, text);
    [TCPPROBE, "matrix", "-q", "--sweep", sweep, "--rate", rate]
        .into_iter()
        .map(str::to_owned)
        .chain([file.display().to_string()])
        .collect()
}

/// As fast as it goes: without names, pings and pauses, and with as much at once as it can be brought to.
fn nmap(_field: &Field, way: &str) -> Vec<String> {
    let port = PORT.to_string();
    [
        "nmap",
        way,
        "-n",
        "-Pn",
        "-T5",
        "--min-hostgroup",
        "8192",
        "--min-parallelism",
        "1024",
        "--min-rate",
        "50000",
        "-oG",
        "-",
        "-p",
        &port,
        BLOCK_V4,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// It waits for a second after its last SYN, as that is the least that it can be told.
fn zmap(field: &Field, rate: &str) -> io::Result<Vec<String>> {
    let gateway = field.v4.to_string();
    // The neighbour has to be known before it can be asked for.
    let _ = TcpStream::connect_timeout(&SocketAddr::new(field.v4, 1), Duration::from_secs(1));
    let mac = word_after(&["neigh", "show", &gateway], "lladdr")?;
    let source = word_after(&["route", "get", &gateway], "src")?;
    let blocked = field.directory.path().join("blocked");
    File::create(&blocked)?;
    let (port, blocked) = (PORT.to_string(), blocked.display().to_string());
    let words = [
        "zmap", "-i", "eth1", "-G", &mac, "-S", &source, "-b", &blocked, "-p", &port, "-r", rate, "-c", "1",
        "-q", "-o", "-", BLOCK_V4,
    ];
    Ok(words.map(str::to_owned).to_vec())
}

/// From the total, or from the lines of what is not as expected; of a run that was cut short nothing is known.
fn count_text(field: &Field) -> io::Result<usize> {
    let said = field.said()?;
    let all = format!("All {HOSTS} edges are as expected.");
    if said.lines().any(|line| line == all) {
        return Ok(HOSTS as usize);
    }
    let missed = said.lines().filter(|line| line.starts_with("missed")).count();
    let left_out = said.lines().filter(|line| line.starts_with("Incomplete")).count();
    Ok(if left_out > 0 {
        0
    } else {
        (HOSTS as usize).saturating_sub(missed)
    })
}

/// From lines such as `Host: 10.78.0.1 ()  Ports: 7000/open/tcp//afs3-fileserver///`.
fn count_greppable(field: &Field) -> io::Result<usize> {
    Ok(field
        .said()?
        .lines()
        .filter(|line| line.contains("/open/"))
        .count())
}

/// A line for each host.
fn count_lines(field: &Field) -> io::Result<usize> {
    let said = field.said()?;
    Ok(said.lines().filter(|line| line.parse::<IpAddr>().is_ok()).count())
}

/// Runs a command once and prints what it cost, if this process was started for that: of all children of a process the
/// kernel keeps sums and the largest peak only.
pub(super) fn measure_as_helper() -> Option<ExitCode> {
    let mut arguments = env::args().skip(1);
    if arguments.next()? != COST_OF {
        return None;
    }
    let output = arguments.next()?;
    let program = arguments.next()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    match cost_of(&mut command, Path::new(&output)) {
        Ok((seconds, cpu_seconds, peak_kib)) => {
            println!("{seconds} {cpu_seconds} {peak_kib}");
            Some(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("{:?}: {error}", error.kind());
            Some(ExitCode::FAILURE)
        }
    }
}

fn cost_of(command: &mut Command, output: &Path) -> io::Result<(f64, f64, i64)> {
    command.stdout(File::create(output)?);
    let began = clock::now();
    command.status()?;
    let seconds = (clock::now() - began).as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let in_seconds = |time: TimeVal| {
        let seconds = u32::try_from(time.tv_sec()).unwrap_or(u32::MAX);
        let microseconds = u32::try_from(time.tv_usec()).unwrap_or_default();
        f64::from(seconds) + f64::from(microseconds) / 1e6
    };
    Ok((
        seconds,
        in_seconds(usage.user_time()) + in_seconds(usage.system_time()),
        usage.max_rss(),
    ))
}

/// Answers for both blocks, at one port.
pub(super) fn serve() -> io::Result<()> {
    // As many as come at once.
    fs::write("/proc/sys/net/core/somaxconn", "65535")?;
    fs::write("/proc/sys/net/ipv4/tcp_max_syn_backlog", "65535")?;
    ip(&["route", "add", "local", BLOCK_V4, "dev", "lo"])?;
    ip(&["-6", "route", "add", "local", BLOCK_V6, "dev", "lo"])?;
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_only_v6(false)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
    socket.listen(65_535)?;
    let listener = TcpListener::from(socket);
    // Both end with the process. A connection is closed when its peer has closed it.
    let (accepted, to_close) = mpsc::channel::<TcpStream>();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if accepted.send(connection).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for mut connection in to_close {
            // A peer that resets is as welcome as one that closes.
            let _ = io::copy(&mut connection, &mut io::sink());
        }
    });
    Ok(())
}

pub(super) fn ip(words: &[&str]) -> io::Result<()> {
    let finished = lab::run(Command::new("ip").args(words), AT_MOST)?;
    if finished.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "ip {}: {}",
        words.join(" "),
        finished.stderr
    )))
}
