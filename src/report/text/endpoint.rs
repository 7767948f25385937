//! One endpoint: verdict, what was seen, why, what else, what next.

use std::net::IpAddr;
use std::time::Duration;

use crate::check::EndpointOutcome;
use crate::diagnose::advice::{Advice, advise, default_client_hang, hangs_silently};
use crate::diagnose::explain::explain;
use crate::diagnose::{Cause, Class, Confidence, Diagnosis, Finding};
use crate::evidence::{Ability, Mode, Sight, SynSchedule};
use crate::report::human::{hang, human_duration, list, wrap};
use crate::report::style::Style;

use super::{packets, timeline};

/// All that there is to say of one endpoint.
pub(super) fn lines(
    label: &str,
    one: &EndpointOutcome,
    schedule: Option<SynSchedule>,
    style: &Style,
) -> Vec<String> {
    noted_lines(label, &[], one, schedule, style)
}

/// The same, with notes below the verdict.
pub(super) fn noted_lines(
    label: &str,
    notes: &[String],
    one: &EndpointOutcome,
    schedule: Option<SynSchedule>,
    style: &Style,
) -> Vec<String> {
    let EndpointOutcome { evidence, diagnosis } = one;
    let whence = whence(diagnosis.cause, diagnosis.from, evidence.endpoint.ip());
    let mut lines = verdict(label, diagnosis, &whence, &sentence(one), style);
    lines.extend(notes.iter().flat_map(|note| wrap("  ", note, style.width())));
    if is_brief(one, style) {
        lines.extend(findings(&diagnosis.findings, style));
        lines.extend(next(&advise(evidence, diagnosis), style));
        return lines;
    }
    lines.extend(section("Seen", timeline::lines(evidence, style), style));
    if style.verbose() {
        lines.extend(section("Packets and calls", packets::lines(evidence), style));
    }
    lines.extend(reasons(diagnosis, style));
    lines.extend(findings(&diagnosis.findings, style));
    lines.extend(next(&advise(evidence, diagnosis), style));
    lines.extend(default_client(diagnosis, schedule, style));
    if diagnosis.confidence != Confidence::Certain || style.verbose() {
        lines.extend(wrap(
            "  ",
            &looked_with(&evidence.sight, diagnosis.cause.class(), style),
            style.width(),
        ));
    }
    lines
}

/// Whether one to three lines are enough.
pub(super) fn is_brief(one: &EndpointOutcome, style: &Style) -> bool {
    one.diagnosis.cause.class() == Class::Open && !style.verbose()
}

/// `class/cause`.
pub(in crate::report) fn verdict_label(diagnosis: &Diagnosis) -> String {
    format!("{}/{}", diagnosis.cause.class(), diagnosis.cause)
}

/// The first line; `whence` follows the verdict.
pub(super) fn verdict(
    label: &str,
    diagnosis: &Diagnosis,
    whence: &str,
    sentence: &str,
    style: &Style,
) -> Vec<String> {
    let verdict = verdict_label(diagnosis);
    let sure = sure(diagnosis);
    let text = format!("{verdict}{sure}{whence}: {sentence}");
    let lines = hang(&format!("{label}  "), "  ", &text, style.width());
    lines
        .iter()
        .map(|line| style.verdict(line, &verdict, diagnosis.cause.class()))
        .collect()
}

/// Who said it, or up to where packets get; our own host goes without saying.
pub(in crate::report) fn whence(cause: Cause, from: Option<IpAddr>, host: IpAddr) -> String {
    match (from, cause) {
        // Where an answer is lost on its way back, no sweep tells.
        (None, _) | (_, Cause::Egress | Cause::Ingress | Cause::ReturnPath | Cause::NeighbourUnresolved) => {
            String::new()
        }
        (Some(last), cause) if cause.class() == Class::Filtered && last == host => {
            " on the host itself".to_owned()
        }
        (Some(last), cause) if cause.class() == Class::Filtered => {
            format!(" at {last} or beyond")
        }
        (Some(from), _) => format!(" from {from}"),
    }
}

/// ` (likely)`; an open port is certain.
pub(super) fn sure(diagnosis: &Diagnosis) -> String {
    if diagnosis.confidence == Confidence::Certain && diagnosis.cause.class() == Class::Open {
        String::new()
    } else {
        format!(" ({})", diagnosis.confidence)
    }
}

/// The verdict in plain words, with the figures of the handshake where there was one.
pub(super) fn sentence(one: &EndpointOutcome) -> String {
    let handshake = one.evidence.first_handshake();
    let connect = handshake.map(|handshake| handshake.connect_s);
    in_words(one.diagnosis.cause, connect, one.evidence.handshake_rtt())
}

/// The same from its parts: how long `connect()` took, and the handshake's round trip.
pub(in crate::report) fn in_words(cause: Cause, connect: Option<Duration>, rtt: Option<Duration>) -> String {
    let in_short = explain(cause).in_short;
    let Some(connect) = connect else {
        return in_short.to_owned();
    };
    let took = format!("connect() took {}", human_duration(connect));
    match (rtt, cause.class()) {
        (Some(rtt), Class::Open) => format!("handshake RTT {}", human_duration(rtt)),
        (None, Class::Open) => took,
        (Some(rtt), _) => format!("{in_short}; {took}, handshake RTT {}", human_duration(rtt)),
        (None, _) => format!("{in_short}; {took}"),
    }
}

pub(super) fn section(heading: &str, body: Vec<String>, style: &Style) -> Vec<String> {
    if body.is_empty() {
        return body;
    }
    std::iter::once(format!("  {}", style.heading(heading)))
        .chain(body)
        .collect()
}

pub(super) fn reasons(diagnosis: &Diagnosis, style: &Style) -> Vec<String> {
    let bullet = |text: &str| wrap("    - ", text, style.width());
    let because = diagnosis
        .because
        .iter()
        .flat_map(|reason| bullet(&reason.says))
        .collect();
    let (heading, others) = others(diagnosis);
    let others = others.iter().flat_map(|other| bullet(other)).collect();
    let mut lines = section("Why", because, style);
    lines.extend(section(heading, others, style));
    lines
}

/// What else it could be, and how that is headed.
pub(super) fn others(diagnosis: &Diagnosis) -> (&'static str, Vec<String>) {
    let other = |cause: &Cause| format!("{}/{cause}: {}", cause.class(), explain(*cause).in_short);
    let heading = if diagnosis.cause == Cause::Unattributed {
        "One of these"
    } else {
        "Could also be"
    };
    (heading, diagnosis.not_ruled_out.iter().map(other).collect())
}

pub(super) fn findings(findings: &[Finding], style: &Style) -> Vec<String> {
    findings
        .iter()
        .flat_map(|finding| wrap("  ", &found(finding), style.width()))
        .collect()
}

pub(super) fn found(finding: &Finding) -> String {
    format!("{}: {}", finding.kind, finding.says)
}

pub(in crate::report) fn next(advice: &[Advice], style: &Style) -> Vec<String> {
    let mut body = Vec::new();
    for (number, Advice { says, command }) in advice.iter().enumerate() {
        body.extend(wrap(&format!("    {}. ", number + 1), says, style.width()));
        body.extend(
            command
                .iter()
                .map(|command| format!("         {}", style.command(command))),
        );
    }
    section("Next", body, style)
}

pub(super) fn default_client(
    diagnosis: &Diagnosis,
    schedule: Option<SynSchedule>,
    style: &Style,
) -> Vec<String> {
    let Some(schedule) = schedule.filter(|_| hangs_silently(diagnosis.cause)) else {
        return Vec::new();
    };
    let linear = schedule
        .linear_timeouts
        .filter(|_| style.verbose())
        .map_or_else(String::new, |linear| {
            format!(", tcp_syn_linear_timeouts={linear}")
        });
    let text = format!(
        "telnet would hang here for {} (net.ipv4.tcp_syn_retries={}{linear}).",
        human_duration(default_client_hang(schedule)),
        schedule.retries
    );
    wrap("  ", &text, style.width())
}

pub(super) fn looked_with(sight: &Sight, class: Class, style: &Style) -> String {
    let with = match sight.mode {
        Mode::Connect => "Looked with connect()",
        Mode::Raw => "Looked with connect() and raw probes",
    };
    let mut abilities = vec![
        ("raw probes", &sight.raw),
        ("ping", &sight.echo),
        ("error queue", &sight.error_queue),
    ];
    // Without a RST on a made connection its shape is nobody's question.
    if style.verbose() || matches!(class, Class::Reset | Class::BacklogFull) {
        abilities.push(("the shape of a RST", &sight.reset_shape));
    }
    let missing: Vec<String> = abilities
        .into_iter()
        .filter_map(|(what, ability)| match ability {
            Ability::Yes => None,
            Ability::No { .. } if !style.verbose() => Some(what.to_owned()),
            Ability::No { why } => Some(format!("{what} ({})", why.trim_end_matches('.'))),
        })
        .collect();
    if missing.is_empty() {
        format!("{with}.")
    } else if style.verbose() {
        format!("{with}. Not available: {}.", missing.join("; "))
    } else {
        format!("{with}. Not available: {} (-v says why).", list(&missing))
    }
}
