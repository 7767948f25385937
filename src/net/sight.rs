//! What this process is able to look at.

use super::raw::RawSight;
use super::{dial, errno, kernel, ping};
use crate::evidence::{Ability, Sight};

/// Finds out, by trying, what this process may look at for one address family.
pub fn sight(is_ipv4: bool, raw: &RawSight) -> Sight {
    let raw_ability = raw.ability();
    Sight {
        mode: raw.mode(),
        echo: match raw_ability {
            Ability::Yes => Ability::Yes,
            Ability::No { .. } => ping::ability(is_ipv4),
        },
        raw: raw_ability,
        error_queue: error_queue(),
        reset_shape: reset_shape(is_ipv4),
    }
}

/// Most kernels let any user filter his own socket; some want CAP_NET_ADMIN (seen on 6.18).
fn reset_shape(is_ipv4: bool) -> Ability {
    match dial::can_filter(is_ipv4) {
        Ok(()) => Ability::Yes,
        Err(error) => Ability::No {
            why: format!(
                "{}: this kernel lets nobody without CAP_NET_ADMIN filter a socket of his own",
                errno::name(&error)
            ),
        },
    }
}

/// ICMP errors reach the queue of a socket in SYN-SENT since Linux 5.9.
fn error_queue() -> Ability {
    let kernel = kernel::kernel();
    match kernel.version {
        Some(version) if version < (5, 9) => Ability::No {
            why: format!(
                "Linux {}: ICMP errors do not reach the error queue of a connecting socket before 5.9",
                kernel.release
            ),
        },
        _ => Ability::Yes,
    }
}
