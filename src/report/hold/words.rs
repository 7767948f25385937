//! Limits, connections and consequences as sentences.

use std::time::Duration;

use crate::diagnose::hold::{Behaviour, Consequence, HoldLabel, Limit, Settled, longest_keepalive};
use crate::evidence::hold::{Asked, End, Held};
use crate::evidence::sockets::Settings;
use crate::evidence::{Answer, Dial};
use crate::report::human::{count, human_duration, list};

/// `350 ± 4.0 s`, `3.01 s`, `at most 5 min`.
pub(super) fn limit(limit: Limit) -> String {
    let (middle, either_way) = (limit.middle().as_secs_f64(), limit.uncertainty().as_secs_f64());
    if limit.at_least_s.is_zero() && !limit.at_most_s.is_zero() {
        return format!("{} at most", human_duration(limit.at_most_s));
    }
    if either_way < middle * 0.002 {
        return human_duration(limit.middle());
    }
    let decimals = if either_way >= 9.95 {
        0
    } else if either_way >= 0.095 {
        1
    } else {
        2
    };
    format!("{middle:.decimals$} ± {either_way:.decimals$} s")
}

/// Whether two connections have one line: the same end, in answer to the same, with the same control.
pub(in crate::report) fn fared_alike(one: &Held, other: &Held) -> bool {
    let control = |held: &Held| {
        held.control
            .as_ref()
            .map(|dial| matches!(dial.answer, Answer::SynAck(_)))
    };
    let is_same = match (&one.end, &other.end) {
        (End::Alive { to: one, .. }, End::Alive { to: other, .. })
        | (End::Reset { to: one }, End::Reset { to: other })
        | (End::Closed { to: one }, End::Closed { to: other }) => one == other,
        (End::Silent { .. }, End::Silent { .. }) => true,
        (one, other) => one == other,
    };
    is_same && control(one) == control(other)
}

/// Connections that fared alike: after how long, and how.
pub(in crate::report) fn group(held: &[&Held]) -> String {
    let Some(first) = held.first() else {
        return String::new();
    };
    let says = end(first, held);
    if matches!(first.end, End::NotMade { .. }) {
        return says;
    }
    let mut times: Vec<String> = held.iter().map(|held| human_duration(held.idle_s)).collect();
    times.dedup();
    let number = if held.len() > times.len() {
        format!(" ({} connections)", held.len())
    } else {
        String::new()
    };
    format!("idle for {}: {says}{number}", list(&times))
}

fn end(first: &Held, alike: &[&Held]) -> String {
    let answer_to = |to: Asked| match to {
        Asked::Nothing => "by itself",
        Asked::Keepalive => "when asked",
        Asked::Fin => "in answer to our FIN, after keepalive probes that went unanswered",
    };
    let ends = || alike.iter().map(|held| &held.end);
    let says = match &first.end {
        End::NotMade { answer } => format!("could not be made: {}", answer_words(answer)),
        End::Alive { to: Asked::Fin, .. } => {
            "alive; the keepalive probes went unanswered, the FIN did not".to_owned()
        }
        End::Alive { .. } => {
            let (mut within, mut most) = (Duration::ZERO, 1);
            for end in ends() {
                if let End::Alive { after_s, probes, .. } = end {
                    (within, most) = (within.max(*after_s), most.max(*probes));
                }
            }
            let lost = if most > 1 {
                format!("; it took up to {most} probes")
            } else {
                String::new()
            };
            format!("alive, answered within {}{lost}", human_duration(within))
        }
        End::Silent { probes, fins } => {
            let (mut least, mut fewest) = (*probes, *fins);
            for end in ends() {
                if let End::Silent { probes, fins } = end {
                    (least, fewest) = (least.min(*probes), fewest.min(*fins));
                }
            }
            let fins = count(fewest as usize, "FIN", "FINs");
            format!("silent to {least} keepalive probes and {fins}")
        }
        End::Reset { to } => format!("reset {}", answer_to(*to)),
        End::Rejected { to, errno } => format!("rejected by an ICMP error ({errno}) {}", answer_to(*to)),
        End::Closed { to } => format!("closed by the peer {}", answer_to(*to)),
        End::CutShort => "not asked".to_owned(),
        End::CouldNotAsk { errno } => format!("our own kernel would not ask ({errno})"),
    };
    match &first.control {
        Some(control) => format!("{says}; {}", control_words(control)),
        None => says,
    }
}

fn control_words(control: &Dial) -> String {
    match &control.answer {
        Answer::SynAck(_) => "a new connection was made".to_owned(),
        other @ (Answer::Rst | Answer::Icmp(_) | Answer::Local(_) | Answer::Silence) => {
            format!("a new connection failed: {}", answer_words(other))
        }
    }
}

fn answer_words(answer: &Answer) -> String {
    match answer {
        Answer::SynAck(_) => "a SYN-ACK".to_owned(),
        Answer::Rst => "a RST".to_owned(),
        Answer::Icmp(error) => format!("an ICMP error (type {}, code {})", error.icmp_type, error.code),
        Answer::Local(error) => format!("{}() failed with {}", error.call, error.errno),
        Answer::Silence => "silence".to_owned(),
    }
}

/// What comes of a behaviour, with the settings that it comes from.
pub(super) fn consequence(consequence: &Consequence, label: HoldLabel, settings: &Settings) -> String {
    let who = match consequence.behaviour {
        Behaviour::Write => "a program that writes on a connection that was idle for longer (a pool)",
        Behaviour::Read => "a program that only waits for data on one, without keepalive,",
        Behaviour::ReadWithKeepalive => "the same with SO_KEEPALIVE and no times of its own",
    };
    let (by, writes) = (
        why(consequence, settings),
        consequence.behaviour == Behaviour::Write,
    );
    match consequence.settled {
        Settled::KeptAlive => format!("{who} keeps it alive{by}"),
        Settled::FailsAtOnce if label == HoldLabel::PeerClosed && !writes => {
            format!("{who} reads the end of the connection at once")
        }
        Settled::FailsAtOnce if label == HoldLabel::PeerClosed => {
            format!("{who} gets a RST in answer if it did not read first: ECONNRESET or EPIPE at once")
        }
        Settled::FailsAtOnce => format!("{who} gets an error at once"),
        // In whole seconds, as the kernel's 924.6 s are known as 15 min 24 s.
        Settled::Hangs(time) => {
            let time = human_duration(Duration::from_secs(time.as_secs()));
            format!("{who} hangs for {time}{by}")
        }
        Settled::HangsForEver => format!("{who} hangs for ever: nobody tells it"),
    }
}

fn why(consequence: &Consequence, settings: &Settings) -> String {
    let seconds =
        |time: Option<Duration>| time.map_or_else(|| "?".to_owned(), |time| time.as_secs().to_string());
    match (consequence.behaviour, consequence.settled) {
        (Behaviour::Write, Settled::Hangs(_)) => settings.retries2.map_or_else(String::new, |retries| {
            format!(" (net.ipv4.tcp_retries2={retries})")
        }),
        (Behaviour::ReadWithKeepalive, Settled::Hangs(_) | Settled::KeptAlive) => format!(
            " (net.ipv4.tcp_keepalive_time={}, _intvl={}, _probes={})",
            seconds(settings.keepalive_time),
            seconds(settings.keepalive_interval),
            settings
                .keepalive_probes
                .map_or_else(|| "?".to_owned(), |probes| probes.to_string())
        ),
        (
            Behaviour::Write | Behaviour::Read | Behaviour::ReadWithKeepalive,
            Settled::Hangs(_) | Settled::KeptAlive | Settled::FailsAtOnce | Settled::HangsForEver,
        ) => String::new(),
    }
}

/// What would not hang, in numbers for this limit.
pub(super) fn remedy(label: HoldLabel, limit: Limit) -> Option<String> {
    let keepalive = longest_keepalive(limit)?;
    match label {
        HoldLabel::IdleDropped | HoldLabel::IdleReset | HoldLabel::IdleRejected => Some(format!(
            "With SO_KEEPALIVE, TCP_KEEPIDLE and TCP_KEEPINTVL of {} s or less in the client, or a pool that closes what was idle \
             for {}, none of this happens; TCP_USER_TIMEOUT bounds how long a write hangs in any case.",
            keepalive.as_secs(),
            human_duration(Duration::from_secs(2 * keepalive.as_secs()))
        )),
        HoldLabel::PeerClosed => Some(format!(
            "A pool that closes what was idle for {} never meets it.",
            human_duration(Duration::from_secs(2 * keepalive.as_secs()))
        )),
        HoldLabel::Healthy | HoldLabel::TargetLost | HoldLabel::NotOpen | HoldLabel::Undecided => None,
    }
}
