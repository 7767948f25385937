//! The settings and counters of the namespace that decide how sockets fare.

use std::time::Duration;

use super::super::{counters as files, settings as sysctl};
use crate::evidence::sockets::{Counter, Settings};

/// The counters that tell of sockets in trouble, by their prefix and name.
const COUNTERS: &[(&str, &str)] = &[
    ("Tcp:", "OutSegs"),
    ("Tcp:", "RetransSegs"),
    ("Tcp:", "AttemptFails"),
    ("Tcp:", "EstabResets"),
    ("TcpExt:", "ListenOverflows"),
    ("TcpExt:", "ListenDrops"),
    ("TcpExt:", "TCPReqQFullDoCookies"),
    ("TcpExt:", "TCPReqQFullDrop"),
    ("TcpExt:", "TCPTimeWaitOverflow"),
    ("TcpExt:", "TCPTimeouts"),
    ("TcpExt:", "TCPAbortOnTimeout"),
    ("TcpExt:", "TCPAbortOnMemory"),
    ("TcpExt:", "TCPAbortOnData"),
    ("TcpExt:", "TCPRetransFail"),
    ("TcpExt:", "TCPKeepAlive"),
    ("TcpExt:", "PAWSEstab"),
];

/// Reads the settings of the calling thread's namespace.
pub fn settings() -> Settings {
    let number = |name: &str| sysctl::number(&format!("net/ipv4/{name}"));
    let seconds = |name: &str| number(name).map(|value| Duration::from_secs(value.into()));
    let port_range = sysctl::read_pair("net/ipv4/ip_local_port_range");
    let reserved = sysctl::read("net/ipv4/ip_local_reserved_ports").unwrap_or_default();
    let tracked = sysctl::number("net/netfilter/nf_conntrack_count");
    Settings {
        retries2: number("tcp_retries2"),
        rto_max: number("tcp_rto_max_ms").map(|value| Duration::from_millis(value.into())),
        keepalive_time: seconds("tcp_keepalive_time"),
        keepalive_interval: seconds("tcp_keepalive_intvl"),
        keepalive_probes: number("tcp_keepalive_probes"),
        syn_schedule: sysctl::syn_schedule(),
        synack_retries: number("tcp_synack_retries"),
        orphan_retries: number("tcp_orphan_retries"),
        max_orphans: number("tcp_max_orphans"),
        fin_timeout: seconds("tcp_fin_timeout"),
        port_range,
        reserved_ports: port_range.map_or(0, |range| in_range(&reserved, range)),
        tw_reuse: number("tcp_tw_reuse"),
        max_tw_buckets: number("tcp_max_tw_buckets"),
        somaxconn: sysctl::number("net/core/somaxconn"),
        abort_on_overflow: number("tcp_abort_on_overflow"),
        syncookies: number("tcp_syncookies"),
        timestamps: number("tcp_timestamps"),
        conntrack: tracked.zip(sysctl::number("net/netfilter/nf_conntrack_max")),
    }
}

/// Reads the counters of the calling thread's namespace, with their growth since `before`.
pub fn counters(before: &[Counter]) -> Vec<Counter> {
    files::named(COUNTERS)
        .map(|(name, total)| Counter {
            name,
            total,
            since_last_look: before
                .iter()
                .find(|counter| counter.name == name)
                .map(|counter| total.saturating_sub(counter.total)),
        })
        .collect()
}

/// How many ports of a list such as `8080,30000-30010` are within a range.
fn in_range(ports: &str, (first, last): (u16, u16)) -> u32 {
    ports
        .trim()
        .split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let from: u16 = from.parse().ok()?;
            let to: u16 = to.parse().ok()?;
            let (from, to) = (from.max(first), to.min(last));
            Some(u32::from(to).checked_sub(from.into())? + 1)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_count_as_far_as_they_are_within_the_range() {
        assert_eq!(in_range("8080,30000-30010,60999-61010\n", (30_005, 60_999)), 7);
        assert_eq!(in_range("\n", (1, 2)), 0);
    }

    #[test]
    fn this_kernel_has_the_settings_and_the_counters() {
        let settings = settings();
        assert!(settings.retries2.is_some() && settings.ports().is_some());
        let first = counters(&[]);
        assert!(first.len() > 10 && first.iter().all(|counter| counter.since_last_look.is_none()));
        assert!(
            counters(&first)
                .iter()
                .all(|counter| counter.since_last_look.is_some())
        );
    }
}
