//! What a name resolution means, and what several endpoints of one name mean side by side.

use std::time::Duration;

use super::{Cause, Class, Confidence, Diagnosis, Finding, FindingKind, Reason};
use crate::evidence::{Evidence, Family, LookupOutcome, Resolution};

/// The verdict on a name that gave no address; absent when it gave one.
pub fn diagnose_name(resolution: &Resolution) -> Option<Diagnosis> {
    if !resolution.addresses.is_empty() {
        return None;
    }
    let cause = questions(resolution)
        .into_iter()
        .filter_map(|question| settled(resolution, question))
        .max_by_key(|cause| rank(*cause))
        .unwrap_or(Cause::Undecided);
    // An answer about the name itself decides; trouble on the way to one may have several reasons.
    let confidence = if cause == Cause::Undecided {
        Confidence::Possible
    } else if decides(cause) {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let because = resolution
        .lookups
        .iter()
        .enumerate()
        .map(|(index, lookup)| Reason {
            says: format!(
                "{} {}: {}",
                lookup.candidate,
                record(lookup.family),
                outcome(&lookup.outcome)
            ),
            observations: vec![index],
        })
        .collect();
    Some(Diagnosis {
        cause,
        confidence,
        from: None,
        because,
        not_ruled_out: Vec::new(),
        findings: Vec::new(),
    })
}

fn record(family: Family) -> &'static str {
    match family {
        Family::A => "A",
        Family::Aaaa => "AAAA",
    }
}

/// What was asked: each candidate and record type once, however many servers it was put to.
fn questions(resolution: &Resolution) -> Vec<(&str, Family)> {
    let mut questions = Vec::new();
    for lookup in &resolution.lookups {
        let question = (lookup.candidate.as_str(), lookup.family);
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions
}

/// What the answers to one question come to: the word of a server that knows outweighs the trouble with the others, and
/// NXDOMAIN holds for every record type of the name (RFC 2308, 2.1).
fn settled(resolution: &Resolution, (candidate, family): (&str, Family)) -> Option<Cause> {
    let causes = || {
        let of_candidate = resolution
            .lookups
            .iter()
            .filter(move |lookup| lookup.candidate == candidate);
        of_candidate.filter_map(|lookup| Some((lookup.family, of_outcome(&lookup.outcome)?)))
    };
    let own = || {
        causes()
            .filter(|(asked, _)| *asked == family)
            .map(|(_, cause)| cause)
    };
    let word = own()
        .filter(|cause| decides(*cause))
        .max_by_key(|cause| rank(*cause));
    let name_is_not_there = causes().any(|(_, cause)| cause == Cause::NxDomain);
    word.or(name_is_not_there.then_some(Cause::NxDomain))
        .or_else(|| own().max_by_key(|cause| rank(*cause)))
}

/// Whether that is an answer about the name itself.
fn decides(cause: Cause) -> bool {
    matches!(cause, Cause::NxDomain | Cause::NoAddress)
}

/// What one lookup would mean if it were the only one.
pub(super) fn of_outcome(outcome: &LookupOutcome) -> Option<Cause> {
    Some(match outcome {
        LookupOutcome::Addresses { .. } => return None,
        LookupOutcome::NxDomain => Cause::NxDomain,
        LookupOutcome::NoData => Cause::NoAddress,
        LookupOutcome::ServFail | LookupOutcome::OtherCode { .. } | LookupOutcome::Malformed { .. } => {
            Cause::ServFail
        }
        LookupOutcome::Refused => Cause::DnsRefused,
        LookupOutcome::Timeout => Cause::DnsTimeout,
        LookupOutcome::ServerUnreachable { .. } | LookupOutcome::NoServer { .. } => Cause::DnsUnreachable,
    })
}

/// An answer that leaves the name undecided outranks one that decides it: as long as one candidate or one family got no
/// answer, the name may exist. A name that exists without an address outranks one that does not exist.
const RANK: [Cause; 6] = [
    Cause::NxDomain,
    Cause::NoAddress,
    Cause::DnsUnreachable,
    Cause::DnsTimeout,
    Cause::DnsRefused,
    Cause::ServFail,
];

fn rank(cause: Cause) -> Option<usize> {
    RANK.iter().position(|ranked| *ranked == cause)
}

fn outcome(outcome: &LookupOutcome) -> String {
    match outcome {
        LookupOutcome::Addresses { addresses } => addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        LookupOutcome::NxDomain => "NXDOMAIN, there is no such name".to_owned(),
        LookupOutcome::NoData => "the name has no record of this type".to_owned(),
        LookupOutcome::ServFail => "SERVFAIL".to_owned(),
        LookupOutcome::Refused => "REFUSED".to_owned(),
        LookupOutcome::OtherCode { code } => format!("response code {code}"),
        LookupOutcome::Timeout => "no answer in time".to_owned(),
        LookupOutcome::ServerUnreachable { errno } => format!("the server cannot be reached ({errno})"),
        LookupOutcome::NoServer { why } => format!("no server to ask: {why}"),
        LookupOutcome::Malformed { why } => format!("an answer that is no valid DNS message: {why}"),
    }
}

/// What the endpoints of one name say when they are put side by side, in the order in which a client tries them.
pub fn compare(endpoints: &[(&Evidence, &Diagnosis)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let works = |wanted_v4: bool| {
        let mut of_family = endpoints
            .iter()
            .filter(|(evidence, _)| evidence.endpoint.is_ipv4() == wanted_v4)
            .peekable();
        of_family.peek()?;
        Some(of_family.any(|(_, diagnosis)| connects(diagnosis)))
    };
    if let (Some(v4), Some(v6)) = (works(true), works(false))
        && v4 != v6
    {
        let (good, bad) = if v4 { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
        findings.push(Finding {
            kind: FindingKind::V4V6Differ,
            says: format!(
                "{good} works and {bad} does not: who waits depends on which family the client tries first"
            ),
            observations: Vec::new(),
        });
    }
    for v4 in [true, false] {
        let of_family: Vec<_> = endpoints
            .iter()
            .filter(|(evidence, _)| evidence.endpoint.is_ipv4() == v4)
            .collect();
        let differing = of_family
            .iter()
            .find(|(_, diagnosis)| diagnosis.cause.class() != of_family[0].1.cause.class());
        if let Some((evidence, diagnosis)) = differing {
            findings.push(Finding {
                kind: FindingKind::AddressesDiffer,
                says: format!(
                    "{} is {} while {} is {}: whether a client gets through depends on the address it picks",
                    of_family[0].0.endpoint,
                    of_family[0].1.cause.class(),
                    evidence.endpoint,
                    diagnosis.cause.class()
                ),
                observations: Vec::new(),
            });
        }
    }
    findings
}

/// How long a client that tries the addresses one after another waits before it is connected; absent when none is open
/// or the first one is.
///
/// `hang` is how long a default client waits on silence.
pub fn wait_without_happy_eyeballs(
    endpoints: &[(&Evidence, &Diagnosis)],
    hang: Option<Duration>,
) -> Option<Duration> {
    let first_good = endpoints.iter().position(|(_, diagnosis)| connects(diagnosis))?;
    if first_good == 0 {
        return None;
    }
    endpoints[..first_good]
        .iter()
        .try_fold(Duration::ZERO, |sum, (evidence, diagnosis)| {
            let wait = match diagnosis.cause.class() {
                Class::Filtered | Class::BacklogFull | Class::Unknown => hang?,
                Class::Open
                | Class::Slow
                | Class::Refused
                | Class::Rejected
                | Class::Unreachable
                | Class::Reset
                | Class::IdleDeath
                | Class::DnsFailed
                | Class::LocalError => super::signs::connects(evidence)
                    .next()
                    .map(|(_, observation, _)| observation.took_s)?,
            };
            Some(sum + wait)
        })
}

fn connects(diagnosis: &Diagnosis) -> bool {
    matches!(diagnosis.cause.class(), Class::Open | Class::Slow)
}
