//! A cell of the hypothesis table: what a cause makes us expect of one column.

use super::signs::Sign;

/// What a cause makes us expect of one column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Signs that fit, each with how well (1 is fully).
    pub(super) fits: &'static [(Sign, f64)],
    /// At least one of these must have been seen; empty demands nothing.
    pub(super) needs: &'static [Sign],
    /// How well any other sign fits; 0 removes the row.
    pub(super) otherwise: f64,
    /// What silence does to the row.
    pub(super) silence: Silence,
}

/// What silence in a column does to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It is what the cause makes us expect.
    Expected,
    /// It must have been loss: less likely with each packet.
    Loss,
    /// The same, where an answer beside it is no sign that nothing is lost.
    Lost,
    /// As likely as an answer.
    Either,
    /// As likely as an answer; but beside an answer it must have been loss.
    UnlessItAnswers,
    /// The cause shows as a mixture of answers and silence; without any silence the row is out.
    Mixed,
    /// The same, but without any silence the row stays: the queue was full at our ACK, and may be full at a SYN too.
    PerhapsMixed,
}

pub(super) const fn fits(fits: &'static [(Sign, f64)]) -> Cell {
    Cell {
        fits,
        needs: &[],
        otherwise: 0.0,
        silence: Silence::Either,
    }
}

impl Cell {
    pub(super) const fn needs(self, needs: &'static [Sign]) -> Self {
        Self { needs, ..self }
    }
    pub(super) const fn otherwise(self, otherwise: f64) -> Self {
        Self { otherwise, ..self }
    }
    pub(super) const fn silence(self, silence: Silence) -> Self {
        Self { silence, ..self }
    }
}
