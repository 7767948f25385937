//! Packets and system calls in tcpdump's manner, put together again from the observations.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::timeline::icmp;
use crate::evidence::{
    Answer, Dial, Evidence, Handshake, IcmpError, Observation, Ping, Question, ReplySays, ResetShape, Saw,
    SeenAt, Shot, ShotOutcome, SynAckOptions,
};
use crate::report::human::human_duration;

/// One line a packet or call, in the order of time.
pub(super) fn lines(evidence: &Evidence) -> Vec<String> {
    let mut trace = Trace { entries: Vec::new() };
    for observation in &evidence.observations {
        trace.add(observation, evidence.endpoint.ip());
    }
    trace.entries.sort_by_key(|(at, _)| *at);
    trace
        .entries
        .iter()
        .map(|(at, text)| format!("    {:>10.6}  {text}", at.as_secs_f64()))
        .collect()
}

struct Trace {
    entries: Vec<(Duration, String)>,
}

impl Trace {
    fn add(&mut self, observation: &Observation, host: IpAddr) {
        let (begin, end) = (observation.at_s, observation.at_s + observation.took_s);
        match &observation.saw {
            Saw::Connect(dial) | Saw::Control(dial) | Saw::Hop(dial) | Saw::TtlOne(dial) => {
                self.dial(dial, begin, end);
            }
            Saw::Echo(ping) => self.echo(ping, host, begin, end),
            Saw::Raw(shot) => self.shot(shot, begin),
            Saw::OtherControls(_)
            | Saw::OtherRejection(_)
            | Saw::Route(_)
            | Saw::Neighbour(_)
            | Saw::Listener(_)
            | Saw::Counters(_)
            | Saw::OwnSockets(_)
            | Saw::Size(_)
            | Saw::LinkMtu(_)
            | Saw::Idle { .. } => {}
        }
    }

    fn say(&mut self, at: Duration, text: String) {
        self.entries.push((at, text));
    }

    fn dial(&mut self, dial: &Dial, begin: Duration, end: Duration) {
        let answer = if let Answer::Local(error) = &dial.answer {
            return self.say(end, format!("{}() = {}", error.call, error.errno));
        } else {
            &dial.answer
        };
        let ttl = dial.ttl.map_or_else(String::new, |ttl| format!(", ttl {ttl}"));
        let out = flow(dial.from, Some(dial.to));
        let back = flow(Some(dial.to), dial.from);
        self.say(begin, format!("{out}: Flags [S]{ttl}"));
        if dial.syns > 1 {
            let (more, until) = (dial.syns - 1, end.as_secs_f64());
            self.say(
                begin,
                format!("{out}: Flags [S]{ttl}, {more} more until {until:.6}"),
            );
        }
        match answer {
            Answer::SynAck(handshake) => self.handshake(handshake, &out, &back, begin),
            Answer::Rst => {
                self.say(end, format!("{back}: Flags [R.]"));
                self.say(end, "connect() = ECONNREFUSED, error queue empty".to_owned());
            }
            Answer::Icmp(error) => {
                let errno = errno(error, dial.to.ip())
                    .map_or_else(String::new, |errno| format!("connect() = {errno}, "));
                self.say(end, format!("{errno}error queue: {}", icmp(error, dial.to.ip())));
            }
            Answer::Silence => self.say(end, "connect() = EINPROGRESS still: nothing came".to_owned()),
            Answer::Local(_) => {}
        }
    }

    fn shot(&mut self, shot: &Shot, begin: Duration) {
        let out = flow(shot.from, Some(shot.to));
        let flags = match shot.question {
            Question::Syn | Question::Challenge => "[S]",
            Question::Cookie => "[S], no timestamps",
            Question::Ack => "[.]",
            Question::Fin => "[F]",
            Question::HalfOpen => "[S], then [F] out of its window",
            Question::FirstFragment => "[S], first fragment alone",
        };
        let replies = match &shot.outcome {
            ShotOutcome::Sent { replies } => replies,
            ShotOutcome::NotSent(error) => {
                return self.say(
                    begin,
                    format!("{out}: Flags {flags}, {}() = {}", error.call, error.errno),
                );
            }
        };
        self.say(begin, format!("{out}: Flags {flags}"));
        for reply in replies {
            let ttl = reply
                .hop_limit
                .map_or_else(String::new, |ttl| format!(", ttl {ttl}"));
            let below = match reply.seen {
                SeenAt::Socket => "",
                SeenAt::InterfaceOnly => ", on the interface only",
            };
            let back = flow(Some(shot.to), shot.from);
            let text = match &reply.says {
                ReplySays::SynAck(options) => {
                    format!(
                        "{back}: Flags [S.], win {}, options [{}]",
                        options.window,
                        offers(options)
                    )
                }
                ReplySays::Rst {
                    shape: ResetShape::WithAck,
                } => format!("{back}: Flags [R.]"),
                ReplySays::Rst { .. } => format!("{back}: Flags [R]"),
                ReplySays::Ack { acknowledges_us } => {
                    let whose = if *acknowledges_us { "ours" } else { "not ours" };
                    format!("{back}: Flags [.], ack is {whose}")
                }
                ReplySays::Icmp(error) => icmp(error, shot.to.ip()),
            };
            self.say(begin + reply.after_s, format!("{text}{ttl}{below}"));
        }
    }

    fn handshake(&mut self, handshake: &Handshake, out: &str, back: &str, begin: Duration) {
        let done = begin + handshake.connect_s;
        let ending = &handshake.ending;
        let rtt = handshake
            .rtt_s
            .map_or_else(|| "unknown".to_owned(), human_duration);
        let window = handshake
            .peer_window
            .map_or_else(String::new, |window| format!(", win {window}"));
        self.say(done, format!("{back}: Flags [S.]{window}"));
        self.say(
            done,
            format!(
                "connect() = 0, TCP_INFO: rtt {rtt}, {} retransmitted",
                handshake.retransmitted_syns
            ),
        );
        if let Some(after) = ending.peer_fin_after_s {
            self.say(done + after, format!("{back}: Flags [F.]"));
        }
        if let Some(after) = ending.fin_after_s {
            self.say(done + after, format!("{out}: Flags [F.]"));
        }
        if let Some(after) = ending.fin_acknowledged_after_s {
            self.say(done + after, format!("{back}: Flags [.], acknowledges our FIN"));
        }
        if ending.repeated_syn_acks > 0 {
            let text = format!(
                "{back}: Flags [S.], {} more while our FIN waited",
                ending.repeated_syn_acks
            );
            self.say(done + ending.watched_s, text);
        }
        if ending.fin_retransmissions > 0 {
            let text = format!(
                "{out}: Flags [F.], {} more by retransmission",
                ending.fin_retransmissions
            );
            self.say(done + ending.watched_s, text);
        }
        if let Some(reset) = &ending.reset {
            let flags = match reset.shape {
                ResetShape::Bare => "[R]",
                ResetShape::WithAck => "[R.]",
                ResetShape::Unknown => "[R] or [R.]",
            };
            self.say(done + reset.after_s, format!("{back}: Flags {flags}"));
        }
    }

    fn echo(&mut self, ping: &Ping, host: IpAddr, begin: Duration, end: Duration) {
        let family = family(host);
        let asked = format!("{family} ? > {host}: ICMP echo request");
        match ping {
            Ping::CouldNot { .. } => return,
            Ping::Reply => self.say(end, format!("{family} {host} > ?: ICMP echo reply")),
            Ping::Icmp(error) => self.say(end, icmp(error, host)),
            Ping::Silence => {}
        }
        self.say(begin, asked);
    }
}

fn offers(options: &SynAckOptions) -> String {
    let mss = options.mss.map(|mss| format!("mss {mss}"));
    let sack = options.sack.then(|| "sackOK".to_owned());
    let timestamps = options.timestamps.then(|| "TS".to_owned());
    let scale = options.window_scale.map(|shift| format!("wscale {shift}"));
    let all: Vec<String> = [mss, sack, timestamps, scale].into_iter().flatten().collect();
    all.join(",")
}

fn flow(from: Option<SocketAddr>, to: Option<SocketAddr>) -> String {
    let side = |side: Option<SocketAddr>| {
        side.map_or_else(|| "?".to_owned(), |side| format!("{}.{}", side.ip(), side.port()))
    };
    let family = from.or(to).map_or("IP", |known| family(known.ip()));
    format!("{family} {} > {}", side(from), side(to))
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IP" } else { "IP6" }
}

/// The errno that Linux makes of an ICMP error (`icmp_err_convert`, `icmpv6_err_convert`).
fn errno(error: &IcmpError, host: IpAddr) -> Option<&'static str> {
    Some(match (host.is_ipv4(), error.icmp_type, error.code) {
        (true, 3, 0 | 6 | 9 | 11) | (false, 1, 0) => "ENETUNREACH",
        (true, 3, 1 | 10 | 12..=15) | (true, 11, _) | (false, 1, 2 | 3) | (false, 3, _) => "EHOSTUNREACH",
        (true, 3, 2) => "ENOPROTOOPT",
        (true, 3, 3) | (false, 1, 4) => "ECONNREFUSED",
        (true, 3, 5) => "EOPNOTSUPP",
        (true, 3, 7) => "EHOSTDOWN",
        (true, 3, 8) => "ENONET",
        (false, 1, 1 | 5 | 6) => "EACCES",
        _ => return None,
    })
}
