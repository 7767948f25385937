//! Which addresses a name has, followed from check to check.

use std::net::IpAddr;

/// The addresses of a name. One that appears counts at once; one that is gone counts after so many answers in a row without it,
/// since servers that give out some of many in turn leave each out now and then.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    known: Vec<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    address: IpAddr,
    /// So many answers in a row have been without it.
    missing: u32,
}

/// What became of the addresses of a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// Those that are new.
    pub appeared: Vec<IpAddr>,
    /// Those that are gone.
    pub gone: Vec<IpAddr>,
}

impl Followed {
    /// So many are remembered at most: a name that has more of them is no place.
    const MOST: usize = 64;

    /// Takes down which addresses a name has. A name that gave none says nothing of where it was, and the first answer is no
    /// change.
    pub fn saw(&mut self, addresses: &[IpAddr], confirm: u32) -> Option<Moved> {
        if addresses.is_empty() {
            return None;
        }
        let is_first = self.known.is_empty();
        let mut moved = Moved::default();
        self.known.retain_mut(|known| {
            known.missing = if addresses.contains(&known.address) {
                0
            } else {
                known.missing + 1
            };
            let is_gone = known.missing >= confirm.max(1);
            if is_gone {
                moved.gone.push(known.address);
            }
            !is_gone
        });
        for address in addresses {
            let is_known = self.known.iter().any(|known| known.address == *address);
            if !is_known && self.known.len() < Self::MOST {
                self.known.push(Known {
                    address: *address,
                    missing: 0,
                });
                moved.appeared.push(*address);
            }
        }
        (!is_first && moved != Moved::default()).then_some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(hosts: &[u8]) -> Vec<IpAddr> {
        hosts
            .iter()
            .map(|host| IpAddr::from([192, 0, 2, *host]))
            .collect()
    }

    /// What the answers change, one after the other.
    fn moves(answers: &[&[u8]]) -> Vec<Option<Moved>> {
        let mut followed = Followed::default();
        let answers = answers.iter();
        answers
            .map(|answer| followed.saw(&addresses(answer), 2))
            .collect()
    }

    fn moved(appeared: &[u8], gone: &[u8]) -> Moved {
        Moved {
            appeared: addresses(appeared),
            gone: addresses(gone),
        }
    }

    #[test]
    fn a_host_that_moves_appears_at_once_and_is_gone_after_two_answers() {
        let told = moves(&[&[1], &[2], &[2], &[2]]);
        assert_eq!(told, [None, Some(moved(&[2], &[])), Some(moved(&[], &[1])), None]);
    }

    #[test]
    fn a_name_that_fails_has_not_moved() {
        assert_eq!(moves(&[&[1, 2], &[], &[], &[], &[2, 1]]), vec![None; 5]);
    }

    #[test]
    fn some_of_many_in_turn_are_no_move() {
        let told = moves(&[&[1, 2], &[2, 3], &[3, 1], &[1, 2], &[2, 3]]);
        assert_eq!(told, [None, Some(moved(&[3], &[])), None, None, None]);
    }
}
