//! What cannot be meant is exit code 2, and the message says what is wrong and what would be right.

use crate::support::tcpprobe;

/// Exit code 2, nothing on standard output, and all of these words on standard error.
fn is_usage_error(arguments: &[&str], words: &[&str]) {
    let ran = tcpprobe(arguments);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(2), ""),
        "{arguments:?}: {ran:?}"
    );
    for word in words {
        assert!(
            ran.err.contains(word),
            "{arguments:?} lacks {word:?}: {}",
            ran.err
        );
    }
}

#[test]
fn a_hold_that_leaves_no_time_for_the_close_is_an_error() {
    let ran = tcpprobe(&["--hold", "3s", "--timeout", "3s", "127.0.0.1:9"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("make the timeout longer"), "{ran:?}");
}

#[test]
fn a_wrong_target_is_named_with_what_would_be_right() {
    is_usage_error(&[], &["no target", "host:port"]);
    is_usage_error(&["127.0.0.1"], &["`127.0.0.1` has no port", "`127.0.0.1:PORT`"]);
    is_usage_error(&["localhost", "localhost:80"], &["`localhost` has no port"]);
    is_usage_error(&["127.0.0.1:0"], &["0 is no port", "from 1 to 65535"]);
    is_usage_error(&["127.0.0.1:65536"], &["65536 is no port", "from 1 to 65535"]);
    is_usage_error(&["127.0.0.1:htttp"], &["`htttp` is no port", "service"]);
    is_usage_error(&["::1:80"], &["`[::1]:80`", "`[::1:80]:PORT`"]);
    is_usage_error(&["[::1:80"], &["bracket", "`[ADDRESS]:PORT`"]);
    is_usage_error(&[":80"], &["`:80` has no host", "`HOST:PORT`"]);
    is_usage_error(
        &["127.0.0.1:80", "443"],
        &["`443` is a port without a host", "`HOST:443`"],
    );
    is_usage_error(&["256.0.0.1:80"], &["`256.0.0.1` is no IPv4 address"]);
    is_usage_error(&["http://localhost/x"], &["is a URL", "`localhost:80`"]);
    is_usage_error(&["user@localhost:22"], &["no name", "'@'"]);
}

#[test]
fn a_family_and_an_address_of_the_other_one_disagree() {
    is_usage_error(&["-4", "[::1]:1"], &["[::1]:1 is an IPv6 address", "-4"]);
    is_usage_error(&["-6", "127.0.0.1:1"], &["127.0.0.1:1 is an IPv4 address", "-6"]);
    is_usage_error(&["-4", "-6", "127.0.0.1:1"], &["--ipv4", "--ipv6"]);
    is_usage_error(
        &["--source", "127.0.0.1", "[::1]:1"],
        &["[::1]:1 is an IPv6 address", "--source"],
    );
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    is_usage_error(
        &["--interface", "nope0", "127.0.0.1:1"],
        &["nope0", "no interface", "ip link"],
    );
    is_usage_error(&["[fe80::1%nope0]:1"], &["nope0", "no interface"]);
}

#[test]
fn a_link_local_address_needs_its_link() {
    is_usage_error(
        &["[fe80::1]:22"],
        &["link-local", "[fe80::1%eth0]:22", "--interface"],
    );
}

#[test]
fn a_foreign_source_address_is_named() {
    is_usage_error(
        &["--source", "192.0.2.77", "127.0.0.1:1"],
        &["--source 192.0.2.77", "not an address of this host", "ip addr"],
    );
    is_usage_error(&["--source", "nobody", "127.0.0.1:1"], &["--source", "nobody"]);
}

#[test]
fn a_duration_without_a_unit_is_asked_for_its_unit() {
    is_usage_error(
        &["--timeout", "5", "127.0.0.1:1"],
        &["unit is missing", "5s", "5ms"],
    );
    is_usage_error(&["--timeout", "0.5", "127.0.0.1:1"], &["unit is missing"]);
    is_usage_error(
        &["--timeout", "0", "127.0.0.1:1"],
        &["--timeout", "longer than nothing"],
    );
    is_usage_error(&["--timeout", "0s", "127.0.0.1:1"], &["longer than nothing"]);
    is_usage_error(&["--timeout", "soon", "127.0.0.1:1"], &["'soon'", "500ms"]);
    is_usage_error(&["--timeout", "2days", "127.0.0.1:1"], &["longer than a day"]);
    is_usage_error(
        &["--interval", "1", "127.0.0.1:1"],
        &["--interval", "unit is missing"],
    );
}

#[test]
fn a_wrong_verdict_is_answered_with_the_right_ones() {
    is_usage_error(&["-e", "shut", "127.0.0.1:1"], &["'shut'", "refused", "filtered"]);
    is_usage_error(&["-e", "open,shut", "127.0.0.1:1"], &["'shut'"]);
    is_usage_error(&["-e", "refused/port", "127.0.0.1:1"], &["'port'", "no-listener"]);
    is_usage_error(&["-e", "", "127.0.0.1:1"], &["refused"]);
    is_usage_error(&["explain", "shut"], &["'shut'", "refused", "tcpprobe explain"]);
    is_usage_error(&["explain", "refused/port"], &["'port'", "no-listener"]);
}

#[test]
fn other_wrong_options_are_named() {
    is_usage_error(&["--count", "0", "127.0.0.1:1"], &["--count", "from 1"]);
    is_usage_error(&["-q", "-v", "127.0.0.1:1"], &["--quiet", "--verbose"]);
    is_usage_error(&["-o", "xml", "127.0.0.1:1"], &["xml", "jsonl"]);
    is_usage_error(&["--frobnicate"], &["--frobnicate"]);
}

#[test]
fn what_cannot_be_held_is_named_with_what_would_be_right() {
    is_usage_error(&["hold"], &["TARGET"]);
    is_usage_error(
        &["hold", "--after", "500ms", "127.0.0.1:9"],
        &["at least a second"],
    );
    is_usage_error(
        &["hold", "--max", "1m", "--after", "1m", "127.0.0.1:9"],
        &["--max", "--after"],
    );
    is_usage_error(&["hold", "--connections", "2", "127.0.0.1:9"], &["3..=64"]);
    is_usage_error(
        &["hold", "127.0.0.1:9", "127.0.0.1:10"],
        &["one target at a time"],
    );
    is_usage_error(&["hold", "-4", "[::1]:9"], &["IPv6"]);
}
