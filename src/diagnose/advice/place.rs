//! Where a case takes place: the addresses, ports and interfaces that commands need, taken from the evidence.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::diagnose::signs;
use crate::evidence::{
    Ability, Answer, Dial, Evidence, Look, Mode, NextHop, Observation, Ping, Question, ReplySays, Route, Saw,
};

/// A dead neighbour is known after 3.05 s (measured); with less than this a run cannot have heard of it.
const LONG_ENOUGH: Duration = Duration::from_millis(3_500);

pub(super) struct Place<'a> {
    evidence: &'a Evidence,
    pub(super) endpoint: SocketAddr,
    pub(super) source: Option<IpAddr>,
    pub(super) interface: Option<String>,
    gateway: Option<IpAddr>,
    local: bool,
    answered: bool,
}

impl<'a> Place<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let route = evidence
            .observations
            .iter()
            .find_map(|observation| route(&observation.saw));
        let dial = evidence
            .observations
            .iter()
            .find_map(|observation| dial(&observation.saw));
        let next_hop = route.map(|route| route.next_hop);
        Self {
            evidence,
            endpoint: evidence.endpoint,
            source: dial
                .and_then(|dial| dial.from.map(|from| from.ip()))
                .or_else(|| route.and_then(|route| route.source)),
            interface: route.and_then(|route| route.interface.clone()),
            gateway: if let Some(NextHop::Gateway(gateway)) = next_hop {
                Some(gateway)
            } else {
                None
            },
            answered: evidence
                .observations
                .iter()
                .any(|observation| has_answered(&observation.saw)),
            local: next_hop == Some(NextHop::Local)
                || evidence.endpoint.ip().is_loopback()
                || evidence.endpoint.ip().is_unspecified(),
        }
    }

    /// Whether a route is there to refuse.
    pub(super) fn is_refused_by_route(&self) -> bool {
        let refused = |observation: &Observation| {
            route(&observation.saw).is_some_and(|route| route.next_hop == NextHop::Refused)
        };
        self.evidence.observations.iter().any(refused)
    }

    pub(super) fn port(&self) -> u16 {
        self.endpoint.port()
    }

    /// The endpoint as a shell takes it: to some, brackets are a pattern.
    pub(super) fn target(&self) -> String {
        match self.endpoint {
            SocketAddr::V4(endpoint) => endpoint.to_string(),
            SocketAddr::V6(endpoint) => format!("'{endpoint}'"),
        }
    }

    /// The address as `ss` takes it.
    pub(super) fn bracketed(&self) -> String {
        match self.endpoint.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }
    }

    /// Whether the server is this very host.
    pub(super) const fn is_local(&self) -> bool {
        self.local
    }

    /// Whether packets do not even go by an interface with a link; Linux takes the unspecified address for loopback.
    pub(super) fn is_loopback(&self) -> bool {
        let ip = self.endpoint.ip();
        ip.is_loopback() || ip.is_unspecified()
    }

    /// Where to run what has to be run at the server.
    pub(super) fn server(&self) -> &'static str {
        if self.is_loopback() {
            "Here"
        } else if self.local {
            "Here (the address is our own)"
        } else {
            "On the server"
        }
    }

    pub(super) fn next_hop(&self) -> IpAddr {
        self.gateway.unwrap_or(self.endpoint.ip())
    }

    pub(super) fn is_ours(&self, address: IpAddr) -> bool {
        self.source == Some(address) || (self.local && self.endpoint.ip() == address)
    }

    /// A run with time enough; absent where this one had it.
    pub(super) fn unhurried_command(&self) -> Option<String> {
        (self.evidence.timeout_s < LONG_ENOUGH).then(|| format!("tcpprobe --timeout 5s {}", self.target()))
    }

    /// A run with raw probes; absent where this one had them, or where they would tell nothing.
    pub(super) fn raw_command(&self) -> Option<String> {
        let had_them = self.evidence.sight.raw == Ability::Yes;
        (!had_them && !self.local).then(|| format!("sudo tcpprobe --mode raw {}", self.target()))
    }

    /// A run that waits for the host to give up a fragment; absent where that was tried, and where it is not possible.
    pub(super) fn locate_command(&self) -> Option<String> {
        let had_raw_probes = self.evidence.sight.raw == Ability::Yes;
        let tried = self.evidence.observations.iter().any(|observation| {
            matches!(&observation.saw, Saw::Raw(shot) if shot.question == Question::FirstFragment)
        });
        (had_raw_probes && !tried && !self.local).then(|| format!("sudo tcpprobe --locate {}", self.target()))
    }

    /// A longer run; absent where this one was long enough, or the host has answered something.
    pub(super) fn longer_command(&self) -> Option<String> {
        if self.answered || self.evidence.timeout_s >= LONG_ENOUGH {
            return None;
        }
        let mode = if self.evidence.sight.mode == Mode::Raw {
            "--mode raw "
        } else {
            ""
        };
        Some(format!("tcpprobe {mode}--timeout 5s {}", self.target()))
    }
}

fn route(saw: &Saw) -> Option<&Route> {
    if let Saw::Route(Look::Saw(route)) = saw {
        Some(route)
    } else {
        None
    }
}

/// Whether the host itself answered, on any port.
fn has_answered(saw: &Saw) -> bool {
    match saw {
        Saw::Connect(dial) | Saw::Control(dial) => matches!(dial.answer, Answer::SynAck(_) | Answer::Rst),
        Saw::Echo(ping) => *ping == Ping::Reply,
        Saw::Raw(shot) => signs::delivered(shot)
            .any(|reply| matches!(reply.says, ReplySays::SynAck(_) | ReplySays::Rst { .. })),
        Saw::Hop(_)
        | Saw::TtlOne(_)
        | Saw::OtherControls(_)
        | Saw::OtherRejection(_)
        | Saw::Route(_)
        | Saw::Neighbour(_)
        | Saw::Listener(_)
        | Saw::Counters(_)
        | Saw::OwnSockets(_)
        | Saw::Size(_)
        | Saw::LinkMtu(_)
        | Saw::Idle { .. } => false,
    }
}

fn dial(saw: &Saw) -> Option<&Dial> {
    if let Saw::Connect(dial) = saw {
        Some(dial)
    } else {
        None
    }
}
