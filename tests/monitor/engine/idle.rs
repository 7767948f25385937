//! A module that leaves connections idle, behind a router that forgets them.

use std::fs;
use std::time::Duration;

use libtest_mimic::Failed;
use tcpprobe::lab::{Family, Lab, Network, Powers};
use tcpprobe::net::clock;

use super::target;
use super::watching::Watching;
use crate::wanted;

/// The router forgets what was idle for three seconds, and what it does not know it drops on one port and resets on another.
const NETWORK: &str = r#"
[sysctl.r1]
"net.netfilter.nf_conntrack_tcp_timeout_established" = "3"
"net.netfilter.nf_conntrack_tcp_loose" = "0"

[[listener]]
port = 8080
count = 4

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
"#;

const DROPPED: u16 = 8080;
const RESET: u16 = 8081;
const HEALTHY: u16 = 8082;
/// Asked in time, before the router forgets.
const SOON: u16 = 8083;
/// Nothing listens.
const SHUT: u16 = 8099;

/// What each port comes to, with what shall be said of the idle connection.
const WANTED: &[(u16, &str, &str, &str)] = &[
    (DROPPED, "idle-death", "idle-dropped", "did not answer at least"),
    (
        RESET,
        "idle-death",
        "idle-reset",
        "answered a keepalive probe with a RST",
    ),
    (HEALTHY, "open", "healthy", "idle for 6.00 s was answered"),
    (SOON, "open", "healthy", "idle for 1.00 s was answered"),
    (SHUT, "refused", "no-listener", ""),
];

pub(super) fn forgotten(family: Family, powers: Powers) -> Result<(), Failed> {
    let network: Network = toml::from_str(NETWORK)?;
    let lab = Lab::build(&network)?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("monitor.yaml");
    let targets: Vec<String> = WANTED
        .iter()
        .map(|(port, ..)| {
            let module = if *port == SOON { "soon" } else { "default" };
            format!(
                "  - {{ target: \"{}\", module: {module} }}\n",
                target(family, *port)
            )
        })
        .collect();
    let modules = "  default: { hold: 6s, interval: 28s }\n  soon: { hold: 1s }\n";
    fs::write(
        &config,
        format!("modules:\n{modules}targets:\n{}", targets.concat()),
    )?;
    let mut watching = Watching::start(&lab, powers, &["--config", &config.display().to_string()])?;
    for _ in WANTED {
        let line = watching.until("a state", |line| line["kind"] == "state")?;
        let found = WANTED
            .iter()
            .find(|(port, ..)| line["target"] == *target(family, *port));
        let (_, class, cause, says) = found.ok_or_else(|| line.to_string())?;
        let to = &line["to"];
        wanted(to["class"] == *class && to["cause"] == *cause, || {
            line.to_string()
        })?;
        let because = line["evidence"][0]["because"].to_string();
        wanted(because.contains(says), || line.to_string())?;
        wanted(to["confidence"] != "certain" || *cause != "idle-dropped", || {
            line.to_string()
        })?;
    }
    // Connections of the next checks may be idle by now.
    let began = clock::now();
    let ended = watching.end()?;
    wanted(clock::now() - began < Duration::from_secs(10), || {
        ended.errors.clone()
    })?;
    let states = ended.lines.iter().filter(|line| line["kind"] == "state");
    // What was ended before it was asked says nothing.
    wanted(states.count() == WANTED.len(), || format!("{:#?}", ended.lines))
}
