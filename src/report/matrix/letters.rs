//! The letter of each class, which says in a cell what its colour says too.

use crate::diagnose::Class;

/// The letter of a class; no two have the same.
pub(super) const fn letter(class: Class) -> char {
    match class {
        Class::Open => 'O',
        Class::Slow => 'S',
        Class::Refused => 'R',
        Class::Rejected => 'J',
        Class::Unreachable => 'U',
        Class::Filtered => 'F',
        Class::BacklogFull => 'B',
        Class::Reset => 'X',
        Class::DnsFailed => 'D',
        Class::LocalError => 'L',
        Class::Unknown => '?',
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_class_has_a_letter_of_its_own() {
        let letters: BTreeSet<char> = Class::ALL.iter().map(|class| letter(*class)).collect();
        assert_eq!(letters.len(), Class::ALL.len());
    }
}
