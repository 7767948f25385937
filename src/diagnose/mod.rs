//! `Evidence -> Diagnosis`. No socket, no clock, no environment.

pub mod advice;
mod cell;
pub mod doctor;
mod expectation;
pub mod explain;
mod findings;
pub mod hold;
mod idle;
pub mod name;
mod reasons;
mod signs;
pub mod sizes;
pub mod sockets;
mod table;
mod vocabulary;
mod weigh;

pub use expectation::{Expectation, Judged};
pub use signs::SHORTEST_WAIT;
pub use vocabulary::{Cause, Class, Confidence, FindingKind, UnknownLabel};

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::{Answer, Evidence, Question};
use signs::{Column, Reading, Signs};
use weigh::Candidate;

/// A verdict, how sure it is, what it rests on and what else it could be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Why; its class follows from it ([`Cause::class`]).
    pub cause: Cause,
    /// How sure.
    pub confidence: Confidence,
    /// Who said so: the sender of the ICMP error that the verdict rests on, or the last hop that answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// What the verdict rests on.
    pub because: Vec<Reason>,
    /// Other causes that the evidence still allows, the likelier first.
    pub not_ruled_out: Vec<Cause>,
    /// True and useful, but not the verdict.
    pub findings: Vec<Finding>,
}

/// One reason, and the observations that it points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's observations.
    pub observations: Vec<usize>,
}

/// Something true and useful that is not the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which.
    pub kind: FindingKind,
    /// A sentence for a person.
    pub says: String,
    /// Indices into the evidence's observations; empty where the finding is about several endpoints.
    pub observations: Vec<usize>,
}

/// What the evidence of one endpoint means.
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let signs = Signs::of(evidence);
    let candidates = weigh::weigh(&signs);
    let findings = findings::of_endpoint(evidence);
    let (cause, confidence) = verdict(evidence, &signs, &candidates, &findings);
    let mut not_ruled_out = not_ruled_out(&candidates, cause);
    // Our SYN was answered and those of others to the same port are not: it may answer some of them alone.
    let others_wait = findings
        .iter()
        .any(|finding| finding.kind == FindingKind::OwnSynSentStuck);
    if others_wait && cause.class() == Class::Open && !not_ruled_out.contains(&Cause::Overloaded) {
        not_ruled_out.push(Cause::Overloaded);
    }
    let confidence = if not_ruled_out.is_empty() {
        confidence
    } else {
        confidence.min(Confidence::Likely)
    };
    let connected = Diagnosis {
        cause,
        confidence,
        from: from(evidence, cause),
        because: reasons::of(evidence, &signs, cause),
        not_ruled_out,
        findings,
    };
    idle::left_idle(evidence, connected)
}

/// Whether some SYNs to the port were answered and others were not: by a queue at its brim or by loss, or since the endpoint became
/// another while it was looked at.
pub fn is_mixed(evidence: &Evidence) -> bool {
    let signs = Signs::of(evidence);
    let syn = signs.column(Column::Syn);
    syn.is_some_and(|syn| syn.unanswered > 0 && !syn.answers.is_empty())
}

/// From this share on a cause may be called certain, if its row allows that.
const CERTAIN: f64 = 0.97;
/// From this share on it is likely.
const LIKELY: f64 = 0.6;
/// From this share of lost packets on, what was not answered may have been lost each time.
const LOSSY: f64 = 0.1;
/// Below this share another cause counts as ruled out.
const RULED_OUT: f64 = 0.02;
/// A silence that was listened to for less says nothing at all.
const SHORTEST_SILENCE: Duration = Duration::from_millis(500);

fn verdict(
    evidence: &Evidence,
    signs: &Signs,
    candidates: &[Candidate],
    findings: &[Finding],
) -> (Cause, Confidence) {
    let (Some(best), Some(syn)) = (candidates.first(), signs.column(Column::Syn)) else {
        return (Cause::Undecided, Confidence::Possible);
    };
    let is_alone = best.ceiling == Confidence::Certain && best.share >= CERTAIN;
    // A SYN-ACK that is lost once, or on a path that loses much, is no path that loses them all.
    let may_be_chance =
        best.cause == Cause::ReturnPath && (signs.loss > LOSSY || !silence_counts(evidence, syn.unanswered));
    let proven = is_alone && !may_be_chance;
    if syn.all_silent() && !proven {
        if listened(evidence) < SHORTEST_SILENCE {
            return (Cause::Undecided, Confidence::Possible);
        }
        if best.share < LIKELY {
            return (Cause::Unattributed, Confidence::Possible);
        }
        if !silence_counts(evidence, syn.unanswered) {
            return (best.cause, Confidence::Possible);
        }
    }
    // A path that is known to lose much explains what is missing as well as a queue that nobody has seen.
    let connects = |candidate: &&Candidate| {
        candidate.share >= RULED_OUT && matches!(candidate.cause.class(), Class::Open | Class::Slow)
    };
    if signs.loss > LOSSY
        && matches!(best.cause, Cause::Overloaded | Cause::AckIgnored)
        && let Some(connected) = candidates.iter().find(connects)
    {
        return (connected.cause, Confidence::Possible);
    }
    if best.cause == Cause::Overloaded && !silence_counts(evidence, tries(syn)) {
        // So few that went unanswered are loss rather than a queue at its brim.
        let loss = candidates.get(1).map_or(best.cause, |next| next.cause);
        return (loss, Confidence::Possible);
    }
    let confidence = if best.share >= CERTAIN {
        if may_be_chance {
            best.ceiling.min(Confidence::Likely)
        } else {
            best.ceiling
        }
    } else if best.share >= LIKELY {
        best.ceiling.min(Confidence::Likely)
    } else {
        Confidence::Possible
    };
    // An answer that a proxy may have given, or that others of its kind did not come to, proves less.
    let in_doubt = syn.unanswered > 0
        || findings
            .iter()
            .any(|finding| finding.kind == FindingKind::ProxySuspected);
    if in_doubt && best.cause.class() == Class::Open {
        return (best.cause, confidence.min(Confidence::Likely));
    }
    (best.cause, confidence)
}

fn tries(syn: &Reading) -> u32 {
    let answered = u32::try_from(syn.answers.len()).unwrap_or(u32::MAX);
    syn.unanswered.saturating_add(answered)
}

/// For how long the SYNs to the port have been listened to, from the first one on.
///
/// A try that was cut short listened to nothing.
fn listened(evidence: &Evidence) -> Duration {
    let shortest_wait = signs::shortest_wait(evidence);
    let connects = signs::connects(evidence)
        .filter(|(_, observation, dial)| {
            dial.answer != Answer::Silence || observation.took_s >= shortest_wait
        })
        .map(|(_, observation, _)| observation);
    let shots = signs::shots(evidence, Question::Syn, true)
        .map(|(_, observation, _)| observation)
        .filter(|observation| observation.took_s >= shortest_wait);
    connects
        .chain(shots)
        .map(|observation| observation.at_s + observation.took_s)
        .max()
        .unwrap_or_default()
}

/// Silence counts only after several tries spread over more than a second.
fn silence_counts(evidence: &Evidence, tries: u32) -> bool {
    tries >= 3 && listened(evidence) > Duration::from_secs(1)
}

fn not_ruled_out(candidates: &[Candidate], cause: Cause) -> Vec<Cause> {
    candidates
        .iter()
        .filter(|candidate| candidate.share >= RULED_OUT && candidate.cause != cause)
        .map(|candidate| candidate.cause)
        .collect()
}

/// Who said so, or the last hop that answered where nobody did.
fn from(evidence: &Evidence, cause: Cause) -> Option<IpAddr> {
    let said_so = signs::icmp_errors(evidence).find_map(|error| error.from);
    match cause.class() {
        Class::Rejected | Class::Unreachable => said_so.or_else(|| signs::rejection_of_others(evidence)),
        Class::Filtered => {
            let reached = signs::gave_up_fragment(evidence).or_else(|| signs::last_hop(evidence));
            said_so.or(reached.map(|(from, _)| from))
        }
        Class::Open
        | Class::Slow
        | Class::Refused
        | Class::BacklogFull
        | Class::Reset
        | Class::IdleDeath
        | Class::DnsFailed
        | Class::LocalError
        | Class::Unknown => None,
    }
}
