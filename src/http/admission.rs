//! How many there are at a time: connections, of all and of one peer, and requests.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

/// The connections that there are.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_of_a_peer: usize,
    total: Cell<usize>,
    of_peers: RefCell<HashMap<IpAddr, usize>>,
}

/// One of them; gone when dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    peer: IpAddr,
    among: Rc<Connections>,
}

impl Connections {
    pub(super) fn new(most: usize, most_of_a_peer: usize) -> Rc<Self> {
        Rc::new(Self {
            most,
            most_of_a_peer,
            total: Cell::default(),
            of_peers: RefCell::default(),
        })
    }

    /// One more, unless there are too many.
    pub(super) fn admit(self: &Rc<Self>, address: IpAddr) -> Option<Admitted> {
        let peer = peer(address);
        let mut of_peers = self.of_peers.borrow_mut();
        let of_this_one = of_peers.get(&peer).copied().unwrap_or_default();
        if self.total.get() >= self.most || of_this_one >= self.most_of_a_peer {
            return None;
        }
        self.total.set(self.total.get() + 1);
        of_peers.insert(peer, of_this_one + 1);
        Some(Admitted {
            peer,
            among: Rc::clone(self),
        })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let Connections { total, of_peers, .. } = &*self.among;
        total.set(total.get() - 1);
        let mut of_peers = of_peers.borrow_mut();
        if let Some(count) = of_peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                of_peers.remove(&self.peer);
            }
        }
    }
}

/// Who counts as one: a host has 64 bits of IPv6 addresses for itself.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Requests that are being answered.
#[derive(Debug)]
pub(super) struct Requests {
    most: usize,
    count: Cell<usize>,
}

/// One of them; over when dropped.
#[derive(Debug)]
pub(super) struct Answering(Rc<Requests>);

impl Requests {
    pub(super) fn new(most: usize) -> Rc<Self> {
        Rc::new(Self {
            most,
            count: Cell::default(),
        })
    }

    /// One more, unless there are too many.
    pub(super) fn admit(self: &Rc<Self>) -> Option<Answering> {
        let count = self.count.get();
        (count < self.most).then(|| {
            self.count.set(count + 1);
            Answering(Rc::clone(self))
        })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_gets_its_share_and_all_together_get_no_more_than_there_is() {
        let connections = Connections::new(3, 2);
        let [a, b, c] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| text.parse().unwrap());
        let first = connections.admit(a).unwrap();
        let _second = connections.admit(a).unwrap();
        assert!(connections.admit(a).is_none(), "its share is used up");
        let _third = connections.admit(b).unwrap();
        assert!(connections.admit(c).is_none(), "all are used up");
        drop(first);
        assert!(connections.admit(c).is_some());
    }

    #[test]
    fn a_peer_is_a_v4_address_in_whatever_form_and_a_v6_network() {
        for (one, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8::1", "2001:db8::2:3:4:5"),
        ] {
            assert_eq!(peer(one.parse().unwrap()), peer(other.parse().unwrap()));
        }
        for (one, other) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")] {
            assert_ne!(peer(one.parse().unwrap()), peer(other.parse().unwrap()));
        }
    }

    #[test]
    fn a_request_that_is_over_makes_room() {
        let requests = Requests::new(1);
        let first = requests.admit().unwrap();
        assert!(requests.admit().is_none());
        drop(first);
        assert!(requests.admit().is_some());
    }
}
