//! IP versions, and the addresses that stand for the places of a situation in each.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

/// The IP version of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Version {
    V4,
    V6,
}

/// The IP versions that a file is for: both, unless it says otherwise.
pub(crate) fn of(text: &str) -> Result<Vec<Version>, String> {
    #[derive(Deserialize)]
    struct Families {
        #[serde(default = "both")]
        families: Vec<Version>,
    }
    fn both() -> Vec<Version> {
        vec![Version::V4, Version::V6]
    }
    let families: Families = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(families.families)
}

impl Version {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
        }
    }

    pub(crate) fn endpoint(self) -> SocketAddr {
        SocketAddr::new(self.address("host"), 443)
    }

    pub(crate) fn control(self) -> SocketAddr {
        SocketAddr::new(self.address("host"), 61_001)
    }

    /// The text with `{host}`, `{router}`, … replaced by addresses, and `{endpoint}`, `{control}` and `{local}` by
    /// addresses with a port.
    pub(crate) fn fill_in(self, text: &str) -> String {
        let mut text = text
            .replace("{endpoint}", &self.endpoint().to_string())
            .replace("{control}", &self.control().to_string())
            .replace(
                "{local}",
                &SocketAddr::new(self.address("own"), 40_001).to_string(),
            );
        for (place, ..) in PLACES {
            text = text.replace(&format!("{{{place}}}"), &self.address(place).to_string());
        }
        text
    }

    fn address(self, wanted: &str) -> IpAddr {
        let (_, v4, v6) = PLACES
            .iter()
            .find(|(place, ..)| *place == wanted)
            .expect("a place of the list");
        let address = match self {
            Self::V4 => v4,
            Self::V6 => v6,
        };
        address.parse().expect("an address")
    }
}

/// Addresses for documentation (RFC 5737, RFC 3849).
const PLACES: [(&str, &str, &str); 5] = [
    ("host", "192.0.2.10", "2001:db8:2::10"),
    ("own", "198.51.100.2", "2001:db8:1::2"),
    ("router", "198.51.100.1", "2001:db8:1::1"),
    ("router2", "203.0.113.1", "2001:db8:3::1"),
    ("router3", "203.0.113.9", "2001:db8:3::9"),
];
