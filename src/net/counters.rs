//! The network namespace's own counters, world-readable in /proc.

use std::fs::File;
use std::io::{self, Read};

use crate::evidence::Look;

/// Counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// `TcpExt: TCPRetransFail`.
    pub retransmissions_failed: Option<u64>,
    /// `Tcp: RetransSegs`.
    pub retransmissions: Option<u64>,
    /// `TcpExt: ListenOverflows`.
    pub listen_overflows: Option<u64>,
    /// Packets received that reached no protocol and were not forwarded, of one address family.
    pub not_delivered: Option<i64>,
}

/// Reads the counters for one address family.
pub fn read(is_ipv4: bool) -> Look<Reading> {
    let Ok(tcp) = read_whole("/proc/thread-self/net/netstat") else {
        return Look::CouldNot {
            why: "/proc/net/netstat cannot be read".to_owned(),
        };
    };
    let snmp = read_whole("/proc/thread-self/net/snmp").ok();
    Look::Saw(Reading {
        retransmissions_failed: paired(&tcp, "TcpExt:", "TCPRetransFail"),
        retransmissions: snmp
            .as_deref()
            .and_then(|snmp| paired(snmp, "Tcp:", "RetransSegs")),
        listen_overflows: paired(&tcp, "TcpExt:", "ListenOverflows"),
        not_delivered: not_delivered(is_ipv4, snmp.as_deref()),
    })
}

/// Counters of `/proc/net/netstat` and `/proc/net/snmp` by their prefix and name; those that this kernel does not have are
/// left out.
pub(super) fn named<'a>(
    wanted: &'a [(&'static str, &'static str)],
) -> impl Iterator<Item = (&'static str, u64)> + 'a {
    let text = ["netstat", "snmp"]
        .map(|file| read_whole(&format!("/proc/thread-self/net/{file}")).unwrap_or_default())
        .concat();
    wanted
        .iter()
        .filter_map(move |(prefix, name)| Some((*name, paired(&text, prefix, name)?)))
}

/// The kernel tells no size of these files, and would be asked for a few bytes, some more and so on.
fn read_whole(path: &str) -> io::Result<String> {
    let mut text = String::with_capacity(16 * 1024);
    File::open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

fn not_delivered(is_ipv4: bool, snmp: Option<&str>) -> Option<i64> {
    let (received, delivered, forwarded) = if is_ipv4 {
        let value = |name| paired(snmp?, "Ip:", name);
        (
            value("InReceives")?,
            value("InDelivers")?,
            value("ForwDatagrams")?,
        )
    } else {
        let text = read_whole("/proc/thread-self/net/snmp6").ok()?;
        let value = |name| listed(&text, name);
        (
            value("Ip6InReceives")?,
            value("Ip6InDelivers")?,
            value("Ip6OutForwDatagrams")?,
        )
    };
    i64::try_from(received)
        .ok()?
        .checked_sub_unsigned(delivered)?
        .checked_sub_unsigned(forwarded)
}

/// A value of a file in which a line of names is followed by a line of values.
fn paired(text: &str, prefix: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(prefix));
    let (names, values) = (lines.next()?, lines.next()?);
    let index = names.split_whitespace().position(|candidate| candidate == name)?;
    values.split_whitespace().nth(index)?.parse().ok()
}

/// A value of a file with one name and value a line.
fn listed(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == name).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_under_their_names() {
        let text =
            "TcpExt: SyncookiesSent ListenOverflows TCPRetransFail\nTcpExt: 1 22 333\nIpExt: A\nIpExt: 4\n";
        assert_eq!(paired(text, "TcpExt:", "ListenOverflows"), Some(22));
        assert_eq!(paired(text, "TcpExt:", "TCPRetransFail"), Some(333));
        assert_eq!(paired(text, "TcpExt:", "Missing"), None);
        assert_eq!(
            listed("Ip6InReceives   \t7\nIp6InDelivers 5\n", "Ip6InDelivers"),
            Some(5)
        );
    }

    #[test]
    fn this_kernel_has_them() {
        let Look::Saw(reading) = read(true) else {
            panic!("no counters")
        };
        assert!(reading.retransmissions_failed.is_some() && reading.not_delivered.is_some());
    }
}
