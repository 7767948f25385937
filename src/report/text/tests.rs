//! What a person reads.

use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::diagnose::{Cause, Finding, FindingKind};
use crate::evidence::{
    Answer, Counters, Dial, Handshake, IcmpError, IcmpSays, Listener, Look, NextHop, Observation, Route, Saw,
};
use crate::report::fixtures;

const SCHEDULE: Option<SynSchedule> = Some(SynSchedule {
    retries: 6,
    linear_timeouts: Some(4),
});

fn text(outcome: &TargetOutcome, verbosity: Verbosity) -> String {
    let style = Style {
        verbosity,
        ..Style::default()
    };
    let mut out = Vec::new();
    Writer::default()
        .target(outcome, SCHEDULE, &style, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

fn observed(at_ms: u64, took_ms: u64, saw: Saw) -> Observation {
    Observation {
        at_s: Duration::from_millis(at_ms),
        took_s: Duration::from_millis(took_ms),
        saw,
    }
}

#[test]
fn an_open_port_is_one_line() {
    assert_eq!(
        text(&fixtures::open(), Verbosity::Normal),
        "\
10.0.3.7:8080  open/healthy: handshake RTT 57 µs
"
    );
}

#[test]
fn a_refused_port() {
    assert_eq!(
        text(&fixtures::refused(), Verbosity::Normal),
        "\
10.0.3.7:81  refused/no-listener (likely): the host answered with a RST, so
  nothing listens on this address and port
  Seen
      0.000 s  SYN: RST after 412 µs
      0.001 s  SYN to port 44321 (control): RST after 398 µs
  Why
    - ECONNREFUSED with an empty error queue: a RST, not an ICMP error
    - a closed port of the same host answers the same way
  Could also be
    - refused/middlebox-reset: a box on the path refuses in the host's name
  Next
    1. On the server: does it listen, and on which address?
         ss -ltnp 'sport = :81'
    2. In a cluster: does a pod have this address, and is it ready?
         kubectl get pods -A -o wide --field-selector status.podIP=10.0.3.7
  Looked with connect(). Not available: raw probes (-v says why).
"
    );
}

#[test]
fn an_icmp_error_names_its_sender_in_the_first_line() {
    assert_eq!(
        text(&fixtures::rejected(), Verbosity::Normal),
        "\
[2001:db8::7]:443  rejected/admin-prohibited (certain) from 2001:db8:1::1: an
  ICMP 'administratively prohibited' said no: a packet filter rejects it
  Seen
      0.000 s  SYN: ICMPv6 1/1 (admin prohibited) from 2001:db8:1::1 after
               1.2 ms
  Why
    - ICMPv6 1/1 from 2001:db8:1::1 quotes our SYN
  Next
    1. On 2001:db8:1::1: the rule that says so:
         sudo nft list ruleset | grep -i prohibited
    2. In a cluster: does a policy of either pod leave out this port?
         kubectl get networkpolicy -A
"
    );
}

#[test]
fn silence() {
    assert_eq!(
        text(&fixtures::unattributed(), Verbosity::Normal),
        "\
10.0.3.7:8080  filtered/unattributed (likely): SYNs to this port vanish, and
  several causes fit
  Seen
      0.000 s  SYN: no answer to 6 SYNs from 2 source ports in 3 s
      0.200 s  SYN to port 44321 (control): RST after 410 µs, 2 times
      0.200 s  ping: no reply in 2.7 s
  Why
    - 6 SYNs from 2 source ports over 3 s got no answer
    - the host answers on another port in that time
  One of these
    - filtered/port: packets to this port are dropped; the host itself answers
    - backlog-full/syn-dropped: accept queue full: the server ignores our SYNs
  Next
    1. Raw probes tell these apart (CAP_NET_RAW):
         sudo tcpprobe --mode raw 10.0.3.7:8080
    2. On the server: is the accept queue full (Recv-Q above Send-Q)?
         ss -ltn 'sport = :8080'
    3. On the server: SYNs in, SYN-ACKs out? (Behind NAT leave out the host.)
         sudo tcpdump -ni any 'tcp port 8080 and host 10.0.1.5'
    4. In a cluster: does a policy of either pod leave out this port?
         kubectl get networkpolicy -A
  telnet would hang here for 2 min 11 s (net.ipv4.tcp_syn_retries=6).
  Looked with connect(). Not available: raw probes (-v says why).
"
    );
}

#[test]
fn a_connection_that_only_we_believe_in() {
    assert_eq!(
        text(&fixtures::ghost(), Verbosity::Normal),
        "\
10.0.3.7:5432  backlog-full/ack-ignored (likely): connected for us, but not for
  the server: its accept queue is full; connect() took 350 µs, handshake RTT
  61 µs
  Seen
      0.000 s  SYN: SYN-ACK after 350 µs, our FIN unacknowledged for 1.75 s (3
               retransmissions), 1 repeated SYN-ACK
  Why
    - our FIN stays unacknowledged and is retransmitted: the server does not
      know this connection
    - the SYN-ACK came again, so our ACK was not taken
  Next
    1. On the server: is the accept queue full (Recv-Q above Send-Q)?
         ss -ltn 'sport = :5432'
    2. On the server: do these grow while clients fail?
         nstat -az TcpExtListenOverflows TcpExtListenDrops
    3. Here: connections that only we believe in keep retransmitting:
         ss -tno dst '10.0.3.7'
  Looked with connect(). Not available: raw probes (-v says why).
"
    );
}

#[test]
fn a_name_that_does_not_exist_shows_every_candidate() {
    assert_eq!(
        text(&fixtures::nxdomain(), Verbosity::Normal),
        "\
nope:8080  dns-failed/nxdomain (certain): there is no such name
  Asked 10.96.0.10
    nope.default.svc.cluster.local.  A        NXDOMAIN in 1.2 ms
    nope.                            A        NXDOMAIN in 1.2 ms
  Next
    1. Which servers and search domains this namespace uses:
         cat /etc/resolv.conf
    2. In a cluster: which namespace has this Service?
         kubectl get svc -A | grep -wF nope
    3. The same question, with the server's own words:
         dig nope.default.svc.cluster.local. @10.96.0.10
  Resolving took 2.5 ms.
"
    );
}

#[test]
fn two_addresses_stand_side_by_side_and_the_failure_below() {
    assert_eq!(
        text(&fixtures::two_addresses(), Verbosity::Normal),
        "\
shop:8080  2 addresses: 1 filtered/unattributed and 1 open/healthy
  2001:db8::7  filtered/unattributed (likely)
  10.0.3.7     open/healthy: handshake RTT 57 µs
  Name: DNS said 2001:db8::7 and 10.0.3.7 in 1.25 ms.
  v4-v6-differ: IPv4 works, IPv6 does not
  A client that tries these addresses one after another, without Happy Eyeballs,
  waits 2 min 11 s before it is connected.

[2001:db8::7]:8080  filtered/unattributed (likely): SYNs to this port vanish,
  and several causes fit
  Seen
      0.000 s  SYN: no answer to 6 SYNs from 2 source ports in 3 s
      0.200 s  SYN to port 44321 (control): RST after 410 µs, 2 times
      0.200 s  ping: no reply in 2.7 s
  Why
    - 6 SYNs from 2 source ports over 3 s got no answer
    - the host answers on another port in that time
  One of these
    - filtered/port: packets to this port are dropped; the host itself answers
    - backlog-full/syn-dropped: accept queue full: the server ignores our SYNs
  Next
    1. Raw probes tell these apart (CAP_NET_RAW):
         sudo tcpprobe --mode raw '[2001:db8::7]:8080'
    2. On the server: is the accept queue full (Recv-Q above Send-Q)?
         ss -ltn 'sport = :8080'
    3. On the server: SYNs in, SYN-ACKs out? (Behind NAT leave out the host.)
         sudo tcpdump -ni any 'tcp port 8080 and host 2001:db8:1::5'
    4. In a cluster: does a policy of either pod leave out this port?
         kubectl get networkpolicy -A
  telnet would hang here for 2 min 11 s (net.ipv4.tcp_syn_retries=6).
  Looked with connect(). Not available: raw probes (-v says why).
"
    );
}

#[test]
fn verbose_adds_packets_and_calls() {
    assert_eq!(
        text(&fixtures::ghost(), Verbosity::Verbose),
        "\
10.0.3.7:5432  backlog-full/ack-ignored (likely): connected for us, but not for
  the server: its accept queue is full; connect() took 350 µs, handshake RTT
  61 µs
  Seen
      0.000 s  SYN: SYN-ACK after 350 µs, our FIN unacknowledged for 1.75 s (3
               retransmissions), 1 repeated SYN-ACK
  Packets and calls
      0.000000  IP 10.0.1.5.41234 > 10.0.3.7.5432: Flags [S]
      0.000350  IP 10.0.3.7.5432 > 10.0.1.5.41234: Flags [S.], win 65160
      0.000350  connect() = 0, TCP_INFO: rtt 61 µs, 0 retransmitted
      0.250350  IP 10.0.1.5.41234 > 10.0.3.7.5432: Flags [F.]
      2.000350  IP 10.0.3.7.5432 > 10.0.1.5.41234: Flags [S.], 1 more while our FIN waited
      2.000350  IP 10.0.1.5.41234 > 10.0.3.7.5432: Flags [F.], 3 more by retransmission
  Why
    - our FIN stays unacknowledged and is retransmitted: the server does not
      know this connection
    - the SYN-ACK came again, so our ACK was not taken
  Next
    1. On the server: is the accept queue full (Recv-Q above Send-Q)?
         ss -ltn 'sport = :5432'
    2. On the server: do these grow while clients fail?
         nstat -az TcpExtListenOverflows TcpExtListenDrops
    3. Here: connections that only we believe in keep retransmitting:
         ss -tno dst '10.0.3.7'
  Looked with connect(). Not available: raw probes (CAP_NET_RAW is missing).
"
    );
}

#[test]
fn an_endpoint_is_one_line_when_quiet() {
    let lines: String = fixtures::all()
        .iter()
        .map(|outcome| text(outcome, Verbosity::Quiet))
        .collect();
    assert_eq!(
        lines,
        "\
10.0.3.7:8080  open/healthy  certain  RTT 57 µs
10.0.3.7:81  refused/no-listener  likely
[2001:db8::7]:443  rejected/admin-prohibited  certain
10.0.3.7:8080  filtered/unattributed  likely
nope:8080  dns-failed/nxdomain  certain
shop:8080 (2001:db8::7)  filtered/unattributed  likely
shop:8080 (10.0.3.7)  open/healthy  certain  RTT 57 µs
10.0.3.7:5432  backlog-full/ack-ignored  likely  RTT 61 µs
"
    );
}

#[test]
fn hops_and_our_own_host_are_told_in_the_timeline() {
    let mut outcome = fixtures::unattributed();
    let to = outcome.endpoints[0].evidence.endpoint;
    let control = "10.0.3.7:44321".parse().unwrap();
    let hop_to = |to, ttl, answer| {
        Saw::Hop(Dial {
            to,
            from: None,
            ttl: Some(ttl),
            syns: 1,
            answer,
        })
    };
    let hop = |ttl, answer| hop_to(to, ttl, answer);
    let exceeded = Answer::Icmp(IcmpError {
        says: IcmpSays::TtlExceeded,
        icmp_type: 11,
        code: 0,
        from: Some("10.0.1.1".parse().unwrap()),
        from_self: false,
        mtu: None,
    });
    let route = Route {
        next_hop: NextHop::Refused,
        interface: None,
        source: None,
    };
    outcome.endpoints[0].evidence.observations = vec![
        observed(0, 0, Saw::Route(Look::Saw(route))),
        observed(10, 1, hop(1, exceeded.clone())),
        observed(20, 900, hop(2, Answer::Silence)),
        observed(20, 900, hop(3, Answer::Silence)),
        observed(30, 1, hop_to(control, 1, Answer::Silence)),
        observed(40, 1, hop_to(control, 1, exceeded)),
        observed(50, 1, hop_to(control, 2, Answer::Rst)),
        observed(
            1000,
            0,
            Saw::Listener(Look::Saw(Listener {
                queue: 6,
                limit: 5,
                drops: 2,
                overflows: Some(2),
            })),
        ),
        observed(
            1000,
            0,
            Saw::Counters(Look::Saw(Counters {
                retransmissions_failed: Some(2),
                retransmissions: Some(2),
                our_retransmissions: 2,
                received_not_delivered: Some(2),
                our_unanswered_syns: 3,
                alongside: 0,
            })),
        ),
        observed(
            1000,
            0,
            Saw::Neighbour(Look::CouldNot {
                why: "netlink: EPERM".to_owned(),
            }),
        ),
    ];
    let lines = timeline::lines(
        &outcome.endpoints[0].evidence,
        &Style {
            width: 100,
            ..Style::default()
        },
    );
    assert_eq!(
        lines,
        [
            "      0.000 s  route: a blackhole, unreachable or prohibit route",
            "      0.010 s  hop by hop: 1 10.0.1.1, 2 to 3 no answer",
            "      0.030 s  hop by hop to port 44321 (control): 1 10.0.1.1, 2 RST",
            "      1.000 s  listening socket: 6 waiting, backlog 5 (full), 2 packets dropped",
            "      1.000 s  counters of this host: TCPRetransFail +2 for our 2 retransmitted SYNs",
            "      1.000 s  next hop: could not look (netlink: EPERM)",
        ]
    );
}

#[test]
fn the_first_line_says_how_far_silence_is_heard_and_leaves_our_own_host_out() {
    let first_line = |cause| {
        let mut outcome = fixtures::unattributed();
        let diagnosis = &mut outcome.endpoints[0].diagnosis;
        diagnosis.cause = cause;
        diagnosis.from = Some("10.0.1.1".parse().unwrap());
        text(&outcome, Verbosity::Normal)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(first_line(Cause::Port).contains("filtered/port (likely) at 10.0.1.1 or beyond: "));
    assert!(!first_line(Cause::Ingress).contains("10.0.1.1"));
    assert!(first_line(Cause::TtlExceeded).contains(" (likely) from 10.0.1.1: "));
}

#[test]
fn a_slow_handshake_says_what_it_took() {
    let mut outcome = fixtures::open();
    let one = &mut outcome.endpoints[0];
    one.diagnosis.cause = Cause::SynLost;
    let Saw::Connect(Dial {
        answer: Answer::SynAck(handshake),
        ..
    }) = &mut one.evidence.observations[0].saw
    else {
        panic!("the open fixture has a handshake");
    };
    *handshake = Handshake {
        connect_s: Duration::from_millis(1_029),
        retransmitted_syns: 1,
        ..handshake.clone()
    };
    let text = text(&outcome, Verbosity::Normal);
    assert!(text.contains("connect() took 1.03 s\n"), "{text}");
    assert!(
        text.contains("SYN: SYN-ACK after 1.03 s and 1 retransmission"),
        "{text}"
    );
}

#[test]
fn a_finding_of_an_open_port_has_a_line_of_its_own() {
    let mut outcome = fixtures::open();
    outcome.endpoints[0].diagnosis.findings.push(Finding {
        kind: FindingKind::ProxySuspected,
        says: "a connect() with TTL 1 succeeded".to_owned(),
        observations: vec![0],
    });
    let text = text(&outcome, Verbosity::Normal);
    assert!(
        text.contains("\n  proxy-suspected: a connect() with TTL 1 succeeded\n"),
        "{text}"
    );
}

#[test]
fn an_older_kernel_hangs_for_another_time() {
    let schedule = Some(SynSchedule {
        retries: 6,
        linear_timeouts: None,
    });
    let lines = target_lines(&fixtures::unattributed(), schedule, &Style::default());
    assert!(
        lines.contains(&"  telnet would hang here for 2 min 7 s (net.ipv4.tcp_syn_retries=6).".to_owned())
    );
}

#[test]
fn failures_of_the_same_cause_are_told_once() {
    let mut outcome = fixtures::two_addresses();
    let mut third = outcome.endpoints[0].clone();
    third.evidence.endpoint.set_ip("2001:db8::8".parse().unwrap());
    outcome.endpoints.push(third);
    let brief = text(&outcome, Verbosity::Normal);
    assert!(brief.starts_with("shop:8080  3 addresses: 2 filtered/unattributed and 1 open/healthy\n"));
    assert_eq!(brief.matches("telnet").count(), 1);
    assert!(
        brief.ends_with("  The same at 2001:db8::8 (-v shows all).\n"),
        "{brief}"
    );
    assert_eq!(text(&outcome, Verbosity::Verbose).matches("telnet").count(), 2);
}

#[test]
fn a_report_sets_long_targets_apart_and_keeps_short_ones_together() {
    let (targets, series) = (
        [fixtures::open(), fixtures::open(), fixtures::refused()],
        [fixtures::series()],
    );
    let report = Report {
        version: "0.1.0",
        started: UNIX_EPOCH,
        targets: &targets,
        syn_schedule: None,
        series: &series,
    };
    let mut out = Vec::new();
    write(&report, &Style::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let open = "10.0.3.7:8080  open/healthy: handshake RTT 57 µs\n";
    assert!(
        text.starts_with(&format!("{open}{open}\n10.0.3.7:81  refused/no-listener")),
        "{text}"
    );
    assert!(
        text.contains("\n\n10.0.3.7:8080  10 rounds, 8 connected"),
        "{text}"
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    for outcome in fixtures::all() {
        let coloured = target_lines(
            &outcome,
            SCHEDULE,
            &Style {
                colour: true,
                ..Style::default()
            },
        )
        .join("\n");
        let plain = target_lines(&outcome, SCHEDULE, &Style::default()).join("\n");
        assert_ne!(coloured, plain);
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}

proptest! {
    #[test]
    fn any_width_will_do(width in 0_usize..300, verbose: bool) {
        let verbosity = if verbose { Verbosity::Verbose } else { Verbosity::Normal };
        let style = Style { width, verbosity, colour: false };
        for outcome in fixtures::all() {
            let words = |lines: Vec<String>| lines.join(" ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let narrow = words(target_lines(&outcome, SCHEDULE, &style));
            let wide = words(target_lines(&outcome, SCHEDULE, &Style { width: 10_000, ..style }));
            prop_assert_eq!(narrow, wide);
        }
    }
}
