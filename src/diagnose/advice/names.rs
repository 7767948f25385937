//! What to run next when a name gave no address.

use super::Advice;
use super::steps::{descriptors, step};
use crate::diagnose::name::of_outcome;
use crate::diagnose::{Cause, Diagnosis};
use crate::evidence::{LookupOutcome, Resolution};

/// The next steps for a name that gave no address.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a name fails for few of the causes"
)]
pub fn advise_name(resolution: &Resolution, diagnosis: &Diagnosis) -> Vec<Advice> {
    let name = resolution.name.trim_end_matches('.');
    let server = resolution
        .lookups
        .iter()
        .rev()
        .find_map(|lookup| lookup.server)
        .map(|server| server.ip());
    let at = server.map_or_else(String::new, |server| format!(" @{server}"));
    let configuration = step(
        "Which servers and search domains this namespace uses:",
        format!("cat {}", unusable_file(resolution).unwrap_or("/etc/resolv.conf")),
    );
    // dig asks for the name as it is, without the search list.
    let asked = resolution
        .lookups
        .iter()
        .find(|lookup| of_outcome(&lookup.outcome) == Some(diagnosis.cause))
        .map_or(name, |lookup| lookup.candidate.as_str());
    let ask = |says: &str, flags: &str| step(says, format!("dig{flags} {asked}{at}"));
    let on_this_host = server.is_some_and(|server| server.is_loopback());
    let pods = (!on_this_host).then(|| {
        step(
            "In a cluster: do the DNS pods run, and are they ready?",
            "kubectl -n kube-system get pods,endpointslices -o wide -l k8s-app=kube-dns",
        )
    });
    let steps = match diagnosis.cause {
        Cause::NxDomain => vec![
            Some(configuration),
            Some(step(
                "In a cluster: which namespace has this Service?",
                format!("kubectl get svc -A | grep -wF {}", first_label(name)),
            )),
            Some(ask("The same question, with the server's own words:", "")),
        ],
        Cause::NoAddress => vec![
            Some(ask("Which records the name does have:", " +noall +answer -t ANY")),
            Some(step(
                "In a cluster: a headless Service has the addresses of its ready pods:",
                format!("kubectl get endpointslices -A | grep -wF {}", first_label(name)),
            )),
        ],
        Cause::ServFail => {
            vec![
                Some(ask(
                    "An answer with checking disabled means that DNSSEC validation fails:",
                    " +cd",
                )),
                pods,
            ]
        }
        Cause::DnsRefused => vec![
            Some(configuration),
            Some(ask("The same question, with the server's own words:", "")),
        ],
        Cause::DnsTimeout => {
            vec![
                Some(ask(
                    "Works over TCP? Then UDP is filtered or loses fragments:",
                    " +tcp",
                )),
                (!on_this_host).then(|| {
                    step(
                        "In a cluster: does an egress policy forget port 53?",
                        "kubectl get networkpolicy -A",
                    )
                }),
                on_this_host.then(listener),
                pods,
            ]
        }
        Cause::DnsUnreachable => {
            // Without a server to ask there is nothing but the configuration to look at.
            let way = server.map(|server| {
                if on_this_host {
                    listener()
                } else {
                    step("The way to the server:", format!("ip route get {server}"))
                }
            });
            vec![Some(configuration), way, server.and(pods)]
        }
        Cause::NoDescriptors => vec![Some(descriptors())],
        _ => vec![Some(configuration)],
    };
    steps.into_iter().flatten().take(5).collect()
}

/// The file that named no server, where that is what went wrong.
fn unusable_file(resolution: &Resolution) -> Option<&str> {
    resolution.lookups.iter().find_map(|lookup| {
        let LookupOutcome::NoServer { why } = &lookup.outcome else {
            return None;
        };
        let (file, _) = why.split_once(": ")?;
        (file.starts_with('/') && !file.contains(char::is_whitespace)).then_some(file)
    })
}

fn listener() -> Advice {
    step("Here: does a DNS server listen?", "sudo ss -lunp 'sport = :53'")
}

fn first_label(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
