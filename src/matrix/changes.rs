//! What is different between two answers, such as before and after a policy.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Answer, Cell, Identity, Judgement};
use crate::diagnose::{Cause, Confidence};
use crate::target::Target;

/// What has changed since an earlier answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What is not as it was; ordered by kind, then by row and column.
    pub changed: Vec<Change>,
    /// How many edges are as they were.
    pub unchanged: u64,
}

/// An edge that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In which way.
    pub kind: ChangeKind,
    /// Who looked.
    pub source: Arc<Identity>,
    /// At what.
    pub target: Arc<Target>,
    /// What it was; absent for an edge that appeared.
    pub was: Option<Was>,
    /// What it is; absent for an edge that vanished.
    pub is: Option<Was>,
}

/// What an edge was or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Was {
    /// Whether it was as expected.
    pub judgement: Judgement,
    /// Its verdict.
    pub verdict: Option<(Cause, Confidence)>,
}

/// In which way an edge has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was as expected, and is not.
    Broke,
    /// It is as expected, and was not.
    Mended,
    /// What it comes to is another, but it neither broke nor was mended.
    Judged,
    /// Its verdict is another, what it comes to is not.
    Verdict,
    /// It was not looked at before.
    Appeared,
    /// It was looked at before alone.
    Vanished,
}

impl ChangeKind {
    /// Every value, the worst first.
    pub const ALL: &[Self] = &[
        Self::Broke,
        Self::Mended,
        Self::Judged,
        Self::Verdict,
        Self::Appeared,
        Self::Vanished,
    ];

    /// The stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Mended => "mended",
            Self::Judged => "judged",
            Self::Verdict => "verdict",
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
        }
    }
}

impl Changes {
    /// What is different in `new`.
    pub fn between(old: &Answer, new: &Answer) -> Self {
        let mut before: HashMap<(String, &Target), &Cell> = old
            .cells
            .iter()
            .map(|cell| ((old.source_of(cell).to_string(), old.target_of(cell)), cell))
            .collect();
        let mut changes = Self::default();
        for cell in &new.cells {
            let place = (new.source_of(cell).to_string(), new.target_of(cell));
            let was = before.remove(&place).map(Was::of);
            let is = Was::of(cell);
            match kind(was, is) {
                Some(kind) => changes.changed.push(change(kind, new, cell, was, Some(is))),
                None => changes.unchanged += 1,
            }
        }
        let mut gone: Vec<&Cell> = before.into_values().collect();
        gone.sort_unstable_by_key(|cell| (cell.source, cell.target));
        let vanished = |cell| change(ChangeKind::Vanished, old, cell, Some(Was::of(cell)), None);
        changes.changed.extend(gone.into_iter().map(vanished));
        changes.changed.sort_by_key(|change| change.kind);
        changes
    }

    /// How many edges have changed in one way.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.of(kind).count()
    }

    /// Those that have changed in one way.
    pub fn of(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.changed.iter().filter(move |change| change.kind == kind)
    }
}

impl Was {
    fn of(cell: &Cell) -> Self {
        Self {
            judgement: cell.judged.judgement,
            verdict: cell.verdict,
        }
    }

    fn cause(self) -> Option<Cause> {
        self.verdict.map(|(cause, _)| cause)
    }
}

fn change(kind: ChangeKind, answer: &Answer, cell: &Cell, was: Option<Was>, is: Option<Was>) -> Change {
    Change {
        kind,
        source: Arc::clone(&answer.sources[cell.source as usize]),
        target: Arc::clone(&answer.targets[cell.target as usize]),
        was,
        is,
    }
}

/// Absent where nothing has changed; how sure a verdict is does not count.
fn kind(was: Option<Was>, is: Was) -> Option<ChangeKind> {
    let Some(was) = was else {
        return Some(ChangeKind::Appeared);
    };
    let kind = match (was.judgement, is.judgement) {
        (Judgement::Met, Judgement::Missed) => ChangeKind::Broke,
        (Judgement::Met, Judgement::Met) if was.cause() == is.cause() => return None,
        (old, Judgement::Met) if old != Judgement::Met => ChangeKind::Mended,
        (old, new) if old != new => ChangeKind::Judged,
        _ if was.cause() != is.cause() => ChangeKind::Verdict,
        _ => return None,
    };
    Some(kind)
}
