//! Advice for hand-made cases.

use std::time::Duration;

use super::*;
use crate::diagnose::{Class, Confidence};
use crate::evidence::{
    Ability, Family, Look, Lookup, LookupOutcome, Mode, NextHop, Observation, Resolution, ResolvedBy, Route,
    Saw, Sight,
};

fn evidence(endpoint: &str) -> Evidence {
    let unable = Ability::No {
        why: "needs CAP_NET_RAW".to_owned(),
    };
    Evidence {
        endpoint: endpoint.parse().unwrap(),
        started_unix_s: Duration::from_secs(1_700_000_000),
        slow_s: Duration::from_millis(250),
        timeout_s: Duration::from_secs(3),
        sight: Sight {
            mode: Mode::Connect,
            raw: unable,
            echo: Ability::Yes,
            error_queue: Ability::Yes,
            reset_shape: Ability::Yes,
        },
        observations: Vec::new(),
    }
}

fn because_of(cause: Cause) -> Diagnosis {
    let confidence = Confidence::Likely;
    Diagnosis {
        cause,
        confidence,
        from: None,
        because: Vec::new(),
        not_ruled_out: Vec::new(),
        findings: Vec::new(),
    }
}

fn commands(advice: &[Advice]) -> Vec<&str> {
    advice
        .iter()
        .filter_map(|advice| advice.command.as_deref())
        .collect()
}

#[test]
fn silence_asks_what_the_server_sees() {
    let advice = advise(&evidence("[2001:db8::7]:8080"), &because_of(Cause::Unattributed));
    assert_eq!(
        commands(&advice),
        [
            "sudo tcpprobe --mode raw '[2001:db8::7]:8080'",
            "ss -ltn 'sport = :8080'",
            "sudo tcpdump -ni any 'tcp port 8080'",
            "tcpprobe --timeout 5s '[2001:db8::7]:8080'",
            "kubectl get networkpolicy -A",
        ]
    );
}

#[test]
fn what_was_done_is_not_advised_again() {
    let mut raw = evidence("10.0.3.7:8080");
    raw.sight.mode = Mode::Raw;
    raw.sight.raw = Ability::Yes;
    raw.timeout_s = Duration::from_secs(5);
    for cause in Cause::ALL {
        let advice = advise(&raw, &because_of(*cause));
        assert!(
            commands(&advice)
                .iter()
                .all(|command| !command.contains("--mode") && !command.contains("--timeout")),
            "{cause}: {advice:?}"
        );
    }
}

#[test]
fn every_failure_of_an_endpoint_has_two_to_five_next_steps() {
    for cause in Cause::ALL
        .iter()
        .filter(|cause| !matches!(cause.class(), Class::Open | Class::DnsFailed))
    {
        let count = advise(&evidence("10.0.3.7:8080"), &because_of(*cause)).len();
        let few = matches!(cause, Cause::NoDescriptors | Cause::OtherLocal);
        assert!(count <= 5 && (few || count >= 2), "{cause}: {count}");
    }
}

#[test]
fn a_neighbour_is_asked_by_its_own_address_and_interface() {
    let mut case = evidence("10.0.3.7:8080");
    let route = Route {
        next_hop: NextHop::Gateway("10.0.1.1".parse().unwrap()),
        interface: Some("eth0".to_owned()),
        source: Some("10.0.1.5".parse().unwrap()),
    };
    let (at_s, took_s) = (Duration::ZERO, Duration::ZERO);
    case.observations.push(Observation {
        at_s,
        took_s,
        saw: Saw::Route(Look::Saw(route)),
    });
    let advice = advise(&case, &because_of(Cause::NeighbourUnresolved));
    assert_eq!(
        commands(&advice)[..2],
        ["ip neigh show 10.0.1.1", "sudo arping -c 3 -I eth0 10.0.1.1"]
    );
}

#[test]
fn a_rule_on_this_host_is_looked_for_on_this_host() {
    let mut case = evidence("127.0.0.1:8080");
    let mut diagnosis = because_of(Cause::PortUnreachable);
    diagnosis.from = Some("127.0.0.1".parse().unwrap());
    assert!(advise(&case, &diagnosis)[1].says.starts_with("Here"));
    case.endpoint = "10.0.3.7:8080".parse().unwrap();
    diagnosis.from = Some("10.0.1.1".parse().unwrap());
    assert!(advise(&case, &diagnosis)[1].says.starts_with("On 10.0.1.1"));
}

#[test]
fn nothing_is_asked_of_a_cluster_for_a_loopback_address() {
    for endpoint in ["127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080"] {
        for cause in Cause::ALL {
            let advice = advise(&evidence(endpoint), &because_of(*cause));
            assert!(
                commands(&advice)
                    .iter()
                    .all(|command| !command.contains("kubectl")),
                "{endpoint} {cause}: {advice:?}"
            );
        }
    }
}

#[test]
fn raw_probes_are_advised_where_they_were_missing_and_can_tell_more() {
    let raw = |evidence: &Evidence, cause| {
        let advice = advise(evidence, &because_of(cause));
        commands(&advice)
            .iter()
            .any(|command| command.contains("--mode raw"))
    };
    let elsewhere = evidence("10.0.3.7:8080");
    assert!(raw(&elsewhere, Cause::Unattributed));
    assert!(!raw(&elsewhere, Cause::NoRoute));
    assert!(!raw(&evidence("127.0.0.1:8080"), Cause::Unattributed));
    let mut looked = elsewhere;
    looked.sight.raw = Ability::Yes;
    assert!(!raw(&looked, Cause::Unattributed));
}

#[test]
fn an_open_port_needs_no_advice() {
    assert_eq!(
        advise(&evidence("10.0.3.7:8080"), &because_of(Cause::Healthy)),
        []
    );
}

#[test]
fn a_failed_name_is_asked_for_at_the_server_that_was_asked() {
    let lookup = Lookup {
        candidate: "shop.default.svc.cluster.local.".to_owned(),
        family: Family::A,
        server: Some("10.96.0.10:53".parse().unwrap()),
        at_s: Duration::ZERO,
        took_s: Duration::from_secs(2),
        outcome: LookupOutcome::Timeout,
    };
    let resolution = Resolution {
        name: "shop".to_owned(),
        by: ResolvedBy::Dns,
        lookups: vec![lookup],
        addresses: Vec::new(),
        took_s: Duration::from_secs(2),
    };
    let advice = advise_name(&resolution, &because_of(Cause::DnsTimeout));
    assert_eq!(
        commands(&advice)[0],
        "dig +tcp shop.default.svc.cluster.local. @10.96.0.10"
    );
}

#[test]
fn where_syns_die_on_the_way_the_hop_is_asked_before_the_server() {
    let mut diagnosis = because_of(Cause::Port);
    diagnosis.from = Some("10.0.1.1".parse().unwrap());
    let advice = advise(&evidence("10.0.3.7:8080"), &diagnosis);
    assert!(advice[0].says.starts_with("On 10.0.1.1"), "{advice:?}");
    assert!(
        commands(&advice)
            .iter()
            .all(|command| !command.starts_with("ss "))
    );
    diagnosis.not_ruled_out = vec![Cause::SynDropped];
    let advice = advise(&evidence("10.0.3.7:8080"), &diagnosis);
    assert!(commands(&advice).contains(&"ss -ltn 'sport = :8080'"));
}

#[test]
fn nobody_traces_the_way_to_our_own_host() {
    for cause in [Cause::LongPath, Cause::SynLost, Cause::Retransmitted] {
        let advice = advise(&evidence("127.0.0.1:8080"), &because_of(cause));
        let beyond = |command: &&str| command.starts_with("mtr") || command.contains("conntrack");
        assert!(!commands(&advice).iter().any(beyond), "{cause}: {advice:?}");
    }
}

#[test]
fn the_file_that_names_no_server_is_the_one_to_look_at() {
    let lookup = Lookup {
        candidate: "shop".to_owned(),
        family: Family::A,
        server: None,
        at_s: Duration::ZERO,
        took_s: Duration::ZERO,
        outcome: LookupOutcome::NoServer {
            why: "/run/other.conf: No such file or directory".to_owned(),
        },
    };
    let resolution = Resolution {
        name: "shop".to_owned(),
        by: ResolvedBy::Dns,
        lookups: vec![lookup],
        addresses: Vec::new(),
        took_s: Duration::ZERO,
    };
    let advice = advise_name(&resolution, &because_of(Cause::DnsUnreachable));
    assert_eq!(commands(&advice), ["cat /run/other.conf"]);
}
