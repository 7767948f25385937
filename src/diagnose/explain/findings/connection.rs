//! Findings of the connection that was made, and of several side by side.

use super::FindingText;

pub(super) const CLOSED_AFTER_ACCEPT: FindingText = FindingText {
    in_short: "the peer closed the connection at once, before we had said anything",
    meaning: "The handshake succeeded and the peer's FIN came before ours. A proxy or load balancer without a backend does \
              that, and so does a server that does not want this client, or one whose process has just begun to end.",
    how_told: "The peer's FIN was seen before our own was sent. Whether the server or something before it closes cannot be \
               seen in the segment.",
    what_to_do: &[
        "See whether the proxy or load balancer has a backend that is ready, and look into its log.",
        "Hold the connection for longer (--hold 1s), to see whether the peer closes all of them or the idle ones.",
    ],
    what_not_to_do: &["Do not take the open port for a working service: nothing above TCP was asked."],
};

pub(super) const RESET_AT_CLOSE: FindingText = FindingText {
    in_short: "the peer answers our orderly close with a RST: that is how it closes",
    meaning: "The peer knew the connection and ended it with a RST instead of a FIN, as servers with SO_LINGER 0 and many \
              health-checked load balancers do. Clients that close first never notice.",
    how_told: "Our FIN was acknowledged, or the peer had kept the connection for a quarter of a second, before the RST.",
    what_to_do: &[
        "Nothing, unless clients lose the end of what they sent: then the server has to close in order.",
    ],
    what_not_to_do: &["Do not count it as a refusal."],
};

pub(super) const PROXY_SUSPECTED: FindingText = FindingText {
    in_short: "something nearer than the host completed the handshake",
    meaning: "A sidecar, a transparent proxy or the first hop accepts connections in the host's name. The handshake then \
              says nothing of the host: a dead one looks open.",
    how_told: "A SYN that may live for one hop only was answered although the host is behind a router.",
    what_to_do: &[
        "Ask above TCP: `openssl s_client -connect ADDRESS:PORT`, or a request of the application.",
        "Look from where the sidecar is not: the node, or a pod without injection.",
    ],
    what_not_to_do: &["Do not rely on TCP health checks through that proxy."],
};

pub(super) const V4_V6_DIFFER: FindingText = FindingText {
    in_short: "one address family works, the other does not",
    meaning: "Which clients wait depends on the family that they try first. Those with Happy Eyeballs hardly notice; all \
              others hang for as long as connect() does.",
    how_told: "All addresses of the name were looked at, and those of one family alone could be connected to.",
    what_to_do: &[
        "Repair the family that fails, or take its records out of DNS until it works.",
        "See whether the service listens on both families.",
    ],
    what_not_to_do: &["Do not disable IPv6 on clients: it hides the fault from them alone."],
};

pub(super) const ADDRESSES_DIFFER: FindingText = FindingText {
    in_short: "addresses of one name have different verdicts",
    meaning: "Whether a client gets through depends on the address it picks, so that it fails some of the time.",
    how_told: "Every address of the name was looked at.",
    what_to_do: &["Take the addresses that fail out of DNS or out of the load balancer, or repair them."],
    what_not_to_do: &["Do not retry blindly: a client that keeps the first address fails each time."],
};

pub(super) const SYN_COOKIES: FindingText = FindingText {
    in_short: "the server answers SYNs with cookies: more handshakes are half done than its backlog",
    meaning: "The server's queue of half-open handshakes is full, by a flood or by a listen() with a small backlog, and it \
              answers without keeping state. Connections get through; options that do not fit into a cookie are lost.",
    how_told: "A SYN without timestamps got a SYN-ACK with no option but the MSS, an ordinary one got all.",
    what_to_do: &[
        "On the server: `nstat -az TcpExtTCPReqQFullDoCookies TcpExtSyncookiesSent`, and see whether the peers are your \
         clients.",
        "A larger backlog helps against bursts of real clients alone.",
    ],
    what_not_to_do: &["Do not turn tcp_syncookies off: the queue would drop SYNs instead."],
};

pub(super) const PATH_LOSS: FindingText = FindingText {
    in_short: "the path loses packets",
    meaning: "Of packets that the host surely answers some were not answered. Each lost SYN costs a client a second.",
    how_told: "SYNs to other ports of the same host went unanswered while others like them were answered. Which direction \
               loses is not known.",
    what_to_do: &[
        "Measure: `tcpprobe --count 100 --interval 100ms ADDRESS:PORT`.",
        "Look at the queues and errors of the links on the way (`tc -s qdisc`, `ethtool -S`), our own first.",
    ],
    what_not_to_do: &["Do not raise client timeouts to hide it."],
};
