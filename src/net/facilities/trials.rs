//! What can only be known by trying: sockets of every kind that we use, and namespaces.

use std::io;

use socket2::{Domain, Protocol, Socket, Type};

use crate::evidence::facilities::{Trial, Trials};
use crate::net::sys::namespace;
use crate::net::{dial, errno, ping, privileges};

/// `NETLINK_ROUTE` and `NETLINK_SOCK_DIAG` of linux/netlink.h.
const NETLINK_ROUTE: i32 = 0;
const NETLINK_SOCK_DIAG: i32 = 4;

/// CAP_NET_RAW is given up on the way: nothing after this needs it.
pub(super) fn run() -> Trials {
    let raw = |domain| trial(Socket::new(domain, Type::RAW, Some(Protocol::TCP)));
    let opened = privileges::once_with_raw_sockets(|| {
        // Protocol 0 receives nothing.
        let packet = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)));
        Ok([raw(Domain::IPV4), raw(Domain::IPV6), trial(packet)])
    });
    let [raw_v4, raw_v6, packet] = opened.unwrap_or_else(|error| {
        let failed = trial::<()>(Err(error));
        [failed.clone(), failed.clone(), failed]
    });
    let netlink = |protocol| {
        let domain = Domain::from(libc::AF_NETLINK);
        trial(Socket::new(domain, Type::DGRAM, Some(Protocol::from(protocol))))
    };
    Trials {
        raw_v4,
        raw_v6,
        packet,
        ping_v4: trial(ping::ping_socket(true)),
        ping_v6: trial(ping::ping_socket(false)),
        own_filter: trial(dial::can_filter(true)),
        routes: netlink(NETLINK_ROUTE),
        own_sockets: netlink(NETLINK_SOCK_DIAG),
        namespaces: trial(namespace::can_enter()),
    }
}

fn trial<T>(result: io::Result<T>) -> Trial {
    let Err(error) = result else {
        return Trial::Worked;
    };
    let errno = errno::name(&error);
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Trial::Denied { errno },
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ESOCKTNOSUPPORT | libc::ENOSYS) => {
            Trial::Missing { errno }
        }
        _ => Trial::Failed { errno },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_a_kernel_without_it_and_any_other_failure_are_three_things() {
        let of = |number| trial::<()>(Err(io::Error::from_raw_os_error(number)));
        let errno = |name: &str| name.to_owned();
        assert_eq!(trial(Ok(())), Trial::Worked);
        assert_eq!(
            of(libc::EPERM),
            Trial::Denied {
                errno: errno("EPERM")
            }
        );
        assert_eq!(
            of(libc::EACCES),
            Trial::Denied {
                errno: errno("EACCES")
            }
        );
        assert_eq!(
            of(libc::EAFNOSUPPORT),
            Trial::Missing {
                errno: errno("EAFNOSUPPORT")
            }
        );
        assert_eq!(
            of(libc::EMFILE),
            Trial::Failed {
                errno: errno("EMFILE")
            }
        );
    }
}
