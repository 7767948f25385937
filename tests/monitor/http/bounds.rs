//! What clients may do that the server has to bear: too much, too slowly, too early, and nonsense.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use libtest_mimic::Failed;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tcpprobe::http::{Gate, Limits, Server};

use super::client::{Connection, get};
use super::server::{LARGE, Served};
use crate::wanted;

/// Short enough to wait for, and still longer than a trial on a busy machine needs between two writes of one request.
const SOON: Duration = Duration::from_millis(400);

pub(crate) fn requests_are_understood_as_they_are_meant(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    for (path, expected) in [
        ("/echo", "GET heard\n"),
        ("/echo?", "GET heard\n"),
        ("/echo?target=%5B%3A%3A1%5D%3A80", "GET heard\ntarget=[::1]:80\n"),
        (
            "/echo?target=a:1&target=b:2",
            "GET heard\ntarget=a:1\ntarget=b:2\n",
        ),
        (
            "/echo?debug&x=a+b&y=%C3%A4&=z",
            "GET heard\ndebug=\nx=a b\ny=ä\n=z\n",
        ),
        ("/echo?bad=%zz%ff", "GET heard\nbad=%zz\u{fffd}\n"),
        ("http://elsewhere/echo?a=b", "GET heard\na=b\n"),
    ] {
        let answer = Connection::open(served.address)?.ask("GET", path, &[("X-Said", "heard")])?;
        wanted(answer.text() == expected, || format!("{path}: {}", answer.text()))?;
    }
    Ok(())
}

pub(crate) fn head_says_what_get_would_and_keeps_the_body(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    let mut connection = Connection::open(served.address)?;
    for path in ["/quick", "/large", "/pieces"] {
        let mut by_get = connection.get(path)?;
        let by_head = connection.ask("HEAD", path, &[])?;
        by_get.headers.remove("date");
        let mut headers = by_head.headers.clone();
        headers.remove("date");
        // How a body without a known length is sent, nobody needs to know who gets none.
        by_get.headers.remove("transfer-encoding");
        headers.remove("transfer-encoding");
        wanted(
            (by_head.status, &headers) == (by_get.status, &by_get.headers),
            || format!("{path}: {headers:?} instead of {:?}", by_get.headers),
        )?;
    }
    wanted(connection.get("/quick")?.text() == "quick\n", || {
        "no answer after HEAD".to_owned()
    })
}

pub(crate) fn bodies_are_packed_for_those_who_ask(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    let mut connection = Connection::open(served.address)?;
    for (path, expected) in [
        ("/large", LARGE.repeat(10_000)),
        ("/pieces", (0..40).map(|number| LARGE.repeat(number)).collect()),
    ] {
        let plain = connection.get(path)?;
        wanted(
            plain.text() == expected && plain.header("content-encoding").is_none(),
            || format!("{path}: not as it is"),
        )?;
        let packed = connection.ask("GET", path, &[("Accept-Encoding", "gzip")])?;
        let mut unpacked = String::new();
        GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked)?;
        wanted(
            packed.header("content-encoding") == Some("gzip")
                && packed.header("vary") == Some("accept-encoding")
                && packed.body.len() * 5 < expected.len()
                && unpacked == expected,
            || format!("{path}: {:?}, {} bytes", packed.headers, packed.body.len()),
        )?;
    }
    let small = connection.ask("GET", "/quick", &[("Accept-Encoding", "gzip")])?;
    wanted(small.text() == "quick\n", || "a few bytes were packed".to_owned())
}

pub(crate) fn requests_in_one_packet_are_answered_in_their_order(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    let mut connection = Connection::open(served.address)?;
    let requests: String = (0..50)
        .map(|number| format!("GET /echo?n={number} HTTP/1.1\r\nhost: test\r\n\r\n"))
        .collect::<Vec<_>>()
        .concat();
    connection.send(requests)?;
    for number in 0..50 {
        let answer = connection.answer()?;
        wanted(answer.text() == format!("GET -\nn={number}\n"), || {
            format!("{number}: {}", answer.text())
        })?;
    }
    Ok(())
}

pub(crate) fn who_closes_the_own_side_gets_what_is_at_hand(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    for path in ["/quick", "/large", "/pieces"] {
        let mut connection = Connection::open(served.address)?;
        connection.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))?;
        connection.close_own_side()?;
        let answer = connection.answer()?;
        wanted(answer.status == 200 && connection.is_ended()?, || {
            format!("{path}: {}", answer.status)
        })?;
    }
    Ok(())
}

pub(crate) fn who_is_gone_is_not_worked_for(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    let wait = "GET /wait HTTP/1.1\r\nhost: test\r\n\r\n";
    // Whatever else has arrived and was not read.
    let behind = ["", "GET /quick HTTP/1.1\r\nhost: test\r\n\r\n", "nonsense"];
    let mut expected = 0;
    for behind in behind {
        for way in [Way::Closed, Way::OwnSide, Way::Reset] {
            let mut connection = Connection::open(served.address)?;
            connection.send(wait)?;
            expected += 1;
            served.seen.until(|seen| &seen.begun, expected)?;
            connection.send(behind)?;
            wanted(served.seen.dropped.load(Ordering::SeqCst) == expected - 1, || {
                "dropped although the client is there".to_owned()
            })?;
            match way {
                Way::Closed => drop(connection),
                Way::Reset => connection.reset()?,
                Way::OwnSide => {
                    connection.close_own_side()?;
                    served.seen.until(|seen| &seen.dropped, expected)?;
                }
            }
            served.seen.until(|seen| &seen.dropped, expected)?;
        }
    }
    Ok(())
}

enum Way {
    Closed,
    OwnSide,
    Reset,
}

pub(crate) fn slow_requests_are_given_up(at: IpAddr) -> Result<(), Failed> {
    let limits = Limits {
        head: SOON,
        body: SOON,
        idle: SOON,
        ..Limits::default()
    };
    let served = Served::start(at, limits)?;
    // A head that does not end: at once, after another request, and byte by byte, which keeps nobody waiting longer.
    for before in ["", "GET /quick HTTP/1.1\r\nhost: test\r\n\r\n"] {
        let mut connection = Connection::open(served.address)?;
        if !before.is_empty() {
            connection.send(before)?;
            connection.answer()?;
        }
        let mut answer = None;
        for byte in b"GET /quick HTTP/1.1\r\nhost: test\r\nx-more: "
            .iter()
            .chain(std::iter::repeat(&b'x'))
        {
            if connection.send([*byte]).is_err() {
                break;
            }
            // Else the head becomes too long before it has taken too long.
            thread::sleep(Duration::from_millis(2));
            if let Some(arrived) = connection.answer_if_there()? {
                answer = Some(arrived);
                break;
            }
        }
        let answer = answer.map_or_else(|| connection.answer(), Ok)?;
        wanted(answer.status == 408 && connection.is_ended()?, || {
            format!("{answer:?}")
        })?;
    }
    // Nothing to answer to is not answered.
    wanted(Connection::open(served.address)?.is_ended()?, || {
        "said something".to_owned()
    })?;
    let mut idle = Connection::open(served.address)?;
    idle.get("/quick")?;
    wanted(idle.is_ended()?, || "not closed for being idle".to_owned())?;
    // A body that does not end.
    for framing in [
        "content-length: 10\r\n\r\nhalf",
        "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let mut connection = Connection::open(served.address)?;
        connection.send(format!("POST /quick HTTP/1.1\r\nhost: test\r\n{framing}"))?;
        let answer = connection.answer()?;
        wanted(answer.status == 408 && connection.is_ended()?, || {
            format!("{framing:?}: {answer:?}")
        })?;
    }
    Ok(())
}

pub(crate) fn who_does_not_read_is_reset_and_costs_little(at: IpAddr) -> Result<(), Failed> {
    let limits = Limits {
        answer: SOON,
        ..Limits::default()
    };
    let served = Served::start(at, limits)?;
    let mut connection = Connection::with_a_small_window(served.address)?;
    connection.send("GET /endless HTTP/1.1\r\nhost: test\r\n\r\n")?;
    served.seen.until(|seen| &seen.bodies_dropped, 1)?;
    // What the kernel takes to send is some megabytes at most; of an endless answer no more is made than fits there.
    let made = served.seen.pieces.load(Ordering::SeqCst);
    wanted(made < 1_000, || {
        format!("{made} pieces for a client that takes none")
    })?;
    // What had arrived may be read; then there is no end of the answer, but of the connection.
    let mut scrap = Vec::new();
    wanted(connection.rest(&mut scrap).is_err(), || {
        "the answer had an end".to_owned()
    })
}

pub(crate) fn one_peer_has_its_share_of_connections_and_all_have_theirs(at: IpAddr) -> Result<(), Failed> {
    let limits = Limits {
        connections: 5,
        connections_of_a_peer: 3,
        ..Limits::default()
    };
    let served = Served::start(at, limits)?;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut connection = Connection::open(served.address)?;
        connection.get("/quick")?;
        held.push(connection);
    }
    let turned_away = get(served.address, "/quick")?;
    wanted(turned_away.status == 503, || {
        format!("its share was used up: {turned_away:?}")
    })?;
    if at.is_ipv4() {
        // All of 127.0.0.0/8 is on loopback.
        let from = |last| SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), 0);
        for last in [2, 3] {
            let mut connection = Connection::from(from(last), served.address)?;
            wanted(connection.get("/quick")?.status == 200, || {
                "another peer has its own share".to_owned()
            })?;
            held.push(connection);
        }
        let mut connection = Connection::from(from(4), served.address)?;
        wanted(connection.get("/quick")?.status == 503, || {
            "all were used up".to_owned()
        })?;
    }
    held.truncate(2);
    // The server notices that one has gone when it reads the next time.
    super::until(|| get(served.address, "/quick").is_ok_and(|answer| answer.status == 200))
}

pub(crate) fn requests_beyond_the_limit_are_told_to_come_again(at: IpAddr) -> Result<(), Failed> {
    let limits = Limits {
        requests: 2,
        ..Limits::default()
    };
    let served = Served::start(at, limits)?;
    let mut waiting = Vec::new();
    for number in 1..=2 {
        let mut connection = Connection::open(served.address)?;
        connection.send("GET /wait HTTP/1.1\r\nhost: test\r\n\r\n")?;
        served.seen.until(|seen| &seen.begun, number)?;
        waiting.push(connection);
    }
    let answer = get(served.address, "/quick")?;
    wanted(
        answer.status == 503 && answer.header("retry-after") == Some("1"),
        || format!("{answer:?}"),
    )?;
    served.seen.answer.notify_waiters();
    for mut connection in waiting {
        wanted(connection.answer()?.text() == "waited\n", || {
            "not answered".to_owned()
        })?;
    }
    wanted(get(served.address, "/quick")?.status == 200, || {
        "there is room again".to_owned()
    })
}

pub(crate) fn what_is_too_large_is_refused(at: IpAddr) -> Result<(), Failed> {
    let served = Served::start(at, Limits::default())?;
    let long = "x".repeat(20_000);
    let many: String = (0..200)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let body = "x".repeat(70_000);
    let chunked: String = (0..70)
        .map(|_| format!("3e8\r\n{}\r\n", &body[..1000]))
        .collect::<Vec<_>>()
        .concat();
    for (what, request, status) in [
        (
            "a long header",
            format!("GET /quick HTTP/1.1\r\nx: {long}\r\n\r\n"),
            431,
        ),
        (
            "a long header without an end",
            format!("GET /quick HTTP/1.1\r\nx: {}", "x".repeat(300_000)),
            431,
        ),
        ("many headers", format!("GET /quick HTTP/1.1\r\n{many}\r\n"), 431),
        ("a long path", format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        (
            "a large body",
            format!("POST /quick HTTP/1.1\r\ncontent-length: 70000\r\n\r\n{body}"),
            413,
        ),
        (
            "a large body in chunks",
            format!("POST /quick HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"),
            413,
        ),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(), 400),
        (
            "two lengths",
            "POST /quick HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd".to_owned(),
            400,
        ),
        (
            "a small body",
            "POST /quick HTTP/1.1\r\ncontent-length: 4\r\n\r\nabcd".to_owned(),
            200,
        ),
        (
            "a small body in chunks",
            "POST /quick HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n".to_owned(),
            200,
        ),
    ] {
        let mut connection = Connection::open(served.address)?;
        // The answer may come before all was sent.
        let _ = connection.send(request);
        let answer = connection.answer().map_err(|error| format!("{what}: {error}"))?;
        wanted(answer.status == status, || {
            format!("{what}: {} instead of {status}", answer.status)
        })?;
    }
    let mut connection = Connection::open(served.address)?;
    connection.send("POST /quick HTTP/1.1\r\ncontent-length: 70000\r\nexpect: 100-continue\r\n\r\n")?;
    let answer = connection.answer()?;
    wanted(answer.status == 413, || format!("asked to continue: {answer:?}"))
}

pub(crate) fn no_nonsense_brings_it_down(at: IpAddr) -> Result<(), Failed> {
    let panics_before = super::panics_of_servers();
    let served = Served::start(at, Limits::default())?;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
    );
    let token = prop_oneof![
        Just(b"GET /quick HTTP/1.1\r\n".to_vec()),
        Just(b"POST /quick HTTP/1.1\r\n".to_vec()),
        Just(b"HEAD /pieces HTTP/1.0\r\n".to_vec()),
        Just(b"OPTIONS * HTTP/1.1\r\n".to_vec()),
        Just(b"CONNECT a:1 HTTP/1.1\r\n".to_vec()),
        Just(b"host: test\r\n".to_vec()),
        Just(b"content-length: 3\r\n".to_vec()),
        Just(b"transfer-encoding: chunked\r\n".to_vec()),
        Just(b"connection: upgrade\r\nupgrade: h2c\r\n".to_vec()),
        Just(b"expect: 100-continue\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
        Just(b"ffffffffffffffff\r\n".to_vec()),
        Just(b" : \r\n".to_vec()),
        Just(b"GET /echo?%00%ff&&==%% HTTP/1.1\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    let requests = prop::collection::vec(token, 1..12);
    for number in 0..400 {
        let request = requests
            .new_tree(&mut runner)
            .map_err(|error| error.to_string())?
            .current()
            .concat();
        let mut connection = Connection::open(served.address)?;
        // Whether it is taken is not the question, nor what is said to it.
        let _ = connection.send(&request);
        connection.close_own_side()?;
        let _ = connection.rest(&mut Vec::new());
        wanted(get(served.address, "/quick")?.status == 200, || {
            format!("after number {number}: {request:?}")
        })?;
    }
    wanted(super::panics_of_servers() == panics_before, || {
        "something panicked".to_owned()
    })
}

pub(crate) fn what_is_under_way_at_the_end_is_finished_within_its_time(at: IpAddr) -> Result<(), Failed> {
    let limits = Limits {
        grace: super::client::PATIENCE,
        ..Limits::default()
    };
    let mut served = Served::start(at, limits)?;
    let mut idle = Connection::open(served.address)?;
    idle.get("/quick")?;
    let mut fresh = Connection::open(served.address)?;
    let mut waiting = Connection::open(served.address)?;
    waiting.send("GET /wait HTTP/1.1\r\nhost: test\r\n\r\n")?;
    served.seen.until(|seen| &seen.begun, 1)?;
    served.stop();
    wanted(idle.is_ended()? && fresh.is_ended()?, || {
        "nobody asked for anything there".to_owned()
    })?;
    super::until(|| Connection::open(served.address).is_err())?;
    served.seen.answer.notify_waiters();
    let answer = waiting.answer()?;
    wanted(answer.text() == "waited\n" && waiting.is_ended()?, || {
        format!("{answer:?}")
    })?;
    served.wait()?;

    let mut served = Served::start(at, Limits::default())?;
    let mut waiting = Connection::open(served.address)?;
    waiting.send("GET /wait HTTP/1.1\r\nhost: test\r\n\r\n")?;
    served.seen.until(|seen| &seen.begun, 1)?;
    served.stop();
    served.wait()?;
    wanted(served.seen.dropped.load(Ordering::SeqCst) == 1, || {
        "it ended without what waited".to_owned()
    })
}

pub(crate) fn both_families_are_heard_and_a_port_that_is_taken_is_named(at: IpAddr) -> Result<(), Failed> {
    let gate = std::sync::Arc::new(Gate::open(|_| {}));
    let bind =
        |addresses: &[SocketAddr]| Server::bind(addresses, Limits::default(), std::sync::Arc::clone(&gate));
    let first = bind(&[SocketAddr::new(at, 0)])?;
    let taken = first.addresses()[0];
    let refused = bind(&[taken])
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    let expected = format!(
        "cannot listen on {taken}: Address already in use (os error 98)\nAnother program listens there (`ss -tlnp sport = \
         :{}` names it): end that one, or listen on another port.",
        taken.port()
    );
    wanted(refused == expected, || refused.clone())?;
    drop(first);
    // The same port in both families, in whatever order.
    let [v4, v6] = ["0.0.0.0", "::"].map(|any| SocketAddr::new(any.parse().unwrap(), taken.port()));
    for pair in [[v4, v6], [v6, v4]] {
        wanted(bind(&pair)?.addresses() == pair, || format!("{pair:?}"))?;
    }
    let nowhere: SocketAddr = "192.0.2.1:9".parse()?;
    let refused = bind(&[nowhere])
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    wanted(
        refused.contains("No interface of this host has the address 192.0.2.1"),
        || refused.clone(),
    )
}
