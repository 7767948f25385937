//! What distinctions need, and why it is not ours.

use serde::{Deserialize, Serialize};

use super::{Remedy, together};
use crate::evidence::facilities::{Facilities, Held, Reach, ResolvConf, Surroundings, Trial};

/// What a distinction may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// Packets of our own making.
    Raw,
    /// A look below our own firewall.
    Packet,
    /// Echo requests.
    Ping,
    /// ICMP errors that answer our SYNs.
    ErrorQueue,
    /// A filter on our own socket.
    OwnFilter,
    /// TCP timestamps.
    Timestamps,
    /// The kernel's counters.
    Counters,
    /// The kernel's routes and neighbours.
    Routes,
    /// The kernel's own sockets.
    OwnSockets,
    /// DNS servers to ask.
    Resolver,
    /// A way out over IPv4 and over IPv6.
    BothFamilies,
}

/// Whether a means is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It is.
    Given,
    /// It is not.
    Missing {
        /// Why, in a clause without a capital and without a full stop.
        why: String,
        /// What would change that: all of it has to be done.
        remedies: Vec<Remedy>,
    },
}

fn missing(why: impl Into<String>, remedies: impl Into<Vec<Remedy>>) -> Availability {
    Availability::Missing {
        why: why.into(),
        remedies: remedies.into(),
    }
}

impl Means {
    /// All of them, those that tell most first.
    pub const ALL: &[Self] = &[
        Self::Raw,
        Self::Packet,
        Self::Ping,
        Self::ErrorQueue,
        Self::OwnFilter,
        Self::Timestamps,
        Self::Counters,
        Self::Routes,
        Self::OwnSockets,
        Self::Resolver,
        Self::BothFamilies,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw probes",
            Self::Packet => "packet sockets",
            Self::Ping => "ping",
            Self::ErrorQueue => "the error queue",
            Self::OwnFilter => "socket filters",
            Self::Timestamps => "TCP timestamps",
            Self::Counters => "the kernel's counters",
            Self::Routes => "routes and neighbours",
            Self::OwnSockets => "our own host's listeners",
            Self::Resolver => "DNS servers",
            Self::BothFamilies => "dual stack",
        }
    }

    pub(super) fn availability(self, found: &Facilities) -> Availability {
        let tried = &found.tried;
        match self {
            Self::Raw => raw(found, together(&tried.raw_v4, &tried.raw_v6)),
            Self::Packet => raw(found, &tried.packet),
            Self::Ping => ping(found),
            Self::ErrorQueue => error_queue(found),
            Self::OwnFilter => own_filter(found),
            Self::Timestamps if found.settings.tcp_timestamps == Some(0) => {
                missing("net.ipv4.tcp_timestamps is 0", [Remedy::TcpTimestamps])
            }
            Self::Counters if !found.counters => {
                missing("/proc/net/netstat cannot be read", [Remedy::MountProc])
            }
            Self::Timestamps | Self::Counters => Availability::Given,
            Self::Routes => netlink(&tried.routes, "NETLINK_ROUTE"),
            Self::OwnSockets => netlink(&tried.own_sockets, "NETLINK_SOCK_DIAG"),
            Self::Resolver => resolver(&found.resolv_conf),
            Self::BothFamilies => both_families(found),
        }
    }
}

fn raw(found: &Facilities, trial: &Trial) -> Availability {
    let errno = match trial {
        Trial::Worked => return Availability::Given,
        Trial::Missing { errno } => {
            return missing(format!("socket() fails with {errno}: this kernel has none"), []);
        }
        Trial::Failed { errno } => return missing(format!("socket() fails with {errno}"), []),
        Trial::Denied { errno } => errno,
    };
    let process = &found.process;
    let held = process.capabilities.map_or(Held::No, |ours| ours.net_raw);
    let give = Remedy::NetRaw(found.surroundings);
    match held {
        Held::Permitted | Held::Effective => return denied_all_the_same(found, errno),
        Held::No => {}
    }
    let in_bounds = process.capabilities.is_none_or(|ours| ours.net_raw_in_bounds);
    let on_file = process.file_capability.is_some_and(|file| file.net_raw);
    let no_new_privileges = process.no_new_privileges == Some(true);
    if process.user == 0 && found.surroundings != Surroundings::Host {
        missing("root here is without CAP_NET_RAW: the container drops it", [give])
    } else if process.user == 0 {
        missing(
            "root here is without CAP_NET_RAW: whoever started us took it away",
            [],
        )
    } else if on_file && no_new_privileges {
        missing(
            "the program's file has CAP_NET_RAW, but no_new_privs withholds it",
            [Remedy::NewPrivileges(found.surroundings)],
        )
    } else if on_file && !in_bounds {
        missing(
            "the program's file has CAP_NET_RAW, but our bounding set has not",
            [give],
        )
    } else if on_file {
        missing(
            "the program's file has CAP_NET_RAW, but its file system gives none (mounted nosuid?)",
            [],
        )
    } else if no_new_privileges && found.surroundings == Surroundings::Host {
        missing(
            "we are without CAP_NET_RAW, and no_new_privs lets no file give it",
            [Remedy::NewPrivileges(found.surroundings), give],
        )
    } else {
        missing("we are without CAP_NET_RAW", [give])
    }
}

/// The capability is ours, and the socket is denied: by whom?
fn denied_all_the_same(found: &Facilities, errno: &str) -> Availability {
    if found.process.seccomp == Some(true) {
        missing(
            format!("{errno} although CAP_NET_RAW is ours: a seccomp filter or a security module denies it"),
            [Remedy::Profile(found.surroundings)],
        )
    } else if found.process.in_user_namespace == Some(true) {
        missing(
            format!("{errno} although CAP_NET_RAW is ours: this network belongs to another user namespace"),
            [Remedy::OutsideUserNamespace],
        )
    } else {
        missing(
            format!("{errno} although CAP_NET_RAW is ours: a security module (SELinux, AppArmor) denies it"),
            [Remedy::Profile(found.surroundings)],
        )
    }
}

/// Raw sockets can send echo requests too.
fn ping(found: &Facilities) -> Availability {
    let tried = &found.tried;
    if *together(&tried.raw_v4, &tried.raw_v6) == Trial::Worked {
        return Availability::Given;
    }
    match together(&tried.ping_v4, &tried.ping_v6) {
        Trial::Worked => Availability::Given,
        Trial::Denied { errno } => {
            let group = found.process.group;
            let Some((first, last)) = found.settings.ping_groups else {
                return missing(
                    format!("{errno}, and net.ipv4.ping_group_range cannot be read"),
                    [],
                );
            };
            if (first..=last).contains(&group) {
                return missing(
                    format!(
                        "{errno} although group {group} is in net.ipv4.ping_group_range: seccomp or a security module"
                    ),
                    [Remedy::Profile(found.surroundings)],
                );
            }
            missing(
                format!("group {group} is not in net.ipv4.ping_group_range ({first} {last})"),
                [Remedy::PingGroups(found.surroundings)],
            )
        }
        Trial::Missing { errno } | Trial::Failed { errno } => {
            missing(format!("socket() fails with {errno}"), [])
        }
    }
}

/// ICMP errors reach the queue of a socket in SYN-SENT since Linux 5.9.
fn error_queue(found: &Facilities) -> Availability {
    match found.kernel.version {
        Some(version) if version < (5, 9) => missing(
            format!(
                "Linux {}: ICMP errors reach a connecting socket's error queue since 5.9",
                found.kernel.release
            ),
            [Remedy::NewerKernel],
        ),
        Some(_) | None => Availability::Given,
    }
}

fn own_filter(found: &Facilities) -> Availability {
    match &found.tried.own_filter {
        Trial::Worked => Availability::Given,
        Trial::Denied { errno } => missing(
            format!("this kernel lets nobody without CAP_NET_ADMIN filter a socket of his own ({errno})"),
            [Remedy::NetAdmin(found.surroundings)],
        ),
        Trial::Missing { errno } | Trial::Failed { errno } => {
            missing(format!("SO_ATTACH_FILTER fails with {errno}"), [])
        }
    }
}

fn netlink(trial: &Trial, protocol: &str) -> Availability {
    match trial {
        Trial::Worked => Availability::Given,
        Trial::Denied { errno } | Trial::Missing { errno } | Trial::Failed { errno } => {
            missing(format!("no {protocol} socket: {errno}"), [])
        }
    }
}

fn resolver(resolv_conf: &ResolvConf) -> Availability {
    match resolv_conf {
        ResolvConf::Read { servers: 0 } => missing("/etc/resolv.conf names no server", [Remedy::ResolvConf]),
        ResolvConf::Read { .. } => Availability::Given,
        ResolvConf::Unreadable { why } => missing(why.as_str(), [Remedy::ResolvConf]),
    }
}

fn both_families(found: &Facilities) -> Availability {
    let lacks: Vec<String> = [("IPv4", found.ipv4), ("IPv6", found.ipv6)]
        .into_iter()
        .filter_map(|(family, reach)| match reach {
            Reach::None => Some(format!("this kernel has no {family} sockets")),
            Reach::Loopback => Some(format!("no {family} address beyond loopback")),
            Reach::Link => Some(format!("no {family} route beyond our own links")),
            Reach::World => None,
        })
        .collect();
    if lacks.is_empty() {
        Availability::Given
    } else {
        missing(lacks.join(", and "), [])
    }
}

/// Whether a private network can be made, for `tcpprobe demo`.
pub(super) fn namespaces(found: &Facilities) -> Availability {
    let errno = match &found.tried.namespaces {
        Trial::Worked => return Availability::Given,
        Trial::Denied { errno } | Trial::Missing { errno } | Trial::Failed { errno } => errno,
    };
    let settings = &found.settings;
    let (why, remedy) = if settings.max_user_namespaces == Some(0) {
        ("user.max_user_namespaces is 0", Remedy::MaxUserNamespaces)
    } else if settings.unprivileged_userns_clone == Some(0) {
        (
            "kernel.unprivileged_userns_clone is 0",
            Remedy::UserNamespaceClone,
        )
    } else if settings.apparmor_restrict_unprivileged_userns == Some(1) {
        (
            "kernel.apparmor_restrict_unprivileged_userns is 1",
            Remedy::AppArmorUserNamespaces,
        )
    } else {
        (
            "a seccomp filter or a security module denies it",
            Remedy::NamespacesElsewhere,
        )
    };
    missing(format!("{errno}: {why}"), [remedy])
}
