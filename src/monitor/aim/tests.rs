//! What is asked for, what is permitted, and what is said of the rest.

use super::*;
use crate::monitor::Watched;
use crate::net::dns::Families;

/// Two modules and two targets, one of them with a name of its own.
fn aims(permits: Option<&[&str]>) -> Aims {
    let services = Services::default();
    let default = Arc::new(Module::default());
    let v6 = Arc::new(Module {
        name: "six".to_owned(),
        timeout: Duration::from_secs(10),
        interval: Duration::from_secs(60),
        families: Families::V6,
        ..Module::default()
    });
    let watched = |name: &str, target: &str, module: &Arc<Module>| Watched {
        target: Target::parse(target, &services).unwrap(),
        name: name.to_owned(),
        module: Arc::clone(module),
        labels: BTreeMap::new(),
    };
    let config = Config {
        targets: vec![
            watched("db.shop:5432", "db.shop:5432", &default),
            watched("the api", "192.0.2.7:443", &v6),
        ],
        modules: [default, v6]
            .into_iter()
            .map(|module| (module.name.clone(), module))
            .collect(),
    };
    let permit = |text: &&str| Permit::parse(text, &services).unwrap();
    Aims::new(
        &config,
        Allow {
            permits: permits.map(|permits| permits.iter().map(permit).collect()),
            limit: Limit::default(),
        },
    )
}

fn ask(aims: &Aims, query: &[(&str, &str)], header: Option<&str>, reach: Reach) -> Result<Aim, Refused> {
    let query: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let asked = Asked {
        query: &query,
        scrape_timeout: header,
    };
    aims.aim(asked, reach, &Services::default())
}

fn refused(query: &[(&str, &str)], header: Option<&str>) -> (u16, String) {
    let refused = ask(&aims(None), query, header, Reach::Loopback).unwrap_err();
    assert_eq!(refused.retry_after_s, None);
    (refused.status, refused.says)
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_would_be_right() {
    const DB: (&str, &str) = ("target", "db.shop:5432");
    const MISSING: &str = "the parameter `target` is missing: ask for /probe?target=HOST:PORT";
    #[rustfmt::skip]
    let wrong: &[(&[(&str, &str)], &str)] = &[
        (&[], MISSING),
        (&[("target", "")], MISSING),
        (&[("target", "  ")], MISSING),
        (&[("module", "default")], MISSING),
        (&[("target", "db.shop")], "target: `db.shop` has no port: write `db.shop:PORT`, with a port number or a service name"),
        (&[("target", "http://db.shop/")], "target: `http://db.shop/` is a URL, and a target is a host and a port: write `db.shop:80`"),
        (&[("target", "192.0.2.300:80")], "target: `192.0.2.300` is no IPv4 address: an address is four numbers from 0 to 255, for example `192.0.2.1`"),
        (&[("target", "a:1 b:2")], "target: `a:1 b:2` has more than one colon but is no IPv6 address: write `HOST:PORT` or `[ADDRESS]:PORT`"),
        (&[DB, ("module", "defualt")], "there is no module `defualt`: did you mean default?"),
        (&[DB, ("module", "http_2xx")], "there is no module `http_2xx`: known are default, six"),
        (&[DB, ("module", "")], "there is no module ``: known are default, six"),
        (&[DB, ("modul", "six")], "/probe has no parameter `modul`: did you mean module?"),
        (&[DB, ("hostname", "x")], "/probe has no parameter `hostname`: its parameters are target, module, timeout, debug"),
        (&[DB, DB], "the parameter `target` is there twice: give it once"),
        (&[DB, ("debug", "yes")], "debug is true or false, and this is `yes`"),
        (&[DB, ("debug", "")], "debug is true or false, and this is ``"),
        (&[DB, ("timeout", "2")], "timeout: the unit is missing: write 2s or 2ms"),
        (&[DB, ("timeout", "0s")], "timeout: it must be longer than nothing, such as 500ms"),
        (&[DB, ("timeout", "4s")], "timeout: 4s is longer than the 3s of the module `default`: ask for less, or for a module that looks longer"),
        (&[("target", "192.0.2.7:443"), ("module", "six")], "192.0.2.7:443 is an IPv4 address, and the module `six` looks at IPv6 alone: take another module"),
    ];
    for (query, says) in wrong {
        assert_eq!(refused(query, None), (400, (*says).to_owned()), "{query:?}");
    }
}

#[test]
fn a_scrape_timeout_that_cannot_be_kept_is_refused() {
    let db = [("target", "db.shop:5432")];
    for header in ["", "x", "10s", "-1", "NaN", "inf", "1e300"] {
        let says = format!(
            "the header X-Prometheus-Scrape-Timeout-Seconds is a number of seconds, such as 10, and this is `{header}`"
        );
        assert_eq!(refused(&db, Some(header)), (400, says));
    }
    for header in ["0", "0.5", "0.59", "-0"] {
        let says = format!(
            "the scraper waits for {header} s (X-Prometheus-Scrape-Timeout-Seconds), and 0.5 s of that are for the answer: \
             set its scrape_timeout to 1s or more"
        );
        assert_eq!(refused(&db, Some(header)), (400, says));
    }
}

#[test]
fn the_timeout_is_the_least_of_what_module_request_and_scraper_say() {
    let aims = aims(None);
    let seconds = Duration::from_secs_f64;
    for (module, timeout, header, expected, within) in [
        ("default", None, None, 3.0, None),
        ("default", Some("1s"), None, 1.0, None),
        ("default", Some("3s"), None, 3.0, None),
        ("default", None, Some("10"), 3.0, Some(9.5)),
        ("default", None, Some("2.5"), 2.0, Some(2.0)),
        ("default", None, Some("0.6"), 0.1, Some(0.1)),
        ("default", Some("1s"), Some("2"), 1.0, Some(1.5)),
        ("default", Some("2s"), Some("2"), 1.5, Some(1.5)),
        ("six", None, Some("10.000000"), 9.5, Some(9.5)),
        ("six", Some("4s"), Some(" 10 "), 4.0, Some(9.5)),
    ] {
        let mut query = vec![("target", "db.shop:5432"), ("module", module)];
        query.extend(timeout.map(|timeout| ("timeout", timeout)));
        let aim = ask(&aims, &query, header, Reach::Beyond).unwrap();
        assert_eq!(
            aim.module.timeout,
            seconds(expected),
            "{module} {timeout:?} {header:?}"
        );
        assert_eq!(aim.within, within.map(seconds), "{module} {timeout:?} {header:?}");
        let module = Module {
            timeout: aims.modules[module].timeout,
            ..Module::clone(&aim.module)
        };
        assert_eq!(module, *aims.modules[&module.name], "the rest is the module's");
    }
}

#[test]
fn the_answer_is_metrics_unless_debug_is_true() {
    for (debug, answer) in [
        (None, Answer::Metrics),
        (Some("false"), Answer::Metrics),
        (Some("true"), Answer::Debug),
    ] {
        let mut query = vec![("target", "db.shop:5432")];
        query.extend(debug.map(|debug| ("debug", debug)));
        assert_eq!(
            ask(&aims(None), &query, None, Reach::Beyond).unwrap().answer,
            answer
        );
    }
}

#[test]
fn a_target_with_a_name_of_its_own_is_known_by_both() {
    for text in [
        "the api",
        "192.0.2.7:443",
        " 192.0.2.7:https ",
        "[::ffff:192.0.2.7]:443",
    ] {
        let aim = ask(&aims(None), &[("target", text)], None, Reach::Beyond).unwrap();
        assert_eq!(aim.target.port, 443, "{text}");
        assert_eq!(aim.module.name, "default", "{text}");
    }
}

/// Whether a target may be asked for.
fn may(permits: Option<&[&str]>, reach: Reach, target: &str) -> bool {
    match ask(&aims(permits), &[("target", target)], None, reach) {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused.status, 403, "{refused}");
            false
        }
    }
}

#[test]
fn configured_targets_may_always_be_asked_for_and_others_where_it_is_permitted() {
    use Reach::{Beyond, Loopback};
    const CONFIGURED: &[&str] = &["db.shop:5432", "DB.shop.:5432", "192.0.2.7:443", "the api"];
    const SOME: &[&str] = &["*.shop:443", "10.0.0.0/8:22"];
    for permits in [None, Some(&[] as &[&str]), Some(SOME)] {
        for reach in [Loopback, Beyond] {
            for target in CONFIGURED {
                assert!(may(permits, reach, target), "{permits:?} {reach:?} {target}");
            }
        }
    }
    for (permits, reach, target, expected) in [
        (None, Loopback, "db.shop:5433", true),
        (None, Loopback, "10.0.0.1:22", true),
        (None, Beyond, "db.shop:5433", false),
        (None, Beyond, "10.0.0.1:22", false),
        (None, Beyond, "127.0.0.1:22", false),
        (Some(&[] as &[&str]), Loopback, "db.shop:5433", false),
        (Some(&[]), Beyond, "db.shop:5433", false),
        (Some(SOME), Loopback, "web.shop:443", true),
        (Some(SOME), Beyond, "web.shop:443", true),
        (Some(SOME), Beyond, "web.shop:22", false),
        (Some(SOME), Beyond, "10.0.0.1:22", true),
        (Some(SOME), Beyond, "[::ffff:10.0.0.1]:22", true),
        (Some(SOME), Loopback, "192.0.2.1:22", false),
        // A name is no way around what is said of addresses, and an address none around what is said of names.
        (Some(SOME), Beyond, "10.0.0.1.nip.io:22", false),
        (Some(SOME), Beyond, "localhost:22", false),
        (Some(SOME), Beyond, "10.0.0.1:443", false),
    ] {
        assert_eq!(
            may(permits, reach, target),
            expected,
            "{permits:?} {reach:?} {target}"
        );
    }
}

#[test]
fn what_is_not_permitted_is_told_with_how_to_permit_it() {
    let query = |target| [("target", target)];
    let says = |permits, target| {
        let refused = ask(&aims(permits), &query(target), None, Reach::Beyond).unwrap_err();
        (refused.status, refused.says)
    };
    assert_eq!(
        says(None, "[2001:db8::1]:22"),
        (
            403,
            "[2001:db8::1]:22 is not permitted: it is no target of the configuration, and others may be asked for only \
             where every listener is on loopback, or where `allow` permits them. To permit it, write into the \
             configuration: allow: [\"[2001:db8::1]:22\"]"
                .to_owned()
        )
    );
    assert_eq!(
        says(Some(&["10.0.0.0/8:*"]), "db.shop:22"),
        (
            403,
            "db.shop:22 is not permitted: it is no target of the configuration, and `allow` does not permit it (what \
             permits addresses permits no names). To permit it, write into the configuration: allow: [\"db.shop:22\"]"
                .to_owned()
        )
    );
}

#[test]
fn what_is_not_permitted_is_not_told_apart_by_its_timeouts() {
    let query = [("target", "10.0.0.1:22"), ("timeout", "4s")];
    let refused = ask(&aims(None), &query, Some("0"), Reach::Beyond).unwrap_err();
    assert_eq!(refused.status, 403);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let host = Host::Name("db".to_owned());
    for (millis, seconds) in [(1, 1), (1_000, 1), (1_001, 2)] {
        let refused = Refused::too_often(&host, Limit::default(), Duration::from_millis(millis));
        assert_eq!((refused.status, refused.retry_after_s), (429, Some(seconds)));
        assert_eq!(
            refused.says,
            "db was asked for too often: one host may be looked at 5 times a second (`probe_limit` in the configuration \
             permits more)"
        );
    }
}

#[test]
fn one_listener_beyond_loopback_is_enough() {
    let reach = |listeners: &[&str]| {
        let listeners: Vec<SocketAddr> = listeners.iter().map(|at| at.parse().unwrap()).collect();
        Reach::of(&listeners)
    };
    assert_eq!(reach(&[]), Reach::Loopback);
    assert_eq!(
        reach(&["127.0.0.1:1", "127.8.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"]),
        Reach::Loopback
    );
    for beyond in [
        "0.0.0.0:1",
        "[::]:1",
        "192.0.2.1:1",
        "[fe80::1]:1",
        "[::ffff:192.0.2.1]:1",
    ] {
        assert_eq!(reach(&[beyond]), Reach::Beyond);
        assert_eq!(reach(&["127.0.0.1:1", beyond]), Reach::Beyond);
    }
}
