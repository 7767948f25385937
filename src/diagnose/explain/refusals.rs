//! Somebody said no: with a RST, with an ICMP error, or right after the handshake.

use super::Explanation;

pub(super) const NO_LISTENER: Explanation = Explanation {
    in_short: "the host answered with a RST, so nothing listens on this address and port",
    meaning: "The host is up, the path works both ways, and no socket listens on this address and port. The \
              process is down, not up yet, on another port, or bound to another address only (127.0.0.1).",
    how_told: "ECONNREFUSED with an empty error queue: an ICMP port-unreachable gives the same errno but leaves \
               an entry. With raw probes the RST arrives with the TTL of the host's other answers.",
    looks_like: "rejected/port-unreachable (same errno); refused/middlebox-reset; a firewall on the host \
                 itself that rejects with a TCP reset, which builds the very same packet; Windows hosts, \
                 which answer a SYN with RST when their backlog is full.",
    what_to_do: &[
        "Server: `ss -ltnp 'sport = :PORT'`. Missing: the process is not there. 127.0.0.1 or [::1]: it \
         listens to its own host alone.",
        "Kubernetes: a RST from a pod's address means the pod's network is up and the container does not \
         listen. `kubectl get pods -o wide` (restarts, readiness), then compare the Service's targetPort \
         with what `ss -ltn` shows inside the pod.",
        "Container: look in its network namespace, `nsenter -t PID -n ss -ltn`.",
        "It listens, and still: `nft list ruleset | grep -i 'reject with tcp reset'` on the host.",
    ],
    what_not_to_do: &[
        "Do not look for a firewall that drops: an answer came back.",
        "Do not raise client timeouts: a refusal takes one round trip.",
    ],
};

pub(super) const MIDDLEBOX_RESET: Explanation = Explanation {
    in_short: "a box on the path refuses in the host's name",
    meaning: "A firewall, load balancer or proxy on the path answers in the host's place. The host may be \
              fine and may never have seen the SYN.",
    how_told: "With raw probes: the RST arrives with another TTL than the host's other answers in the same \
               second, or one SYN is answered by a RST and by a SYN-ACK. Some devices copy the TTL of our \
               packet, so equal TTLs do not prove the host.",
    looks_like: "refused/no-listener. errno and timing are the same; only distance tells.",
    what_to_do: &[
        "The hop at which the RST first appears is the box; `from` has the last hop that answered before it.",
        "Linux routers: `nft list ruleset | grep -i 'tcp reset'`, `iptables-save | grep tcp-reset`.",
        "Load balancer: its target health and access log. Many reset connections for which they have no \
         healthy target.",
        "Ask the target from inside its own segment: open there and refused here settles it.",
    ],
    what_not_to_do: &["Do not restart the server's process before it is known that the SYN arrives there."],
};

pub(super) const PORT_UNREACHABLE: Explanation = Explanation {
    in_short: "an ICMP port-unreachable said no: a Service without endpoints, or a REJECT rule",
    meaning: "An ICMP 3/3 (ICMPv6 1/4) answered our SYN. A host's own TCP does not answer like this: it is a \
              packet filter's rule, or IPVS without a destination. kube-proxy installs such a rule for every \
              Service that has no ready endpoint, and it is the default of REJECT.",
    how_told: "ECONNREFUSED, as for a RST, but the error queue holds the ICMP error and its sender. No \
               privilege is needed. A sender that is one of our own addresses is a rule on this very host or \
               node.",
    looks_like: "refused/no-listener: every client prints 'connection refused' for both.",
    what_to_do: &[
        "The target is a Service address: `kubectl get endpointslices -l \
         kubernetes.io/service-name=SERVICE`. Empty or not ready: fix the selector or the readiness probe; \
         then `kubectl describe pod` of the backends.",
        "Sender is our own address: the rule is here. `nft list ruleset | grep -i reject`, `iptables-save | \
         grep REJECT`.",
        "Sender is the target: its own firewall. Sender is a hop between: that router's firewall.",
    ],
    what_not_to_do: &[
        "Do not restart the server because the errno says 'refused': no process was asked.",
        "Do not conclude from a run without this answer that the rule is gone: senders limit ICMP errors to \
         about one a second.",
    ],
};

pub(super) const ADMIN_PROHIBITED: Explanation = Explanation {
    in_short: "an ICMP 'administratively prohibited' said no: a packet filter rejects it",
    meaning: "A packet filter answered with ICMP 3/13 (ICMPv6 1/1, 1/5 or 1/6) on purpose. The sender named \
              in `from` has the rule.",
    how_told: "The error queue holds type, code and sender; no privilege is needed. errno is only \
               EHOSTUNREACH (EACCES for IPv6), as for a host that is down.",
    looks_like: "unreachable/host-unreachable, by errno.",
    what_to_do: &[
        "On the sender: `nft list ruleset | grep -i prohibited`; `firewall-cmd --list-all` where firewalld \
         runs (its zones reject with this code); on a router, the access list of the interface towards us.",
        "Ask whether our source address is the one the rule allows: NAT and pod addresses change it.",
    ],
    what_not_to_do: &["Do not look at routing: a router that has no route says 3/0 or 3/1."],
};

pub(super) const HOST_PROHIBITED: Explanation = Explanation {
    in_short: "an ICMP 'host prohibited' said no: a packet filter rejects it",
    meaning: "A packet filter answered with ICMP 3/10. It is the REJECT of many Linux distributions' stock \
              iptables rules, so it mostly comes from the target itself.",
    how_told: "The error queue holds type, code and sender; no privilege is needed. errno is EHOSTUNREACH \
               ('no route to host').",
    looks_like: "unreachable/host-unreachable: 'no route to host' is printed for both, and the host is up.",
    what_to_do: &[
        "On the sender: `iptables-save | grep icmp-host-prohibited`, `nft list ruleset | grep -i \
         host-prohibited`.",
        "Allow the port above that rule; rules are read from top to bottom.",
    ],
    what_not_to_do: &["Do not debug routes because the client printed 'no route to host'."],
};

pub(super) const NET_PROHIBITED: Explanation = Explanation {
    in_short: "an ICMP 'network prohibited' said no: a packet filter rejects it",
    meaning: "A packet filter answered with ICMP 3/9: the destination network is forbidden for us.",
    how_told: "The error queue holds type, code and sender; no privilege is needed. errno is ENETUNREACH.",
    looks_like: "unreachable/net-unreachable and unreachable/no-route, by errno.",
    what_to_do: &[
        "On the sender: `nft list ruleset | grep -i net-prohibited`, or the router's access lists.",
        "Check that our source network is the one which the policy expects.",
    ],
    what_not_to_do: &["Do not add routes: the network is known and forbidden."],
};

pub(super) const RESET_AFTER_ACCEPT: Explanation = Explanation {
    in_short: "accepted, then reset by application or proxy",
    meaning: "The handshake was completed, and a RST followed without any data from us. The connection \
              existed at the peer, so a process or a proxy aborted it: a proxy without a backend, an \
              allow-list in the application, a crash after accept(), or SO_LINGER 0.",
    how_told: "The RST carries the ACK flag, as the RST of an aborted connection does, seen by a filter on \
               our own socket, which most kernels permit to any user (some with CAP_NET_ADMIN alone). A RST \
               without it is backlog-full/reset-on-overflow.",
    looks_like: "backlog-full/reset-on-overflow, by errno (ECONNRESET for both).",
    what_to_do: &[
        "Server or proxy log for our source address at this second: it did accept the connection.",
        "Proxy or load balancer: is a backend healthy? Probe the backend's own address and compare.",
        "Service mesh: a sidecar accepts for everybody and resets when its upstream fails or policy forbids \
         it; read its access log and response flags.",
        "Application: allow-list by address, connection limit, crash loop (`kubectl get pods`, restarts).",
    ],
    what_not_to_do: &["Do not take a succeeding connect() or TCP health check for a working backend."],
};
