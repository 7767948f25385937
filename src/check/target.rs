//! One target: its name turned into addresses, and every address looked at, at once.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use futures_util::future::join_all;

use super::endpoint::{Fast, Life, Look, check_endpoint};
use super::{Addresses, Company, EndpointOutcome, NameOutcome, Options, Sights, TargetOutcome};
use crate::diagnose::{diagnose, name};
use crate::evidence::{Answer, Dial, Evidence, Observation, Resolution, ResolvedBy, Saw};
use crate::net::dns::{self, ResolveRequest};
use crate::net::finish::Finish;
use crate::net::{clock, errno, interfaces, sight};
use crate::target::{Host, Target};

/// Looks at one target: resolves its name and looks at every address, in both families, at once.
///
/// `company` is what else is looked at in the same time; `hang` is how long a default client waits on silence.
///
/// # Errors
/// When the scope of a link-local address names no interface of this host.
pub async fn check_target(
    target: &Target,
    options: &Options,
    company: &Company,
    hang: Option<Duration>,
    interrupt: Finish,
) -> io::Result<TargetOutcome> {
    let manner = Manner {
        options,
        sights: &Sights::new(options.raw.clone()),
        fast: Fast::Questioned,
    };
    check(target, manner, company, hang, interrupt).await
}

/// As [`check_target`], of a target among thousands that are looked at again and again: what can be looked at was found out
/// before, and a fast handshake is believed, since a second connection for each would be half of all.
///
/// # Errors
/// When the scope of a link-local address names no interface of this host.
pub async fn check_one_of_many(
    target: &Target,
    options: &Options,
    sights: &Sights,
    company: &Company,
    hang: Option<Duration>,
    interrupt: Finish,
) -> io::Result<TargetOutcome> {
    let manner = Manner {
        options,
        sights,
        fast: Fast::Believed,
    };
    check(target, manner, company, hang, interrupt).await
}

/// How to look at a target.
#[derive(Clone, Copy)]
struct Manner<'a> {
    options: &'a Options,
    sights: &'a Sights,
    fast: Fast,
}

async fn check(
    target: &Target,
    manner: Manner<'_>,
    company: &Company,
    hang: Option<Duration>,
    interrupt: Finish,
) -> io::Result<TargetOutcome> {
    let Manner {
        options,
        sights,
        fast,
    } = manner;
    let (resolution, addresses) = match &target.host {
        Host::Address { address, scope } => {
            let address = with_scope(*address, target.port, scope.as_deref())?;
            (None, vec![address])
        }
        Host::Name(name) => {
            let resolution = resolve(name, options.timeout, options, interrupt.clone()).await;
            let addresses = at_port(&resolution, target.port, options);
            (Some(resolution), addresses)
        }
    };
    let endpoints = join_all(addresses.iter().map(|endpoint| {
        let same_family = addresses
            .iter()
            .filter(|other| other.is_ipv4() == endpoint.is_ipv4())
            .count()
            - 1;
        let alongside = company
            .others()
            .saturating_add(u32::try_from(same_family).unwrap_or(u32::MAX));
        let interrupt = interrupt.clone();
        async move {
            let look = Look {
                endpoint: *endpoint,
                timeout: options.timeout,
                life: Life::Assumed,
                fast,
                sight: sights.of(endpoint.is_ipv4()),
                alongside,
            };
            check_endpoint(look, options, company, interrupt).await
        }
    }))
    .await;
    Ok(outcome(target, resolution, endpoints, hang))
}

/// What the endpoints of a target come to together.
pub(super) fn outcome(
    target: &Target,
    resolution: Option<Resolution>,
    endpoints: Vec<EndpointOutcome>,
    hang: Option<Duration>,
) -> TargetOutcome {
    let pairs: Vec<_> = endpoints
        .iter()
        .map(|endpoint| (&endpoint.evidence, &endpoint.diagnosis))
        .collect();
    let name = resolution.map(|resolution| NameOutcome {
        failed: name::diagnose_name(&resolution),
        findings: name::compare(&pairs),
        wait_without_happy_eyeballs_s: name::wait_without_happy_eyeballs(&pairs, hang),
        resolution,
    });
    TargetOutcome {
        target: target.clone(),
        name,
        endpoints,
    }
}

/// The addresses of a name that are to be looked at.
pub(super) fn at_port(resolution: &Resolution, port: u16, options: &Options) -> Vec<SocketAddr> {
    let wanted = match options.addresses {
        Addresses::All => resolution.addresses.len(),
        Addresses::First => 1,
    };
    let addresses = resolution.addresses.iter().take(wanted);
    addresses.map(|ip| SocketAddr::new(*ip, port)).collect()
}

/// The outcome for a target when our own side cannot even begin to look: `error` says why. Nothing was sent.
pub fn could_not_begin(
    target: &Target,
    options: &Options,
    call: &'static str,
    error: &io::Error,
) -> TargetOutcome {
    let means = errno::local(call, error);
    let evidence = |endpoint| Evidence {
        endpoint,
        started_unix_s: clock::unix_now(),
        slow_s: options.slow,
        timeout_s: options.timeout,
        sight: sight::sight(endpoint.is_ipv4(), &options.raw),
        observations: vec![Observation {
            at_s: Duration::ZERO,
            took_s: Duration::ZERO,
            saw: Saw::Connect(Dial {
                to: endpoint,
                from: None,
                ttl: None,
                syns: 0,
                answer: Answer::Local(means.clone()),
            }),
        }],
    };
    let endpoint = |endpoint| {
        let evidence = evidence(endpoint);
        EndpointOutcome {
            diagnosis: diagnose(&evidence),
            evidence,
        }
    };
    let unspecified = SocketAddr::new(IpAddr::from([0; 4]), target.port);
    match &target.host {
        Host::Address { address, .. } => TargetOutcome {
            target: target.clone(),
            name: None,
            endpoints: vec![endpoint(SocketAddr::new(*address, target.port))],
        },
        Host::Name(name) => TargetOutcome {
            target: target.clone(),
            name: Some(NameOutcome {
                resolution: Resolution {
                    name: name.clone(),
                    by: ResolvedBy::Dns,
                    lookups: Vec::new(),
                    addresses: Vec::new(),
                    took_s: Duration::ZERO,
                },
                failed: Some(endpoint(unspecified).diagnosis),
                findings: Vec::new(),
                wait_without_happy_eyeballs_s: None,
            }),
            endpoints: Vec::new(),
        },
    }
}

pub(super) fn with_scope(address: IpAddr, port: u16, scope: Option<&str>) -> io::Result<SocketAddr> {
    let (IpAddr::V6(v6), Some(scope)) = (address, scope) else {
        return Ok(SocketAddr::new(address, port));
    };
    let index = match scope.parse() {
        Ok(index) => index,
        Err(_) => interfaces::index_of(scope)?,
    };
    Ok(SocketAddrV6::new(v6, port, 0, index).into())
}

pub(super) async fn resolve(
    name: &str,
    deadline: Duration,
    options: &Options,
    mut interrupt: Finish,
) -> Resolution {
    let request = ResolveRequest {
        families: options.families,
        resolver: options.resolver.clone(),
        ..ResolveRequest::new(name, deadline)
    };
    let began = clock::now();
    tokio::select! {
        resolution = dns::resolve(&request) => resolution,
        () = interrupt.requested() => Resolution {
            name: name.to_owned(),
            by: ResolvedBy::Dns,
            lookups: Vec::new(),
            addresses: Vec::new(),
            took_s: clock::now() - began,
        },
    }
}
