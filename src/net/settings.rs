//! Kernel settings (sysctl) that the report computes with.

use std::fs;

use crate::evidence::SynSchedule;

/// How often and how densely this host's kernel repeats a SYN; absent where /proc cannot be read.
pub fn syn_schedule() -> Option<SynSchedule> {
    Some(SynSchedule {
        retries: read_number("net/ipv4/tcp_syn_retries")?,
        linear_timeouts: read_number("net/ipv4/tcp_syn_linear_timeouts"),
    })
}

fn read_number(path: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/sys/{path}"))
        .ok()?
        .trim()
        .parse()
        .ok()
}
