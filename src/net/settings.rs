//! Kernel settings (sysctl) that we compute with.

use std::fs;
use std::str::FromStr;

use crate::evidence::SynSchedule;
use crate::evidence::facilities::Settings;

/// How often and how densely this host's kernel repeats a SYN; absent where /proc cannot be read.
pub fn syn_schedule() -> Option<SynSchedule> {
    Some(SynSchedule {
        retries: number("net/ipv4/tcp_syn_retries")?,
        linear_timeouts: number("net/ipv4/tcp_syn_linear_timeouts"),
    })
}

/// How often a known neighbour on that interface is asked by unicast (`ucast_solicit`); the kernel's default where /proc
/// cannot be read.
pub(super) fn unicast_requests(is_ipv4: bool, interface: Option<&str>) -> u32 {
    const DEFAULT: u32 = 3;
    let family = if is_ipv4 { "ipv4" } else { "ipv6" };
    let interface = interface.unwrap_or("default");
    number(&format!("net/{family}/neigh/{interface}/ucast_solicit")).unwrap_or(DEFAULT)
}

/// How many ports the kernel gives out to connections that ask for none; its default where /proc cannot be read.
pub fn local_ports() -> usize {
    const DEFAULT: (u16, u16) = (32_768, 60_999);
    let (first, last) = read_pair("net/ipv4/ip_local_port_range").unwrap_or(DEFAULT);
    usize::from(last.saturating_sub(first)) + 1
}

/// Every setting that has a say in what can be told.
pub(super) fn all() -> Settings {
    Settings {
        syn_schedule: syn_schedule(),
        local_ports: read_pair("net/ipv4/ip_local_port_range"),
        tcp_timestamps: number("net/ipv4/tcp_timestamps"),
        tcp_syncookies: number("net/ipv4/tcp_syncookies"),
        icmp_ratelimit_ms: number("net/ipv4/icmp_ratelimit"),
        ping_groups: read_pair("net/ipv4/ping_group_range"),
        max_user_namespaces: number("user/max_user_namespaces"),
        unprivileged_userns_clone: number("kernel/unprivileged_userns_clone"),
        apparmor_restrict_unprivileged_userns: number("kernel/apparmor_restrict_unprivileged_userns"),
    }
}

/// A setting that is a number, by its path below `/proc/sys`; absent where there is none.
pub fn number(path: &str) -> Option<u32> {
    read(path)?.trim().parse().ok()
}

pub(super) fn read_pair<T: FromStr>(path: &str) -> Option<(T, T)> {
    let text = read(path)?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

pub(super) fn read(path: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/{path}")).ok()
}
