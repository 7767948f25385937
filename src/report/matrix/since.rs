//! What each edge was before, for the forms that tell of every edge by itself.

use std::collections::HashMap;

use super::words;
use crate::matrix::{Answer, Cell, Change, ChangeKind, Identity};
use crate::target::Target;

/// The changes since the baseline, by edge.
#[derive(Debug)]
pub(super) struct Since<'a>(HashMap<(&'a Identity, &'a Target), &'a Change>);

impl<'a> Since<'a> {
    /// Of an answer; without a baseline nothing has changed.
    pub(super) fn of(answer: &'a Answer) -> Self {
        let changed = answer.changes.iter().flat_map(|changes| &changes.changed);
        Self(
            changed
                .filter(|change| change.kind != ChangeKind::Vanished)
                .map(|change| ((change.source.as_ref(), change.target.as_ref()), change))
                .collect(),
        )
    }

    /// `, was met open/healthy before`; empty where nothing has changed.
    pub(super) fn says(&self, answer: &Answer, cell: &Cell) -> String {
        let place = (answer.source_of(cell), answer.target_of(cell));
        match self.0.get(&place) {
            None => String::new(),
            Some(change) if change.kind == ChangeKind::Appeared => ", new since the baseline".to_owned(),
            Some(change) => format!(", was {} in the baseline", words::was(change.was)),
        }
    }
}
