//! What the text says of a target, in parts instead of lines, for forms that have a layout of their own.

use serde::Serialize;

use super::{endpoint, name, timeline};
use crate::check::{EndpointOutcome, NameOutcome, TargetOutcome};
use crate::diagnose::advice::{Advice, advise, advise_name};
use crate::diagnose::explain::explain;
use crate::diagnose::{Cause, Class, Confidence, Diagnosis};
use crate::evidence::SynSchedule;
use crate::report::style::{Style, Verbosity};

/// All that there is to say of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// How the name was resolved, a sentence each; empty where the target is an address.
    pub name: Vec<String>,
    /// One for each verdict: that on a name which failed, else one an address.
    pub parts: Vec<Part>,
}

/// All that there is to say of one verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is about: an address and a port, or a target whose name failed.
    pub about: String,
    /// The verdict's class.
    pub class: Class,
    /// The verdict's cause.
    pub cause: Cause,
    /// How sure it is.
    pub confidence: Confidence,
    /// As it follows the verdict: ` from 10.0.0.1: the verdict in plain words`.
    pub says: String,
    /// What was seen.
    pub seen: Section<Seen>,
    /// What the verdict rests on.
    pub why: Vec<String>,
    /// What else it could be.
    pub others: Section<String>,
    /// What is true and useful beside the verdict.
    pub findings: Vec<String>,
    /// What to run next.
    pub next: Vec<Advice>,
    /// How long clients hang here, and how this run looked.
    pub notes: Vec<String>,
}

/// Items under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section<Item> {
    /// The heading.
    pub heading: String,
    /// What is below it; without any, the heading is none either.
    pub items: Vec<Item>,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The time since the first packet, or the question that was asked of DNS.
    pub lead: String,
    /// What came of it.
    pub says: String,
}

/// No line is ever broken.
const UNBROKEN: Style = Style {
    colour: false,
    width: usize::MAX,
    verbosity: Verbosity::Normal,
};

/// Says everything of a target.
pub fn tell(outcome: &TargetOutcome, schedule: Option<SynSchedule>) -> Story {
    let failed = outcome
        .name
        .as_ref()
        .and_then(|name| Some((name, name.failed.as_ref()?)));
    if let Some((name, diagnosis)) = failed {
        return Story {
            name: Vec::new(),
            parts: vec![of_name(&outcome.target.to_string(), name, diagnosis)],
        };
    }
    let sentences = |name: &NameOutcome| unindented(&name::resolution(name, &UNBROKEN));
    Story {
        name: outcome.name.as_ref().map_or_else(Vec::new, sentences),
        parts: outcome
            .endpoints
            .iter()
            .map(|one| of_endpoint(one, schedule))
            .collect(),
    }
}

fn of_name(label: &str, name: &NameOutcome, diagnosis: &Diagnosis) -> Part {
    let (heading, questions) = name::questions(name);
    let seen = questions.into_iter().map(|question| Seen {
        lead: format!("{} {}", question.candidate, question.families),
        says: question.said,
    });
    Part {
        seen: Section {
            heading,
            items: seen.collect(),
        },
        // The reasons are the lookups.
        why: Vec::new(),
        next: advise_name(&name.resolution, diagnosis),
        notes: name::took(name).into_iter().collect(),
        ..of_diagnosis(
            label.to_owned(),
            diagnosis,
            format!(": {}", explain(diagnosis.cause).in_short),
        )
    }
}

fn of_endpoint(one: &EndpointOutcome, schedule: Option<SynSchedule>) -> Part {
    let EndpointOutcome { evidence, diagnosis } = one;
    let whence = endpoint::whence(diagnosis.cause, diagnosis.from, evidence.endpoint.ip());
    let says = format!("{whence}: {}", endpoint::sentence(one));
    let seen = timeline::seen(evidence, &UNBROKEN)
        .into_iter()
        .map(|(at, says)| Seen {
            lead: format!("{:.3} s", at.as_secs_f64()),
            says,
        });
    // Nobody can ask a page to say more.
    let verbose = Style {
        verbosity: Verbosity::Verbose,
        ..UNBROKEN
    };
    let mut notes = unindented(&endpoint::default_client(diagnosis, schedule, &UNBROKEN));
    notes.push(endpoint::looked_with(
        &evidence.sight,
        diagnosis.cause.class(),
        &verbose,
    ));
    Part {
        seen: Section {
            heading: "Seen".to_owned(),
            items: seen.collect(),
        },
        next: advise(evidence, diagnosis),
        notes,
        ..of_diagnosis(evidence.endpoint.to_string(), diagnosis, says)
    }
}

/// What follows from the verdict alone.
fn of_diagnosis(about: String, diagnosis: &Diagnosis, says: String) -> Part {
    let (heading, others) = endpoint::others(diagnosis);
    Part {
        about,
        class: diagnosis.cause.class(),
        cause: diagnosis.cause,
        confidence: diagnosis.confidence,
        says,
        seen: Section {
            heading: String::new(),
            items: Vec::new(),
        },
        why: diagnosis
            .because
            .iter()
            .map(|reason| reason.says.clone())
            .collect(),
        others: Section {
            heading: heading.to_owned(),
            items: others,
        },
        findings: diagnosis.findings.iter().map(endpoint::found).collect(),
        next: Vec::new(),
        notes: Vec::new(),
    }
}

fn unindented(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.trim_start().to_owned()).collect()
}
