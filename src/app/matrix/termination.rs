//! The summary that Kubernetes shows of a container that has ended.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::app::complain;
use crate::matrix::{Answer, Judgement, Run};

/// Where Kubernetes looks, if the container does not say otherwise.
const USUAL: &str = "/dev/termination-log";
/// What it reads of that (`terminationMessagePath`).
const MOST: usize = 4096;

/// Writes the summary to the file that was named, or to the usual one where there is one.
pub(super) fn write(named: Option<&Path>, answer: &Answer, run: &Run) {
    let path = named.unwrap_or(Path::new(USUAL));
    let open = OpenOptions::new()
        .write(true)
        .truncate(true)
        .create(named.is_some())
        .open(path);
    let written = open.and_then(|mut file| file.write_all(message(answer, run).as_bytes()));
    if let (Some(path), Err(error)) = (named, written) {
        complain(&format!("{} cannot be written: {error}", path.display()));
    }
}

/// The totals, then as many edges that are not as expected as there is room for, the missed ones first.
fn message(answer: &Answer, run: &Run) -> String {
    let totals = answer.totals();
    let mut text = format!(
        "{}: {} of {} edges done, {} met, {} missed, {} unproven, {} errors\n",
        run.source, run.done, run.planned, totals.met, totals.missed, totals.unproven, totals.errors
    );
    let mut unexpected: Vec<_> = answer
        .cells
        .iter()
        .filter(|cell| cell.judged.judgement != Judgement::Met)
        .collect();
    unexpected.sort_by_key(|cell| std::cmp::Reverse(cell.judged.judgement));
    let mut left = unexpected.len();
    for cell in unexpected {
        let mut line = format!("{} {}", cell.judged.judgement, answer.target_of(cell));
        if let Some((cause, _)) = cell.verdict {
            let _ = write!(line, " {cause}");
        }
        let _ = write!(line, ", expected {}", cell.demand.expected);
        if let Some(why) = cell.judged.why {
            let _ = write!(line, " ({})", why.label());
        }
        line.push('\n');
        let more = format!("and {left} more\n");
        if text.len() + line.len() + more.len() > MOST {
            text.truncate(MOST.saturating_sub(more.len()).min(text.len()));
            text.push_str(&more);
            break;
        }
        text.push_str(&line);
        left -= 1;
    }
    text
}
