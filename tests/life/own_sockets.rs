//! What other programs of this host have open towards a target, as findings of its check: with sockets that a process of its
//! own brought into each state.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tcpprobe::lab::{Family, Finished, Lab, Network, Node, Powers, run};

use crate::far::{Callers, Far, deafen, make_hard_of_hearing};
use crate::holder::Holder;
use crate::{Reader, Show, schema, wanted};

pub(crate) const SHOWS: &[(&str, Show)] = &[
    ("what_others_have_open_is_found", each_state_is_found),
    (
        "our_own_connections_are_not_taken_for_those_of_others",
        ours_do_not_count,
    ),
];

const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");
const DEADLINE: Duration = Duration::from_secs(30);
/// The kernel's timers need up to two seconds to show everything; nobody waits longer than this.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Ports of the namespace, and how many of them wait for one destination.
const PORTS: u64 = 200;
const WAITING: u64 = 170;
const LEAKED: u64 = 60;
const STUCK: u64 = 3;
/// So many checks of the monitor that what they leave behind would be seen.
const OWN_CHECKS: u64 = 8;

fn each_state_is_found(family: Family, reader: Reader) -> Result<(), Failed> {
    let mut place = Place::build(family, reader)?;
    let (pools, leaky, stalled, lossy, deaf) = (
        place.listen()?,
        place.listen()?,
        place.listen()?,
        place.listen()?,
        place.listen()?,
    );
    for _ in 0..WAITING {
        let (near, far) = place.pair(&pools)?;
        place.holder.order(&format!("close {near}"))?;
        // Its FIN has come: whoever closes now closes last.
        far.set_read_timeout(Some(DEADLINE))?;
        io::Read::read(&mut &far, &mut [0])?;
    }
    for _ in 0..LEAKED {
        drop(place.pair(&leaky)?);
    }
    let (near, far) = place.pair(&stalled)?;
    deafen(&far)?;
    place.holder.order(&format!("send {near} 10"))?;
    let (lossy_near, hard_of_hearing) = place.pair(&lossy)?;
    make_hard_of_hearing(&hard_of_hearing)?;
    // Their listener answers; they do not hear it. Ours does.
    let to = deaf.address;
    let _deaf = place.lab.on(Node::Client, move || {
        let mut callers = Callers::default();
        (0..STUCK)
            .try_for_each(|_| callers.connect_deaf(to))
            .map(|()| callers)
    })??;

    let pools_found = [
        (
            "own-ports-nearly-exhausted",
            format!("{WAITING} of the {PORTS} ports"),
        ),
        ("own-time-wait", format!("{WAITING} connections")),
    ];
    place.finds(pools.address, &pools_found)?;
    place.finds(
        leaky.address,
        &[("own-close-wait", format!("{LEAKED} connections are"))],
    )?;
    let stalled_found = [("own-send-stalled", "1 connection of other programs".to_owned())];
    let endpoint = place.finds(stalled.address, &stalled_found)?;
    wanted(endpoint["confidence"] == "certain", || endpoint.to_string())?;
    until_it_holds(|| {
        place.holder.order(&format!("send {lossy_near} 20"))?;
        place.look_for(
            lossy.address,
            &[("own-retransmitting", "had to send ".to_owned())],
        )
    })?;
    let stuck = [(
        "own-syn-sent-stuck",
        format!("{STUCK} connections of other programs wait"),
    )];
    let endpoint = place.finds(deaf.address, &stuck)?;
    wanted(endpoint["confidence"] == "likely", || endpoint.to_string())?;
    let also = json!([{ "class": "backlog-full", "cause": "overloaded" }]);
    wanted(endpoint["not_ruled_out"] == also, || endpoint.to_string())?;
    drop(far);

    place.finds_in_a_matrix(&[
        (leaky.address, "own-close-wait"),
        (pools.address, "own-time-wait"),
        (deaf.address, "own-syn-sent-stuck"),
    ])?;
    let quiet = place.listen()?;
    place.finds_in_a_monitor(
        &[
            (leaky.address, "own-close-wait"),
            (pools.address, "own-time-wait"),
            (deaf.address, "own-syn-sent-stuck"),
        ],
        quiet.address,
    )
}

fn ours_do_not_count(family: Family, reader: Reader) -> Result<(), Failed> {
    let place = Place::build(family, reader)?;
    let quiet = place.listen()?;
    // As many as would be reported twice over if they were somebody else's.
    let rounds = PORTS * 2 / 5;
    let finished = place.run(&[
        "-o",
        "jsonl",
        "--count",
        &rounds.to_string(),
        "--interval",
        "1ms",
        &quiet.address.to_string(),
    ])?;
    let mut checks = 0;
    for line in finished.stdout.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line.get("series").is_some() {
            continue;
        }
        checks += 1;
        let own = own_kinds(&line);
        wanted(line["class"] == "open" && own.is_empty(), || line.to_string())?;
    }
    wanted(checks == rounds, || finished.stderr.clone())
}

/// A host whose process has sockets.
struct Place {
    lab: Lab,
    reader: Reader,
    ip: IpAddr,
    holder: Holder,
}

impl Place {
    fn build(family: Family, reader: Reader) -> Result<Self, Failed> {
        let lab = Lab::build(&Network::default())?;
        lab.on(Node::Client, || {
            let last = 20_000 + PORTS - 1;
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", format!("20000 {last}"))?;
            // Within a host ports in TIME_WAIT would be taken again.
            std::fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0")
        })??;
        let program = std::env::current_exe()?;
        let holder = match reader {
            Reader::Plain => Holder::start(lab.command(program, Powers::None, None)?)?,
            Reader::Root => lab.on(Node::Client, move || Holder::start(Command::new(program)))??,
        };
        Ok(Self {
            lab,
            reader,
            ip: match family {
                Family::V4 => Ipv4Addr::LOCALHOST.into(),
                Family::V6 => Ipv6Addr::LOCALHOST.into(),
            },
            holder,
        })
    }

    fn listen(&self) -> io::Result<Far> {
        let ip = self.ip;
        self.lab.on(Node::Client, move || Far::listen(ip, 1024))?
    }

    /// A connection of the process, with its far end.
    fn pair(&mut self, to: &Far) -> io::Result<(String, socket2::Socket)> {
        let near = self.holder.order(&format!("connect {}", to.address))?;
        Ok((near, to.accept()?))
    }

    fn run(&self, arguments: &[&str]) -> io::Result<Finished> {
        match self.reader {
            Reader::Plain => {
                let mut command = self.lab.command(TCPPROBE, Powers::None, None)?;
                run(command.args(arguments), DEADLINE)
            }
            Reader::Root => {
                let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                self.lab.on(Node::Client, move || {
                    run(Command::new(TCPPROBE).args(arguments), DEADLINE)
                })?
            }
        }
    }

    /// The endpoint's record, as soon as its findings of our own sockets are these, with these words.
    fn finds(&self, target: SocketAddr, findings: &[(&str, String)]) -> Result<Value, Failed> {
        until_it_holds(|| self.look_for(target, findings))
    }

    fn look_for(&self, target: SocketAddr, findings: &[(&str, String)]) -> Result<Value, Failed> {
        let finished = self.run(&["-o", "json", &target.to_string()])?;
        let document: Value = serde_json::from_str(&finished.stdout)?;
        let errors = schema::errors("document", &document);
        wanted(errors.is_empty(), || errors.join("\n"))?;
        let endpoint = &document["targets"][0]["endpoints"][0];
        let kinds: Vec<&str> = findings.iter().map(|(kind, _)| *kind).collect();
        wanted(own_kinds(endpoint) == kinds, || endpoint.to_string())?;
        for (kind, words) in findings {
            let says = all(endpoint)
                .find(|one| one["kind"] == *kind)
                .and_then(|one| one["says"].as_str())
                .unwrap_or_default();
            wanted(says.contains(words), || format!("{kind} says {says}"))?;
        }
        let advice = endpoint["advice"].to_string();
        wanted(advice.contains("tcpprobe sockets --dst"), || advice.clone())?;
        wanted(endpoint["class"] == "open", || endpoint.to_string())?;
        Ok(endpoint.clone())
    }

    fn finds_in_a_matrix(&self, edges: &[(SocketAddr, &str)]) -> Result<(), Failed> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("matrix.yaml");
        let targets: Vec<String> = edges.iter().map(|(target, _)| target.to_string()).collect();
        let rule = json!({ "rules": [{ "expect": ["open"], "to": targets }] });
        std::fs::write(&file, rule.to_string())?;
        let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open_to_all)?;
        let file = file.display().to_string();
        let finished = self.run(&["matrix", &file, "-o", "jsonl"])?;
        for (target, kind) in edges {
            let line = finished
                .stdout
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|line| line.to_string().contains(&format!("\"{target}\"")));
            let found = line.is_some_and(|line| line.to_string().contains(&format!("\"kind\":\"{kind}\"")));
            wanted(found, || {
                format!("{target}: no {kind} in\n{}\n{}", finished.stdout, finished.stderr)
            })?;
        }
        Ok(())
    }

    /// What others have is in the monitor's metrics, and what it has itself is not, however often it looks.
    fn finds_in_a_monitor(&self, targets: &[(SocketAddr, &str)], quiet: SocketAddr) -> Result<(), Failed> {
        let mut arguments: Vec<String> = ["monitor", "-i", "500ms", "-t", "400ms", "--slow", "300ms"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(targets.iter().map(|(target, _)| target.to_string()));
        arguments.push(quiet.to_string());
        let started = match self.reader {
            Reader::Plain => {
                let mut command = self.lab.command(TCPPROBE, Powers::None, None)?;
                command
                    .args(arguments)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()?
            }
            Reader::Root => self.lab.on(Node::Client, move || {
                Command::new(TCPPROBE)
                    .args(arguments)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
            })??,
        };
        let monitor = Monitor(started);
        until_it_holds(|| {
            let metrics = self.lab.on(Node::Client, metrics)??;
            let has = |sample: &str| metrics.lines().any(|line| line.starts_with(sample));
            for (target, kind) in targets {
                let sample = format!("tcpprobe_finding_info{{target=\"{target}\",finding=\"{kind}\"}} 1");
                wanted(has(&sample), || format!("no {sample} in\n{metrics}"))?;
            }
            // So many checks that their own connections would be found twice over.
            let checked = format!("tcpprobe_checks_total{{target=\"{quiet}\",class=\"open\"}} ");
            let checked = metrics
                .lines()
                .find_map(|line| line.strip_prefix(&checked)?.parse().ok());
            wanted(checked.is_some_and(|checks: u64| checks >= OWN_CHECKS), || {
                format!("{checked:?} checks of {quiet}")
            })?;
            let ours = format!("tcpprobe_finding_info{{target=\"{quiet}\",finding=\"own-");
            wanted(!has(&ours), || metrics.clone())
        })?;
        monitor.end()
    }
}

/// A monitor that is ended with this.
struct Monitor(Child);

impl Monitor {
    fn end(mut self) -> Result<(), Failed> {
        kill(Pid::from_raw(i32::try_from(self.0.id())?), Signal::SIGTERM)?;
        let status = self.0.wait()?;
        wanted(status.success(), || status.to_string())
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The metrics of a monitor that listens where it does by itself.
fn metrics() -> io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, 9965))?;
    connection.set_read_timeout(Some(DEADLINE))?;
    write!(connection, "GET /metrics HTTP/1.0\r\nHost: monitor\r\n\r\n")?;
    let mut text = String::new();
    connection.read_to_string(&mut text)?;
    Ok(text)
}

fn all(endpoint: &Value) -> impl Iterator<Item = &Value> {
    endpoint["findings"].as_array().into_iter().flatten()
}

/// The findings that speak of this host's own sockets.
fn own_kinds(endpoint: &Value) -> Vec<&str> {
    let kinds = all(endpoint).filter_map(|one| one["kind"].as_str());
    kinds.filter(|kind| kind.starts_with("own-")).collect()
}

/// What it comes to as soon as it holds; what did not hold last, if it never does.
fn until_it_holds<T>(mut look: impl FnMut() -> Result<T, Failed>) -> Result<T, Failed> {
    let mut last = look();
    for _ in 1..LOOKS {
        if last.is_ok() {
            break;
        }
        thread::sleep(BETWEEN_LOOKS);
        last = look();
    }
    last
}
