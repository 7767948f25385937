//! What this process is able to look at.

use super::ping;
use crate::evidence::{Ability, Mode, Sight};

/// Finds out, by trying, what this process may look at for one address family.
pub fn sight(is_ipv4: bool) -> Sight {
    Sight {
        mode: Mode::Connect,
        raw: Ability::No {
            why: "this version looks through the kernel's own sockets only".to_owned(),
        },
        echo: ping::ability(is_ipv4),
        error_queue: error_queue(),
        reset_shape: Ability::Yes,
    }
}

/// ICMP errors reach the queue of a socket in SYN-SENT since Linux 5.9.
fn error_queue() -> Ability {
    let release = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned());
    let Ok(release) = release else { return Ability::Yes };
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < (5, 9) => Ability::No {
            why: format!(
                "Linux {release}: ICMP errors do not reach the error queue of a connecting socket before 5.9"
            ),
        },
        _ => Ability::Yes,
    }
}
