//! A crowd on loopback: what is named twice, what is under way at a time, and what is kept in mind.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::check::{Addresses, Beside};
use crate::net::dial::Hold;
use crate::net::dns::{Families, Resolver, Servers};
use crate::net::raw::{RawSight, Use};
use crate::target::Services;

struct Any {
    target: Target,
    tries: u32,
}

impl Wanted for Any {
    fn target(&self) -> &Target {
        &self.target
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn tries(&self) -> u32 {
        self.tries
    }

    fn life(&self) -> Life {
        Life::Assumed
    }

    fn is_enough(&self, cause: Cause) -> bool {
        cause == Cause::Healthy
    }
}

fn wanted(words: impl IntoIterator<Item = String>) -> Vec<Any> {
    let target = |word: String| Target::parse(&word, &Services::default()).unwrap();
    let targets = words.into_iter().map(target);
    targets.map(|target| Any { target, tries: 1 }).collect()
}

/// Each connection is kept open for so long, and names are those of a hosts file.
fn options(hold: Duration, hosts: PathBuf) -> Options {
    Options {
        timeout: Duration::from_secs(3),
        slow: Duration::from_millis(250),
        locate: false,
        pmtu: false,
        idle: None,
        hold: Hold::Exactly(hold),
        source: None,
        interface: None,
        families: Families::Both,
        addresses: Addresses::All,
        resolver: Resolver::Dns {
            servers: Servers::ResolvConf(PathBuf::from("/nonexistent/resolv.conf")),
            hosts,
        },
        raw: RawSight::new(Use::Never),
        beside: Beside::together(),
    }
}

fn bounds(at_once: usize, per_host: u32) -> Bounds {
    Bounds {
        at_once,
        per_host,
        rate: 1_000_000,
    }
}

/// A listener that counts its connections, and those that are open at a time.
async fn serve(listener: TcpListener, open: &Cell<usize>, most: &Cell<usize>, all: &Cell<usize>) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            Ok((mut stream, _)) = listener.accept() => {
                all.set(all.get() + 1);
                open.set(open.get() + 1);
                most.set(most.get().max(open.get()));
                connections.push(async move {
                    let _ = stream.read(&mut [0; 16]).await;
                });
            }
            Some(()) = connections.next() => open.set(open.get() - 1),
        }
    }
}

async fn listeners(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<TcpListener> {
    let mut listeners = Vec::new();
    for address in addresses {
        listeners.push(TcpListener::bind(address).await.unwrap());
    }
    listeners
}

/// Looks at all of it beside its listeners; returns what was handed out, and how many connections there were at a time and
/// in all.
async fn look(mut crowd: Crowd<Any>, listeners: Vec<TcpListener>) -> (Vec<Looked>, usize, usize) {
    let (open, most, all) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut looked = Vec::new();
    let serving = futures_util::future::join_all(
        listeners
            .into_iter()
            .map(|listener| serve(listener, &open, &most, &all)),
    );
    tokio::select! {
        () = async {
            while let Some(one) = crowd.next().await {
                looked.push(one);
            }
        } => {}
        _ = serving => {}
    }
    assert_eq!(crowd.in_flight(), 0);
    assert!(crowd.begun.is_empty() && crowd.finished.is_empty());
    (looked, most.get(), all.get())
}

#[tokio::test]
async fn no_more_endpoints_than_allowed_are_under_way() {
    let hold = Duration::from_millis(20);
    for (hosts, at_once, per_host, most_allowed) in [(1, 64, 3, 3), (8, 5, 64, 5), (2, 64, 2, 4)] {
        let addresses = (0..24).map(|index| SocketAddr::from(([127, 0, 0, 1 + index % hosts], 0)));
        let listeners = listeners(addresses).await;
        let words = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().to_string());
        let words: Vec<String> = words.collect();
        let crowd = Crowd::new(
            wanted(words),
            options(hold, PathBuf::new()),
            bounds(at_once, per_host),
            None,
        );
        let (looked, most, all) = look(crowd, listeners).await;
        assert_eq!((looked.len(), all), (24, 24));
        assert!(
            (2..=most_allowed).contains(&most),
            "{hosts} hosts: {most} at a time"
        );
    }
}

#[tokio::test]
async fn what_comes_to_one_endpoint_is_looked_at_once_and_told_to_all() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "127.0.0.1 one two\n127.0.0.2 two\n").unwrap();
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let words = ["one", "two", "127.0.0.1", "127.0.0.1", "127.0.0.2"].map(|host| format!("{host}:{port}"));
    let crowd = Crowd::new(
        wanted(words),
        options(Duration::ZERO, file.path().to_owned()),
        bounds(8, 8),
        None,
    );
    let (mut looked, _, all) = look(crowd, vec![first, second]).await;
    looked.sort_by_key(|looked| looked.index);
    let endpoints: Vec<usize> = looked
        .iter()
        .map(|looked| looked.outcome.endpoints.len())
        .collect();
    assert_eq!((endpoints, all), (vec![1, 2, 1, 1, 1], 2));
    let addresses = looked[1]
        .outcome
        .endpoints
        .iter()
        .map(|endpoint| endpoint.evidence.endpoint.ip().to_string());
    assert_eq!(addresses.collect::<BTreeSet<_>>().len(), 2);
}

#[tokio::test]
async fn what_is_not_enough_is_looked_at_as_often_as_was_wished() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let word = socket.local_addr().unwrap().to_string();
    let mut wanted = wanted([word, "no-such-name:1".to_owned()]);
    for wanted in &mut wanted {
        wanted.tries = 2;
    }
    let crowd = Crowd::new(
        wanted,
        options(Duration::ZERO, PathBuf::new()),
        bounds(8, 8),
        None,
    );
    let nobody = listeners([SocketAddr::from(([127, 0, 0, 1], 0))]).await;
    let (looked, _, _) = look(crowd, nobody).await;
    let tried: Vec<u32> = looked.iter().map(|looked| looked.tried).collect();
    assert_eq!(tried, [2, 2]);
}

#[tokio::test]
async fn hosts_are_forgotten_when_nothing_of_them_is_left() {
    let listeners = listeners((1..20).map(|host| SocketAddr::from(([127, 0, 1, host], 0)))).await;
    let words = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().to_string());
    let words: Vec<String> = words.collect();
    let crowd = Crowd::new(
        wanted(words),
        options(Duration::ZERO, PathBuf::new()),
        bounds(4, 4),
        None,
    );
    let shared = Rc::clone(&crowd.shared);
    let (looked, _, _) = look(crowd, listeners).await;
    assert_eq!((looked.len(), shared.company.hosts()), (19, 0));
}
