//! There is no way to the host, and somebody said so.

use super::Explanation;

pub(super) const NO_ROUTE: Explanation = Explanation {
    in_short: "our own host has no route to this address",
    meaning: "The kernel refused at once: its routing table has no entry for the address, or an unreachable \
              or blackhole one.",
    how_told: "connect() fails at once with ENETUNREACH (no route), EHOSTUNREACH (unreachable route), \
               EINVAL (blackhole route) or EADDRNOTAVAIL (IPv6 is switched off), the error queue is empty and the route lookup agrees. No privilege \
               is needed.",
    looks_like: "unreachable/net-unreachable (same errno, but said by a router); Cilium's socket load \
                 balancer, which lets connect() fail at once with EHOSTUNREACH for a Service without \
                 backends.",
    what_to_do: &[
        "`ip route get ADDRESS`, `ip rule`, `ip -br addr`: is there an address of this family at all?",
        "IPv6: `sysctl net.ipv6.conf.all.disable_ipv6`; a pod or container without a global IPv6 address has no route; the name's AAAA record is \
         then useless here.",
        "VPN or tunnel: is the interface up, and did it install its routes?",
        "Cilium and a Service address: `kubectl get endpointslices -l kubernetes.io/service-name=SERVICE`.",
    ],
    what_not_to_do: &["Do not look at the server or the path: nothing was sent."],
};

pub(super) const NEIGHBOUR_UNRESOLVED: Explanation = Explanation {
    in_short: "the next hop on our own link does not answer ARP or neighbour discovery",
    meaning: "The route leads to a neighbour (the host itself, or our gateway) whose link-layer address \
              nobody tells. No SYN left; the kernel asked three times, once a second, and gave up.",
    how_told: "EHOSTUNREACH after about 3 s, with an ICMP 3/1 in the error queue that comes from our own \
               address and not one SYN retransmitted; within a shorter run the neighbour entry is INCOMPLETE \
               or FAILED. No privilege is needed.",
    looks_like: "unreachable/host-unreachable (a router says the same of its own link); \
                 filtered/host-silent, when the run is shorter than 3 s and the neighbour table cannot be \
                 read.",
    what_to_do: &[
        "`ip neigh show ADDRESS`, `arping -I IFACE ADDRESS` (IPv6: `ndisc6 ADDRESS IFACE`).",
        "Is the host up, on this VLAN, with this address? A prefix length that is too short makes remote \
         hosts look on-link: `ip route get ADDRESS` says 'via' for what is not on the link.",
        "Kubernetes: the pod or node is gone and its address still handed out: `kubectl get pods -A -o wide \
         | grep ADDRESS`.",
        "Many hosts on one link: `dmesg | grep 'neighbor table overflow'` and \
         net.ipv4.neigh.default.gc_thresh3.",
    ],
    what_not_to_do: &["Do not look at the server's firewall or port: no TCP packet left."],
};

pub(super) const HOST_UNREACHABLE: Explanation = Explanation {
    in_short: "a router says that it cannot reach the host",
    meaning: "The last router has a route and no way to deliver: nobody answers its ARP or neighbour \
              discovery, or its route is an unreachable one. The host is down or does not have this address.",
    how_told: "ICMP 3/1 (ICMPv6 1/3) in the error queue, its sender is a router. About 3 s after the first \
               SYN when its neighbour does not answer, at once when it has an unreachable route or already \
               knows. No privilege is needed.",
    looks_like: "rejected/host-prohibited and rejected/admin-prohibited (same errno); filtered/host-silent, \
                 when the run is shorter than the router's 3 s.",
    what_to_do: &[
        "Is the host up and is this its address? Kubernetes: `kubectl get pods -A -o wide | grep ADDRESS`; a \
         client that keeps an old pod's address gets this.",
        "On the router in `from`: `ip neigh show ADDRESS`, `ip route get ADDRESS`.",
        "Cloud: instance stopped, network interface detached, address reassigned.",
    ],
    what_not_to_do: &["Do not look for a firewall first: a filter does not wait 3 s to say so."],
};

pub(super) const NET_UNREACHABLE: Explanation = Explanation {
    in_short: "a router says that it has no route to the network",
    meaning: "The packet got as far as the router named in `from`, which has no route for the destination.",
    how_told: "ICMP 3/0 (ICMPv6 1/0) in the error queue, its sender is not us. No privilege is needed.",
    looks_like: "unreachable/no-route (same errno, said at once by our own kernel); rejected/net-prohibited.",
    what_to_do: &[
        "On the router in `from`: `ip route get ADDRESS`; is the route, the BGP session or the tunnel down?",
        "Cloud: the route table of our subnet and the peering or VPN attachment, for both networks.",
        "Kubernetes: pod network of another node missing: `ip route | grep PODCIDR` on the node, state of \
         the CNI agent.",
    ],
    what_not_to_do: &["Do not look at the server: no packet got near it."],
};

pub(super) const TTL_EXCEEDED: Explanation = Explanation {
    in_short: "the packet's TTL ran out on the way: the path loops",
    meaning: "Routers hand the packet to each other until its hop count is used up. Mostly two routers whose \
              routes point at each other, for an address that neither has.",
    how_told: "ICMP 11/0 (ICMPv6 3/0) for a SYN with the system's own TTL; the error queue names the router. \
               No privilege is needed.",
    looks_like: "unreachable/host-unreachable, by errno.",
    what_to_do: &[
        "`mtr -n ADDRESS`: the same routers alternate. The loop begins at the first that appears twice.",
        "The usual cause is an aggregate towards us and a default route away from us: give the aggregate's \
         owner a blackhole route for it.",
        "`sysctl net.ipv4.ip_default_ttl` (64 by default): a small value runs out on an honest path.",
    ],
    what_not_to_do: &["Do not raise the TTL to get around a loop."],
};
