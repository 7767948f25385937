//! Ports of the lab's server, each of which can be sound or fail in its own way.

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use tcpprobe::lab::network::{Dns, Listener, Rule};
use tcpprobe::lab::{Family, Lab, Node, Place, Serving};

/// A name that the lab's name server may know.
const NAME: &str = "web.test";

/// A port, and how it fails.
pub(super) struct Failure {
    port: u16,
    /// The module that looks at it.
    module: &'static str,
    how: How,
    /// The classes of which one is the verdict, where raw probes are permitted.
    raw: &'static [&'static str],
    /// And where not: what then looks the same may be said, too.
    plain: &'static [&'static str],
    /// A cause that is certain to be named.
    cause: Option<&'static str>,
}

enum How {
    /// Nothing listens.
    Closed,
    /// Something listens that behaves like this.
    Listens(&'static str),
    /// The wire does this.
    Wire(&'static str),
    /// The name has no address.
    NoName,
}

/// Looks often, and long enough for what answers.
const QUICK: &str = "quick";
/// Looks long enough for silence.
const PATIENT: &str = "patient";

pub(super) const FAILURES: [Failure; 8] = [
    Failure {
        port: 8001,
        module: QUICK,
        how: How::Closed,
        raw: &["refused"],
        plain: &["refused"],
        cause: Some("no-listener"),
    },
    Failure {
        port: 8002,
        module: QUICK,
        how: How::Wire(
            "towards = 'server'\npacket = 'syn'\n\
             action = { answer = { icmp = { says = 'admin-prohibited', from = 'r2', ttl = 63 } } }",
        ),
        raw: &["rejected"],
        plain: &["rejected"],
        cause: Some("admin-prohibited"),
    },
    Failure {
        port: 8003,
        module: PATIENT,
        how: How::Wire("towards = 'server'\npacket = 'tcp'\naction = 'drop'"),
        raw: &["filtered"],
        plain: &["filtered"],
        cause: None,
    },
    Failure {
        port: 8004,
        module: PATIENT,
        how: How::Listens("backlog = 3\nbehaviour = 'never-accept'\nfull = true"),
        raw: &["backlog-full"],
        plain: &["backlog-full", "filtered"],
        cause: None,
    },
    Failure {
        port: 8005,
        module: QUICK,
        how: How::Listens("behaviour = 'accept-then-reset'"),
        raw: &["reset"],
        plain: &["reset"],
        cause: Some("reset-after-accept"),
    },
    Failure {
        port: 8006,
        module: PATIENT,
        how: How::Wire("towards = 'client'\npacket = 'syn-ack'\naction = { delay = '600ms' }"),
        raw: &["slow"],
        plain: &["slow"],
        cause: None,
    },
    Failure {
        port: 8007,
        module: QUICK,
        how: How::Wire(
            "towards = 'server'\npacket = 'syn'\n\
             action = { answer = { icmp = { says = 'host-unreachable', from = 'r2', ttl = 63 } } }",
        ),
        raw: &["unreachable"],
        plain: &["unreachable"],
        cause: Some("host-unreachable"),
    },
    Failure {
        port: 8010,
        module: QUICK,
        how: How::NoName,
        raw: &["dns-failed"],
        plain: &["dns-failed"],
        cause: Some("nxdomain"),
    },
];

/// A target on one of those ports.
pub(super) struct Target {
    /// As the configuration has it.
    pub(super) name: String,
    /// Of which one is the verdict when it fails.
    pub(super) classes: &'static [&'static str],
    pub(super) cause: Option<&'static str>,
    module: &'static str,
}

impl Target {
    /// Whether what it fails with is still what is expected: whoever waits for long enough gets a connection.
    pub(super) fn is_still_open(&self) -> bool {
        self.classes == ["slow"]
    }
}

/// Every port over both IP versions, and the name.
pub(super) fn targets(is_raw: impl Fn() -> bool) -> Vec<Target> {
    let mut targets = Vec::new();
    for failure in &FAILURES {
        let names = match failure.how {
            How::NoName => vec![format!("{NAME}:{}", failure.port)],
            How::Closed | How::Listens(_) | How::Wire(_) => Family::BOTH
                .map(|family| {
                    std::net::SocketAddr::new(Place::Server.address(family), failure.port).to_string()
                })
                .to_vec(),
        };
        targets.extend(names.into_iter().map(|name| Target {
            name,
            classes: if is_raw() { failure.raw } else { failure.plain },
            cause: failure.cause,
            module: failure.module,
        }));
    }
    targets
}

/// The configuration that watches them.
pub(super) fn config(targets: &[Target]) -> Value {
    let targets: Vec<Value> = targets
        .iter()
        .map(|target| json!({"target": target.name, "module": target.module, "labels": {"team": "lab"}}))
        .collect();
    json!({
        "modules": {
            "quick": {"interval": "1s", "timeout": "900ms", "confirm": 2},
            "patient": {"interval": "3s", "timeout": "2500ms", "confirm": 2},
        },
        "targets": targets,
        "probe_limit": {"rate": 100, "burst": 100},
    })
}

/// The ports of a lab, sound or not. They are closed when this is dropped.
pub(super) struct Ports<'a> {
    lab: &'a Lab,
    serving: BTreeMap<u16, Serving>,
}

impl<'a> Ports<'a> {
    /// All of them sound.
    pub(super) fn sound(lab: &'a Lab) -> Result<Self, Failed> {
        let mut ports = Self {
            lab,
            serving: BTreeMap::new(),
        };
        ports.mend()?;
        Ok(ports)
    }

    pub(super) fn mend(&mut self) -> Result<(), Failed> {
        self.lab.rewire(Vec::new())?;
        for failure in &FAILURES {
            self.listen(
                failure.port,
                "",
                matches!(failure.how, How::NoName).then(name_server),
            )?;
        }
        Ok(())
    }

    pub(super) fn fail(&mut self) -> Result<(), Failed> {
        let mut rules: Vec<Rule> = Vec::new();
        for failure in &FAILURES {
            match failure.how {
                How::Closed => drop(self.serving.remove(&failure.port)),
                How::Listens(like) => self.listen(failure.port, like, None)?,
                How::Wire(rule) => rules.push(toml::from_str(&format!("port = {}\n{rule}", failure.port))?),
                How::NoName => self.listen(failure.port, "", Some(Dns::default()))?,
            }
        }
        Ok(self.lab.rewire(rules)?)
    }

    /// Listens on the port, in the place of what listened there.
    fn listen(&mut self, port: u16, like: &str, dns: Option<Dns>) -> Result<(), Failed> {
        let listener: Listener = toml::from_str(&format!("port = {port}\n{like}"))?;
        self.serving.remove(&port);
        let serving = self.lab.serve(Node::Server, vec![listener], dns)?;
        self.serving.insert(port, serving);
        Ok(())
    }
}

fn name_server() -> Dns {
    let text = format!("[[answer]]\nname = '{NAME}'\nreply = {{ addresses = ['server'] }}");
    toml::from_str(&text).unwrap_or_default()
}
