//! What answered the segments that we made ourselves, in a clause each.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::icmp;
use crate::evidence::{Observation, Question, Reply, ReplySays, ResetShape, Saw, SeenAt, Shot, ShotOutcome};
use crate::report::human::{human_duration, list};

/// Whether two probes ask the same of the same side and got the same answers.
pub(super) fn are_alike(one: &Shot, other: &Shot, endpoint: SocketAddr) -> bool {
    let same_side = (one.to == endpoint) == (other.to == endpoint);
    one.question == other.question && same_side && answers(one) == answers(other)
}

pub(super) fn say(shot: &Shot, group: &[&Observation], endpoint: SocketAddr) -> String {
    let to = if shot.to == endpoint {
        String::new()
    } else {
        format!(" to {} (control)", ports(group))
    };
    let times = match group.len() {
        0 | 1 => String::new(),
        times => format!(", {times} times"),
    };
    let soonest = shots(group)
        .filter_map(|shot| shot.replies()?.first())
        .map(|reply| reply.after_s)
        .min();
    let after = soonest.map_or_else(String::new, |soonest| {
        format!(" after {}", human_duration(soonest))
    });
    format!("{}{to}: {}{after}{times}", subject(shot.question), answers(shot))
}

const fn subject(question: Question) -> &'static str {
    match question {
        Question::Syn => "raw SYN",
        Question::Ack => "bare ACK",
        Question::Fin => "bare FIN",
        Question::HalfOpen => "raw SYN, then a FIN out of its window",
        Question::Challenge => "SYN on a connection that is made",
        Question::Cookie => "raw SYN without timestamps",
        Question::FirstFragment => "first fragment of a SYN, and never the rest",
    }
}

fn answers(shot: &Shot) -> String {
    match &shot.outcome {
        ShotOutcome::NotSent(error) => format!("not sent ({}() failed with {})", error.call, error.errno),
        ShotOutcome::Sent { replies } if replies.is_empty() => "no answer".to_owned(),
        ShotOutcome::Sent { replies } => {
            let all: Vec<String> = replies.iter().map(|reply| answer(reply, shot.to.ip())).collect();
            list(&all)
        }
    }
}

fn answer(reply: &Reply, host: IpAddr) -> String {
    let says = match &reply.says {
        ReplySays::SynAck(options)
            if !options.sack && !options.timestamps && options.window_scale.is_none() =>
        {
            "SYN-ACK without any option but its MSS".to_owned()
        }
        ReplySays::SynAck(_) => "SYN-ACK".to_owned(),
        ReplySays::Rst {
            shape: ResetShape::WithAck,
        } => "RST".to_owned(),
        ReplySays::Rst {
            shape: ResetShape::Bare | ResetShape::Unknown,
        } => "bare RST".to_owned(),
        ReplySays::Ack {
            acknowledges_us: true,
        } => "ACK".to_owned(),
        ReplySays::Ack {
            acknowledges_us: false,
        } => "ACK of another connection".to_owned(),
        ReplySays::Icmp(error) => icmp(error, host),
    };
    let ttl = match (&reply.says, reply.hop_limit) {
        (ReplySays::Icmp(_), _) | (_, None) => String::new(),
        (ReplySays::SynAck(_) | ReplySays::Rst { .. } | ReplySays::Ack { .. }, Some(ttl)) => {
            format!(" (TTL {ttl})")
        }
    };
    let seen = match reply.seen {
        SeenAt::Socket => "",
        SeenAt::InterfaceOnly => " seen on our interface only",
    };
    format!("{says}{ttl}{seen}")
}

fn ports(group: &[&Observation]) -> String {
    let ports: BTreeSet<u16> = shots(group).map(|shot| shot.to.port()).collect();
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let noun = if ports.len() == 1 { "port" } else { "ports" };
    format!("{noun} {}", list(&ports))
}

fn shots<'a>(group: &'a [&Observation]) -> impl Iterator<Item = &'a Shot> {
    group.iter().filter_map(|observation| {
        if let Saw::Raw(shot) = &observation.saw {
            Some(shot)
        } else {
            None
        }
    })
}
