//! Hand-made outcomes for the tests of the writers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Round, Series};
use crate::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use crate::diagnose::{Cause, Confidence, Diagnosis, Finding, FindingKind, Reason};
use crate::evidence::{
    Ability, Answer, Dial, Ending, Evidence, Family, Handshake, IcmpError, IcmpSays, Lookup, LookupOutcome,
    Mode, Observation, Ping, Resolution, ResolvedBy, Saw, Sight,
};
use crate::target::{Host, Target};

pub(super) fn all() -> Vec<TargetOutcome> {
    vec![
        open(),
        refused(),
        rejected(),
        unattributed(),
        nxdomain(),
        two_addresses(),
        ghost(),
    ]
}

pub(super) fn open() -> TargetOutcome {
    let seen = vec![connect("10.0.3.7:8080", 0, 350, 1, Answer::SynAck(handshake(57)))];
    at_address(endpoint(
        "10.0.3.7:8080",
        Cause::Healthy,
        Confidence::Certain,
        seen,
    ))
}

pub(super) fn refused() -> TargetOutcome {
    let control = Saw::Control(dial("10.0.3.7:44321", 1, Answer::Rst));
    let seen = vec![
        connect("10.0.3.7:81", 0, 412, 1, Answer::Rst),
        Observation {
            saw: control,
            ..at(500, 398)
        },
    ];
    let mut one = endpoint("10.0.3.7:81", Cause::NoListener, Confidence::Likely, seen);
    one.diagnosis.because = vec![
        reason(
            "ECONNREFUSED with an empty error queue: a RST, not an ICMP error",
            &[0],
        ),
        reason("a closed port of the same host answers the same way", &[1]),
    ];
    one.diagnosis.not_ruled_out = vec![Cause::MiddleboxReset];
    at_address(one)
}

pub(super) fn rejected() -> TargetOutcome {
    let error = IcmpError {
        says: IcmpSays::AdminProhibited,
        icmp_type: 1,
        code: 1,
        from: Some(address("2001:db8:1::1")),
        from_self: false,
        mtu: None,
    };
    let seen = vec![connect("[2001:db8::7]:443", 0, 1_204, 1, Answer::Icmp(error))];
    let mut one = endpoint(
        "[2001:db8::7]:443",
        Cause::AdminProhibited,
        Confidence::Certain,
        seen,
    );
    one.diagnosis.from = Some(address("2001:db8:1::1"));
    one.diagnosis.because = vec![reason("ICMPv6 1/1 from 2001:db8:1::1 quotes our SYN", &[0])];
    at_address(one)
}

pub(super) fn unattributed() -> TargetOutcome {
    at_address(silent("10.0.3.7:8080"))
}

pub(super) fn nxdomain() -> TargetOutcome {
    let candidates = ["nope.default.svc.cluster.local.", "nope."];
    let lookups = candidates.iter().zip([0, 1_300]).map(|(candidate, at)| Lookup {
        candidate: (*candidate).to_owned(),
        family: Family::A,
        server: Some(socket("10.96.0.10:53")),
        at_s: micros(at),
        took_s: micros(1_200),
        outcome: LookupOutcome::NxDomain,
    });
    let failed = Diagnosis {
        because: vec![reason("every candidate is answered with NXDOMAIN", &[0, 1])],
        ..diagnosis(Cause::NxDomain, Confidence::Certain)
    };
    let resolution = Resolution {
        name: "nope".to_owned(),
        by: ResolvedBy::Dns,
        lookups: lookups.collect(),
        addresses: Vec::new(),
        took_s: micros(2_500),
    };
    let name = NameOutcome {
        resolution,
        failed: Some(failed),
        findings: Vec::new(),
        wait_without_happy_eyeballs_s: None,
    };
    TargetOutcome {
        target: named("nope", 8080),
        name: Some(name),
        endpoints: Vec::new(),
    }
}

pub(super) fn two_addresses() -> TargetOutcome {
    let seen = vec![connect("10.0.3.7:8080", 0, 350, 1, Answer::SynAck(handshake(57)))];
    let endpoints = vec![
        silent("[2001:db8::7]:8080"),
        endpoint("10.0.3.7:8080", Cause::Healthy, Confidence::Certain, seen),
    ];
    let addresses = vec![address("2001:db8::7"), address("10.0.3.7")];
    let lookups = addresses
        .iter()
        .zip([Family::Aaaa, Family::A])
        .map(|(address, family)| Lookup {
            candidate: "shop.default.svc.cluster.local.".to_owned(),
            family,
            server: Some(socket("10.96.0.10:53")),
            at_s: Duration::ZERO,
            took_s: micros(1_200),
            outcome: LookupOutcome::Addresses {
                addresses: vec![*address],
            },
        });
    let lookups = lookups.collect();
    let resolution = Resolution {
        name: "shop".to_owned(),
        by: ResolvedBy::Dns,
        lookups,
        addresses,
        took_s: micros(1_250),
    };
    let differ = Finding {
        kind: FindingKind::V4V6Differ,
        says: "IPv4 works, IPv6 does not".to_owned(),
        observations: Vec::new(),
    };
    let name = NameOutcome {
        resolution,
        failed: None,
        findings: vec![differ],
        wait_without_happy_eyeballs_s: Some(Duration::from_secs(131)),
    };
    TargetOutcome {
        target: named("shop", 8080),
        name: Some(name),
        endpoints,
    }
}

pub(super) fn ghost() -> TargetOutcome {
    let ending = Ending {
        fin_after_s: Some(micros(250_000)),
        fin_acknowledged_after_s: None,
        fin_retransmissions: 3,
        peer_fin_after_s: None,
        reset: None,
        repeated_syn_acks: 1,
        watched_s: micros(2_000_000),
    };
    let handshake = Handshake {
        ending,
        ..handshake(61)
    };
    let seen = vec![connect(
        "10.0.3.7:5432",
        0,
        2_000_100,
        1,
        Answer::SynAck(handshake),
    )];
    let mut one = endpoint("10.0.3.7:5432", Cause::AckIgnored, Confidence::Likely, seen);
    one.diagnosis.because = vec![
        reason(
            "our FIN stays unacknowledged and is retransmitted: the server does not know this connection",
            &[0],
        ),
        reason("the SYN-ACK came again, so our ACK was not taken", &[0]),
    ];
    at_address(one)
}

pub(super) fn series() -> Series {
    let rtts = [50, 60, 70, 80, 0, 0, 90, 100, 110, 120];
    let round = |(number, rtt): (u64, u64)| Round {
        at_s: Duration::from_secs(number),
        cause: if rtt == 0 {
            Cause::Unattributed
        } else {
            Cause::Healthy
        },
        handshake_rtt_s: (rtt != 0).then(|| micros(rtt)),
    };
    let address = socket("10.0.3.7:8080");
    Series {
        target: target_of(address),
        address: Some(address),
        rounds: (0..).zip(rtts).map(round).collect(),
    }
}

fn silent(to: &str) -> EndpointOutcome {
    let address = socket(to);
    let control = SocketAddr::new(address.ip(), 44_321).to_string();
    let mut seen = vec![
        connect(to, 0, 3_000_000, 3, Answer::Silence),
        Observation {
            saw: Saw::Control(dial(&control, 1, Answer::Rst)),
            ..at(200_000, 410)
        },
        Observation {
            saw: Saw::Echo(Ping::Silence),
            ..at(200_100, 2_700_000)
        },
        connect(to, 300_000, 2_700_000, 3, Answer::Silence),
        Observation {
            saw: Saw::Control(dial(&control, 1, Answer::Rst)),
            ..at(1_200_000, 420)
        },
    ];
    if let Saw::Connect(dial) = &mut seen[3].saw {
        dial.from.as_mut().unwrap().set_port(41_235);
    }
    let mut one = endpoint(to, Cause::Unattributed, Confidence::Likely, seen);
    one.diagnosis.because = vec![
        reason("6 SYNs from 2 source ports over 3 s got no answer", &[0, 3]),
        reason("the host answers on another port in that time", &[1, 4]),
    ];
    one.diagnosis.not_ruled_out = vec![Cause::Port, Cause::SynDropped];
    one
}

fn endpoint(
    to: &str,
    cause: Cause,
    confidence: Confidence,
    observations: Vec<Observation>,
) -> EndpointOutcome {
    let sight = Sight {
        mode: Mode::Connect,
        raw: Ability::No {
            why: "CAP_NET_RAW is missing".to_owned(),
        },
        echo: Ability::Yes,
        error_queue: Ability::Yes,
        reset_shape: Ability::Yes,
    };
    let evidence = Evidence {
        endpoint: socket(to),
        started_unix_s: Duration::from_millis(1_700_000_000_250),
        slow_s: Duration::from_millis(250),
        timeout_s: Duration::from_secs(3),
        sight,
        observations,
    };
    EndpointOutcome {
        evidence,
        diagnosis: diagnosis(cause, confidence),
    }
}

fn diagnosis(cause: Cause, confidence: Confidence) -> Diagnosis {
    let (because, findings) = (Vec::new(), Vec::new());
    Diagnosis {
        cause,
        confidence,
        from: None,
        because,
        not_ruled_out: Vec::new(),
        findings,
    }
}

fn at_address(one: EndpointOutcome) -> TargetOutcome {
    TargetOutcome {
        target: target_of(one.evidence.endpoint),
        name: None,
        endpoints: vec![one],
    }
}

fn target_of(address: SocketAddr) -> Target {
    Target {
        host: Host::Address {
            address: address.ip(),
            scope: None,
        },
        port: address.port(),
    }
}

fn named(name: &str, port: u16) -> Target {
    Target {
        host: Host::Name(name.to_owned()),
        port,
    }
}

fn handshake(rtt: u64) -> Handshake {
    let ending = Ending {
        fin_after_s: Some(micros(250_000)),
        fin_acknowledged_after_s: Some(micros(250_060)),
        fin_retransmissions: 0,
        peer_fin_after_s: Some(micros(250_200)),
        reset: None,
        repeated_syn_acks: 0,
        watched_s: micros(250_200),
    };
    Handshake {
        connect_s: micros(350),
        rtt_s: Some(micros(rtt)),
        retransmitted_syns: 0,
        segments_in: Some(1),
        timestamps: true,
        peer_window: Some(65_160),
        segments: None,
        ending,
    }
}

fn connect(to: &str, begin: u64, took: u64, syns: u32, answer: Answer) -> Observation {
    Observation {
        saw: Saw::Connect(dial(to, syns, answer)),
        ..at(begin, took)
    }
}

fn dial(to: &str, syns: u32, answer: Answer) -> Dial {
    let to = socket(to);
    let ours = if to.is_ipv4() {
        "10.0.1.5:41234"
    } else {
        "[2001:db8:1::5]:41234"
    };
    Dial {
        to,
        from: Some(socket(ours)),
        ttl: None,
        syns,
        answer,
    }
}

fn at(begin: u64, took: u64) -> Observation {
    Observation {
        at_s: micros(begin),
        took_s: micros(took),
        saw: Saw::Echo(Ping::Silence),
    }
}

fn reason(says: &str, observations: &[usize]) -> Reason {
    Reason {
        says: says.to_owned(),
        observations: observations.to_vec(),
    }
}

fn micros(number: u64) -> Duration {
    Duration::from_micros(number)
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}
