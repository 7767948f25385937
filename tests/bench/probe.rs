//! `/probe` beside blackbox_exporter's `tcp_connect`: the same target, the same clients, in turn.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tcpprobe::lab::{Lab, Network, Node};
use tcpprobe::net::clock;

use super::{OPEN, TCPPROBE};

/// So many clients ask at a time, each on a connection of its own that it keeps.
const CLIENTS: &[usize] = &[1, 8, 64];
/// One measurement.
const LASTS: Duration = Duration::from_secs(3);
/// Each program is measured so often, in turn with the other; the run of median rate counts.
const RUNS: usize = 3;
/// A program that does not listen after so long does not run.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that answers `/probe`.
struct Contender {
    name: &'static str,
    address: SocketAddr,
    module: &'static str,
    child: Child,
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
struct Run {
    a_second: f64,
    median: Duration,
    p99: Duration,
    /// Processor time of the program for each request.
    cpu: Duration,
}

pub(super) fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let lab = Lab::build(&Network::default())?;
    lab.on(Node::Client, || {
        in_a_network_of_its_own().map_err(|error| error.to_string())
    })??;
    Ok(())
}

fn in_a_network_of_its_own() -> io::Result<()> {
    listen()?;
    // Every check leaves its port for a second or a minute: room for as many as a run makes.
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", "10000 60000")?;
    let directory = tempfile::tempdir()?;
    let contenders = [tcpprobe(directory.path()), blackbox_exporter(directory.path())];
    let mut running = Vec::new();
    for contender in contenders {
        match contender {
            Ok(contender) => running.push(contender),
            Err(error) => println!("not measured: {error}"),
        }
    }
    println!("| `/probe` of an open port | clients | requests/s | p50 | p99 | CPU a request |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for target in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ] {
        for clients in CLIENTS {
            let mut runs: Vec<Vec<Run>> = running.iter().map(|_| Vec::new()).collect();
            for _ in 0..RUNS {
                for (contender, runs) in running.iter().zip(&mut runs) {
                    runs.push(run(contender, SocketAddr::new(target, OPEN), *clients)?);
                }
            }
            for (contender, mut runs) in running.iter().zip(runs) {
                runs.sort_by(|one, other| one.a_second.total_cmp(&other.a_second));
                let Some(run) = runs.get(runs.len() / 2) else {
                    continue;
                };
                let family = if target.is_ipv4() { "v4" } else { "v6" };
                println!(
                    "| {}, {family} | {clients} | {:.0} | {} | {} | {} |",
                    contender.name,
                    run.a_second,
                    micros(run.median),
                    micros(run.p99),
                    micros(run.cpu)
                );
            }
        }
    }
    for mut contender in running {
        contender.child.kill()?;
        contender.child.wait()?;
    }
    println!();
    Ok(())
}

/// The target: takes connections, many at a time, and closes each when its peer has. Its queue never fills.
fn listen() -> io::Result<()> {
    let listener = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    listener.bind(&SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), OPEN).into())?;
    listener.listen(4096)?;
    for _ in 0..16 {
        let listener = std::net::TcpListener::from(listener.try_clone()?);
        // They end with the process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                // A peer that resets is as welcome as one that closes.
                let _ = connection.and_then(|mut connection| io::copy(&mut connection, &mut io::sink()));
            }
        });
    }
    Ok(())
}

fn micros(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{} µs", time.as_micros())
    } else {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    }
}

fn tcpprobe(directory: &Path) -> io::Result<Contender> {
    let config = directory.join("tcpprobe.yaml");
    // As the peer has it: no limit.
    fs::write(
        &config,
        "targets: []\nprobe_limit: { rate: 100000, burst: 100000 }\n",
    )?;
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9965);
    let mut command = Command::new(TCPPROBE);
    command
        .args(["monitor", "--rate=100000000", "--config"])
        .arg(config);
    start("tcpprobe", address, "default", &mut command)
}

fn blackbox_exporter(directory: &Path) -> io::Result<Contender> {
    let config = directory.join("blackbox.yaml");
    fs::write(
        &config,
        "modules: { tcp_connect: { prober: tcp, timeout: 5s } }\n",
    )?;
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9115);
    let mut command = Command::new("prometheus-blackbox-exporter");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--web.listen-address={address}"));
    start("blackbox_exporter", address, "tcp_connect", &mut command)
}

fn start(
    name: &'static str,
    address: SocketAddr,
    module: &'static str,
    command: &mut Command,
) -> io::Result<Contender> {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    let began = clock::now();
    while TcpStream::connect(address).is_err() {
        if clock::now().duration_since(began) > PATIENCE || child.try_wait()?.is_some() {
            // If it has ended already, there is nothing to end.
            let _ = child.kill();
            child.wait()?;
            return Err(io::Error::other(format!("{name} does not listen on {address}")));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(Contender {
        name,
        address,
        module,
        child,
    })
}

fn run(contender: &Contender, target: SocketAddr, clients: usize) -> io::Result<Run> {
    let (address, module) = (contender.address, contender.module);
    let cpu_before = cpu(&contender.child)?;
    let began = clock::now();
    let clients: Vec<_> = (0..clients)
        .map(|_| thread::spawn(move || ask(address, module, target, began)))
        .collect();
    let mut all = Vec::new();
    for client in clients {
        let took = client.join().map_err(|_| io::Error::other("a client panicked"))?;
        all.extend(took.map_err(|error| io::Error::other(format!("{}: {error}", contender.name)))?);
    }
    let lasted = clock::now().duration_since(began);
    let cpu = cpu(&contender.child)?.saturating_sub(cpu_before);
    all.sort();
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX).max(1);
    let at = |share: usize| all.get(all.len() * share / 100).copied().unwrap_or_default();
    Ok(Run {
        a_second: f64::from(count) / lasted.as_secs_f64(),
        median: at(50),
        p99: at(99),
        cpu: cpu / count,
    })
}

/// Asks again and again, and says how long each answer took.
fn ask(address: SocketAddr, module: &str, target: SocketAddr, began: Instant) -> io::Result<Vec<Duration>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(16 << 10, stream);
    let request = format!("GET /probe?target={target}&module={module} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let mut took = Vec::new();
    let mut body = Vec::new();
    loop {
        let asked = clock::now();
        if asked.duration_since(began) >= LASTS {
            return Ok(took);
        }
        reader.get_mut().write_all(request.as_bytes())?;
        answer(&mut reader, &mut body)?;
        took.push(clock::now().duration_since(asked));
        let is_success = body.windows(16).any(|window| window == b"\nprobe_success 1");
        if !is_success {
            return Err(io::Error::other(format!(
                "no success: {}",
                String::from_utf8_lossy(&body)
            )));
        }
    }
}

fn answer(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    body.clear();
    let (mut line, mut length) = (String::new(), None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
    if let Some(length) = length {
        body.resize(length, 0);
        return reader.read_exact(body);
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        let begin = body.len();
        body.resize(begin + size + 2, 0);
        reader.read_exact(&mut body[begin..])?;
        body.truncate(begin + size);
        if size == 0 {
            return Ok(());
        }
    }
}

/// Processor time of a process so far: fields 14 and 15 of `/proc/PID/stat`, in hundredths of a second.
fn cpu(child: &Child) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    let after_the_name = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let fields = after_the_name.split(' ').skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
