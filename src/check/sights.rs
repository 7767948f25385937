//! What can be looked at, found out once a family.

use std::cell::OnceCell;

use crate::evidence::Sight;
use crate::net::raw::RawSight;
use crate::net::sight;

/// What can be looked at, found out once a family: it takes a handful of system calls, which count where thousands of
/// endpoints are looked at.
#[derive(Debug)]
pub struct Sights {
    raw: RawSight,
    known: [OnceCell<Sight>; 2],
}

impl Sights {
    /// Finds out nothing before it is asked.
    pub fn new(raw: RawSight) -> Self {
        Self {
            raw,
            known: [OnceCell::new(), OnceCell::new()],
        }
    }

    /// That of one family.
    pub(super) fn of(&self, is_ipv4: bool) -> &Sight {
        self.known[usize::from(is_ipv4)].get_or_init(|| sight::sight(is_ipv4, &self.raw))
    }
}
