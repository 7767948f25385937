//! `tcpprobe explain`.

use std::io;

use super::{Failure, output};
use crate::cli::{CheckArguments, Exit};
use crate::diagnose::explain::Topic;
use crate::diagnose::hold::HoldLabel;
use crate::diagnose::sockets::explain as sockets;
use crate::diagnose::{Expectation, FindingKind};
use crate::report::{explain, hold as of_hold, sockets as of_sockets};

pub(super) fn explain(verdict: Option<&str>, arguments: &CheckArguments) -> Result<Exit, Failure> {
    if let Some(topic) = verdict.and_then(|asked| asked.parse::<sockets::Topic>().ok()) {
        let style = output::style(arguments);
        return output::written(of_sockets::write_topic(topic, &style, &mut io::stdout().lock()));
    }
    if let Some(finding) = verdict.and_then(|asked| asked.parse::<FindingKind>().ok()) {
        let (topic, style) = (Topic::Finding(finding), output::style(arguments));
        return output::written(explain::write(Some(topic), &style, &mut io::stdout().lock()));
    }
    if let Some(label) = verdict.and_then(hold_label) {
        let style = output::style(arguments);
        return output::written(of_hold::write_hold_topic(label, &style, &mut io::stdout().lock()));
    }
    let topic = match verdict
        .map(str::parse::<Expectation>)
        .transpose()
        .map_err(|error| Failure::usage(format!("{error}; 'tcpprobe explain' lists all verdicts")))?
    {
        None => None,
        Some(Expectation::Class(class)) => Some(Topic::Class(class)),
        Some(Expectation::Cause(cause)) => Some(Topic::Cause(cause)),
        Some(Expectation::Reachable) => {
            return Err(Failure::usage(
                "'reachable' is a word for open and slow: explain one of these",
            ));
        }
        Some(Expectation::Blocked) => {
            return Err(Failure::usage(
                "'blocked' is a word for filtered, rejected and refused/middlebox-reset: explain one of these",
            ));
        }
    };
    output::written(explain::write(
        topic,
        &output::style(arguments),
        &mut io::stdout().lock(),
    ))
}

/// `hold/healthy`, or the label alone where no class has that name.
fn hold_label(asked: &str) -> Option<HoldLabel> {
    asked.strip_prefix("hold/").unwrap_or(asked).parse().ok()
}
