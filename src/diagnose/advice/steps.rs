//! The single steps: what each is for, and its command.

use std::net::IpAddr;
use std::time::Duration;

use super::Advice;
use super::place::Place;
use crate::diagnose::{Diagnosis, FindingKind, idle};
use crate::evidence::Evidence;

pub(super) fn step(says: impl Into<String>, command: impl Into<String>) -> Advice {
    Advice {
        says: says.into(),
        command: Some(command.into()),
    }
}

/// Behind a proxy the question is another one.
pub(super) fn proxy(place: &Place, diagnosis: &Diagnosis) -> Option<Advice> {
    let speak = format!("openssl s_client -connect {}", place.target());
    has(diagnosis, |kind| kind == FindingKind::ProxySuspected)
        .then(|| step("The handshake says little behind a proxy; ask above TCP:", speak))
}

/// Who holds the connections that findings speak of.
pub(super) fn own_sockets(place: &Place, diagnosis: &Diagnosis) -> Option<Advice> {
    let command = format!(
        "tcpprobe sockets --dst {} --dport {}",
        place.endpoint.ip(),
        place.port()
    );
    has(diagnosis, FindingKind::is_of_own_sockets).then(|| {
        step(
            "Here: which programs hold these connections, and what to do about each:",
            command,
        )
    })
}

/// After how long idle connections end, more exactly than a single one can tell.
pub(super) fn idle_limit(evidence: &Evidence) -> Advice {
    let asked = idle::holding(evidence).map_or(Duration::ZERO, |(_, holding)| holding.max_s);
    let max = format!("{}s", asked.as_secs().max(1));
    step(
        "After how long, exactly, and what pools on this host make of it?",
        format!("tcpprobe hold --max {max} {}", evidence.endpoint),
    )
}

/// What keeps idle connections alive here.
pub(super) fn keepalive_here() -> Advice {
    step(
        "Here: are connections kept alive at all? `timer:(keepalive` says so, and when the next probe is due:",
        "ss -tno state established",
    )
}

/// Where packets have to be smaller, and what there is to do about it.
pub(super) fn sizes(place: &Place, diagnosis: &Diagnosis) -> Vec<Advice> {
    let is_hole = has(diagnosis, |kind| kind == FindingKind::PmtuBlackHole);
    let is_reduced = has(diagnosis, |kind| kind == FindingKind::PmtuReduced);
    let hop_by_hop = step(
        "Hop by hop, where do packets have to be smaller?",
        format!("tracepath -n {}", place.endpoint.ip()),
    );
    let what_to_do = |kind: FindingKind| {
        step(
            "What can be done about it, and what each remedy costs:",
            format!("tcpprobe explain {kind}"),
        )
    };
    match (is_hole, is_reduced) {
        (true, _) => vec![what_to_do(FindingKind::PmtuBlackHole), hop_by_hop],
        (false, true) => vec![what_to_do(FindingKind::PmtuReduced)],
        (false, false) => Vec::new(),
    }
}

fn has(diagnosis: &Diagnosis, is_meant: impl Fn(FindingKind) -> bool) -> bool {
    diagnosis.findings.iter().any(|finding| is_meant(finding.kind))
}

/// A longer look, unless this run was long enough for a router's "host unreachable" (3.05 s: three requests for a
/// neighbour, one a second).
pub(super) fn longer(place: &Place) -> Option<Advice> {
    let command = place.longer_command()?;
    let says = "It takes 3.05 s to find out that a host is gone; look for longer:";
    Some(step(says, command))
}

/// The same with raw probes, unless this run had them: they tell most kinds of silence apart.
pub(super) fn with_raw_probes(place: &Place) -> Option<Advice> {
    let command = place.raw_command()?;
    Some(step("Raw probes tell these apart (CAP_NET_RAW):", command))
}

/// Where exactly, at the price of half a minute.
pub(super) fn locate(place: &Place) -> Option<Advice> {
    let command = place.locate_command()?;
    Some(step(
        "The host's own firewall, or the last router's? (30 s, IPv6: 60 s)",
        command,
    ))
}

/// The same again without haste.
pub(super) fn unhurried(place: &Place) -> Option<Advice> {
    let command = place.unhurried_command()?;
    Some(step("The same with time enough:", command))
}

/// Who accepts and resets.
pub(super) fn server_process(place: &Place) -> Advice {
    step(
        format!(
            "{}: which process accepts, and what does its log say?",
            place.server()
        ),
        format!("sudo ss -ltnp 'sport = :{}'", place.port()),
    )
}

/// A series, which shows loss and every change of verdict.
pub(super) fn repeat(place: &Place) -> Advice {
    let command = format!("tcpprobe --count 30 --interval 1s {}", place.target());
    step("How often does it happen?", command)
}

/// What listens instead; on our own host this run has seen already that nothing listens on the very port.
pub(super) fn other_listeners(place: &Place) -> Advice {
    if place.is_local() {
        let says = format!("{}: what does listen, on which address and port?", place.server());
        return step(says, "ss -ltnp");
    }
    listener(place)
}

fn listener(place: &Place) -> Advice {
    let says = format!("{}: does it listen, and on which address?", place.server());
    step(says, format!("ss -ltnp 'sport = :{}'", place.port()))
}

/// Who should accept what waits.
pub(super) fn acceptor(place: &Place) -> Advice {
    step(
        format!("{}: which process does not call accept()?", place.server()),
        format!("sudo ss -ltnp 'sport = :{}'", place.port()),
    )
}

pub(super) fn listener_queue(place: &Place) -> Advice {
    let says = format!(
        "{}: is the accept queue full (Recv-Q above Send-Q)?",
        place.server()
    );
    step(says, format!("ss -ltn 'sport = :{}'", place.port()))
}

pub(super) fn overflows(place: &Place) -> Advice {
    let says = format!("{}: do these grow while clients fail?", place.server());
    step(says, "nstat -az TcpExtListenOverflows TcpExtListenDrops")
}

pub(super) fn softirq(place: &Place) -> Advice {
    step(
        format!(
            "{}: is a CPU busy with soft interrupts, or stolen?",
            place.server()
        ),
        "mpstat -P ALL 1 5",
    )
}

pub(super) fn capture(place: &Place) -> Advice {
    let client = place
        .source
        .map_or_else(String::new, |source| format!(" and host {source}"));
    let says = format!(
        "{}: SYNs in, SYN-ACKs out? (Behind NAT leave out the host.)",
        place.server()
    );
    step(
        says,
        format!("sudo tcpdump -ni any 'tcp port {}{client}'", place.port()),
    )
}

pub(super) fn way_back(place: &Place) -> Advice {
    let client = place
        .source
        .map_or_else(|| "CLIENT".to_owned(), |source| source.to_string());
    step(
        format!("{}: the way back to us:", place.server()),
        format!("ip route get {client}"),
    )
}

pub(super) fn ghosts(place: &Place) -> Advice {
    let says = "Here: connections that only we believe in keep retransmitting:";
    step(says, format!("ss -tno dst '{}'", place.bracketed()))
}

/// Whose address it is in a cluster; our own needs no asking.
pub(super) fn pods(place: &Place) -> Option<Advice> {
    if place.is_local() {
        return None;
    }
    let command = format!(
        "kubectl get pods -A -o wide --field-selector status.podIP={}",
        place.endpoint.ip()
    );
    Some(step(
        "In a cluster: does a pod have this address, and is it ready?",
        command,
    ))
}

/// Which Service it is; none has a loopback address.
pub(super) fn endpoints(place: &Place) -> Option<Advice> {
    if place.is_loopback() {
        return None;
    }
    let says = "In a cluster: which Service has this address, and which endpoints?";
    Some(step(
        says,
        format!(
            "kubectl get svc,endpointslices -A -o wide | grep -wF {}",
            place.endpoint.ip()
        ),
    ))
}

/// Network policies, which do not apply to what stays on our own host.
pub(super) fn policies(place: &Place) -> Option<Advice> {
    if place.is_local() {
        return None;
    }
    let says = "In a cluster: does a policy of either pod leave out this port?";
    Some(step(says, "kubectl get networkpolicy -A"))
}

pub(super) fn rules_here(word: &str) -> Advice {
    step(
        "Here: the rule and its counter:",
        format!("sudo nft list ruleset | grep -i {word}"),
    )
}

pub(super) fn iptables_here(word: &str) -> Advice {
    step(
        "Here, where the rules are still iptables' own:",
        format!("sudo iptables-save -c | grep -i {word}"),
    )
}

pub(super) fn rules_at(sender: &str, word: &str) -> Advice {
    step(
        format!("On {sender}: the rule that says so:"),
        format!("sudo nft list ruleset | grep -i {word}"),
    )
}

/// The rule behind a drop that the sweep has placed.
/// At the host itself, where that is known, or at the last hop that answered and the one after it.
pub(super) fn drop_after(last: IpAddr, place: &Place) -> Advice {
    let says = if last == place.endpoint.ip() {
        "On the server itself: a rule that drops this port?".to_owned()
    } else {
        format!("On {last}, and on the hop after it: a rule that drops this port?")
    };
    step(says, "sudo nft list ruleset | grep -i drop")
}

pub(super) fn route(place: &Place) -> Advice {
    step(
        "What our kernel would do:",
        format!("ip route get {}", place.endpoint.ip()),
    )
}

/// Rules can refuse as routes do.
pub(super) fn refusing_route(place: &Place) -> Advice {
    let family = if place.endpoint.is_ipv6() { "-6" } else { "-4" };
    step(
        "Which route or rule forbids it?",
        format!(
            "(ip {family} rule; ip {family} route show table all) | grep -E 'prohibit|blackhole|unreachable'"
        ),
    )
}

pub(super) fn loopback_link() -> Advice {
    step(
        "Is the loopback interface up (state UNKNOWN or UP)?",
        "ip -br link show lo",
    )
}

pub(super) fn route_at(sender: &str, place: &Place) -> Advice {
    step(
        format!("On {sender}: its own route to the host:"),
        format!("ip route get {}", place.endpoint.ip()),
    )
}

pub(super) fn addresses(place: &Place) -> Advice {
    let family = if place.endpoint.is_ipv6() { "-6" } else { "-4" };
    step(
        "Have we an address of this family, and rules that change the route?",
        format!("ip {family} addr; ip {family} rule"),
    )
}

pub(super) fn neighbour(place: &Place) -> Advice {
    step(
        "What our kernel knows of the next hop:",
        format!("ip neigh show {}", place.next_hop()),
    )
}

pub(super) fn neighbour_at(sender: &str, place: &Place) -> Advice {
    step(
        format!("On {sender}: does the host answer ARP or ND (not FAILED)?"),
        format!("ip neigh show {}", place.endpoint.ip()),
    )
}

pub(super) fn ask_neighbour(place: &Place) -> Advice {
    let interface = place.interface.as_deref().unwrap_or("IFACE");
    let hop = place.next_hop();
    let command = if hop.is_ipv6() {
        format!("sudo ndisc6 {hop} {interface}")
    } else {
        format!("sudo arping -c 3 -I {interface} {hop}")
    };
    step("Ask it ourselves:", command)
}

pub(super) fn trace(place: &Place) -> Advice {
    let says = "Hop by hop, on this port:";
    step(
        says,
        format!("mtr -n -r -c 5 -T -P {} {}", place.port(), place.endpoint.ip()),
    )
}

pub(super) fn conntrack() -> Advice {
    step(
        "On every node that does NAT on the way: do insert_failed or drop grow?",
        "sudo conntrack -S",
    )
}

pub(super) fn reverse_path_filter() -> Advice {
    step(
        "Here and on the routers: does rp_filter drop answers?",
        "nstat -az TcpExtIPReversePathFilter",
    )
}

pub(super) fn port_use(place: &Place) -> Advice {
    let command = format!(
        "ss -tan dst '{}' | awk 'NR>1 {{print $1}}' | sort | uniq -c",
        place.bracketed()
    );
    step(
        "What holds the ports (ESTAB: load or a leak; TIME-WAIT: no keep-alive)?",
        command,
    )
}

pub(super) fn port_range() -> Advice {
    step(
        "How many ports there are:",
        "sysctl net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse",
    )
}

pub(super) fn descriptors() -> Advice {
    step(
        "The limits of this shell and of the system:",
        "ulimit -n; sysctl fs.file-nr",
    )
}

pub(super) fn audit() -> Advice {
    step(
        "Who denied it?",
        "sudo ausearch -m avc -ts recent; sudo dmesg | tail -20",
    )
}

pub(super) fn kernel_log() -> Advice {
    step("What the kernel says of this moment:", "sudo dmesg | tail -20")
}
