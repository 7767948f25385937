//! How large packets may be: probes of a certain size, and what the kernel knows of segments.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A packet of a certain size that may not be fragmented. Nothing of it reaches a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeProbe {
    /// What it is.
    pub means: SizeMeans,
    /// Where it was sent.
    pub to: SocketAddr,
    /// The length of the whole IP packet, in bytes.
    pub size: u32,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: SizeOutcome,
    /// What came of a small one that was sent right after it; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub small: Option<Small>,
}

/// What packets of a certain size can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeMeans {
    /// An ACK with data of a connection that nobody has: TCP answers with a RST.
    Segment,
    /// A UDP datagram to a closed port: the host answers with a port-unreachable.
    Datagram,
    /// An echo request, whose answer is as large as itself.
    Ping,
}

/// What came of a packet of a certain size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum SizeOutcome {
    /// The host answered it.
    Through,
    /// Somebody on the way says that it is too big.
    TooBig(TooBig),
    /// Somebody on the way rejected it for another reason.
    Rejected {
        /// Who.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        from: Option<IpAddr>,
    },
    /// Nothing came back.
    Silence,
    /// Our own kernel would not send it.
    NotSent {
        /// The errno, by name.
        errno: String,
    },
}

/// An ICMP "too big" that quotes our packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooBig {
    /// The largest packet that fits, as it says; absent where it does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mtu: Option<u32>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// Whether our own firewall dropped the message, so that no connection of ours learns of it.
    #[serde(default)]
    pub stopped_by_us: bool,
}

/// What came of a small packet beside a large one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Small {
    /// The host answered it.
    Answered,
    /// Nothing came back.
    Unanswered,
}

/// What `TCP_INFO` says of the size of segments when the handshake is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSizes {
    /// The most bytes of data in a segment (`tcpi_snd_mss`): what the peer's MSS, the path as the kernel knows it and half
    /// of the peer's window leave, less the options of each segment.
    pub sends: u32,
    /// The largest packet for this path that the kernel knows of (`tcpi_pmtu`).
    pub path_mtu: u32,
    /// The MSS that we advertised (`tcpi_advmss`).
    pub advertised: u32,
}

/// The largest packet that the interface takes by which we leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMtu {
    /// In bytes.
    pub mtu: u32,
}
