//! Kernel settings (sysctl) that we compute with.

use std::fs;

use crate::evidence::SynSchedule;

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

/// A setting that is a number, by its path below `/proc/sys`; absent where there is none.
pub fn number(path: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/sys/{path}"))
        .ok()?
        .trim()
        .parse()
        .ok()
}
