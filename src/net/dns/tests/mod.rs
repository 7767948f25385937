//! Whole resolutions against a scripted server on loopback.

mod server;

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

use super::*;
use crate::evidence::Lookup;

use server::Server;

const DEADLINE: Duration = Duration::from_secs(2);
/// What a server that never answers costs in a test.
const TIMEOUT: Duration = Duration::from_millis(150);

fn request(name: &str, families: Families, settings: Settings) -> ResolveRequest {
    let resolver = Resolver::Dns {
        servers: Servers::Given(settings),
        hosts: "/nowhere/hosts".into(),
    };
    ResolveRequest {
        name: name.into(),
        families,
        resolver,
        deadline: DEADLINE,
    }
}

/// The only outcome of a name whose IPv4 address is asked for.
async fn v4(name: &str) -> LookupOutcome {
    let server = Server::start().await;
    let resolution = resolve(&request(name, Families::V4, server.settings())).await;
    let [
        Lookup {
            outcome,
            server: Some(asked),
            candidate,
            ..
        },
    ] = &resolution.lookups[..]
    else {
        panic!("{resolution:?}")
    };
    assert_eq!((*asked, candidate.as_str()), (server.address, name));
    outcome.clone()
}

fn outcomes(resolution: &Resolution) -> Vec<(&str, Family, &LookupOutcome)> {
    let mut all: Vec<_> = resolution
        .lookups
        .iter()
        .map(|l| (l.candidate.as_str(), l.family, &l.outcome))
        .collect();
    all.sort_by_key(|&(_, family, _)| family == Family::Aaaa);
    all
}

fn addresses(all: &[&str]) -> LookupOutcome {
    LookupOutcome::Addresses {
        addresses: all.iter().map(|a| a.parse().unwrap()).collect(),
    }
}

/// A port of loopback where nothing is.
async fn dead_port() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn each_answer_of_a_server_has_its_outcome() {
    assert_eq!(v4("ok.test.").await, addresses(&["127.0.0.9"]));
    assert_eq!(v4("nx.test.").await, LookupOutcome::NxDomain);
    assert_eq!(v4("nodata.test.").await, LookupOutcome::NoData);
    assert_eq!(v4("servfail.test.").await, LookupOutcome::ServFail);
    assert_eq!(v4("refused.test.").await, LookupOutcome::Refused);
    assert_eq!(v4("formerr.test.").await, LookupOutcome::OtherCode { code: 1 });
    assert_eq!(v4("notimp.test.").await, LookupOutcome::OtherCode { code: 4 });
    assert_eq!(v4("drop.test.").await, LookupOutcome::Timeout);
    assert!(matches!(
        v4("malformed.test.").await,
        LookupOutcome::Malformed { .. }
    ));
}

#[tokio::test]
async fn a_chain_of_aliases_is_followed_to_its_end() {
    assert_eq!(v4("cname.test.").await, addresses(&["127.0.0.9"]));
    assert_eq!(v4("loop.test.").await, LookupOutcome::NoData);
}

#[tokio::test]
async fn an_answer_to_something_else_does_not_count() {
    let why = |why: &str| LookupOutcome::Malformed { why: why.into() };
    assert_eq!(
        v4("wrongid.test.").await,
        why("the answer has another id than the question")
    );
    assert_eq!(
        v4("wrongname.test.").await,
        why("the answer is to another question")
    );
}

#[tokio::test]
async fn what_udp_cuts_short_is_asked_again_over_tcp() {
    assert_eq!(v4("truncated.test.").await, addresses(&["127.0.0.9"]));
}

#[tokio::test]
async fn a_tcp_connection_that_ends_without_an_answer_is_no_answer() {
    let why = "the TCP connection ended before the answer".to_owned();
    assert_eq!(v4("cut.test.").await, LookupOutcome::Malformed { why });
}

#[tokio::test]
async fn tcp_alone_asks_nothing_over_udp() {
    let server = Server::start().await;
    let settings = Settings {
        tcp: true,
        ..server.settings()
    };
    let resolution = resolve(&request("ok.test.", Families::V4, settings)).await;
    assert_eq!(resolution.lookups[0].outcome, addresses(&["127.0.0.9"]));
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_know_edns_is_asked_without() {
    let server = Server::start().await;
    let settings = Settings {
        edns0: true,
        ..server.settings()
    };
    let resolution = resolve(&request("noedns.test.", Families::V4, settings)).await;
    let said: Vec<_> = resolution.lookups.iter().map(|l| l.outcome.clone()).collect();
    assert_eq!(
        said,
        [LookupOutcome::OtherCode { code: 1 }, addresses(&["127.0.0.9"])]
    );
}

#[tokio::test]
async fn a_dead_server_is_unreachable_and_the_next_one_is_asked() {
    let server = Server::start().await;
    let dead = dead_port().await;
    let settings = Settings {
        servers: vec![dead, server.address],
        ..server.settings()
    };
    let resolution = resolve(&request("ok.test.", Families::V4, settings)).await;
    let said: Vec<_> = resolution
        .lookups
        .iter()
        .map(|l| (l.server, l.outcome.clone()))
        .collect();
    let refused = LookupOutcome::ServerUnreachable {
        errno: "ECONNREFUSED".into(),
    };
    assert_eq!(
        said,
        [
            (Some(dead), refused),
            (Some(server.address), addresses(&["127.0.0.9"]))
        ]
    );
}

#[tokio::test]
async fn servfail_and_refused_go_to_the_next_server_and_are_not_asked_again() {
    for word in ["servfail.test.", "refused.test."] {
        let (one, two) = (Server::start().await, Server::start().await);
        let settings = Settings {
            servers: vec![one.address, two.address],
            attempts: 3,
            ..one.settings()
        };
        resolve(&request(word, Families::V4, settings)).await;
        assert_eq!(
            (one.asked(), two.asked()),
            (vec![word.to_owned()], vec![word.to_owned()])
        );
    }
}

#[tokio::test]
async fn a_silent_server_is_asked_as_often_as_the_settings_say() {
    let server = Server::start().await;
    let settings = Settings {
        attempts: 2,
        ..server.settings()
    };
    let resolution = resolve(&request("drop", Families::V4, settings)).await;
    assert_eq!(server.asked(), ["drop.", "drop."]);
    assert_eq!(resolution.addresses, Vec::<IpAddr>::new());
}

#[tokio::test]
async fn a_failure_of_an_early_candidate_stays_visible_behind_the_last_one() {
    let server = Server::start().await;
    let search = ["servfail.test", "nodata.test", "nx.test"]
        .map(str::to_owned)
        .to_vec();
    let settings = Settings {
        search,
        ..server.settings()
    };
    let resolution = resolve(&request("host", Families::V4, settings)).await;
    assert_eq!(
        outcomes(&resolution),
        [
            ("host.servfail.test.", Family::A, &LookupOutcome::ServFail),
            ("host.nodata.test.", Family::A, &LookupOutcome::NoData),
            ("host.nx.test.", Family::A, &LookupOutcome::NxDomain),
            ("host.", Family::A, &LookupOutcome::NxDomain),
        ]
    );
}

#[tokio::test]
async fn the_search_ends_where_no_server_has_anything_to_say() {
    let server = Server::start().await;
    let settings = Settings {
        search: vec!["a.test".into()],
        ..server.settings()
    };
    let resolution = resolve(&request("drop", Families::V4, settings.clone())).await;
    assert_eq!(
        outcomes(&resolution),
        [("drop.a.test.", Family::A, &LookupOutcome::Timeout)]
    );
    let resolution = resolve(&request("ok", Families::V4, settings)).await;
    assert_eq!(
        outcomes(&resolution),
        [("ok.a.test.", Family::A, &addresses(&["127.0.0.9"]))]
    );
}

#[tokio::test]
async fn one_family_that_is_dropped_does_not_lose_the_other() {
    let server = Server::start().await;
    let settings = Settings {
        attempts: 2,
        ..server.settings()
    };
    let resolution = resolve(&request("ok--drop.test.", Families::Both, settings)).await;
    assert_eq!(resolution.addresses, ["127.0.0.9".parse::<IpAddr>().unwrap()]);
    let last = resolution.lookups.last().unwrap();
    assert_eq!(
        (last.family, &last.outcome),
        (Family::Aaaa, &LookupOutcome::Timeout)
    );
    assert!(last.took_s >= TIMEOUT);
}

#[tokio::test]
async fn one_family_that_fails_does_not_hide_what_the_other_said() {
    let server = Server::start().await;
    let resolution = resolve(&request(
        "nodata--servfail.test.",
        Families::Both,
        server.settings(),
    ))
    .await;
    let candidate = "nodata--servfail.test.";
    assert_eq!(
        outcomes(&resolution),
        [
            (candidate, Family::A, &LookupOutcome::NoData),
            (candidate, Family::Aaaa, &LookupOutcome::ServFail)
        ]
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_for_one_family_is_not_waited_for() {
    let server = Server::start().await;
    let settings = Settings {
        timeout: Duration::from_secs(5),
        ..server.settings()
    };
    let resolution = resolve(&request("nx--drop.test.", Families::Both, settings)).await;
    assert!(resolution.took_s < Duration::from_secs(1), "{resolution:?}");
    assert_eq!(outcomes(&resolution)[1].2, &LookupOutcome::Timeout);
}

#[tokio::test]
async fn the_deadline_ends_everything_and_what_is_under_way_is_a_timeout() {
    let server = Server::start().await;
    let settings = Settings {
        timeout: Duration::from_secs(5),
        attempts: 5,
        ..server.settings()
    };
    let request = ResolveRequest {
        deadline: Duration::from_millis(80),
        ..request("drop.test.", Families::Both, settings)
    };
    let resolution = resolve(&request).await;
    assert!(resolution.took_s < Duration::from_secs(1), "{resolution:?}");
    let candidate = "drop.test.";
    assert_eq!(
        outcomes(&resolution),
        [
            (candidate, Family::A, &LookupOutcome::Timeout),
            (candidate, Family::Aaaa, &LookupOutcome::Timeout)
        ]
    );
}

#[tokio::test]
async fn the_hosts_file_comes_before_dns() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = directory.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.7 ok.test\n").unwrap();
    let server = Server::start().await;
    let servers = Servers::Given(server.settings());
    let resolver = Resolver::Dns { servers, hosts };
    let resolution = resolve(&ResolveRequest {
        resolver,
        ..request("ok.test", Families::Both, server.settings())
    })
    .await;
    assert_eq!(resolution.by, ResolvedBy::HostsFile);
    assert_eq!(resolution.addresses, ["127.0.0.7".parse::<IpAddr>().unwrap()]);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn without_a_resolv_conf_there_is_no_server() {
    let resolver = Resolver::Dns {
        servers: Servers::ResolvConf("/nowhere/resolv.conf".into()),
        hosts: "/nowhere/hosts".into(),
    };
    let resolution = resolve(&ResolveRequest {
        resolver,
        ..request("ok.test", Families::V6, Settings::default())
    })
    .await;
    let why = "/nowhere/resolv.conf: No such file or directory".to_owned();
    assert_eq!(
        outcomes(&resolution),
        [("ok.test", Family::Aaaa, &LookupOutcome::NoServer { why })]
    );
}

#[tokio::test]
async fn settings_without_a_server_say_so() {
    let resolution = resolve(&request("ok.test", Families::Both, Settings::default())).await;
    let none = LookupOutcome::NoServer {
        why: "no name server is configured".into(),
    };
    assert_eq!(
        outcomes(&resolution),
        [("ok.test", Family::A, &none), ("ok.test", Family::Aaaa, &none)]
    );
}

#[tokio::test]
async fn no_aaaa_leaves_ipv6_out_unless_it_alone_is_wanted() {
    let server = Server::start().await;
    let settings = Settings {
        no_aaaa: true,
        ..server.settings()
    };
    let both = resolve(&request("ok.test.", Families::Both, settings.clone())).await;
    assert_eq!(
        outcomes(&both),
        [("ok.test.", Family::A, &addresses(&["127.0.0.9"]))]
    );
    let v6 = resolve(&request("ok.test.", Families::V6, settings)).await;
    assert_eq!(outcomes(&v6), [("ok.test.", Family::Aaaa, &addresses(&["::1"]))]);
}

#[tokio::test]
async fn a_name_that_dns_cannot_hold_is_asked_of_no_server_and_the_search_goes_on() {
    let server = Server::start().await;
    let search = vec!["a".repeat(64), "test".to_owned()];
    let settings = Settings {
        search,
        ..server.settings()
    };
    let resolution = resolve(&request("ok", Families::V4, settings)).await;
    let [too_long, found] = &resolution.lookups[..] else {
        panic!("{resolution:?}")
    };
    assert!(
        matches!(too_long.outcome, LookupOutcome::Malformed { .. }),
        "{resolution:?}"
    );
    assert_eq!((too_long.server, found.server), (None, Some(server.address)));
    assert_eq!(found.outcome, addresses(&["127.0.0.9"]));
}

#[tokio::test]
async fn the_c_library_has_a_word_for_each_family() {
    let request = ResolveRequest {
        resolver: Resolver::System,
        ..request("127.0.0.1", Families::Both, Settings::default())
    };
    let resolution = resolve(&request).await;
    assert_eq!(resolution.by, ResolvedBy::System);
    assert_eq!(outcomes(&resolution)[0].2, &addresses(&["127.0.0.1"]));
    assert_eq!(outcomes(&resolution)[1].2, &LookupOutcome::NoData);
}
