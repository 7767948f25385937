//! The name gave no address.

use super::Explanation;

pub(super) const NXDOMAIN: Explanation = Explanation {
    in_short: "there is no such name",
    meaning: "Every candidate of the search list was answered with NXDOMAIN. A DNS server is there and says \
              that the name does not exist.",
    how_told: "The response code of each question; no privilege is needed. The report lists the candidates \
               in the order asked.",
    looks_like: "dns-failed/no-address, which most clients print alike ('Name or service not known').",
    what_to_do: &[
        "Read the candidates: a typing error, or a search domain that is not the one you think. `cat \
         /etc/resolv.conf`.",
        "Kubernetes: from another namespace a Service is SERVICE.NAMESPACE, in full \
         SERVICE.NAMESPACE.svc.cluster.local. `kubectl get svc -A | grep SERVICE`.",
        "Compare with the zone's own server: `dig +norecurse NAME @SERVER`. A split-horizon zone answers by \
         who asks.",
        "Just created: a resolver keeps NXDOMAIN for the SOA's negative TTL (RFC 2308).",
    ],
    what_not_to_do: &["Do not blame a cache before asking a server itself: `dig NAME @SERVER`."],
};

pub(super) const NO_ADDRESS: Explanation = Explanation {
    in_short: "the name exists, but has no address of the wanted family",
    meaning: "A server answered without an error and without an address: the name has no A or AAAA record, \
              or only the one of the family that was not asked for.",
    how_told: "NOERROR with no address in the answer, for each family asked; no privilege is needed.",
    looks_like: "dns-failed/nxdomain.",
    what_to_do: &[
        "`dig NAME A`, `dig NAME AAAA`: does the other family have one (-4 or -6 was set)?",
        "A CNAME whose target has no address: `dig NAME` shows the chain.",
        "Kubernetes: a headless Service has the addresses of its ready pods. None ready, none in DNS: \
         `kubectl get endpointslices -l kubernetes.io/service-name=SERVICE`.",
    ],
    what_not_to_do: &[],
};

pub(super) const SERVFAIL: Explanation = Explanation {
    in_short: "the DNS server failed to answer the question",
    meaning: "The resolver is up, and could not get or validate an answer: its upstream does not answer, the \
              delegation is broken, or DNSSEC validation failed.",
    how_told: "Response code SERVFAIL; no privilege is needed.",
    looks_like: "dns-failed/dns-timeout, if the resolver's own time limit is longer than ours.",
    what_to_do: &[
        "`dig +cd NAME @SERVER`: an answer with checking disabled is a DNSSEC failure.",
        "`dig +trace NAME`: where the delegation ends.",
        "Kubernetes: log of the CoreDNS pods (`kubectl -n kube-system logs -l k8s-app=kube-dns`), and \
         whether their upstream (the node's resolv.conf) answers.",
    ],
    what_not_to_do: &["Do not take it for 'no such name': nothing was said about the name."],
};

pub(super) const DNS_REFUSED: Explanation = Explanation {
    in_short: "the DNS server refuses to answer us",
    meaning: "The server is up, and its policy does not allow this client or this zone.",
    how_told: "Response code REFUSED; no privilege is needed.",
    looks_like: "A refused TCP connection, in careless logs; nothing was connected to.",
    what_to_do: &[
        "Is it the right server? An authoritative server refuses names of other zones. `cat \
         /etc/resolv.conf`.",
        "The server's access list (allow-query, access-control) against our source address, as NAT leaves \
         it.",
    ],
    what_not_to_do: &[],
};

pub(super) const DNS_TIMEOUT: Explanation = Explanation {
    in_short: "no DNS server answered in time",
    meaning: "Questions to every server of resolv.conf stayed unanswered.",
    how_told: "Silence to each question over UDP, and for how long; no privilege is needed.",
    looks_like: "A target that times out: the C library waits 5 s a try, so a client seems to hang in \
                 connect() while it still resolves.",
    what_to_do: &[
        "Kubernetes: an egress NetworkPolicy that forgets DNS is the usual cause. Allow port 53, UDP and \
         TCP, to the DNS pods.",
        "Kubernetes: `kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide` and the endpoints of the \
         kube-dns Service.",
        "`dig +tcp NAME @SERVER` against `dig NAME @SERVER`: TCP works, UDP does not: filtered, or lost \
         fragments.",
        "Now and then, in steps of 5 s: two UDP questions at once race in conntrack (`conntrack -S`, \
         insert_failed). NodeLocal DNSCache avoids it.",
    ],
    what_not_to_do: &["Do not look at the target: no address, no connection."],
};

pub(super) const DNS_UNREACHABLE: Explanation = Explanation {
    in_short: "no DNS server can be reached, or none is configured",
    meaning: "Our own kernel, or an ICMP error, said that the servers cannot be reached; or resolv.conf \
              names none.",
    how_told: "The errno of each question (ECONNREFUSED: an ICMP port-unreachable; ENETUNREACH, \
               EHOSTUNREACH: no way there); no privilege is needed.",
    looks_like: "dns-failed/dns-timeout, which says nothing at all.",
    what_to_do: &[
        "`cat /etc/resolv.conf`: is there a nameserver, and is it the right one for this network namespace? \
         127.0.0.53 exists only where systemd-resolved runs, not in a container.",
        "`ip route get SERVER`.",
        "ECONNREFUSED from a cluster's DNS address: the kube-dns Service has no ready endpoint. `kubectl -n \
         kube-system get endpointslices -l kubernetes.io/service-name=kube-dns`.",
    ],
    what_not_to_do: &[],
};
