//! What the metrics come to, held against parsers that are not ours.

use libtest_mimic::Trial;

use crate::House;

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let _ = house;
    Vec::new()
}
