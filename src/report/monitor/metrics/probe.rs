//! `/probe`: what one check that was asked for comes to, under the names that blackbox_exporter's users have.

use std::net::IpAddr;
use std::time::Duration;

use super::Exposition;
use super::encoder::{Encoder, Value};
use super::family::Family;
use super::schedule::{seconds, success_of, verdict_labels};
use crate::diagnose::Judged;
use crate::monitor::{Module, Seen};

/// Writes the answer.
pub(super) fn write(seen: &Seen, module: &Module, form: Exposition) -> Vec<u8> {
    let mut encoder = Encoder::new(form);
    as_blackbox_exporter(&mut encoder, seen, module);
    phases(&mut encoder, seen);
    families(&mut encoder, seen);
    handshake(&mut encoder, seen);
    verdict(&mut encoder, seen);
    encoder.finish();
    encoder.take()
}

/// The metrics that blackbox_exporter has, with its names, its meaning and its texts. Where it has 0 for what there is not, so
/// have we.
fn as_blackbox_exporter(encoder: &mut Encoder, seen: &Seen, module: &Module) {
    let lookups = seen.lookups.map_or(Duration::ZERO, |lookups| lookups.took_s);
    let protocol = match seen.address {
        Some(IpAddr::V4(_)) => 4,
        Some(IpAddr::V6(_)) => 6,
        None => 0,
    };
    let all = [
        (
            Family::gauge("probe_success", "Displays whether or not the probe was a success"),
            success_of(seen.judged),
        ),
        (
            Family::gauge(
                "probe_duration_seconds",
                "Returns how long the probe took to complete in seconds",
            ),
            seconds(seen.took_s),
        ),
        (
            Family::gauge(
                "probe_timeout_seconds",
                "Returns how long one look at one address may take at most in seconds",
            ),
            seconds(module.timeout),
        ),
        (
            Family::gauge(
                "probe_dns_lookup_time_seconds",
                "Returns the time taken for probe dns lookup in seconds",
            ),
            seconds(lookups),
        ),
        (
            Family::gauge(
                "probe_ip_protocol",
                "Specifies whether probe ip protocol is IP4 or IP6",
            ),
            Value::Count(protocol),
        ),
        (
            Family::gauge(
                "probe_ip_addr_hash",
                "Specifies the hash of IP address. It's useful to detect if the IP address changes.",
            ),
            Value::Count(seen.address.map_or(0, |address| hash(address).into())),
        ),
    ];
    for (family, value) in all {
        encoder.begin(family);
        encoder.sample(&[], value);
    }
}

/// Where the time went.
fn phases(encoder: &mut Encoder, seen: &Seen) {
    encoder.begin(Family::gauge(
        "probe_tcp_duration_seconds",
        "Duration of the probe by phase: resolve, connect (without a handshake absent), and examine, which is everything else",
    ));
    let resolve = seen.lookups.map_or(Duration::ZERO, |lookups| lookups.took_s);
    let spent = resolve + seen.connect_s.unwrap_or_default();
    let all = [
        ("resolve", Some(resolve)),
        ("connect", seen.connect_s),
        ("examine", Some(seen.took_s.saturating_sub(spent))),
    ];
    for (phase, took) in all {
        let Some(took) = took else {
            continue;
        };
        let labels = encoder.labels([("phase", phase)]);
        encoder.sample(&[&labels], seconds(took));
    }
}

/// How long each address family of the name took.
fn families(encoder: &mut Encoder, seen: &Seen) {
    encoder.begin(Family::gauge(
        "probe_dns_family_lookup_time_seconds",
        "Time taken by the lookups of one address family, ip4 or ip6; absent where it was not asked for",
    ));
    let [v4, v6] = seen
        .lookups
        .map_or([None, None], |lookups| [lookups.v4_s, lookups.v6_s]);
    for (family, took) in [("ip4", v4), ("ip6", v6)] {
        let Some(took) = took else {
            continue;
        };
        let labels = encoder.labels([("family", family)]);
        encoder.sample(&[&labels], seconds(took));
    }
    encoder.begin(Family::gauge(
        "probe_dns_addresses",
        "How many addresses were looked at",
    ));
    encoder.sample(&[], Value::Count(seen.addresses as u64));
}

/// What the kernel says of the handshake.
fn handshake(encoder: &mut Encoder, seen: &Seen) {
    let all = [
        (
            Family::gauge(
                "probe_tcp_rtt_seconds",
                "Round trip of the handshake by the kernel; absent without a handshake or after a retransmission",
            ),
            seen.rtt_s.map(seconds),
        ),
        (
            Family::gauge(
                "probe_tcp_syn_retransmits",
                "SYNs that had to be sent again before one was answered; absent without a handshake",
            ),
            seen.syn_retransmits.map(|count| Value::Count(count.into())),
        ),
        (
            Family::gauge(
                "probe_tcp_tries",
                "How often was looked until this was the result",
            ),
            Some(Value::Count(seen.tried.into())),
        ),
    ];
    for (family, value) in all {
        let Some(value) = value else {
            continue;
        };
        encoder.begin(family);
        encoder.sample(&[], value);
    }
}

/// The verdict, and the same as the reason where it is a failure. An info metric is there or not: 0 would have to be written
/// for every reason that there could have been.
fn verdict(encoder: &mut Encoder, seen: &Seen) {
    let [class, cause, confidence] = verdict_labels(seen.cause, seen.confidence);
    encoder.begin(Family::info(
        "probe_verdict",
        "What the probe came to, in closed words",
    ));
    let labels = encoder.labels([class, cause, confidence]);
    encoder.sample(&[&labels], Value::Count(1));
    if !seen.findings.is_empty() {
        encoder.begin(Family::info(
            "probe_finding",
            "What the probe found beside its verdict; absent where that is nothing",
        ));
        for finding in &seen.findings {
            let labels = encoder.labels([("finding", finding.label())]);
            encoder.sample(&[&labels], Value::Count(1));
        }
    }
    if seen.judged == Judged::AsExpected {
        return;
    }
    encoder.begin(Family::info(
        "probe_failure",
        "Why the probe failed, in closed words; absent where it did not",
    ));
    let labels = encoder.labels([("reason", class.1), cause, confidence]);
    encoder.sample(&[&labels], Value::Count(1));
}

/// As blackbox_exporter has it: over the 4 or 16 bytes of the address.
fn hash(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => fnv_1a(&address.octets()),
        IpAddr::V6(address) => fnv_1a(&address.octets()),
    }
}

/// FNV-1a of 32 bits (Go's `hash/fnv.New32a`).
fn fnv_1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_has_the_values_of_its_authors() {
        // From the test vectors of FNV's own pages.
        assert_eq!(fnv_1a(b""), 0x811c_9dc5);
        assert_eq!(fnv_1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv_1a(b"foobar"), 0xbf9c_f968);
        assert_eq!(hash("127.0.0.1".parse().unwrap()), fnv_1a(&[127, 0, 0, 1]));
    }
}
