//! Reads the TCP sockets of a network namespace one by one, and what belongs to them: processes, settings, counters.

mod limits;
mod owners;

pub use limits::{counters, settings};
pub use owners::Owners;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::Path;

use super::errno;
use super::sock_diag::{self, Detail, INODE_OF_NOBODY, Raw, Select};
use super::sys::namespace::NetNamespace;
use crate::evidence::sockets::{Owner, Socket, State};

/// Which sockets are wanted. All but the processes is selected by the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Any of these states; all when empty.
    pub states: Vec<State>,
    /// The network of the peer's address, with the length of its prefix.
    pub destination: Option<(IpAddr, u8)>,
    /// The peer's port.
    pub destination_port: Option<RangeInclusive<u16>>,
    /// Our port.
    pub source_port: Option<RangeInclusive<u16>>,
    /// Held by one of these processes.
    pub processes: Option<BTreeSet<u32>>,
}

/// Moves the calling thread into the network namespace that the file stands for.
pub fn enter(namespace: &Path) -> io::Result<()> {
    NetNamespace::open(namespace)?.join()
}

/// The ports that anything listens on, whatever the filter.
pub fn listening_ports() -> io::Result<BTreeSet<u16>> {
    let mut ports = BTreeSet::new();
    for family in families(None) {
        let states = 1 << State::Listen.number();
        sock_diag::dump(family, states, &Select::default(), Detail::Least, |socket| {
            ports.insert(socket.local.port());
        })?;
    }
    Ok(ports)
}

/// Why the kernel did not tell of its sockets, in a few words.
pub fn why_not(error: &io::Error) -> String {
    format!("sock_diag: {}", errno::name(error))
}

/// Tells of every socket that the filter lets through, listeners first.
pub fn read(filter: &Filter, owners: &Owners, mut tell: impl FnMut(&Socket)) -> io::Result<()> {
    let select = Select {
        source_port: filter.source_port.clone(),
        destination_port: filter.destination_port.clone(),
        destination: filter.destination,
    };
    let wanted = |state: &State| filter.states.is_empty() || filter.states.contains(state);
    let bits = |state: &State| 1_u32 << state.number();
    let states: u32 = State::ALL.iter().filter(|state| wanted(state)).map(bits).sum();
    let listen = bits(&State::Listen);
    for states in [states & listen, states & !listen] {
        if states == 0 {
            continue;
        }
        for family in families(filter.destination) {
            sock_diag::dump(family, states, &select, Detail::Full, |raw| {
                let owner = owner(raw, owners);
                if is_held_by(owner, filter) {
                    tell(&socket(raw, owner));
                }
            })?;
        }
    }
    Ok(())
}

/// IPv4 connections may belong to IPv6 sockets.
fn families(destination: Option<(IpAddr, u8)>) -> impl Iterator<Item = u8> {
    let only_v6 = destination.is_some_and(|(ip, _)| ip.is_ipv6());
    [libc::AF_INET, libc::AF_INET6]
        .into_iter()
        .filter(move |family| !only_v6 || *family == libc::AF_INET6)
        .filter_map(|family| u8::try_from(family).ok())
}

fn owner(raw: &Raw<'_>, owners: &Owners) -> Owner {
    if raw.inode == INODE_OF_NOBODY {
        return Owner::Nobody;
    }
    owners.of(raw.inode).map_or(Owner::Unseen, Owner::Process)
}

fn is_held_by(owner: Owner, filter: &Filter) -> bool {
    match (&filter.processes, owner) {
        (None, _) => true,
        (Some(wanted), Owner::Process(pid)) => wanted.contains(&pid),
        (Some(_), Owner::Nobody | Owner::Unseen) => false,
    }
}

fn socket(raw: &Raw<'_>, owner: Owner) -> Socket {
    Socket {
        state: raw.state,
        local: raw.local,
        remote: raw.remote,
        timer: raw.timer(),
        tries: raw.tries(),
        receive_queue: raw.receive_queue(),
        send_queue: raw.send_queue(),
        drops: raw.drops(),
        uid: raw.uid(),
        info: raw.info(),
        owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    /// The kernel's selection lets through the two ends of one connection, or one of them.
    #[test]
    fn the_kernel_selects_by_port_and_by_address_and_we_find_ourselves() {
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let listener = TcpListener::bind((ip, 0)).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (port, other) = (
                listener.local_addr().unwrap().port(),
                client.local_addr().unwrap().port(),
            );
            let server = listener.accept().unwrap();
            let owners = Owners::look();
            let count = |filter: &Filter| {
                let mut seen = Vec::new();
                read(filter, &owners, |socket| seen.push(socket.clone())).unwrap();
                seen
            };
            let base = Filter {
                destination: Some((ip, if ip.is_ipv4() { 8 } else { 128 })),
                states: vec![State::Established],
                ..Filter::default()
            };
            let seen = count(&Filter {
                destination_port: Some(port..=port),
                ..base.clone()
            });
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!(seen[0].local, client.local_addr().unwrap());
            assert_eq!(seen[0].owner, Owner::Process(std::process::id()));
            assert!(seen[0].info.is_some());
            let seen = count(&Filter {
                source_port: Some(port..=port),
                destination_port: Some(other..=other),
                ..base.clone()
            });
            assert_eq!(seen.len(), 1, "{seen:?}");
            assert_eq!(seen[0].local, server.0.local_addr().unwrap());
            assert!(
                count(&Filter {
                    states: vec![State::SynSent],
                    source_port: Some(other..=other),
                    ..base
                })
                .is_empty()
            );
            assert!(listening_ports().unwrap().contains(&port));
        }
    }
}
