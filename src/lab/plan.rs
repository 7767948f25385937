//! What each node of the lab has by itself, before a description adds to it.

use super::places::Node;

/// One interface of a node, and its address as link and host number.
pub(super) struct Interface {
    pub(super) name: &'static str,
    pub(super) addresses: &'static [(u8, u8)],
}

/// What a node has by itself, before a description adds to it.
pub(super) struct Plan {
    pub(super) node: Node,
    pub(super) name: &'static str,
    pub(super) interfaces: &'static [Interface],
    /// Link number (`None` for everywhere else) and the gateway's link and host number.
    pub(super) routes: &'static [(Option<u8>, (u8, u8))],
    pub(super) sysctls: &'static [(&'static str, &'static str)],
}

/// A router forwards, and sends every ICMP error that it has cause to.
const ROUTER: &[(&str, &str)] = &[
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv6.conf.all.forwarding", "1"),
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
];
const HOST: &[(&str, &str)] = &[("net.ipv4.icmp_ratelimit", "0"), ("net.ipv6.icmp.ratelimit", "0")];

pub(super) const PLANS: [Plan; 4] = [
    Plan {
        node: Node::Client,
        name: "client",
        interfaces: &[Interface {
            name: "eth0",
            addresses: &[(1, 2)],
        }],
        routes: &[(None, (1, 1))],
        sysctls: HOST,
    },
    Plan {
        node: Node::R1,
        name: "r1",
        interfaces: &[
            Interface {
                name: "eth0",
                addresses: &[(1, 1)],
            },
            Interface {
                name: "eth1",
                addresses: &[(2, 1)],
            },
        ],
        routes: &[(Some(3), (2, 2))],
        sysctls: ROUTER,
    },
    Plan {
        node: Node::R2,
        name: "r2",
        interfaces: &[
            Interface {
                name: "eth0",
                addresses: &[(2, 2)],
            },
            Interface {
                name: "eth1",
                addresses: &[(3, 1)],
            },
        ],
        routes: &[(Some(1), (2, 1))],
        sysctls: ROUTER,
    },
    Plan {
        node: Node::Server,
        name: "server",
        interfaces: &[Interface {
            name: "eth0",
            addresses: &[(3, 2), (3, 3)],
        }],
        routes: &[(None, (3, 1))],
        sysctls: HOST,
    },
];

impl Plan {
    pub(super) fn interface_names(&self) -> Vec<&'static str> {
        self.interfaces.iter().map(|interface| interface.name).collect()
    }
}
