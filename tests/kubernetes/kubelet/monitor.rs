//! A monitor in a pod: asked as the kubelet and Prometheus ask it, and told to end as the kubelet tells it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tcpprobe::net::clock;

use super::{ASKED_POD, in_a_pod, in_namespaces, started};
use crate::{Cannot, printed};

const PORT: u16 = 9965;

/// What the container writes.
const LOG: &str = "log";

/// Nothing takes so long, but on a machine that has no time.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

const CONFIG: &str = r#"
modules:
  default: { interval: 1s, timeout: 1s }
targets:
  - target: [ "127.0.0.1:8080", "[::1]:8080" ]
  - target: [ "127.0.0.1:8081", "[::1]:8081" ]
"#;

pub(super) fn a_restricted_pod_with_nothing_but_the_binary_monitors() -> Result<(), Cannot> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monitor.yaml");
    fs::write(&path, CONFIG).unwrap();
    let documents = printed::documents(&printed::monitor(&path, &[]));
    let output = in_a_pod(ASKED_POD, &documents, folder.path())?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    // It was told to end, and did.
    assert_eq!(output.status.code(), Some(0), "{complaints}\n{text}");
    let lines = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    let answers = lines(&text);
    // The readiness, the liveness and the metrics, in both IP versions.
    assert_eq!(answers.len(), 6, "{text}");
    for answer in &answers {
        assert_eq!(answer["status"], 200, "{answer:#}");
    }
    let metrics = answers.iter().filter(|answer| answer["asked"] == "/metrics");
    for metrics in metrics.map(|answer| answer["body"].as_str().unwrap()) {
        for (target, class) in [
            ("127.0.0.1:8080", "open"),
            ("[::1]:8080", "open"),
            ("127.0.0.1:8081", "refused"),
            ("[::1]:8081", "refused"),
        ] {
            let is_it = |line: &str| {
                line.starts_with("tcpprobe_state{")
                    && line.contains(&format!("target=\"{target}\""))
                    && line.contains(&format!("class=\"{class}\""))
                    && line.ends_with(" 1")
            };
            assert!(metrics.lines().any(is_it), "{target} {class}: {metrics}");
        }
    }
    let events = fs::read_to_string(folder.path().join(LOG)).unwrap();
    assert!(!lines(&events).is_empty(), "{complaints}");
    Ok(())
}

/// Namespaces of its own, in which a monitor runs, is asked, and is told to end.
pub(super) fn pod(folder: &Path, binary: &Path, arguments: Vec<OsString>) -> io::Result<i32> {
    in_namespaces(|| {
        // What asks and what is asked must not write into each other's lines.
        let log = File::create(folder.join(LOG))?;
        let mut child = started(folder, binary, arguments).stdout(log).spawn()?;
        let asked = ask_all();
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let status = child.wait()?;
        asked?;
        Ok(status.code().unwrap_or(98))
    })
}

fn ask_all() -> io::Result<()> {
    for address in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ] {
        let address = SocketAddr::new(address, PORT);
        // Each of the four targets has been looked at once.
        let seen = |body: &str| body.lines().filter(|line| is_a_state(line)).count() == 4;
        for (path, is_enough) in [
            ("/-/ready", &(|_: &str| true) as &dyn Fn(&str) -> bool),
            ("/-/healthy", &|_| true),
            ("/metrics", &seen),
        ] {
            let (status, body) = until(|| {
                let answer = ask(address, path)?;
                if answer.0 == 200 && is_enough(&answer.1) {
                    return Ok(answer);
                }
                Err(io::Error::other(format!("{path}: {answer:?}")))
            })?;
            writeln!(
                io::stdout(),
                "{}",
                json!({"asked": path, "status": status, "body": body})
            )?;
        }
    }
    Ok(())
}

fn is_a_state(line: &str) -> bool {
    line.starts_with("tcpprobe_state{") && line.ends_with(" 1")
}

fn until<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let end = clock::now() + PATIENCE;
    loop {
        match attempt() {
            Err(_) if clock::now() < end => thread::sleep(BETWEEN_LOOKS),
            outcome => return outcome,
        }
    }
}

/// The status and the body of an answer.
fn ask(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let wrong = || io::Error::other(format!("no answer of HTTP: {answer}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(wrong)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(wrong)?, body.to_owned()))
}
