//! What can be meant by a word on the command line, and what cannot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn one(word: &str) -> Result<String, String> {
    Target::parse(word, &Services::default())
        .map(|t| t.to_string())
        .map_err(|e| e.to_string())
}

fn words(line: &str) -> Result<String, String> {
    let words: Vec<&str> = line.split(' ').collect();
    Target::parse_words(&words, &Services::default())
        .map(|targets| {
            targets
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .map_err(|e| e.to_string())
}

#[test]
fn one_word_names_host_and_port() {
    for (given, canonical) in [
        ("example.com:443", "example.com:443"),
        ("example.com.:443", "example.com.:443"),
        ("Example.COM:https", "Example.COM:443"),
        ("_http._tcp.svc:0080", "_http._tcp.svc:80"),
        ("bücher.example:80", "bücher.example:80"),
        ("3com.com:80", "3com.com:80"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
        ("[2001:DB8::0001]:http", "[2001:db8::1]:80"),
        ("[fe80::1%eth0]:22", "[fe80::1%eth0]:22"),
        ("[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1"),
    ] {
        assert_eq!(one(given).as_deref(), Ok(canonical), "{given}");
    }
}

#[test]
fn a_word_without_a_port_takes_the_next_word() {
    for (given, canonical) in [
        ("example.com 443", "example.com:443"),
        ("web ssh db:5432 10.0.0.1 80", "web:22 db:5432 10.0.0.1:80"),
        ("2001:db8::1 443", "[2001:db8::1]:443"),
        ("::1:80 443", "[::1:80]:443"),
        ("fe80::1%eth0 443 [::1] 80", "[fe80::1%eth0]:443 [::1]:80"),
        // The first word is a host although a service has its name too.
        ("http http", "http:80"),
    ] {
        assert_eq!(words(given).as_deref(), Ok(canonical), "{given}");
    }
}

/// What is given, and the sentence that it is answered with.
const WRONG: &[(&str, &str)] = &[
    (
        "web",
        "`web` has no port: write `web:PORT`, with a port number or a service name",
    ),
    (
        "web:",
        "`web` has no port: write `web:PORT`, with a port number or a service name",
    ),
    (
        "[::1]:",
        "`[::1]:` has no port: write `[::1]:PORT`, with a port number or a service name",
    ),
    (
        "2001:db8::1",
        "`2001:db8::1` has no port: write `[2001:db8::1]:PORT`, with a port number or a service name",
    ),
    (
        "web db:80",
        "`web` has no port: write `web:PORT`, with a port number or a service name",
    ),
    ("web:0", "0 is no port: a port is a number from 1 to 65535"),
    (
        "web 65536",
        "65536 is no port: a port is a number from 1 to 65535",
    ),
    (
        "web:+80",
        "`+80` is no port: write a number from 1 to 65535, or the name of a service such as `https`",
    ),
    (
        "web htpp",
        "`htpp` is no port: write a number from 1 to 65535, or the name of a service such as `https`",
    ),
    (
        ":80",
        "`:80` has no host: write `HOST:PORT`, for example `localhost:80`",
    ),
    (
        ".:80",
        "`.:80` has no host: write `HOST:PORT`, for example `localhost:80`",
    ),
    (
        "",
        "`` has no host: write `HOST:PORT`, for example `localhost:80`",
    ),
    (
        "[::1:80",
        "`[::1:80` has a bracket without its counterpart: write `[ADDRESS]:PORT`, for example `[2001:db8::1]:443`",
    ),
    (
        "::1]:80",
        "`::1]:80` has a bracket without its counterpart: write `[ADDRESS]:PORT`, for example `[2001:db8::1]:443`",
    ),
    (
        "[web]:80",
        "`web` is no IPv6 address: only those are written in brackets",
    ),
    (
        "[192.0.2.1]:80",
        "`192.0.2.1` is no IPv6 address: only those are written in brackets",
    ),
    (
        "[::1]80",
        "`80` follows the bracket: write `:PORT` there, as in `[2001:db8::1]:443`",
    ),
    ("[fe80::1%]:80", "`` is no interface: write `[fe80::1%eth0]:PORT`"),
    (
        "::1:80",
        "`::1:80` can mean two things: write `[::1]:80` for port 80 of ::1, or `[::1:80]:PORT` for a port of ::1:80",
    ),
    (
        "::1:https",
        "`::1:https` is an IPv6 address and a port without brackets: write `[::1]:https`",
    ),
    (
        "fe80::1%eth0:80",
        "`fe80::1%eth0:80` is an IPv6 address and a port without brackets: write `[fe80::1%eth0]:80`",
    ),
    (
        "web:80:90",
        "`web:80:90` has more than one colon but is no IPv6 address: write `HOST:PORT` or `[ADDRESS]:PORT`",
    ),
    (
        "http://web:8080/x",
        "`http://web:8080/x` is a URL, and a target is a host and a port: write `web:8080`",
    ),
    (
        "https://u:p@web/?q",
        "`https://u:p@web/?q` is a URL, and a target is a host and a port: write `web:443`",
    ),
    (
        "http://[::1]",
        "`http://[::1]` is a URL, and a target is a host and a port: write `[::1]:80`",
    ),
    (
        "foo://web",
        "`foo://web` is a URL, and a target is a host and a port: write `web:PORT`",
    ),
    (
        "u@web:22",
        "`u@web` is no name: it contains '@'; names have letters, digits, `-`, `_` and `.`",
    ),
    (
        "a..b:80",
        "`a..b` is no name: there is nothing before one of its dots",
    ),
    (
        "10.0.0.300:80",
        "`10.0.0.300` is no IPv4 address: an address is four numbers from 0 to 255, for example `192.0.2.1`",
    ),
];

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    for &(given, sentence) in WRONG {
        assert_eq!(words(given), Err(sentence.to_owned()), "{given}");
    }
}

#[test]
fn names_longer_than_dns_allows_are_no_targets() {
    let label = "a".repeat(63);
    assert!(one(&format!("{label}.example:80")).is_ok());
    assert!(
        one(&format!("{label}a.example:80"))
            .unwrap_err()
            .contains("at most 63")
    );
    let name = [label.as_str(); 4].join(".");
    assert!(one(&format!("{}:80", &name[..253])).is_ok());
    assert!(
        one(&format!("{}:80", &name[..254]))
            .unwrap_err()
            .contains("at most 253")
    );
}

#[test]
fn a_list_has_one_target_a_line_and_names_the_line_that_is_wrong() {
    let services = Services::default();
    let list = "# ours\n\nweb:80 # the front\r\n  db 5432\n[::1]:22\n";
    let targets = Target::parse_list(list, &services).unwrap();
    assert_eq!(
        targets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["web:80", "db:5432", "[::1]:22"]
    );

    let wrong = |list| Target::parse_list(list, &services).unwrap_err().to_string();
    assert_eq!(
        wrong("a:1\n\nweb:0"),
        "3: 0 is no port: a port is a number from 1 to 65535"
    );
    assert_eq!(
        wrong("a:1 b:2"),
        "1: 2 targets on one line: a list has one target a line"
    );
    // A host never takes its port from the next line.
    assert!(wrong("web\n80").starts_with("1: `web` has no port"));
}

#[test]
fn the_services_file_comes_before_what_everyone_knows() {
    let services = Services::from_text(
        "# a comment\nhttp\t8080/tcp www # ours\nntp 123/udp\nbad\nworse x/tcp\nhttp 81/tcp\n",
    );
    assert_eq!(services.port("http"), Some(8080));
    assert_eq!(services.port("WWW"), Some(8080));
    assert_eq!(services.port("ntp"), None);
    assert_eq!(services.port("ssh"), Some(22));
}

fn any_host() -> impl Strategy<Value = Host> {
    let v4 = any::<Ipv4Addr>().prop_map(|a| Host::Address {
        address: IpAddr::V4(a),
        scope: None,
    });
    let v6 = (any::<Ipv6Addr>(), proptest::option::of("[a-z0-9.@_-]{1,15}")).prop_map(|(a, scope)| {
        Host::Address {
            address: IpAddr::V6(a),
            scope,
        }
    });
    let name = "[A-Za-z_0-9é-]{1,20}(\\.[a-z0-9_-]{1,20}){0,2}\\.?".prop_filter_map("a number", |name| {
        let last = name.trim_end_matches('.').rsplit('.').next()?;
        (!last.bytes().all(|b| b.is_ascii_digit())).then(|| Host::Name(name.clone()))
    });
    prop_oneof![v4, v6, name]
}

proptest! {
    #[test]
    fn parsing_never_panics_and_its_canonical_form_means_the_same(
        text in prop_oneof![any::<String>(), "[a-z0-9:.%/@\\[\\] #-]{0,24}"]
    ) {
        let services = Services::default();
        if let Ok(target) = Target::parse(&text, &services) {
            prop_assert_eq!(Target::parse(&target.to_string(), &services), Ok(target));
        }
        let _ = Target::parse_list(&text, &services);
    }

    #[test]
    fn what_is_displayed_parses_back(host in any_host(), port in 1_u16..) {
        let target = Target { host, port };
        prop_assert_eq!(Target::parse(&target.to_string(), &Services::default()), Ok(target));
    }
}
