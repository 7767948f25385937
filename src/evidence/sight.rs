//! What a run was able to look at.

use serde::{Deserialize, Serialize};

/// What this run was able to look at, and why not more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// How it looked.
    pub mode: Mode,
    /// Raw probes (CAP_NET_RAW).
    pub raw: Ability,
    /// Echo requests (`net.ipv4.ping_group_range`).
    pub echo: Ability,
    /// ICMP errors for our own connections (`IP_RECVERR`).
    pub error_queue: Ability,
    /// The shape of a RST, by a filter on our own socket.
    pub reset_shape: Ability,
}

/// How a run looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Through the kernel's own sockets alone.
    Connect,
    /// With raw packets too.
    Raw,
}

/// Whether something was possible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "able", rename_all = "kebab-case")]
pub enum Ability {
    /// It was.
    Yes,
    /// It was not.
    No {
        /// Why not, and what would change that.
        why: String,
    },
}
