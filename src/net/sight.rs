//! What this process is able to look at.

use socket2::{Domain, Protocol, Socket, Type};

use super::{errno, ping};
use crate::evidence::{Ability, Mode, Sight};

/// Finds out, by trying, what this process may look at for one address family.
pub fn sight(is_ipv4: bool) -> Sight {
    Sight {
        mode: Mode::Connect,
        raw: raw(is_ipv4),
        echo: ping::ability(is_ipv4),
        error_queue: error_queue(),
        reset_shape: Ability::Yes,
    }
}

fn raw(is_ipv4: bool) -> Ability {
    let domain = if is_ipv4 { Domain::IPV4 } else { Domain::IPV6 };
    let why = match Socket::new(domain, Type::RAW, Some(Protocol::TCP)) {
        Ok(_) => "CAP_NET_RAW is there, but this version does not send raw probes yet".to_owned(),
        Err(error) => format!(
            "{}: no CAP_NET_RAW, and this version does not send raw probes yet",
            errno::name(&error)
        ),
    };
    Ability::No { why }
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
