//! What other programs of this host have open towards an endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;
use super::sockets::State;

/// The sockets of this network namespace whose other end is the endpoint, but those that this run made itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnSockets {
    /// How long before the first packet of the endpoint the kernel was asked: many endpoints share what it told.
    #[serde(with = "seconds")]
    pub age_s: Duration,
    /// How many are in each state; a state that none is in is left out.
    pub states: BTreeMap<State, u64>,
    /// Those in `SYN_SENT` whose SYN was sent again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub syn_sent_again: Option<OwnStuck>,
    /// Those that sent the same segment three times and more without an acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub send_stalled: Option<OwnStuck>,
    /// Those whose peer has closed its window, and which could send nothing for a minute and more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zero_window: Option<OwnStuck>,
    /// Those in `CLOSE_WAIT` that a program has held for a minute and more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub close_wait_old: Option<OwnStuck>,
    /// What live connections have sent since they were made.
    pub segments: OwnSegments,
    /// The ports that they take; absent where the range of ports cannot be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ports: Option<OwnPorts>,
}

/// Sockets that wait for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnStuck {
    /// How many.
    pub sockets: u64,
    /// How often the one that tried most has sent the same again.
    pub tries: u8,
    /// How long the worst has waited, at least; absent where the kernel does not keep it.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub longest_s: Option<Duration>,
    /// In how long the kernel gives the last of them up; absent where it does not by itself.
    #[serde(with = "seconds::option", skip_serializing_if = "Option::is_none", default)]
    pub gives_up_in_s: Option<Duration>,
}

/// Segments with data that connections have sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnSegments {
    /// All of them.
    pub sent: u64,
    /// Those that were sent again.
    pub sent_again: u64,
}

/// Ports of one of our addresses, that with the most, which connections to the endpoint take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnPorts {
    /// Those of the range that are taken, so that no further connection to the endpoint can have them.
    pub taken: u32,
    /// Those of them that wait in `TIME_WAIT`.
    pub waiting: u32,
    /// How many the range has.
    pub of: u32,
}

impl OwnSockets {
    /// How many are in that state.
    pub fn of(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or_default()
    }
}
