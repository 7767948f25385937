//! What became of connections that were left idle, and of the question that ended their idleness.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Answer, Dial, Shot, Sight, seconds};

/// Everything that one run saw of idle connections to one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// The endpoint.
    pub endpoint: SocketAddr,
    /// When the first connection was begun, since the Unix epoch.
    #[serde(with = "seconds")]
    pub started_unix_s: Duration,
    /// How long connections were to be idle at most.
    #[serde(with = "seconds")]
    pub max_s: Duration,
    /// How long it took in all.
    #[serde(with = "seconds")]
    pub took_s: Duration,
    /// Whether it was ended before all was seen that was wanted.
    pub interrupted: bool,
    /// What this run was able to look at.
    pub sight: Sight,
    /// The connections, in the order in which they ended.
    pub held: Vec<Held>,
    /// A SYN and a bare ACK of our own, after an idle connection was reset: what answers them, with which TTL, tells the host
    /// from a box on the way. Empty where nothing was reset, or without raw packets.
    pub shots: Vec<Shot>,
}

/// One connection that was left idle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// In which round (from 1): the ladder, then each part of the bisection.
    pub round: u32,
    /// When its handshake was done, or when it was begun if it never was; since the run began.
    #[serde(with = "seconds")]
    pub at_s: Duration,
    /// Our end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<SocketAddr>,
    /// After how long it was to be asked.
    #[serde(with = "seconds")]
    pub wanted_s: Duration,
    /// SYNs that it took.
    pub syns: u32,
    /// Since the handshake: until it was asked, or until it ended by itself.
    #[serde(with = "seconds")]
    pub idle_s: Duration,
    /// The end of that time in which the peer sent nothing either. Our kernel answers what the peer sends, so a box on the way
    /// saw packets before that.
    #[serde(with = "seconds")]
    pub quiet_s: Duration,
    /// Segments that the peer sent while we said nothing; absent on kernels that do not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer_segments: Option<u32>,
    /// What became of it.
    #[serde(flatten)]
    pub end: End,
    /// A connection that was begun after this one had failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub control: Option<Dial>,
}

/// What became of an idle connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum End {
    /// There never was one.
    NotMade {
        /// What came back to the SYN.
        answer: Answer,
    },
    /// The peer answered our question.
    Alive {
        /// How long that took.
        #[serde(with = "seconds")]
        after_s: Duration,
        /// Keepalive probes until then.
        probes: u8,
        /// What it answered.
        to: Asked,
    },
    /// Nothing answered.
    Silent {
        /// Keepalive probes.
        probes: u8,
        /// FINs, the first and its retransmissions.
        fins: u32,
    },
    /// A RST came.
    Reset {
        /// In answer to what.
        to: Asked,
    },
    /// An ICMP error came that ends a connection.
    Rejected {
        /// In answer to what.
        to: Asked,
        /// What the kernel makes of it, by name (`EHOSTUNREACH`).
        errno: String,
    },
    /// The peer's FIN came.
    Closed {
        /// In answer to what.
        to: Asked,
    },
    /// Nobody asked: it was not needed any more, or the run was ended.
    CutShort,
    /// Our own kernel would not have it asked.
    CouldNotAsk {
        /// Why not, by the name of the errno.
        errno: String,
    },
}

/// What of ours was the last before something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Nothing since the handshake: it came by itself.
    Nothing,
    /// A keepalive probe.
    Keepalive,
    /// Our FIN, after keepalive probes that nobody answered.
    Fin,
}
