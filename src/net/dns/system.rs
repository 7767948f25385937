//! The C library's own answer, for those who want exactly what other programs of this host get.

use std::ffi::{CStr, CString};
use std::net::IpAddr;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{SockaddrLike, SockaddrStorage};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::evidence::LookupOutcome;

use super::log::Log;
use super::{Families, ResolveRequest, family_of, outcome_of};

/// Asks `getaddrinfo` once, as a client does, and notes its word for each family. The addresses keep its order.
///
/// The call cannot be interrupted: it has a thread of its own, which is left behind at the deadline (one of a tokio
/// runtime would keep the program from ending).
pub(super) async fn look_up(request: &ResolveRequest, log: &Log) -> Vec<IpAddr> {
    let asked_at = log.elapsed();
    let wanted = request.families.wanted();
    let asked: Vec<_> = wanted
        .iter()
        .map(|&family| log.ask(&request.name, family, None))
        .collect();
    let said = match timeout(request.deadline, ask(&request.name, request.families)).await {
        Ok(said) => said.map_err(|outcome| again(outcome, log.elapsed().saturating_sub(asked_at))),
        Err(_) => Err(LookupOutcome::Timeout),
    };
    for (asked, &family) in asked.into_iter().zip(wanted) {
        asked.says(match &said {
            Ok(all) => outcome_of(all.iter().copied().filter(|&a| family_of(a) == family).collect()),
            Err(outcome) => outcome.clone(),
        });
    }
    said.unwrap_or_default()
}

/// `EAI_AGAIN` is the C library's one code for "no answer", "no server" and SERVFAIL. The shortest timeout that
/// resolv.conf(5) can set is a second: what failed sooner was most likely an answer.
fn again(outcome: LookupOutcome, took: Duration) -> LookupOutcome {
    if outcome == LookupOutcome::Timeout && took < Duration::from_secs(1) {
        return LookupOutcome::ServFail;
    }
    outcome
}

async fn ask(name: &str, families: Families) -> Result<Vec<IpAddr>, LookupOutcome> {
    let no_thread = |why: String| LookupOutcome::NoServer { why };
    let name = CString::new(name).map_err(|_| LookupOutcome::NxDomain)?;
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new()
        .name("getaddrinfo".to_owned())
        .spawn(move || answer.send(getaddrinfo(&name, families)))
        .map_err(|error| no_thread(error.to_string()))?;
    answered
        .await
        .unwrap_or_else(|gone| Err(no_thread(gone.to_string())))
}

#[expect(
    unsafe_code,
    reason = "getaddrinfo: no crate returns its own error code, only a text"
)]
fn getaddrinfo(name: &CStr, families: Families) -> Result<Vec<IpAddr>, LookupOutcome> {
    let hints = libc::addrinfo {
        ai_flags: 0,
        ai_family: match families {
            Families::Both => libc::AF_UNSPEC,
            Families::V4 => libc::AF_INET,
            Families::V6 => libc::AF_INET6,
        },
        ai_socktype: libc::SOCK_STREAM,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: std::ptr::null_mut(),
        ai_canonname: std::ptr::null_mut(),
        ai_next: std::ptr::null_mut(),
    };
    let mut list = std::ptr::null_mut();
    // SAFETY: the name ends in a NUL, the hints are complete, and `list` is written only on success.
    let code = unsafe { libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list) };
    if code != 0 {
        return Err(outcome_of_code(code, Errno::last()));
    }
    let mut addresses = Vec::new();
    let mut next = list;
    // SAFETY: each entry is valid until freeaddrinfo, and the last one's `ai_next` is null.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: `ai_addr` points at `ai_addrlen` bytes of a socket address.
        let address = unsafe { SockaddrStorage::from_raw(entry.ai_addr, Some(entry.ai_addrlen)) };
        addresses.extend(address.as_ref().and_then(ip_of));
        next = entry.ai_next;
    }
    // SAFETY: the list came from getaddrinfo, and nothing points into it any more.
    unsafe { libc::freeaddrinfo(list) };
    Ok(addresses)
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| v4.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| v6.ip().into()))
}

/// The C library's code as an outcome.
fn outcome_of_code(code: i32, errno: Errno) -> LookupOutcome {
    /// glibc: the name exists, but has no address of the family asked for. Not in the libc crate.
    const EAI_ADDRFAMILY: i32 = -9;
    match code {
        libc::EAI_NONAME => LookupOutcome::NxDomain,
        libc::EAI_NODATA | EAI_ADDRFAMILY => LookupOutcome::NoData,
        libc::EAI_AGAIN => LookupOutcome::Timeout,
        libc::EAI_FAIL => LookupOutcome::Refused,
        libc::EAI_SYSTEM => LookupOutcome::ServerUnreachable {
            errno: format!("{errno:?}"),
        },
        other => LookupOutcome::NoServer {
            why: format!("getaddrinfo failed with code {other}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_the_c_library_has_its_outcome() {
        let said = |code| outcome_of_code(code, Errno::EMFILE);
        assert_eq!(said(libc::EAI_NONAME), LookupOutcome::NxDomain);
        assert_eq!(said(libc::EAI_NODATA), LookupOutcome::NoData);
        assert_eq!(said(libc::EAI_AGAIN), LookupOutcome::Timeout);
        assert_eq!(
            again(said(libc::EAI_AGAIN), Duration::from_millis(20)),
            LookupOutcome::ServFail
        );
        assert_eq!(
            again(said(libc::EAI_AGAIN), Duration::from_secs(5)),
            LookupOutcome::Timeout
        );
        assert_eq!(said(libc::EAI_FAIL), LookupOutcome::Refused);
        assert_eq!(
            said(libc::EAI_SYSTEM),
            LookupOutcome::ServerUnreachable {
                errno: "EMFILE".into()
            }
        );
    }

    #[test]
    fn the_c_library_knows_an_address_without_asking_anyone() {
        assert_eq!(
            getaddrinfo(c"127.0.0.1", Families::Both),
            Ok(vec!["127.0.0.1".parse().unwrap()])
        );
    }
}
