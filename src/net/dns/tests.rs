//! Whole resolutions against a scripted server on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::evidence::Lookup;

const DEADLINE: Duration = Duration::from_secs(2);
/// What a server that never answers costs in a test.
const TIMEOUT: Duration = Duration::from_millis(60);

/// What the server does, by the first label of the name; `a-` and `aaaa-` before a word hold for that type alone.
fn answer(query: &Message, over_tcp: bool) -> Option<Vec<u8>> {
    let question = query.queries[0].clone();
    let name = question.name.to_ascii();
    let script = name.split('.').next().unwrap_or_default().to_owned();
    let (v4, v6) = match script.split_once("--") {
        Some((v4, v6)) => (v4.to_owned(), v6.to_owned()),
        None => (script.clone(), script),
    };
    let script = if question.query_type == RecordType::A {
        v4
    } else {
        v6
    };
    let mut reply = Message::response(query.metadata.id, OpCode::Query);
    reply.add_query(question.clone());
    let address = |owner: &Name| {
        let ip: IpAddr = match question.query_type {
            RecordType::A => "127.0.0.9".parse().unwrap(),
            _ => "::1".parse().unwrap(),
        };
        Record::from_rdata(owner.clone(), 60, RData::from(ip))
    };
    match script.as_str() {
        "ok" => drop(reply.add_answer(address(&question.name))),
        "cname" => {
            let [one, two, three] =
                ["one.test.", "two.test.", "three.test."].map(|n| Name::from_ascii(n).unwrap());
            let link = |from: &Name, to: &Name| {
                Record::from_rdata(from.clone(), 60, RData::CNAME(CNAME(to.clone())))
            };
            // Out of order, and with an address of a name that is not in the chain.
            reply.add_answers([
                link(&one, &two),
                link(&question.name, &one),
                address(&three),
                address(&two),
            ]);
        }
        "loop" => {
            let link = RData::CNAME(CNAME(question.name.clone()));
            reply.add_answer(Record::from_rdata(question.name.clone(), 60, link));
        }
        "nodata" => {}
        "servfail" => reply.metadata.response_code = ResponseCode::ServFail,
        "refused" => reply.metadata.response_code = ResponseCode::Refused,
        "notimp" => reply.metadata.response_code = ResponseCode::NotImp,
        "formerr" => {
            reply.metadata.response_code = ResponseCode::FormErr;
            reply.queries.clear();
        }
        "noedns" if query.edns.is_some() => reply.metadata.response_code = ResponseCode::FormErr,
        "noedns" => drop(reply.add_answer(address(&question.name))),
        "truncated" if !over_tcp => reply.metadata.truncation = true,
        "truncated" => drop(reply.add_answer(address(&question.name))),
        "malformed" => return Some([&query.metadata.id.to_be_bytes()[..], b"\x81\x80 no message"].concat()),
        "wrongid" => {
            reply.metadata.id = query.metadata.id.wrapping_add(1);
            reply.add_answer(address(&question.name));
        }
        "wrongname" => {
            let other = Name::from_ascii("other.test.").unwrap();
            reply.queries[0].name = other.clone();
            reply.add_answer(address(&other));
        }
        "drop" => return None,
        _ => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    Some(reply.to_vec().unwrap())
}

/// A server that is there until the test's runtime ends, and the questions that it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start() -> Self {
        // The same port for both transports; another program may hold one of the two.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
                let query = Message::from_vec(&buffer[..length]).unwrap();
                log.lock().unwrap().push(query.queries[0].name.to_ascii());
                if let Some(reply) = answer(&query, false) {
                    udp.send_to(&reply, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut buffer = vec![0; length.into()];
                stream.read_exact(&mut buffer).await.unwrap();
                if let Some(reply) = answer(&Message::from_vec(&buffer).unwrap(), true) {
                    stream.write_u16(reply.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&reply).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    fn settings(&self) -> Settings {
        Settings {
            servers: vec![self.address],
            timeout: TIMEOUT,
            attempts: 1,
            ..Settings::default()
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

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
    let settings = Settings {
        search: vec!["a.test".into(), "b.test".into()],
        ..server.settings()
    };
    // `servfail` as a first label fails for every candidate, so the candidates differ by their ndots.
    let resolution = resolve(&request("nx.servfail", Families::V4, settings.clone())).await;
    let all = ["nx.servfail.", "nx.servfail.a.test.", "nx.servfail.b.test."];
    assert_eq!(
        outcomes(&resolution),
        all.map(|c| (c, Family::A, &LookupOutcome::NxDomain))
    );

    let resolution = resolve(&request("servfail", Families::V4, settings)).await;
    let all = ["servfail.a.test.", "servfail.b.test.", "servfail."];
    assert_eq!(
        outcomes(&resolution),
        all.map(|c| (c, Family::A, &LookupOutcome::ServFail))
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
    assert!(resolution.took_s < Duration::from_millis(400), "{resolution:?}");
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
async fn a_name_that_dns_cannot_hold_says_so() {
    let server = Server::start().await;
    let name = format!("{}.test.", "ü".repeat(70));
    let resolution = resolve(&request(&name, Families::V4, server.settings())).await;
    assert!(
        matches!(resolution.lookups[0].outcome, LookupOutcome::Malformed { .. }),
        "{resolution:?}"
    );
    assert!(server.asked().is_empty());
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
