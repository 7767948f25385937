//! A name: which candidates were tried, what each said and cost, and what its addresses say side by side.

use std::net::IpAddr;
use std::time::Duration;

use crate::check::{EndpointOutcome, NameOutcome};
use crate::diagnose::Diagnosis;
use crate::diagnose::advice::advise_name;
use crate::diagnose::explain::explain;
use crate::evidence::{Family, Lookup, LookupOutcome, ResolvedBy};
use crate::report::human::{count, hang, human_duration, list, wrap};
use crate::report::style::Style;

use super::endpoint;

/// A shorter wait for the address that works goes unnoticed.
const WORTH_SAYING: Duration = Duration::from_millis(100);

/// A name that gave no address, with notes below the verdict.
pub(super) fn failed(
    label: &str,
    notes: &[String],
    name: &NameOutcome,
    diagnosis: &Diagnosis,
    style: &Style,
) -> Vec<String> {
    let mut lines = endpoint::verdict(label, diagnosis, "", explain(diagnosis.cause).in_short, style);
    lines.extend(notes.iter().flat_map(|note| wrap("  ", note, style.width())));
    // The reasons are the lookups: to list both would be to say everything twice.
    lines.extend(asked(name, style));
    lines.extend(endpoint::findings(&diagnosis.findings, style));
    lines.extend(endpoint::next(&advise_name(&name.resolution, diagnosis), style));
    if let Some(took) = took(name) {
        lines.extend(wrap("  ", &took, style.width()));
    }
    lines
}

/// How long it took in all; a single question has said it already.
pub(super) fn took(name: &NameOutcome) -> Option<String> {
    let several = name.resolution.lookups.chunk_by(are_alike).count() > 1;
    several.then(|| format!("Resolving took {}.", human_duration(name.resolution.took_s)))
}

/// The addresses of a name under each other, with their verdicts.
pub(super) fn side_by_side(label: &str, endpoints: &[EndpointOutcome], style: &Style) -> Vec<String> {
    let mut verdicts: Vec<(String, usize)> = Vec::new();
    for one in endpoints {
        let verdict = endpoint::verdict_label(&one.diagnosis);
        match verdicts.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, number)) => *number += 1,
            None => verdicts.push((verdict, 1)),
        }
    }
    let tally: Vec<String> = verdicts
        .iter()
        .map(|(verdict, number)| format!("{number} {verdict}"))
        .collect();
    let text = format!(
        "{}: {}",
        count(endpoints.len(), "address", "addresses"),
        list(&tally)
    );
    let mut lines = hang(&format!("{label}  "), "  ", &text, style.width());
    let addresses: Vec<String> = endpoints
        .iter()
        .map(|one| one.evidence.endpoint.ip().to_string())
        .collect();
    let longest = addresses.iter().map(String::len).max().unwrap_or(0);
    for (one, address) in endpoints.iter().zip(&addresses) {
        let verdict = endpoint::verdict_label(&one.diagnosis);
        let sure = endpoint::sure(&one.diagnosis);
        // Whatever is not brief is told in full below.
        let text = if endpoint::is_brief(one, style) {
            format!("{verdict}{sure}: {}", endpoint::sentence(one))
        } else {
            format!("{verdict}{sure}")
        };
        let wrapped = hang(
            &format!("  {address:<longest$}  "),
            "      ",
            &text,
            style.width(),
        );
        let class = one.diagnosis.cause.class();
        lines.extend(wrapped.iter().map(|line| style.verdict(line, &verdict, class)));
    }
    lines
}

/// Such a name has its addresses by RFC 6761, whatever the hosts file says.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// How the name was resolved, in a line, or with every lookup.
pub(super) fn resolution(name: &NameOutcome, style: &Style) -> Vec<String> {
    let resolution = &name.resolution;
    let by = match resolution.by {
        ResolvedBy::HostsFile if is_localhost(&resolution.name) => {
            "the hosts file, or the rule for localhost,"
        }
        ResolvedBy::HostsFile => "the hosts file",
        ResolvedBy::Dns => "DNS",
        ResolvedBy::System => "the C library",
    };
    let took = match resolution.by {
        ResolvedBy::HostsFile => String::new(),
        ResolvedBy::Dns | ResolvedBy::System => format!(" in {}", human_duration(resolution.took_s)),
    };
    let addresses: Vec<String> = resolution.addresses.iter().map(ToString::to_string).collect();
    let text = format!(
        "Name: {by} said {}{took}{}.",
        list(&addresses),
        candidates(&resolution.lookups)
    );
    let mut lines = wrap("  ", &text, style.width());
    if style.verbose() {
        lines.extend(asked(name, style));
    }
    lines.extend(endpoint::findings(&name.findings, style));
    if let Some(wait) = name
        .wait_without_happy_eyeballs_s
        .filter(|wait| *wait >= WORTH_SAYING)
    {
        let text = format!(
            "A client that tries these addresses one after another, without Happy Eyeballs, waits {} before it is \
             connected.",
            human_duration(wait)
        );
        lines.extend(wrap("  ", &text, style.width()));
    }
    lines
}

/// Candidates of the search list that were asked in vain before the one that has the addresses.
fn candidates(lookups: &[Lookup]) -> String {
    let mut names: Vec<&str> = lookups.iter().map(|lookup| lookup.candidate.as_str()).collect();
    names.dedup();
    let answered = lookups
        .iter()
        .find(|lookup| matches!(lookup.outcome, LookupOutcome::Addresses { .. }));
    let Some(answered) = answered else {
        return String::new();
    };
    match names
        .iter()
        .take_while(|name| **name != answered.candidate)
        .count()
    {
        0 => String::new(),
        vain => format!(
            ", as {}, after {} in vain",
            answered.candidate,
            count(vain, "other candidate", "other candidates")
        ),
    }
}

/// Every question and its answer; the server is named once where there is only one.
fn asked(name: &NameOutcome, style: &Style) -> Vec<String> {
    let lookups = &name.resolution.lookups;
    let longest = lookups
        .iter()
        .map(|lookup| lookup.candidate.chars().count())
        .max()
        .unwrap_or(0);
    let line = |question: Question| {
        let Question {
            candidate,
            families,
            said,
        } = question;
        let lead = format!("    {candidate:<longest$}  {families:<7}  ");
        hang(&lead, "        ", &said, style.width())
    };
    let (heading, questions) = questions(name);
    let body = questions.into_iter().flat_map(line).collect();
    endpoint::section(&heading, body, style)
}

/// A question and its answer; of both families, if that was the same.
pub(super) struct Question<'a> {
    pub(super) candidate: &'a str,
    pub(super) families: String,
    pub(super) said: String,
}

/// Who was asked, and every question.
pub(super) fn questions<'a>(name: &'a NameOutcome) -> (String, Vec<Question<'a>>) {
    let lookups = &name.resolution.lookups;
    let mut servers: Vec<IpAddr> = lookups
        .iter()
        .filter_map(|lookup| lookup.server)
        .map(|server| server.ip())
        .collect();
    servers.sort_unstable();
    servers.dedup();
    let heading = match servers.as_slice() {
        [only] => format!("Asked {only}"),
        [] => "Asked nobody".to_owned(),
        _ => "Asked".to_owned(),
    };
    let question = |alike: &'a [Lookup]| {
        let first = alike.first()?;
        let families: Vec<&str> = alike.iter().map(family).collect();
        let from = first
            .server
            .filter(|_| servers.len() > 1)
            .map_or_else(String::new, |server| format!(" from {}", server.ip()));
        let took = alike.iter().map(|lookup| lookup.took_s).max().unwrap_or_default();
        let took = if matches!(first.outcome, LookupOutcome::NoServer { .. }) {
            String::new()
        } else {
            format!(" in {}", human_duration(took))
        };
        Some(Question {
            candidate: &first.candidate,
            families: families.join(", "),
            said: format!("{}{from}{took}", said(&first.outcome)),
        })
    };
    let questions = lookups.chunk_by(are_alike).filter_map(question).collect();
    (heading, questions)
}

/// Both families of a candidate, answered alike.
fn are_alike(one: &Lookup, other: &Lookup) -> bool {
    one.candidate == other.candidate && one.server == other.server && one.outcome == other.outcome
}

const fn family(lookup: &Lookup) -> &'static str {
    match lookup.family {
        Family::A => "A",
        Family::Aaaa => "AAAA",
    }
}

fn said(outcome: &LookupOutcome) -> String {
    match outcome {
        LookupOutcome::Addresses { addresses } => {
            list(&addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        LookupOutcome::NxDomain => "NXDOMAIN".to_owned(),
        LookupOutcome::NoData => "no record".to_owned(),
        LookupOutcome::ServFail => "SERVFAIL".to_owned(),
        LookupOutcome::Refused => "REFUSED".to_owned(),
        LookupOutcome::OtherCode { code } => format!("response code {code}"),
        LookupOutcome::Timeout => "no answer".to_owned(),
        LookupOutcome::ServerUnreachable { errno } => errno.clone(),
        LookupOutcome::NoServer { why } => format!("no server ({why})"),
        LookupOutcome::Malformed { why } => format!("malformed answer ({why})"),
    }
}
