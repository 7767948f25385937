//! Answers of matrices that nobody ran: evidence made by hand, and diagnosed as any other.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tcpprobe::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use tcpprobe::diagnose::diagnose;
use tcpprobe::diagnose::{Cause, Confidence, Diagnosis, Reason};
use tcpprobe::evidence::{
    Ability, Answer as Reply, Dial, Ending, Evidence, Family, Handshake, IcmpError, IcmpSays, Lookup,
    LookupOutcome, Mode, Observation, Ping, Resolution, ResolvedBy, Saw, Sight, SynSchedule,
};
use tcpprobe::matrix::{Answer, Demand, Edge, Edges, Identity, Merger, Run};
use tcpprobe::target::{Services, Target};

/// An answer, and where its edges are.
pub(crate) struct Sample {
    pub(crate) answer: Answer,
    pub(crate) edges: Made,
}

/// Edges that are made when they are asked for, so that a large matrix costs no memory.
pub(crate) struct Made(Box<dyn Fn(u64) -> Edge>);

impl Edges for Made {
    fn edge(&self, at: u64) -> io::Result<Edge> {
        Ok(self.0(at))
    }
}

/// What a host does with our SYNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Answer,
    Refuse,
    Drop,
    Prohibit,
}

impl Does {
    const ALL: [Self; 4] = [Self::Answer, Self::Refuse, Self::Drop, Self::Prohibit];
}

/// Two sources and five targets, of which one run ended early.
pub(crate) fn small() -> Sample {
    let targets = [
        ("10.0.3.7:80", Does::Answer),
        ("10.0.3.7:81", Does::Refuse),
        ("10.0.3.7:5432", Does::Drop),
        ("[2001:db8::7]:443", Does::Prohibit),
    ];
    let mut edges = Vec::new();
    for (source, node, expected, rule) in [
        ("frontend", "node-1", "reachable", "the shop may reach its data"),
        ("batch", "node-2", "blocked", "batch is on its own"),
    ] {
        let of = |outcome, expected| edge(identity(source, node), demand(expected, rule), outcome);
        for (target, does) in targets {
            // What is open is meant to be.
            let expected = if does == Does::Answer {
                "reachable"
            } else {
                expected
            };
            edges.push(of(at_address(target, does), expected));
        }
        edges.push(of(unknown_name("nope:80"), expected));
    }
    let mut merger = Merger::default();
    for (at, edge) in (0..).zip(&edges) {
        merger.add(at, edge);
    }
    merger.add_run(run(&identity("frontend", "node-1"), 5, 5, "shop"));
    merger.add_run(run(&identity("batch", "node-2"), 5, 7, "shop"));
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(move |at| edges[usize::try_from(at).unwrap()].clone())),
    }
}

/// So many sources and targets: most connections can be made, as they should; some sources are cut off from some targets,
/// some targets refuse, and every seventh edge was meant to be blocked.
pub(crate) fn large(sources: u64, targets: u64) -> Sample {
    // What the same evidence means is the same everywhere.
    let first = "10.9.0.0:8080".parse().unwrap();
    let diagnoses = Does::ALL.map(|does| diagnose(&evidence(first, does, 0)));
    let make = move |at: u64| {
        let (source, target) = (at / targets, at % targets);
        let name = format!("pod-{source:03}");
        let address = format!("10.9.{}.{}:8080", target / 250, target % 250);
        let is_cut_off = source % 50 == 7 && (target / 10) % 4 == 2;
        let is_blocked = (source + 2 * target) % 7 == 0;
        let does = match (is_cut_off, target % 41) {
            (true, _) => Does::Drop,
            (_, 40) => Does::Refuse,
            (_, 39) => Does::Prohibit,
            _ if is_blocked => [Does::Drop, Does::Prohibit][usize::from(target % 2 == 0)],
            _ => Does::Answer,
        };
        let (expected, rule) = if is_blocked {
            ("blocked", "teams are apart")
        } else {
            ("reachable", "all may reach all")
        };
        edge(
            identity(&name, &format!("node-{:02}", source % 30)),
            demand(expected, rule),
            diagnosed(&address, does, at * 7919 % 997, diagnoses[does as usize].clone()),
        )
    };
    let mut merger = Merger::default();
    for at in 0..sources * targets {
        merger.add(at, &make(at));
    }
    for source in 0..sources {
        let name = identity(&format!("pod-{source:03}"), &format!("node-{:02}", source % 30));
        merger.add_run(run(&name, targets, targets, "mesh"));
    }
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(make)),
    }
}

/// Texts that would run if they were taken for HTML or for a script.
pub(crate) fn hostile() -> Sample {
    let source = "<img src=x onerror=\"window.ran='source'\">";
    let mut outcome = at_address("10.0.3.7:81", Does::Refuse);
    outcome.endpoints[0].diagnosis.because.push(Reason {
        says: "</script><script>window.ran='end'</script><svg onload=window.ran='reason'>".to_owned(),
        observations: Vec::new(),
    });
    let demand = demand("reachable", "<script>window.ran = 'rule'</script>");
    let edges = [edge(identity(source, "<!--<script>"), demand, outcome)];
    let mut merger = Merger::default();
    merger.add(0, &edges[0]);
    merger.add_run(run(
        &Identity::named("</li><script>window.ran='gap'</script>"),
        0,
        3,
        "</title><script>window.ran='matrix'</script>",
    ));
    Sample {
        answer: merger.into_answer(),
        edges: Made(Box::new(move |at| edges[usize::try_from(at).unwrap()].clone())),
    }
}

fn identity(source: &str, node: &str) -> Identity {
    Identity {
        node: Some(node.to_owned()),
        namespace: Some("default".to_owned()),
        ..Identity::named(source)
    }
}

fn demand(expected: &str, rule: &str) -> Demand {
    Demand {
        rules: vec![rule.to_owned()],
        expected: expected.parse().unwrap(),
        controls: Vec::new(),
        timeout: Duration::from_secs(3),
        tries: 2,
    }
}

fn edge(source: Identity, demand: Demand, outcome: TargetOutcome) -> Edge {
    Edge {
        source: Arc::new(source),
        demand: Arc::new(demand),
        tried: 1,
        concluded_unix_s: Duration::from_secs(1_700_000_030),
        syn_schedule: Some(SynSchedule {
            retries: 6,
            linear_timeouts: None,
        }),
        outcome,
    }
}

fn run(source: &Identity, done: u64, planned: u64, matrix: &str) -> Run {
    Run {
        source: source.clone(),
        version: "0.1.0".to_owned(),
        matrix: Some(matrix.to_owned()),
        started_unix_s: Duration::from_secs(1_700_000_000),
        ended_unix_s: Duration::from_secs(1_700_000_060),
        planned,
        done,
        shard: None,
    }
}

fn at_address(target: &str, does: Does) -> TargetOutcome {
    let diagnosis = diagnose(&evidence(target.parse().unwrap(), does, 0));
    diagnosed(target, does, 0, diagnosis)
}

fn diagnosed(target: &str, does: Does, jitter: u64, diagnosis: Diagnosis) -> TargetOutcome {
    let evidence = evidence(target.parse().unwrap(), does, jitter);
    TargetOutcome {
        target: Target::parse(target, &Services::default()).unwrap(),
        name: None,
        endpoints: vec![EndpointOutcome { evidence, diagnosis }],
    }
}

fn unknown_name(target: &str) -> TargetOutcome {
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
fn evidence(endpoint: SocketAddr, does: Does, jitter: u64) -> Evidence {
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
