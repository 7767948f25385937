//! The conductor for one run: carries out in `net` what `probe` asks for and hands back what was seen, until there
//! is a diagnosis.

mod endpoint;
mod outcome;

pub use outcome::{EndpointOutcome, NameOutcome, TargetOutcome};

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::net::dial::{Finish, Hold};
use crate::net::sight;

/// How to look.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to look at one endpoint at most.
    pub timeout: Duration,
    /// A handshake that takes longer is slow.
    pub slow: Duration,
    /// How long an open connection is kept open before it is closed.
    pub hold: Hold,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The interface to leave by.
    pub interface: Option<String>,
}

/// Looks at one endpoint.
pub async fn check(endpoint: SocketAddr, options: &Options, interrupt: Finish) -> EndpointOutcome {
    endpoint::check_endpoint(endpoint, options, &sight::sight(endpoint.is_ipv4()), 0, interrupt).await
}
