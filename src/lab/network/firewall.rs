//! Rules of the kernel's own firewalls.

use serde::Deserialize;

use crate::lab::places::Node;

/// A firewall rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Firewall {
    /// Where.
    pub node: Node,
    /// Which packets it sees there.
    pub hook: Hook,
    /// What packets it is about.
    #[serde(default)]
    pub about: About,
    /// Whether the port is the one that segments go to or come from.
    #[serde(default)]
    pub side: Side,
    /// The port; of segments alone.
    #[serde(default)]
    pub port: u16,
    /// What connection tracking says of the segment; absent means anything.
    pub state: Option<TrackedState>,
    /// What is done with such segments.
    pub verdict: FirewallVerdict,
}

/// What packets a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// TCP segments, in both IP versions.
    #[default]
    Tcp,
    /// ICMP 3/4.
    TooBigV4,
    /// `ICMPv6` 2/0.
    TooBigV6,
}

/// A place where the kernel asks its firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// What arrives, before it is decided where it goes.
    Prerouting,
    /// What is for the node itself.
    Input,
    /// What passes through.
    Forward,
    /// What the node sends.
    Output,
}

/// An end of a segment's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Where it comes from.
    From,
    /// Where it goes.
    #[default]
    To,
}

/// What connection tracking says of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackedState {
    /// It begins a connection.
    New,
    /// It belongs to one.
    Established,
    /// It neither begins a connection nor belongs to one.
    Invalid,
}

/// What a firewall does with a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallVerdict {
    /// Drops it.
    Drop,
    /// Answers with a RST.
    Reset,
    /// Sends the connection to this port of the node itself; for prerouting and output alone.
    Redirect(u16),
}
