//! SYNs or their answers vanish, and nobody says so.

use super::Explanation;

pub(super) const EGRESS: Explanation = Explanation {
    in_short: "our own host drops the SYN before it leaves",
    meaning: "A rule in our own network namespace (output or postrouting hook) drops what we send to this \
              endpoint, or its connection tracking table is full.",
    how_told: "Without privileges: TCPRetransFail of /proc/net/netstat grows by one with each SYN \
               retransmission. With raw probes: sending a SYN of our own fails with EPERM, which is certain.",
    looks_like: "Every other cause of filtered: connect() itself sees plain silence.",
    what_to_do: &[
        "Here, in this namespace: `nft list ruleset` and `iptables-save -c`; look at output and postrouting, \
         and which counter grows.",
        "`dmesg | grep 'nf_conntrack: table full'`: a new flow is then refused on its way out.",
        "A sidecar's or VPN's kill switch writes such rules; so does an agent on the node in the node's \
         namespace.",
        "Kubernetes egress policy is mostly enforced outside the pod, on the node's end of the veth. It then \
         does not look like this but like filtered/port or filtered/host-silent.",
    ],
    what_not_to_do: &["Do not look at the server or the path: the packet never left."],
};

pub(super) const INGRESS: Explanation = Explanation {
    in_short: "the answer reaches our host, and our own host drops it",
    meaning: "The server answers. The answer arrives at our interface and is dropped before TCP sees it: by \
              our own firewall or by rp_filter.",
    how_told: "Without privileges: packets received and not delivered (Ip InReceives against InDelivers) grow \
               with our SYNs. With raw probes: the answer is seen on the interface (AF_PACKET) and never above \
               the firewall, which is certain.",
    looks_like: "Every other cause of filtered, above all filtered/return-path.",
    what_to_do: &[
        "`nft list ruleset`, `iptables-save -c`: is 'ct state established,related accept' there and above \
         the drop?",
        "`nstat -az TcpExtIPReversePathFilter`. Growth: the route back to the source leaves by another \
         interface (`ip route get ADDRESS`, `sysctl net.ipv4.conf.all.rp_filter`).",
    ],
    what_not_to_do: &["Do not open anything at the server: it has answered."],
};

pub(super) const PORT: Explanation = Explanation {
    in_short: "packets to this port are dropped; the host itself answers",
    meaning: "A packet filter drops what goes to this port: the host's firewall, a security group, a \
              NetworkPolicy, or a router's. The server's process never sees it.",
    how_told: "SYNs stay silent while a closed control port of the same host answers RST at the same time. That \
               also fits a full accept queue. With raw probes a bare ACK decides: a full listener's host \
               answers it with RST, a filter stays silent. A filter on what the port sends back looks the same.",
    looks_like: "backlog-full/syn-dropped: the same for connect(), nmap -sS ('filtered') and nc ('timed \
                 out').",
    what_to_do: &[
        "Kubernetes: `kubectl get networkpolicy -A`. One policy that selects a pod denies all that none \
         allows: ingress at the target's pod, egress at ours. Cilium: `hubble observe --verdict DROPPED`.",
        "Cloud: the security group of the target (port and our source address), and the network ACL in both \
         directions.",
        "Host: `nft list ruleset`, `iptables-save -c`; a counter that grows with our SYNs is the rule.",
        "NodePort or LoadBalancer with externalTrafficPolicy: Local: a node without a local endpoint drops \
         silently. Try another node.",
        "Server: `tcpdump -ni any 'tcp port PORT and host CLIENT'`. It sees packets before the host's own \
         filter: SYNs shown there are dropped on the host, none shown are dropped before it.",
    ],
    what_not_to_do: &[
        "Do not restart or tune the server: it has seen nothing.",
        "Do not conclude from ping: ICMP and TCP pass different rules.",
    ],
};

pub(super) const HOST_SILENT: Explanation = Explanation {
    in_short: "nothing from this host, on any port: dropped on the way, or the host is gone",
    meaning: "Neither the port, nor a closed control port, nor a ping got an answer. A filter drops \
              everything from us, the host is down behind a router that does not say so, or a route leads \
              nowhere.",
    how_told: "Silence to every probe for the whole run. The hop probes (SYNs with small TTLs, no privilege \
               needed) show how far packets get; the last hop that answered is in `from`.",
    looks_like: "unreachable/host-unreachable: a router reports a dead neighbour only after about 3 s, so a \
                 shorter run sees silence. A default-deny security group in front of a healthy host looks \
                 the same.",
    what_to_do: &[
        "Look for longer than 3 s: `tcpprobe --timeout 5s ADDRESS:PORT`.",
        "Is it up, and is this its address? `kubectl get pods,nodes -A -o wide | grep ADDRESS`; the cloud's \
         console.",
        "Ask from elsewhere, best from its own subnet: an answer there means a filter or route between us.",
        "Security groups and default-deny NetworkPolicies drop all that is not allowed, ping as well.",
        "`mtr -n -T -P PORT ADDRESS`: where the answers end, and whether other hosts behind the same hop \
         answer.",
    ],
    what_not_to_do: &["Do not say 'the host is down' from silence alone: a filter looks exactly like it."],
};

pub(super) const SYN_FILTER: Explanation = Explanation {
    in_short: "only new connections (SYNs) to the port are dropped",
    meaning: "A stateless rule drops SYNs and lets other TCP segments pass ('--syn', 'established'). New \
              connections are forbidden in this direction.",
    how_told: "With raw probes: SYNs are silent, while a bare ACK gets a RST (a filter by state drops it too, \
               and lets a FIN pass). A FIN that gets a RST says that nothing listens behind the filter; one \
               that is ignored, where the control port answers it, that something does.",
    looks_like: "backlog-full/syn-dropped, which answers the same probes alike when only this port is \
                 filtered and something listens; both are then named. A SYN on the four-tuple of an \
                 established connection decides: a full listener's host answers with a challenge ACK.",
    what_to_do: &[
        "Look for the rule: `iptables-save | grep 'FIN,SYN,RST,ACK SYN'`, `nft list ruleset | grep 'tcp \
         flags'`, 'established' in a router's access list.",
        "Is the connection meant to be opened from the other side? Such rules say so.",
        "Rule out the queue at the server: `ss -ltn 'sport = :PORT'`.",
    ],
    what_not_to_do: &["Do not conclude from an ACK scan ('unfiltered') that connections are allowed."],
};

pub(super) const RETURN_PATH: Explanation = Explanation {
    in_short: "our SYN arrives; the answer is lost on its way back",
    meaning: "The server has our SYN and answers; the answer does not come to us. Its route back, or a \
              stateful firewall that sees only one direction, is at fault.",
    how_told: "With raw probes: after a SYN, a segment far outside the window on the same two ports is answered \
               with an ACK, which only a server that holds our request does. That is certain, unless the path \
               loses so much that each SYN-ACK may have been lost by chance.",
    looks_like: "filtered/port and filtered/host-silent: a client sees silence for all of them.",
    what_to_do: &[
        "Server: `ip route get CLIENT`; is there a route to our address as the server sees it? Pod addresses \
         that leave the cluster without SNAT often have none.",
        "Server: `ss -tn state syn-recv` shows our address, and `tcpdump -ni any 'tcp port PORT and host \
         CLIENT'` shows SYN-ACKs going out.",
        "Asymmetric route: the firewall on the way back never saw the SYN and drops the SYN-ACK as INVALID; \
         lead both directions through one of them.",
        "Here and on routers: `nstat -az TcpExtIPReversePathFilter` (rp_filter).",
    ],
    what_not_to_do: &["Do not open the server's inbound rules: the SYN gets in."],
};

pub(super) const UNATTRIBUTED: Explanation = Explanation {
    in_short: "SYNs to this port vanish, and several causes fit",
    meaning: "No answer of any kind came to our SYNs. A packet filter and a full accept queue look the same \
              through connect(), and nothing else that this run saw tells them apart.",
    how_told: "By what is missing: no answer, no ICMP error, no sign in our own counters. Raw probes name the \
               cause in most cases; where they were possible, the path dropped what would have told (a bare ACK \
               or FIN that is not answered on the control port either).",
    looks_like: "filtered/port, backlog-full/syn-dropped, filtered/return-path, filtered/syn-filter.",
    what_to_do: &[
        "Server: `tcpdump -ni any 'tcp port PORT and host CLIENT'`. No SYN arrives: a filter on the way. SYNs \
         without an answer: the host's own filter, or a full queue. SYN-ACKs leave: the way back.",
        "Over time: `tcpprobe --count 30 --interval 2s ADDRESS:PORT`. One success among failures means a \
         full queue or loss, not a filter.",
        "Server: `ss -ltn 'sport = :PORT'`. Recv-Q above Send-Q is a full accept queue, else look for a \
         filter.",
    ],
    what_not_to_do: &[
        "Do not call it a firewall: 'filtered' in nmap's and 'timed out' in nc's output mean no more than \
         this either.",
    ],
};
