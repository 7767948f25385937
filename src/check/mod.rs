//! The conductor for one run: carries out in `net` what `probe` asks for and hands back what was seen, until there
//! is a diagnosis.

mod beside;
mod company;
mod crowd;
mod endpoint;
mod hold;
mod idle;
mod outcome;
mod pace;
mod sights;
mod size;
mod target;

pub use crate::probe::hold::{Plan as HoldPlan, SHORTEST as SHORTEST_HOLD, Wanted as HoldWanted};
pub use beside::Beside;
pub use company::Company;
pub use crowd::{Bounds, Crowd, Looked, Wanted};
pub use endpoint::Life;
pub use hold::{HoldOutcome, HoldProgress, hold, hold_once};
pub use outcome::{EndpointOutcome, NameOutcome, TargetOutcome};
pub use pace::Pace;
pub use sights::Sights;
pub use target::{check_one_of_many, check_target, could_not_begin};

use std::net::IpAddr;
use std::time::Duration;

use crate::net::dial::Hold;
use crate::net::dns::{Families, Resolver};
use crate::net::raw::RawSight;

/// What an open endpoint takes of ours: a SYN, an ACK, a FIN, and an ACK for the peer's.
pub const PACKETS_A_CONNECTION: u32 = 4;

/// How to look.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to look at one endpoint at most, and how long to wait for a name's addresses.
    pub timeout: Duration,
    /// A handshake that takes longer is slow.
    pub slow: Duration,
    /// Whether to go to any length to find out where packets are dropped.
    pub locate: bool,
    /// Whether to find out how large packets to an open endpoint may be.
    pub pmtu: bool,
    /// How long a connection beside the others is left idle, once an endpoint is found to be open, before it is asked whether it
    /// lives; absent where nobody wants to know. All of that is beside `timeout`.
    pub idle: Option<Duration>,
    /// How long an open connection is kept open before it is closed.
    pub hold: Hold,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The interface to leave by.
    pub interface: Option<String>,
    /// The address families to ask for and to look at.
    pub families: Families,
    /// Which addresses of a name to look at.
    pub addresses: Addresses,
    /// Who turns names into addresses.
    pub resolver: Resolver,
    /// The raw sockets, where they may be used.
    pub raw: RawSight,
    /// What other programs of this host have open; runs that clone it share what the kernel said.
    pub beside: Beside,
}

/// Which addresses of a name to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Every one.
    All,
    /// The one that a client would try first.
    First,
}
