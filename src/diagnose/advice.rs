//! What to run next in this very case, with its own addresses, and without what was done already.

mod hang;
mod place;

pub use hang::{default_client_hang, hangs_silently};

use serde::{Deserialize, Serialize};

use super::{Cause, Diagnosis, FindingKind};
use crate::evidence::{Evidence, Resolution};
use place::Place;

/// One next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// What it is for, in a sentence.
    pub says: String,
    /// The command, ready to be pasted.
    pub command: Option<String>,
}

/// The next steps for an endpoint, the most telling first; none when there is nothing to find out.
pub fn advise(evidence: &Evidence, diagnosis: &Diagnosis) -> Vec<Advice> {
    let place = &Place::of(evidence);
    let from_self = diagnosis.from.is_some_and(|from| place.is_ours(from));
    let sender = diagnosis
        .from
        .map_or_else(|| "its sender".to_owned(), |from| from.to_string());
    let steps = match diagnosis.cause {
        Cause::Healthy => return proxy(place, diagnosis),
        Cause::SynLost | Cause::Retransmitted => {
            vec![Some(repeat(place)), Some(conntrack()), Some(overflows(place))]
        }
        Cause::SynAckLost => vec![
            Some(repeat(place)),
            Some(way_back(place)),
            Some(reverse_path_filter()),
        ],
        Cause::LateSynAck => vec![Some(repeat(place)), Some(softirq(place))],
        Cause::LongPath => vec![Some(trace(place)), Some(repeat(place))],
        Cause::NoListener => vec![Some(listener(place)), Some(pods(place)), raw(place)],
        Cause::MiddleboxReset => vec![Some(trace(place)), raw(place), Some(rules_at(&sender, "reset"))],
        Cause::PortUnreachable => {
            let rule = if from_self {
                rules_here("reject")
            } else {
                rules_at(&sender, "reject")
            };
            vec![Some(endpoints(place)), Some(rule)]
        }
        Cause::AdminProhibited | Cause::HostProhibited | Cause::NetProhibited => {
            let rule = if from_self {
                rules_here("prohibited")
            } else {
                rules_at(&sender, "prohibited")
            };
            vec![Some(rule), Some(policies())]
        }
        Cause::NoRoute => vec![Some(route(place)), Some(addresses(place))],
        Cause::NeighbourUnresolved => {
            vec![
                Some(neighbour(place)),
                Some(ask_neighbour(place)),
                Some(route(place)),
                Some(pods(place)),
            ]
        }
        Cause::HostUnreachable => vec![
            Some(pods(place)),
            Some(neighbour_at(&sender, place)),
            Some(repeat(place)),
        ],
        Cause::NetUnreachable => vec![Some(route_at(&sender, place)), Some(trace(place))],
        Cause::TtlExceeded => vec![Some(trace(place)), Some(route_at(&sender, place))],
        Cause::Egress | Cause::Ingress => {
            vec![Some(rules_here("drop")), raw(place), Some(reverse_path_filter())]
        }
        Cause::Port => vec![
            raw(place),
            Some(policies()),
            Some(capture(place)),
            Some(listener_queue(place)),
        ],
        Cause::HostSilent => {
            vec![
                longer(place),
                Some(pods(place)),
                Some(policies()),
                Some(trace(place)),
                raw(place),
            ]
        }
        Cause::SynFilter => vec![
            Some(listener_queue(place)),
            Some(capture(place)),
            Some(policies()),
        ],
        Cause::ReturnPath => vec![
            Some(way_back(place)),
            Some(capture(place)),
            Some(reverse_path_filter()),
        ],
        Cause::Unattributed => {
            vec![
                raw(place),
                longer(place),
                Some(listener_queue(place)),
                Some(policies()),
                Some(repeat(place)),
            ]
        }
        Cause::SynDropped | Cause::Overloaded => {
            vec![
                Some(listener_queue(place)),
                Some(overflows(place)),
                Some(pods(place)),
                raw(place),
            ]
        }
        Cause::AckIgnored => vec![
            Some(listener_queue(place)),
            Some(overflows(place)),
            Some(ghosts(place)),
        ],
        Cause::ResetOnOverflow => vec![Some(listener_queue(place)), Some(overflows(place))],
        Cause::ResetAfterAccept => vec![Some(listener(place)), Some(endpoints(place)), Some(pods(place))],
        Cause::NoPorts => vec![Some(port_use(place)), Some(port_range())],
        Cause::NoDescriptors => vec![Some(descriptors())],
        Cause::Denied => vec![Some(route(place)), Some(audit())],
        Cause::OtherLocal => vec![Some(kernel_log())],
        Cause::Undecided => vec![longer(place), raw(place)],
        Cause::NxDomain
        | Cause::NoAddress
        | Cause::ServFail
        | Cause::DnsRefused
        | Cause::DnsTimeout
        | Cause::DnsUnreachable => Vec::new(),
    };
    steps.into_iter().flatten().take(5).collect()
}

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

fn step(says: impl Into<String>, command: impl Into<String>) -> Advice {
    Advice {
        says: says.into(),
        command: Some(command.into()),
    }
}

fn first_label(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn proxy(place: &Place, diagnosis: &Diagnosis) -> Vec<Advice> {
    let suspected = diagnosis
        .findings
        .iter()
        .any(|finding| finding.kind == FindingKind::ProxySuspected);
    let speak = format!("openssl s_client -connect {}", place.endpoint);
    if suspected {
        vec![step(
            "The handshake says little behind a proxy; ask above TCP:",
            speak,
        )]
    } else {
        Vec::new()
    }
}

/// Raw probes, unless this run had them.
fn raw(place: &Place) -> Option<Advice> {
    let command = place.raw_command()?;
    Some(step("Raw probes can tell the remaining causes apart:", command))
}

/// A longer look, unless this run was long enough for a router's "host unreachable" (3.05 s: three requests for a
/// neighbour, one a second).
fn longer(place: &Place) -> Option<Advice> {
    let command = place.longer_command()?;
    let says =
        "A router, or our own kernel, reports a dead neighbour only after 3.05 s; look longer than that:";
    Some(step(says, command))
}

/// A series, which shows loss and every change of verdict.
fn repeat(place: &Place) -> Advice {
    let command = format!("tcpprobe --count 30 --interval 1s {}", place.endpoint);
    step("How often does it happen?", command)
}

fn listener(place: &Place) -> Advice {
    let says = format!("{}: does it listen, and on which address?", place.server());
    step(says, format!("ss -ltnp 'sport = :{}'", place.port()))
}

fn listener_queue(place: &Place) -> Advice {
    let says = format!(
        "{}: is the accept queue full (Recv-Q above Send-Q)?",
        place.server()
    );
    step(says, format!("ss -ltn 'sport = :{}'", place.port()))
}

fn overflows(place: &Place) -> Advice {
    let says = format!("{}: do these grow while clients fail?", place.server());
    step(says, "nstat -az TcpExtListenOverflows TcpExtListenDrops")
}

fn softirq(place: &Place) -> Advice {
    step(
        format!(
            "{}: is a CPU busy with soft interrupts, or stolen?",
            place.server()
        ),
        "mpstat -P ALL 1 5",
    )
}

fn capture(place: &Place) -> Advice {
    let client = place
        .source
        .map_or_else(String::new, |source| format!(" and host {source}"));
    let says = format!("{}: do our SYNs arrive, and does it answer?", place.server());
    step(
        says,
        format!("tcpdump -ni any 'tcp port {}{client}'", place.port()),
    )
}

fn way_back(place: &Place) -> Advice {
    let client = place
        .source
        .map_or_else(|| "CLIENT".to_owned(), |source| source.to_string());
    step(
        format!("{}: the way back to us:", place.server()),
        format!("ip route get {client}"),
    )
}

fn ghosts(place: &Place) -> Advice {
    let says = "Here: connections that only we believe in keep retransmitting:";
    step(says, format!("ss -tno dst {}", place.bracketed()))
}

fn pods(place: &Place) -> Advice {
    let command = format!(
        "kubectl get pods -A -o wide --field-selector status.podIP={}",
        place.endpoint.ip()
    );
    step(
        "In a cluster: does a pod have this address, and is it ready?",
        command,
    )
}

fn endpoints(place: &Place) -> Advice {
    let says = "In a cluster: which Service has this address? Then look at its endpoints.";
    step(
        says,
        format!(
            "kubectl get svc,endpointslices -A -o wide | grep -wF {}",
            place.endpoint.ip()
        ),
    )
}

fn policies() -> Advice {
    let says = "In a cluster: a policy that selects either pod and does not name this port drops silently.";
    step(says, "kubectl get networkpolicy -A")
}

fn rules_here(word: &str) -> Advice {
    step(
        "Here: the rule and its counter.",
        format!("sudo nft list ruleset | grep -i {word}"),
    )
}

fn rules_at(sender: &str, word: &str) -> Advice {
    step(
        format!("On {sender}: the rule that says so."),
        format!("sudo nft list ruleset | grep -i {word}"),
    )
}

fn route(place: &Place) -> Advice {
    step(
        "What our kernel would do:",
        format!("ip route get {}", place.endpoint.ip()),
    )
}

fn route_at(sender: &str, place: &Place) -> Advice {
    step(
        format!("On {sender}: its route."),
        format!("ip route get {}", place.endpoint.ip()),
    )
}

fn addresses(place: &Place) -> Advice {
    let family = if place.endpoint.is_ipv6() { "-6" } else { "-4" };
    step(
        "Have we an address of this family, and rules that change the route?",
        format!("ip {family} addr; ip {family} rule"),
    )
}

fn neighbour(place: &Place) -> Advice {
    step(
        "What our kernel knows of the next hop:",
        format!("ip neigh show {}", place.next_hop()),
    )
}

fn neighbour_at(sender: &str, place: &Place) -> Advice {
    step(
        format!("On {sender}: does the host answer it?"),
        format!("ip neigh show {}", place.endpoint.ip()),
    )
}

fn ask_neighbour(place: &Place) -> Advice {
    let interface = place.interface.as_deref().unwrap_or("IFACE");
    let hop = place.next_hop();
    let command = if hop.is_ipv6() {
        format!("sudo ndisc6 {hop} {interface}")
    } else {
        format!("sudo arping -c 3 -I {interface} {hop}")
    };
    step("Ask it ourselves:", command)
}

fn trace(place: &Place) -> Advice {
    let says = "Hop by hop, on this port:";
    step(
        says,
        format!("mtr -n -r -c 5 -T -P {} {}", place.port(), place.endpoint.ip()),
    )
}

fn conntrack() -> Advice {
    step(
        "On every node that does NAT on the way: do insert_failed or drop grow?",
        "sudo conntrack -S",
    )
}

fn reverse_path_filter() -> Advice {
    step(
        "Here and on the routers: does rp_filter drop answers?",
        "nstat -az TcpExtIPReversePathFilter",
    )
}

fn port_use(place: &Place) -> Advice {
    let command = format!(
        "ss -tan dst {} | awk 'NR>1 {{print $1}}' | sort | uniq -c",
        place.bracketed()
    );
    step(
        "Which states hold the ports: ESTAB is load or a leak, TIME-WAIT one connection a request.",
        command,
    )
}

fn port_range() -> Advice {
    step(
        "How many there are:",
        "sysctl net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse",
    )
}

fn descriptors() -> Advice {
    step(
        "The limits of this shell and of the system:",
        "ulimit -n; sysctl fs.file-nr",
    )
}

fn audit() -> Advice {
    step(
        "Who denied it?",
        "sudo ausearch -m avc -ts recent; sudo dmesg | tail -20",
    )
}

fn kernel_log() -> Advice {
    step("What the kernel says of this moment:", "sudo dmesg | tail -20")
}

#[cfg(test)]
mod tests;
