//! What targets came to that nobody looked at: evidence made by hand, and diagnosed as any other.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tcpprobe::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use tcpprobe::diagnose::{Cause, Confidence, Diagnosis, diagnose};
use tcpprobe::evidence::{
    Ability, Answer as Reply, Dial, Ending, Evidence, Family, Handshake, IcmpError, IcmpSays, Lookup,
    LookupOutcome, Mode, Observation, Ping, Resolution, ResolvedBy, Saw, Sight,
};
use tcpprobe::target::{Services, Target};

/// What a host does with our SYNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Answer,
    Refuse,
    Drop,
    Prohibit,
}

impl Does {
    pub(crate) const ALL: [Self; 4] = [Self::Answer, Self::Refuse, Self::Drop, Self::Prohibit];
}

pub(crate) fn at_address(target: &str, does: Does) -> TargetOutcome {
    let diagnosis = diagnose(&evidence(target.parse().unwrap(), does, 0));
    diagnosed(target, does, 0, diagnosis)
}

pub(crate) fn diagnosed(target: &str, does: Does, jitter: u64, diagnosis: Diagnosis) -> TargetOutcome {
    let evidence = evidence(target.parse().unwrap(), does, jitter);
    TargetOutcome {
        target: Target::parse(target, &Services::default()).unwrap(),
        name: None,
        endpoints: vec![EndpointOutcome { evidence, diagnosis }],
    }
}

pub(crate) fn unknown_name(target: &str) -> TargetOutcome {
    let lookups = ["nope.default.svc.cluster.local.", "nope."].map(|candidate| Lookup {
        candidate: candidate.to_owned(),
        family: Family::A,
        server: Some("10.96.0.10:53".parse().unwrap()),
        at_s: Duration::ZERO,
        took_s: Duration::from_micros(1_200),
        outcome: LookupOutcome::NxDomain,
    });
    let resolution = Resolution {
        name: "nope".to_owned(),
        by: ResolvedBy::Dns,
        lookups: lookups.into(),
        addresses: Vec::new(),
        took_s: Duration::from_micros(2_500),
    };
    let failed = Diagnosis {
        cause: Cause::NxDomain,
        confidence: Confidence::Certain,
        from: None,
        because: Vec::new(),
        not_ruled_out: Vec::new(),
        findings: Vec::new(),
    };
    TargetOutcome {
        target: Target::parse(target, &Services::default()).unwrap(),
        name: Some(NameOutcome {
            resolution,
            failed: Some(failed),
            findings: Vec::new(),
            wait_without_happy_eyeballs_s: None,
        }),
        endpoints: Vec::new(),
    }
}

/// No two hosts answer in the same time.
pub(crate) fn evidence(endpoint: SocketAddr, does: Does, jitter: u64) -> Evidence {
    let control = SocketAddr::new(endpoint.ip(), 44_321);
    let rst = |at| {
        observation(
            at,
            400 + jitter,
            Saw::Control(dial(control, 44_000, 1, Reply::Rst)),
        )
    };
    let connect =
        |at, took, port, syns, reply| observation(at, took, Saw::Connect(dial(endpoint, port, syns, reply)));
    let observations = match does {
        Does::Answer => vec![connect(
            0,
            350 + jitter,
            41_000,
            1,
            Reply::SynAck(handshake(jitter)),
        )],
        Does::Refuse => vec![connect(0, 410 + jitter, 41_000, 1, Reply::Rst), rst(500)],
        Does::Prohibit => vec![connect(
            0,
            1_200 + jitter,
            41_000,
            1,
            Reply::Icmp(prohibited(endpoint.ip())),
        )],
        Does::Drop => vec![
            connect(0, 3_000_000, 41_000, 3, Reply::Silence),
            rst(260_000),
            observation(260_100, 300 + jitter, Saw::Echo(Ping::Reply)),
            connect(300_000, 2_700_000, 41_001, 3, Reply::Silence),
            rst(1_200_000),
            rst(2_100_000),
        ],
    };
    Evidence {
        endpoint,
        started_unix_s: Duration::from_secs(1_700_000_027),
        slow_s: Duration::from_millis(250),
        timeout_s: Duration::from_secs(3),
        sight: Sight {
            mode: Mode::Connect,
            raw: Ability::No {
                why: "CAP_NET_RAW is missing".to_owned(),
            },
            echo: Ability::Yes,
            error_queue: Ability::Yes,
            reset_shape: Ability::Yes,
        },
        observations,
    }
}

fn observation(at: u64, took: u64, saw: Saw) -> Observation {
    Observation {
        at_s: Duration::from_micros(at),
        took_s: Duration::from_micros(took),
        saw,
    }
}

fn dial(to: SocketAddr, port: u16, syns: u32, answer: Reply) -> Dial {
    let ours: IpAddr = if to.is_ipv4() { "10.0.1.5" } else { "2001:db8:1::5" }
        .parse()
        .unwrap();
    Dial {
        to,
        from: Some(SocketAddr::new(ours, port)),
        ttl: None,
        syns,
        answer,
    }
}

fn handshake(jitter: u64) -> Handshake {
    Handshake {
        connect_s: Duration::from_micros(350 + jitter),
        rtt_s: Some(Duration::from_micros(290 + jitter)),
        retransmitted_syns: 0,
        segments_in: Some(1),
        timestamps: true,
        peer_window: Some(65_160),
        segments: None,
        ending: Ending {
            fin_after_s: Some(Duration::from_micros(600)),
            fin_acknowledged_after_s: Some(Duration::from_micros(900 + jitter)),
            fin_retransmissions: 0,
            peer_fin_after_s: Some(Duration::from_micros(950 + jitter)),
            reset: None,
            repeated_syn_acks: 0,
            watched_s: Duration::from_micros(950),
        },
    }
}

fn prohibited(host: IpAddr) -> IcmpError {
    let is_v4 = host.is_ipv4();
    let router = if is_v4 { "10.0.0.1" } else { "2001:db8:1::1" };
    IcmpError {
        says: IcmpSays::AdminProhibited,
        icmp_type: if is_v4 { 3 } else { 1 },
        code: if is_v4 { 13 } else { 1 },
        from: Some(router.parse().unwrap()),
        from_self: false,
        mtu: None,
    }
}
