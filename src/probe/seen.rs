//! What has been seen so far, as the investigation asks for it.

use super::Investigation;
use crate::evidence::{Dial, Look, NextHop, Saw};

impl Investigation {
    pub(super) fn connects(&self) -> impl Iterator<Item = &Dial> {
        self.evidence.observations.iter().filter_map(|observation| {
            let Saw::Connect(dial) = &observation.saw else {
                return None;
            };
            Some(dial)
        })
    }

    pub(super) fn first_connect(&self) -> Option<&Dial> {
        self.connects().next()
    }

    /// Whether the address is one of our own: then the source address of our connection is the same.
    pub(super) fn is_local(&self) -> bool {
        let endpoint = self.evidence.endpoint.ip();
        endpoint.is_loopback()
            || self
                .connects()
                .any(|dial| dial.from.is_some_and(|from| from.ip() == endpoint))
            || self.next_hop() == Some(NextHop::Local)
    }

    pub(super) fn is_beyond_a_router(&self) -> bool {
        matches!(self.next_hop(), Some(NextHop::Gateway(_)))
    }

    fn next_hop(&self) -> Option<NextHop> {
        self.evidence.observations.iter().find_map(|observation| {
            let Saw::Route(Look::Saw(route)) = &observation.saw else {
                return None;
            };
            Some(route.next_hop)
        })
    }
}
