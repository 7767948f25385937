//! What is found in typical places, for tests.

use crate::evidence::SynSchedule;
use crate::evidence::facilities::{
    Capabilities, Facilities, FileCapability, Held, Kernel, Process, Reach, ResolvConf, Settings,
    Surroundings, Trial, Trials,
};

pub(crate) const NONE: Capabilities = Capabilities {
    net_raw: Held::No,
    net_admin: Held::No,
    net_raw_in_bounds: false,
};

pub(crate) fn denied(errno: &str) -> Trial {
    Trial::Denied {
        errno: errno.to_owned(),
    }
}

/// Root of a machine of today.
pub(crate) fn root() -> Facilities {
    Facilities {
        process: Process {
            user: 0,
            group: 0,
            capabilities: Some(Capabilities {
                net_raw: Held::Effective,
                net_admin: Held::Effective,
                net_raw_in_bounds: true,
            }),
            file_capability: None,
            no_new_privileges: Some(false),
            seccomp: Some(false),
            in_user_namespace: Some(false),
            open_files: Some(1024),
        },
        tried: Trials {
            raw_v4: Trial::Worked,
            raw_v6: Trial::Worked,
            packet: Trial::Worked,
            ping_v4: denied("EACCES"),
            ping_v6: denied("EACCES"),
            own_filter: Trial::Worked,
            routes: Trial::Worked,
            own_sockets: Trial::Worked,
            namespaces: Trial::Worked,
        },
        kernel: Kernel {
            release: "6.8.0-45-generic".to_owned(),
            version: Some((6, 8)),
        },
        settings: Settings {
            syn_schedule: Some(SynSchedule {
                retries: 6,
                linear_timeouts: Some(4),
            }),
            local_ports: Some((32768, 60999)),
            tcp_timestamps: Some(1),
            tcp_syncookies: Some(1),
            icmp_ratelimit_ms: Some(1000),
            ping_groups: Some((1, 0)),
            max_user_namespaces: Some(15000),
            unprivileged_userns_clone: None,
            apparmor_restrict_unprivileged_userns: None,
        },
        ipv4: Reach::World,
        ipv6: Reach::World,
        resolv_conf: ResolvConf::Read { servers: 1 },
        counters: true,
        surroundings: Surroundings::Host,
    }
}

/// A plain user of the same machine, on a kernel that lets him filter his own socket.
pub(crate) fn plain_user() -> Facilities {
    let mut found = root();
    (found.process.user, found.process.group) = (1000, 1000);
    found.process.capabilities = Some(Capabilities {
        net_raw_in_bounds: true,
        ..NONE
    });
    found.tried.raw_v4 = denied("EPERM");
    found.tried.raw_v6 = denied("EPERM");
    found.tried.packet = denied("EPERM");
    found
}

/// The same user, and the program's file has what setcap(8) gave it.
pub(crate) fn with_file_capability(effective: bool) -> Facilities {
    let mut found = root();
    (found.process.user, found.process.group) = (1000, 1000);
    found.process.file_capability = Some(FileCapability {
        net_raw: true,
        effective,
    });
    found.process.capabilities = Some(Capabilities {
        net_raw: if effective {
            Held::Effective
        } else {
            Held::Permitted
        },
        net_raw_in_bounds: true,
        ..NONE
    });
    found
}

/// A pod under the `restricted` standard, in a cluster of IPv4 alone.
pub(crate) fn restricted_pod() -> Facilities {
    let mut found = plain_user();
    found.surroundings = Surroundings::Pod;
    found.process.capabilities = Some(NONE);
    found.process.no_new_privileges = Some(true);
    found.process.seccomp = Some(true);
    found.tried.namespaces = denied("EPERM");
    found.ipv6 = Reach::Loopback;
    found
}

/// A pod whose container runs as root with `NET_RAW` alone.
pub(crate) fn net_raw_pod() -> Facilities {
    let mut found = root();
    found.surroundings = Surroundings::Pod;
    found.process.capabilities = Some(Capabilities {
        net_raw: Held::Effective,
        net_raw_in_bounds: true,
        ..NONE
    });
    found.process.seccomp = Some(true);
    found.tried.own_filter = denied("EPERM");
    found.tried.namespaces = denied("EPERM");
    found
}

/// A plain user on the oldest kernel that we support.
pub(crate) fn old_kernel() -> Facilities {
    let mut found = plain_user();
    found.kernel = Kernel {
        release: "4.19.0-27-amd64".to_owned(),
        version: Some((4, 19)),
    };
    found.settings.syn_schedule = Some(SynSchedule {
        retries: 6,
        linear_timeouts: None,
    });
    found.settings.unprivileged_userns_clone = Some(0);
    found.tried.namespaces = denied("EPERM");
    found
}

/// Root whose system calls somebody filters.
pub(crate) fn filtered_root() -> Facilities {
    let mut found = root();
    found.surroundings = Surroundings::Container;
    found.process.seccomp = Some(true);
    found.tried.raw_v4 = denied("EPERM");
    found.tried.raw_v6 = denied("EPERM");
    found.tried.packet = denied("EPERM");
    found.tried.namespaces = denied("EPERM");
    found
}
