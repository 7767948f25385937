//! `tcpprobe hold` against idle connections that really end: by a router that forgets them, by the peer, by everything at once.
//!
//! One network has a port for each case, and all cases are asked at the same time, since most of it is waiting.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use socket2::{SockRef, TcpKeepalive};
use tcpprobe::diagnose::hold::HoldLabel;
use tcpprobe::lab::network::Rule;
use tcpprobe::lab::{Family, Finished, Lab, Network, Node, Place, Powers, run};
use tcpprobe::net::clock;

use crate::{Reader, Show, wanted};

pub(crate) const SHOWS: &[(&str, Show)] = &[("idle_connections_end_as_they_were_made_to", show)];

const TCPPROBE: &str = env!("CARGO_BIN_EXE_tcpprobe");
/// Nothing here takes nearly as long.
const DEADLINE: Duration = Duration::from_secs(180);

/// The router forgets what was idle for twenty seconds, and what it does not know it drops on one port and resets on another.
const NETWORK: &str = r#"
[sysctl.r1]
"net.netfilter.nf_conntrack_tcp_timeout_established" = "20"
"net.netfilter.nf_conntrack_tcp_loose" = "0"

[[listener]]
port = 8080
count = 10

[[firewall]]
node = "r1"
hook = "forward"
port = 8080
state = "invalid"
verdict = "drop"

[[firewall]]
node = "r1"
hook = "forward"
side = "from"
port = 8080
state = "invalid"
verdict = "drop"

[[firewall]]
node = "r1"
hook = "forward"
port = 8081
state = "invalid"
verdict = "reset"

[[firewall]]
node = "r1"
hook = "forward"
port = 8082
state = "invalid"
verdict = "drop"
"#;

const DROPPED: u16 = 8080;
const RESET: u16 = 8081;
/// Forgotten as well, on a path that loses packets.
const LOSSY_AND_DROPPED: u16 = 8082;
const HEALTHY: u16 = 8083;
const LOSSY: u16 = 8084;
/// Everything to it vanishes after a while.
const DIES: u16 = 8085;
/// After a while what is no SYN does not get through any more, and FINs are rejected.
const REJECTED: u16 = 8086;
/// The peer closes what is three seconds old.
const CLOSED: u16 = 8090;
/// The peer closes all connections at one moment.
const RESTARTED: u16 = 8091;
/// The peer sends keepalive probes of its own.
const SPEAKS: u16 = 8092;
const NOT_OPEN: u16 = 8099;

/// Whether what dies has done so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dying {
    Alive,
    Dead,
}

fn wire(dying: Dying) -> Result<Vec<Rule>, Failed> {
    let mut text = String::new();
    let mut rule = |about: &str| {
        text.push_str("[[rule]]\n");
        text.push_str(about);
        text.push('\n');
    };
    for port in [LOSSY, LOSSY_AND_DROPPED] {
        for towards in ["server", "client"] {
            rule(&format!(
                "towards = '{towards}'\nport = {port}\nprobability = 0.1\naction = 'drop'"
            ));
        }
    }
    if dying == Dying::Dead {
        rule(&format!("towards = 'server'\nport = {DIES}\naction = 'drop'"));
        // A firewall that rejects a FIN, and a keepalive probe too, whose rejection the kernel does not hear.
        rule(&format!(
            "towards = 'server'\npacket = 'ack'\nport = {REJECTED}\naction = 'drop'"
        ));
        rule(&format!(
            "towards = 'server'\npacket = 'fin'\nport = {REJECTED}\n\
             action = {{ answer = {{ icmp = {{ says = 'admin-prohibited', from = 'r1' }} }} }}"
        ));
    }
    let wire: tcpprobe::lab::network::Wire = toml::from_str(&text).map_err(|error| error.to_string())?;
    Ok(wire.rule)
}

/// A case: what is asked, and what has to come of it.
struct Case {
    name: &'static str,
    port: u16,
    arguments: &'static [&'static str],
    holds: fn(&Value, Reader) -> Result<(), Failed>,
    exit: &'static [i32],
}

const CASES: &[Case] = &[
    Case {
        name: "a router forgets after twenty seconds and drops",
        port: DROPPED,
        arguments: &["--max", "30s"],
        exit: &[1],
        holds: |document, _| {
            is(document, HoldLabel::IdleDropped, "likely")?;
            near_twenty(document)?;
            let hangs = document["on_this_host"][0]["hangs_s"].as_f64();
            wanted(hangs.is_some_and(|hangs| hangs > 900.0), || {
                format!("hangs {hangs:?}")
            })
        },
    },
    Case {
        name: "a router forgets after twenty seconds and resets",
        port: RESET,
        arguments: &["--max", "30s"],
        exit: &[1],
        holds: |document, reader| {
            is(document, HoldLabel::IdleReset, "certain")?;
            near_twenty(document)?;
            let sender = match reader {
                Reader::Root => "middlebox",
                Reader::Plain => "unknown",
            };
            wanted(document["sender"] == sender, || document["sender"].to_string())
        },
    },
    Case {
        name: "the same on a path that loses a tenth",
        port: LOSSY_AND_DROPPED,
        arguments: &["--max", "30s"],
        exit: &[1, 3],
        holds: |document, _| {
            // Where loss makes it impossible to say, nothing is said; what is said is true.
            if document["label"] == "idle-dropped" {
                return near_twenty(document);
            }
            let label = &document["label"];
            wanted(label == "undecided" || label == "target-lost", || {
                label.to_string()
            })
        },
    },
    Case {
        name: "one question too late",
        port: DROPPED,
        arguments: &["--after", "23s"],
        exit: &[1],
        holds: |document, _| {
            is(document, HoldLabel::IdleDropped, "likely")?;
            let limit = document["limit"]["at_most_s"].as_f64();
            wanted(limit.is_some_and(|limit| limit >= 23.0), || format!("{limit:?}"))
        },
    },
    Case {
        name: "one question in time",
        port: DROPPED,
        arguments: &["--after", "5s"],
        exit: &[0],
        holds: |document, _| is(document, HoldLabel::Healthy, "certain"),
    },
    Case {
        name: "nothing forgets",
        port: HEALTHY,
        arguments: &["--max", "6s"],
        exit: &[0],
        holds: |document, _| {
            is(document, HoldLabel::Healthy, "certain")?;
            wanted(document["limit"].is_null(), || document["limit"].to_string())
        },
    },
    Case {
        name: "nothing forgets on a path that loses a tenth",
        port: LOSSY,
        arguments: &["--max", "6s"],
        exit: &[0],
        holds: |document, _| is(document, HoldLabel::Healthy, "certain"),
    },
    Case {
        name: "the peer closes after three seconds",
        port: CLOSED,
        arguments: &["--max", "20s"],
        exit: &[1],
        holds: |document, _| {
            is(document, HoldLabel::PeerClosed, "certain")?;
            let (least, most) = limit(document)?;
            wanted(least >= 2.9 && most < 5.0, || format!("{least} to {most}"))
        },
    },
    Case {
        name: "the peer closes everything once",
        port: RESTARTED,
        arguments: &["--max", "10s"],
        exit: &[1, 3],
        holds: |document, _| {
            // New connections live for longer than those that were closed, so that no limit is to be found.
            wanted(document["label"] == "undecided", || document["label"].to_string())
        },
    },
    Case {
        name: "the target dies",
        port: DIES,
        arguments: &["--max", "20s"],
        exit: &[3],
        holds: |document, _| is(document, HoldLabel::TargetLost, "likely"),
    },
    Case {
        name: "what is forgotten is rejected",
        port: REJECTED,
        arguments: &["--after", "9s"],
        exit: &[1],
        holds: |document, _| is(document, HoldLabel::IdleRejected, "likely"),
    },
    Case {
        name: "the peer asks by itself",
        port: SPEAKS,
        arguments: &["--max", "6s"],
        exit: &[0],
        holds: |document, _| {
            is(document, HoldLabel::Healthy, "certain")?;
            let kind = &document["findings"][0]["kind"];
            wanted(kind == "peer-speaks", || document["findings"].to_string())
        },
    },
    Case {
        name: "nothing listens",
        port: NOT_OPEN,
        arguments: &["--max", "6s"],
        exit: &[1],
        holds: |document, _| {
            is(document, HoldLabel::NotOpen, "certain")?;
            let cause = &document["check"]["endpoints"][0]["cause"];
            wanted(cause == "no-listener", || cause.to_string())
        },
    },
];

fn is(document: &Value, label: HoldLabel, confidence: &str) -> Result<(), Failed> {
    wanted(
        document["label"] == label.label() && document["confidence"] == confidence,
        || format!("{} ({})", document["label"], document["confidence"]),
    )
}

fn limit(document: &Value) -> Result<(f64, f64), Failed> {
    let of = |name: &str| document["limit"][name].as_f64();
    of("at_least_s")
        .zip(of("at_most_s"))
        .ok_or_else(|| "no limit".into())
}

/// Twenty seconds, found within two.
fn near_twenty(document: &Value) -> Result<(), Failed> {
    let (least, most) = limit(document)?;
    wanted(
        least >= 18.0 && most <= 22.0 && least <= 20.2 && most >= 19.8,
        || format!("{least} to {most}"),
    )
}

fn show(family: Family, reader: Reader) -> Result<(), Failed> {
    let network: Network = toml::from_str(NETWORK).map_err(|error| error.to_string())?;
    let lab = Arc::new(Lab::build(&network)?);
    lab.rewire(wire(Dying::Alive)?)?;
    let ip = Place::Server.address(family);
    let peers = Peers::start(&lab, ip)?;
    let began = clock::now();
    let running: Vec<_> = CASES
        .iter()
        .map(|case| {
            let lab = Arc::clone(&lab);
            (
                case,
                thread::spawn(move || ask(&lab, reader, SocketAddr::new(ip, case.port), case.arguments)),
            )
        })
        .collect();
    let early = end_early(&lab, reader, SocketAddr::new(ip, HEALTHY));
    thread::sleep(Duration::from_secs(5).saturating_sub(clock::now() - began));
    lab.rewire(wire(Dying::Dead)?)?;
    peers.restart();
    let mut wrong = Vec::new();
    if let Err(error) = early {
        wrong.push(format!("ended early: {}", error.message().unwrap_or_default()));
    }
    for (case, thread) in running {
        let finished = thread.join().map_err(|_| "a thread panicked")??;
        if let Err(error) = judge(case, reader, &finished) {
            let why = error.message().unwrap_or_default();
            wrong.push(format!(
                "{}: {why}\n{}{}",
                case.name, finished.stderr, finished.stdout
            ));
        }
    }
    wanted(wrong.is_empty(), || wrong.join("\n\n"))
}

fn judge(case: &Case, reader: Reader, finished: &Finished) -> Result<(), Failed> {
    let document: Value = serde_json::from_str(&finished.stdout).map_err(|error| error.to_string())?;
    holds_to_the_schema(&document)?;
    (case.holds)(&document, reader)?;
    let code = finished.status.code();
    wanted(code.is_some_and(|code| case.exit.contains(&code)), || {
        format!("exit code {code:?}")
    })?;
    ends_in_time(finished, &document)
}

/// What was said beforehand of how long it takes holds.
fn ends_in_time(finished: &Finished, document: &Value) -> Result<(), Failed> {
    if document["label"] == "not-open" {
        return Ok(());
    }
    wanted(
        finished.stderr.contains("this takes") && finished.stderr.contains("at most"),
        || finished.stderr.clone(),
    )
}

fn holds_to_the_schema(document: &Value) -> Result<(), Failed> {
    let read = |name: &str| -> Result<Value, Failed> {
        let path = format!("{}/docs/schema/{name}", env!("CARGO_MANIFEST_DIR"));
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    };
    let ordinary = jsonschema::Resource::from_contents(read("tcpprobe-v1.schema.json")?);
    let validator = jsonschema::options()
        .with_resource("json-schema:///tcpprobe-v1.schema.json", ordinary)
        .build(&read("tcpprobe-hold-v1.schema.json")?)
        .map_err(|error| error.to_string())?;
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    wanted(errors.is_empty(), || errors.join("\n"))
}

fn ask(lab: &Lab, reader: Reader, to: SocketAddr, arguments: &[&str]) -> io::Result<Finished> {
    let all = ["hold", "-o", "json", &to.to_string()].map(str::to_owned);
    let all: Vec<String> = all
        .into_iter()
        .chain(arguments.iter().map(ToString::to_string))
        .collect();
    run(command(lab, reader)?.args(all), DEADLINE)
}

/// Root has every capability of the namespaces, the plain user none.
fn command(lab: &Lab, reader: Reader) -> io::Result<Command> {
    let powers = match reader {
        Reader::Root => Powers::NetRaw,
        Reader::Plain => Powers::None,
    };
    lab.command(TCPPROBE, powers, None)
}

/// SIGINT ends it with what is known by then.
fn end_early(lab: &Lab, reader: Reader, to: SocketAddr) -> Result<(), Failed> {
    let mut command = command(lab, reader)?;
    command.args(["hold", "-o", "json", "--max", "30s", &to.to_string()]);
    let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    thread::sleep(Duration::from_millis(2500));
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGINT)?;
    let output = child.wait_with_output()?;
    let document: Value = serde_json::from_slice(&output.stdout)?;
    holds_to_the_schema(&document)?;
    is(&document, HoldLabel::Undecided, "possible")?;
    wanted(
        output.status.code() == Some(3) && document["interrupted"] == true && document["limit"].is_null(),
        || document.to_string(),
    )
}

/// Servers whose connections end as no listener of the lab has them end.
struct Peers {
    restarting: Arc<Mutex<Vec<TcpStream>>>,
    over: Arc<AtomicBool>,
}

impl Peers {
    fn start(lab: &Lab, ip: IpAddr) -> io::Result<Self> {
        let peers = Self {
            restarting: Arc::default(),
            over: Arc::default(),
        };
        serve(lab, SocketAddr::new(ip, CLOSED), &peers.over, |connection| {
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(3));
                drop(connection);
            });
        })?;
        let restarting = Arc::clone(&peers.restarting);
        serve(
            lab,
            SocketAddr::new(ip, RESTARTED),
            &peers.over,
            move |connection| {
                restarting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            },
        )?;
        let speaking = Mutex::new(Vec::new());
        serve(lab, SocketAddr::new(ip, SPEAKS), &peers.over, move |connection| {
            let second = Duration::from_secs(1);
            let asking = TcpKeepalive::new().with_time(second).with_interval(second);
            if SockRef::from(&connection).set_tcp_keepalive(&asking).is_ok() {
                speaking
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
        })?;
        Ok(peers)
    }

    fn restart(&self) {
        self.restarting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Listens in the server's namespace and hands connections over, until it is over.
fn serve(
    lab: &Lab,
    at: SocketAddr,
    over: &Arc<AtomicBool>,
    take: impl Fn(TcpStream) + Send + 'static,
) -> io::Result<()> {
    let listener = lab.on(Node::Server, move || TcpListener::bind(at))??;
    listener.set_nonblocking(true)?;
    let over = Arc::clone(over);
    thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((connection, _)) => take(connection),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    });
    Ok(())
}
