//! Who looks: the source of an edge.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The source, as the matrix names it; else the pod, else the host.
    pub source: String,
    /// Which of several that look under one name, such as the node of a DaemonSet's pod.
    pub instance: Option<String>,
    /// The pod.
    pub pod: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The node that it is on.
    pub node: Option<String>,
    /// The pod's address.
    pub ip: Option<IpAddr>,
    /// The name of the host.
    pub host: Option<String>,
}

impl Identity {
    /// One that is known by its name alone.
    pub fn named(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            instance: None,
            pod: None,
            namespace: None,
            node: None,
            ip: None,
            host: None,
        }
    }

    /// Whether both are the same row of a matrix, whatever pod they ran in.
    pub fn is_same_source(&self, other: &Self) -> bool {
        self.source == other.source && self.instance == other.instance
    }
}

/// `source`, or `source@instance`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(instance) = &self.instance {
            write!(f, "@{instance}")?;
        }
        Ok(())
    }
}
