//! Names of TCP ports, as services(5) lists them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The TCP services that a port can be named by.
#[derive(Debug)]
pub struct Services {
    ports: LazyLock<Ports, Box<dyn FnOnce() -> Ports + Send>>,
}

type Ports = HashMap<String, u16>;

/// The names that work without a services file.
const WELL_KNOWN: [(&str, u16); 14] = [
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("http", 80),
    ("pop3", 110),
    ("imap2", 143),
    ("ldap", 389),
    ("https", 443),
    ("ldaps", 636),
    ("imaps", 993),
    ("mysql", 3306),
    ("postgresql", 5432),
];

impl Services {
    /// The few names that everyone knows.
    pub fn well_known() -> Self {
        Self::on_demand(|| None)
    }

    /// Reads the text of a services file (`/etc/services`). Of each name the first TCP line counts; lines that are
    /// not understood are passed over, as the C library does. What everyone knows stays known if the file lacks it.
    pub fn from_text(text: &str) -> Self {
        let text = text.to_owned();
        Self::on_demand(|| Some(text))
    }

    /// As [`Services::from_text`], with a text that is fetched when a port is named for the first time: most targets
    /// have a number, and reading hundreds of names takes longer than a handshake.
    pub fn on_demand(text: impl FnOnce() -> Option<String> + Send + 'static) -> Self {
        Self {
            ports: LazyLock::new(Box::new(|| ports(&text().unwrap_or_default()))),
        }
    }

    /// The port of a service, whatever its case.
    pub fn port(&self, name: &str) -> Option<u16> {
        self.ports.get(&name.to_ascii_lowercase()).copied()
    }
}

impl Default for Services {
    fn default() -> Self {
        Self::well_known()
    }
}

fn ports(text: &str) -> Ports {
    let mut ports = Ports::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (Some(name), Some(number)) = (words.next(), words.next()) else {
            continue;
        };
        let Some(port) = number.strip_suffix("/tcp").and_then(|digits| digits.parse().ok()) else {
            continue;
        };
        for name in std::iter::once(name).chain(words) {
            ports.entry(name.to_ascii_lowercase()).or_insert(port);
        }
    }
    for (name, port) in WELL_KNOWN {
        ports.entry(name.to_owned()).or_insert(port);
    }
    ports
}
