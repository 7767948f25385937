//! For a person at two in the morning: the totals, the grid, then what is not as expected and why.

use std::io;

use crate::matrix::{Answer, Edges, Judgement};
use crate::report::Style;

/// Writes the whole answer.
pub(super) fn write(
    answer: &Answer,
    _edges: &dyn Edges,
    _style: &Style,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let totals = answer.totals();
    writeln!(
        out,
        "{} of {} edges are not as expected; {} unproven; {} errors",
        totals.missed,
        totals.edges(),
        totals.unproven,
        totals.errors
    )?;
    for cell in &answer.cells {
        if cell.judged.judgement == Judgement::Met {
            continue;
        }
        let verdict = cell.verdict.map_or_else(
            || "no verdict".to_owned(),
            |(cause, _)| format!("{}/{cause}", cause.class()),
        );
        writeln!(
            out,
            "{}  {} → {}  {verdict}",
            cell.judged.judgement,
            answer.source_of(cell),
            answer.target_of(cell)
        )?;
    }
    for gap in answer.gaps() {
        writeln!(out, "Incomplete: {gap}.")?;
    }
    Ok(())
}
