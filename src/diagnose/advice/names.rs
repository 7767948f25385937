//! What to run next when a name gave no address.

use super::Advice;
use super::steps::{descriptors, step};
use crate::diagnose::{Cause, Diagnosis};
use crate::evidence::Resolution;

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
        "cat /etc/resolv.conf",
    );
    let ask = |says: &str, flags: &str| step(says, format!("dig{flags} {name}{at}"));
    let pods = step(
        "In a cluster: do the DNS pods run, and what do they log?",
        "kubectl -n kube-system get pods,endpointslices -o wide -l k8s-app=kube-dns",
    );
    let steps = match diagnosis.cause {
        Cause::NxDomain => vec![
            configuration,
            step(
                "In a cluster: which namespace has this Service?",
                format!("kubectl get svc -A | grep -wF {}", first_label(name)),
            ),
            ask("The same question, with the server's own words:", ""),
        ],
        Cause::NoAddress => vec![
            ask("Which records the name does have:", " +noall +answer -t ANY"),
            step(
                "In a cluster: a headless Service has the addresses of its ready pods.",
                format!("kubectl get endpointslices -A | grep -wF {}", first_label(name)),
            ),
        ],
        Cause::ServFail => {
            vec![
                ask(
                    "An answer with checking disabled means that DNSSEC validation fails:",
                    " +cd",
                ),
                pods,
            ]
        }
        Cause::DnsRefused => vec![
            configuration,
            ask("The same question, with the server's own words:", ""),
        ],
        Cause::DnsTimeout => {
            vec![
                ask(
                    "Works over TCP? Then UDP is filtered or loses fragments:",
                    " +tcp",
                ),
                step(
                    "In a cluster: does an egress policy forget port 53?",
                    "kubectl get networkpolicy -A",
                ),
                pods,
            ]
        }
        Cause::DnsUnreachable => {
            let route = server.map(|server| step("The way to the server:", format!("ip route get {server}")));
            [Some(configuration), route, Some(pods)]
                .into_iter()
                .flatten()
                .collect()
        }
        Cause::NoDescriptors => vec![descriptors()],
        _ => vec![configuration],
    };
    steps.into_iter().take(5).collect()
}

fn first_label(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
