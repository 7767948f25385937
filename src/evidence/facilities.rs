//! What this process may do on this host, as it was found by asking and by trying.

use serde::{Deserialize, Serialize};

use super::SynSchedule;

/// What was found. Absent is what could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facilities {
    /// Who we are, and what we may do.
    pub process: Process,
    /// Sockets and namespaces that were made, and closed again without sending anything.
    pub tried: Trials,
    /// The kernel.
    pub kernel: Kernel,
    /// Settings of the kernel.
    pub settings: Settings,
    /// How far IPv4 goes from here.
    pub ipv4: Reach,
    /// How far IPv6 goes from here.
    pub ipv6: Reach,
    /// `/etc/resolv.conf`.
    pub resolv_conf: ResolvConf,
    /// Whether `/proc/net/netstat` and `/proc/net/snmp` can be read.
    pub counters: bool,
    /// What runs us, as far as its marks show.
    pub surroundings: Surroundings,
}

/// Who we are, and what we may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The effective user id.
    pub user: u32,
    /// The effective group id.
    pub group: u32,
    /// Our capabilities.
    pub capabilities: Option<Capabilities>,
    /// What the program's own file gives to whoever runs it (`security.capability`, setcap(8)).
    pub file_capability: Option<FileCapability>,
    /// `NoNewPrivs` of `/proc/self/status`: a program's file gives nothing.
    pub no_new_privileges: Option<bool>,
    /// `Seccomp` of `/proc/self/status`: whether somebody filters our system calls.
    pub seccomp: Option<bool>,
    /// Whether our root is another's plain user (`/proc/self/uid_map`).
    pub in_user_namespace: Option<bool>,
    /// Descriptors that we may have open at a time (`RLIMIT_NOFILE`, the soft limit).
    pub open_files: Option<u64>,
}

/// Our capabilities (capabilities(7)); `CAP_NET_RAW` is in force only while sockets are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// `CAP_NET_RAW`: packets of our own making, and copies of all that arrive.
    pub net_raw: Held,
    /// `CAP_NET_ADMIN`.
    pub net_admin: Held,
    /// Whether `CAP_NET_RAW` is in the bounding set, without which no file can give it.
    pub net_raw_in_bounds: bool,
}

/// How a process holds a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// Not at all.
    No,
    /// It may be raised (permitted).
    Permitted,
    /// It is in force (effective).
    Effective,
}

/// What the program's own file gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCapability {
    /// Whether `CAP_NET_RAW` is in its permitted set.
    pub net_raw: bool,
    /// Whether what it gives is in force from the first instruction (the `e` of `+ep`).
    pub effective: bool,
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trials {
    /// A raw IPv4 socket, with `CAP_NET_RAW` in force where it is ours.
    pub raw_v4: Trial,
    /// The same for IPv6.
    pub raw_v6: Trial,
    /// A packet socket (`AF_PACKET`), which sees what arrives below our own firewall.
    pub packet: Trial,
    /// A ping socket.
    pub ping_v4: Trial,
    /// The same for IPv6.
    pub ping_v6: Trial,
    /// A filter on a TCP socket of our own (`SO_ATTACH_FILTER`).
    pub own_filter: Trial,
    /// Questions about routes and neighbours (`NETLINK_ROUTE`).
    pub routes: Trial,
    /// Questions about our own sockets (`NETLINK_SOCK_DIAG`).
    pub own_sockets: Trial,
    /// User, network and mount namespaces of our own, made by a child process. Root may do without the first.
    pub namespaces: Trial,
}

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Trial {
    /// It worked.
    Worked,
    /// It was denied: EPERM or EACCES.
    Denied {
        /// The errno's name.
        errno: String,
    },
    /// This kernel does not have it.
    Missing {
        /// The errno's name.
        errno: String,
    },
    /// It failed otherwise.
    Failed {
        /// The errno's name.
        errno: String,
    },
}

/// The kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// As uname(2) has it.
    pub release: String,
    /// Its first two numbers.
    pub version: Option<(u32, u32)>,
}

/// Settings of the kernel (sysctl), of our own network namespace where they have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How SYNs are repeated.
    pub syn_schedule: Option<SynSchedule>,
    /// `net.ipv4.ip_local_port_range`: the ports that connections of our own leave from.
    pub local_ports: Option<(u16, u16)>,
    /// `net.ipv4.tcp_timestamps`; 0 is off.
    pub tcp_timestamps: Option<u32>,
    /// `net.ipv4.tcp_syncookies`, which is about connections to this host.
    pub tcp_syncookies: Option<u32>,
    /// `net.ipv4.icmp_ratelimit`, in milliseconds: how often our own kernel sends one ICMP error to one peer.
    pub icmp_ratelimit_ms: Option<u32>,
    /// `net.ipv4.ping_group_range`: the groups that may have ping sockets; none where the first is the larger.
    pub ping_groups: Option<(u32, u32)>,
    /// `user.max_user_namespaces`.
    pub max_user_namespaces: Option<u32>,
    /// `kernel.unprivileged_userns_clone`, which Debian's kernels have.
    pub unprivileged_userns_clone: Option<u32>,
    /// `kernel.apparmor_restrict_unprivileged_userns`, which Ubuntu's kernels have.
    pub apparmor_restrict_unprivileged_userns: Option<u32>,
}

/// How far an address family goes from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The kernel has no such sockets.
    None,
    /// There is no address beyond loopback and link-local ones.
    Loopback,
    /// There is no route to the documentation prefix (RFC 5737, RFC 3849), which stands for the world.
    Link,
    /// There is an address, and a route.
    World,
}

/// `/etc/resolv.conf`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ResolvConf {
    /// It was read.
    Read {
        /// How many servers it names.
        servers: usize,
    },
    /// It cannot be read.
    Unreadable {
        /// What the system said.
        why: String,
    },
}

/// What runs us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surroundings {
    /// A pod: `KUBERNETES_SERVICE_HOST` is in the environment.
    Pod,
    /// A container: `/.dockerenv` or `/run/.containerenv` is there.
    Container,
    /// Nothing of the kind shows.
    Host,
}
