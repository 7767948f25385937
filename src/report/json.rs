//! JSON for programs: one document for a run, or one line for an endpoint.

use std::io;

use serde::Serialize;

use super::Report;
use super::record::{SCHEMA, SeriesLine, document, lines};
use super::series::summarise;
use crate::check::TargetOutcome;
use crate::evidence::SynSchedule;

/// Writes the whole report as one document, indented, with a newline at its end.
pub fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

/// Writes the whole report as JSON lines: one for each endpoint, then one for each series.
pub fn write_lines(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    for outcome in report.targets {
        write_target_lines(outcome, report.syn_schedule, out)?;
    }
    write_series_lines(report, out)
}

/// Writes the lines of the series alone, at the end of a run that has written its targets.
pub fn write_series_lines(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    for series in report.series {
        write_line(
            &SeriesLine {
                schema: SCHEMA,
                series: summarise(series),
            },
            out,
        )?;
    }
    Ok(())
}

/// Writes the lines of one target, so that a long run can say what it knows.
pub fn write_target_lines(
    outcome: &TargetOutcome,
    schedule: Option<SynSchedule>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    lines(outcome, schedule).try_for_each(|line| write_line(&line, out))
}

fn write_line(line: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}

#[cfg(test)]
mod tests;
