//! JUnit XML for CI: one suite a source, one case a target.
//!
//! Not as expected is a failure, trouble of our own an error, and what is not proven was skipped: none of these passes
//! silently. What makes the answer incomplete is an error of a suite of its own.

use std::io;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::since::Since;
use super::stories::Story;
use super::{text, words};
use crate::matrix::{Answer, Cell, Edges, Judgement};
use crate::report::style::Style;

/// So many cases have their evidence with them; those beyond say their verdict alone, so that memory is bounded.
const WITH_EVIDENCE: usize = 2000;

/// Writes the whole answer.
pub(super) fn write(answer: &Answer, edges: &dyn Edges, out: &mut impl io::Write) -> io::Result<()> {
    let since = Since::of(answer);
    let mut left = WITH_EVIDENCE;
    let mut report = Report::new(name(answer));
    for (row, source) in (0..).zip(&answer.sources) {
        let mut suite = TestSuite::new(source.to_string());
        for cell in answer.row(row) {
            let mut case = TestCase::new(
                answer.target_of(cell).to_string(),
                status(answer, cell, edges, &since, &mut left)?,
            );
            case.set_classname(source.to_string());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let gaps = answer.gaps();
    if !gaps.is_empty() {
        let mut suite = TestSuite::new("tcpprobe");
        for (number, gap) in (1..).zip(&gaps) {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("incomplete").set_message(gap.to_string());
            suite.add_test_case(TestCase::new(format!("complete {number}"), status));
        }
        report.add_test_suite(suite);
    }
    report.serialize(&mut *out).map_err(io::Error::other)
}

/// The name of the matrix.
fn name(answer: &Answer) -> String {
    let matrix = answer.runs.iter().find_map(|run| run.matrix.as_deref());
    matrix.unwrap_or("tcpprobe matrix").to_owned()
}

fn status(
    answer: &Answer,
    cell: &Cell,
    edges: &dyn Edges,
    since: &Since,
    left: &mut usize,
) -> io::Result<TestCaseStatus> {
    let mut status = match cell.judged.judgement {
        Judgement::Met => return Ok(TestCaseStatus::success()),
        Judgement::Missed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Judgement::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Judgement::Unproven => TestCaseStatus::skipped(),
    };
    let says = words::finding(cell) + &since.says(answer, cell);
    status.set_type(words::verdict_of(cell)).set_message(says);
    if *left > 0 {
        *left -= 1;
        let story = Story { cells: vec![cell] };
        let lines = text::in_full(answer, edges, &story, &Style::default())?;
        status.set_description(lines.join("\n"));
    }
    Ok(status)
}
