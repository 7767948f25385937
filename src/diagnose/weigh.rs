//! What the signs leave of the table: each surviving cause with its weight.

use super::cell::{Cell, Silence};
use super::signs::{Column, Reading, Sign, Signs};
use super::table::{EVERYWHERE, ROWS, Row};
use super::{Cause, Confidence};

/// A cause that the evidence allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) cause: Cause,
    /// Its share among all that is left, 0 to 1.
    pub(super) share: f64,
    /// The most that may be claimed for it.
    pub(super) ceiling: Confidence,
}

/// The causes that the signs leave, the heaviest first.
pub(super) fn weigh(signs: &Signs) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for row in ROWS {
        let weight = weight(row, signs);
        if weight <= 0.0 {
            continue;
        }
        match candidates
            .iter_mut()
            .find(|candidate| candidate.cause == row.cause)
        {
            Some(candidate) => {
                if weight > candidate.share {
                    candidate.ceiling = row.ceiling;
                }
                candidate.share += weight;
            }
            None => candidates.push(Candidate {
                cause: row.cause,
                share: weight,
                ceiling: row.ceiling,
            }),
        }
    }
    let total: f64 = candidates.iter().map(|candidate| candidate.share).sum();
    for candidate in &mut candidates {
        candidate.share /= total;
    }
    candidates.sort_by(|a, b| b.share.total_cmp(&a.share));
    candidates
}

fn weight(row: &Row, signs: &Signs) -> f64 {
    let named = row
        .cells
        .iter()
        .chain(EVERYWHERE.iter().filter(|(column, _)| !names(row, *column)));
    named.fold(row.prior, |weight, (column, cell)| {
        let Some(reading) = signs.column(*column) else {
            return weight * not_looked_at(*column, cell);
        };
        weight * fit(cell, reading, signs.loss)
    })
}

fn names(row: &Row, column: Column) -> bool {
    row.cells.iter().any(|(named, _)| *named == column)
}

/// A run that did not look may not claim a cause that needs to be seen. The controls are the exception: every silence
/// is held against them, so that before they have an outcome all that they will decide is open. And where no connection
/// was made, what becomes of one is open too.
fn not_looked_at(column: Column, cell: &Cell) -> f64 {
    if cell.needs.is_empty() {
        return 1.0;
    }
    match column {
        Column::Control => 1.0,
        Column::Ending => UNSEEN_ENDING,
        Column::Syn
        | Column::PathTime
        | Column::Echo
        | Column::Ack
        | Column::ControlAck
        | Column::Fin
        | Column::HalfOpen
        | Column::Challenge
        | Column::Origin
        | Column::Others
        | Column::Sweep
        | Column::Neighbour
        | Column::Route
        | Column::Listener
        | Column::Egress
        | Column::Ingress => 0.0,
    }
}

/// Most servers keep the connections that they offer.
const UNSEEN_ENDING: f64 = 0.2;

fn fit(cell: &Cell, reading: &Reading, loss: f64) -> f64 {
    let seen = cell.needs.is_empty() || cell.needs.iter().any(|sign| reading.has(*sign));
    if !seen && !may_be_lost(cell, reading) {
        return 0.0;
    }
    let answers: f64 = distinct(reading).map(|sign| fit_of(cell, sign)).product();
    answers * silence(cell.silence, reading, loss)
}

/// An answer of the host that never came may have been lost each time: [`silence`] weighs that.
fn may_be_lost(cell: &Cell, reading: &Reading) -> bool {
    cell.needs == [Sign::HostAnswers] && cell.silence == Silence::Loss && reading.all_silent()
}

fn distinct(reading: &Reading) -> impl Iterator<Item = Sign> {
    let mut signs: Vec<Sign> = Vec::new();
    for (sign, _) in &reading.answers {
        if !signs.contains(sign) {
            signs.push(*sign);
        }
    }
    signs.into_iter()
}

fn fit_of(cell: &Cell, sign: Sign) -> f64 {
    cell.fits
        .iter()
        .find(|(fits, _)| *fits == sign)
        .map_or(cell.otherwise, |(_, fit)| *fit)
}

fn silence(silence: Silence, reading: &Reading, loss: f64) -> f64 {
    let unanswered = i32::try_from(reading.unanswered).unwrap_or(i32::MAX);
    let answered = i32::try_from(reading.answers.len()).unwrap_or(i32::MAX);
    match silence {
        Silence::Loss => loss.powi(unanswered) * (1.0 - loss).powi(answered),
        Silence::Lost => loss.powi(unanswered),
        Silence::UnlessItAnswers if answered > 0 => loss.powi(unanswered) * (1.0 - loss).powi(answered),
        Silence::Either | Silence::UnlessItAnswers if unanswered > 0 => 0.5,
        Silence::PerhapsMixed if unanswered == 0 => 1.0,
        Silence::Expected | Silence::Either | Silence::UnlessItAnswers => 1.0,
        Silence::Mixed if unanswered == 0 => 0.0,
        Silence::Mixed | Silence::PerhapsMixed => mixture(answered, unanswered),
    }
}

/// How likely just these answers and silences are in a row when nothing is known of the share that is answered: the mean
/// of `q^a (1-q)^u` over all shares q, which is `a! u! / (a+u+1)!`.
fn mixture(answered: i32, unanswered: i32) -> f64 {
    let choices = (1..=unanswered).map(|k| f64::from(k) / (f64::from(answered) + f64::from(k)));
    choices.product::<f64>() / (f64::from(answered) + f64::from(unanswered) + 1.0)
}
