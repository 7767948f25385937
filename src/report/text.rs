//! For a person at two in the morning: the verdict in the first line, then what it rests on and what to run next.

pub(super) mod endpoint;
mod name;
mod packets;
pub mod story;
mod timeline;

use std::io;
use std::time::Duration;

use super::series;
use super::style::{Style, Verbosity};
use super::{Report, human};
use crate::check::{EndpointOutcome, TargetOutcome};
use crate::diagnose::Diagnosis;
use crate::evidence::SynSchedule;

/// Writes the whole report.
pub fn write(report: &Report, style: &Style, out: &mut impl io::Write) -> io::Result<()> {
    let mut writer = Writer::default();
    for outcome in report.targets {
        writer.target(outcome, report.syn_schedule, style, out)?;
    }
    for one in report.series {
        if writer.before > 0 && style.verbosity != Verbosity::Quiet {
            writeln!(out)?;
        }
        series::write_text(one, style, out)?;
        writer.before = 1;
    }
    Ok(())
}

/// Writes targets one after another, so that a long run can say what it knows.
#[derive(Debug, Default)]
pub struct Writer {
    /// How many lines the last target had.
    before: usize,
}

impl Writer {
    /// An empty line after a long target.
    pub fn set_apart(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        if self.before > 1 {
            writeln!(out)?;
        }
        self.before = 0;
        Ok(())
    }

    /// Writes one target, set apart from the one before unless both are single lines.
    pub fn target(
        &mut self,
        outcome: &TargetOutcome,
        schedule: Option<SynSchedule>,
        style: &Style,
        out: &mut impl io::Write,
    ) -> io::Result<()> {
        let lines = target_lines(outcome, schedule, style);
        if self.before > 1 || (self.before == 1 && lines.len() > 1) {
            writeln!(out)?;
        }
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        self.before = lines.len();
        Ok(())
    }
}

fn target_lines(outcome: &TargetOutcome, schedule: Option<SynSchedule>, style: &Style) -> Vec<String> {
    let label = outcome.target.to_string();
    if style.verbosity == Verbosity::Quiet {
        return quiet(outcome, &label, style);
    }
    if let Some(name) = &outcome.name
        && let Some(diagnosis) = &name.failed
    {
        return name::failed(&label, &[], name, diagnosis, style);
    }
    match (&outcome.name, outcome.endpoints.as_slice()) {
        (None, endpoints) => endpoints
            .iter()
            .flat_map(|one| endpoint::lines(&address(one), one, schedule, style))
            .collect(),
        (Some(name), [only]) => {
            let label = format!("{label} ({})", only.evidence.endpoint.ip());
            let mut lines = endpoint::lines(&label, only, schedule, style);
            lines.extend(name::resolution(name, style));
            lines
        }
        (Some(name), endpoints) => several(&label, name, endpoints, schedule, style),
    }
}

/// The verdict on one address of a target, or on its name, with all that it rests on. What is looked at is called `label`
/// and its address; the notes are below the verdict. Empty when no address of the target has this very diagnosis.
pub(super) fn one_verdict(
    label: &str,
    notes: &[String],
    outcome: &TargetOutcome,
    diagnosis: &Diagnosis,
    schedule: Option<SynSchedule>,
    style: &Style,
) -> Vec<String> {
    if let Some(name) = &outcome.name
        && let Some(failed) = name.failed.as_ref().filter(|failed| *failed == diagnosis)
    {
        return name::failed(label, notes, name, failed, style);
    }
    let Some(one) = outcome.endpoints.iter().find(|one| one.diagnosis == *diagnosis) else {
        return Vec::new();
    };
    let label = match outcome.name {
        Some(_) => format!("{label} ({})", one.evidence.endpoint.ip()),
        None => label.to_owned(),
    };
    endpoint::noted_lines(&label, notes, one, schedule, style)
}

/// Several addresses: side by side, then each distinct failure once.
fn several(
    label: &str,
    name: &crate::check::NameOutcome,
    endpoints: &[EndpointOutcome],
    schedule: Option<SynSchedule>,
    style: &Style,
) -> Vec<String> {
    let mut lines = name::side_by_side(label, endpoints, style);
    lines.extend(name::resolution(name, style));
    let mut shown = Vec::new();
    for one in endpoints {
        let cause = one.diagnosis.cause;
        if !style.verbose() && (endpoint::is_brief(one, style) || shown.contains(&cause)) {
            continue;
        }
        shown.push(cause);
        lines.push(String::new());
        lines.extend(endpoint::lines(&address(one), one, schedule, style));
        let alike = endpoints
            .iter()
            .filter(|other| other.diagnosis.cause == cause && !std::ptr::eq(*other, one));
        let alike: Vec<_> = alike
            .map(|other| other.evidence.endpoint.ip().to_string())
            .collect();
        if !style.verbose() && !alike.is_empty() {
            let text = format!("The same at {} (-v shows all).", human::list(&alike));
            lines.extend(human::wrap("  ", &text, style.width()));
        }
    }
    lines
}

fn quiet(outcome: &TargetOutcome, label: &str, style: &Style) -> Vec<String> {
    let line = |label: &str, diagnosis: &crate::diagnose::Diagnosis, rtt: Option<Duration>| {
        let verdict = endpoint::verdict_label(diagnosis);
        let rtt = rtt.map_or_else(String::new, |rtt| format!("  RTT {}", human::human_duration(rtt)));
        let line = format!("{label}  {verdict}  {}{rtt}", diagnosis.confidence);
        style.verdict(&line, &verdict, diagnosis.cause.class())
    };
    let failed = outcome.name.as_ref().and_then(|name| name.failed.as_ref());
    let failed = failed.map(|diagnosis| line(label, diagnosis, None));
    let probed = outcome.endpoints.iter().map(|one| {
        let rtt = one.evidence.handshake_rtt();
        let label = match &outcome.name {
            Some(_) => format!("{label} ({})", one.evidence.endpoint.ip()),
            None => address(one),
        };
        line(&label, &one.diagnosis, rtt)
    });
    failed.into_iter().chain(probed).collect()
}

fn address(one: &EndpointOutcome) -> String {
    one.evidence.endpoint.to_string()
}

#[cfg(test)]
mod tests;
