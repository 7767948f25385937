//! Connections that can be made, fast or slowly.

use super::Explanation;

pub(super) const HEALTHY: Explanation = Explanation {
    in_short: "the handshake succeeded and the peer confirmed the connection",
    meaning: "The three-way handshake was completed, and the peer's kernel acknowledged our FIN, so both \
              sides held the connection. The kernel does all of this without the application: a process that \
              is stuck still gets connections until its backlog is full.",
    how_told: "connect() succeeded, and after our FIN the socket left FIN_WAIT1 within about a round trip. \
               No privilege is needed. handshake_rtt_s is the kernel's own measurement (tcpi_rtt).",
    looks_like: "backlog-full/ack-ignored, where connect() succeeds too and only the unacknowledged FIN \
                 gives it away; a sidecar or transparent proxy that accepts in the host's place (finding \
                 proxy-suspected).",
    what_to_do: &[
        "Clients fail all the same: look above TCP, with `curl -v` or `openssl s_client -connect \
         ADDRESS:PORT`.",
        "Run it where the failing client runs, in the same pod: network policy and routes differ between \
         namespaces.",
        "The failure comes and goes: `tcpprobe --count 100 --interval 1s ADDRESS:PORT` shows loss, \
         percentiles and every change of verdict.",
    ],
    what_not_to_do: &["Do not take an open port for a healthy service."],
};

pub(super) const SYN_LOST: Explanation = Explanation {
    in_short: "the connection works, but our first SYN was lost and had to be sent again",
    meaning: "The peer answered a retransmitted SYN; the earlier one left no state there. A client waits \
              about 1 s more for each SYN that is lost.",
    how_told: "The SYN-ACK echoes the timestamp of the SYN that it answers (TSecr). Without privileges this \
               shows in TCP_INFO: retransmissions, and a tcpi_rtt far below the connect time. It needs TCP \
               timestamps and a peer that keeps the first SYN's timestamp, as Linux does.",
    looks_like: "slow/syn-ack-lost and backlog-full/overloaded (a queue that was full for the first SYN and \
                 had room for the second): both cost the same second.",
    what_to_do: &[
        "Measure how often: `tcpprobe --count 100 --interval 1s ADDRESS:PORT`.",
        "Every node that does NAT on the way: `conntrack -S` (insert_failed, drop). insert_failed is the \
         race of two new flows for one source port; the known remedy is MASQUERADE with --random-fully.",
        "The same nodes: `dmesg | grep 'nf_conntrack: table full'`; `sysctl net.netfilter.nf_conntrack_count \
         net.netfilter.nf_conntrack_max`.",
        "Server: `nstat -az TcpExtListenOverflows TcpExtListenDrops`. Growth means a full accept queue, not \
         loss.",
        "Interfaces on the path: `ip -s link`, `ethtool -S IFACE | grep -i drop`.",
    ],
    what_not_to_do: &["Do not lower tcp_syn_retries: the same loss then fails instead of being slow."],
};

pub(super) const SYN_ACK_LOST: Explanation = Explanation {
    in_short: "the connection works, but the peer's first SYN-ACK was lost on its way back",
    meaning: "Our first SYN arrived and created state at the peer; its SYN-ACK did not reach us, and a later \
              one did. The loss is on the way back, which need not be the way there.",
    how_told: "The SYN-ACK that came echoes the timestamp of the first SYN (TSecr), so tcpi_rtt is about the \
               whole connect time although SYNs were retransmitted. A second hint without timestamps: \
               TCP_INFO counts two received segments right after connect(). FreeBSD peers echo the latest \
               SYN instead, so the sign fails there.",
    looks_like: "slow/syn-lost; slow/late-syn-ack, when the server takes more than a second to answer.",
    what_to_do: &[
        "Server: `ip route get CLIENT` and a trace from there to us; the way back is what loses packets.",
        "Both sides: `nstat -az TcpExtIPReversePathFilter`. Growth means that rp_filter drops packets of an \
         asymmetric route.",
        "Stateful firewalls that see only one direction drop SYN-ACKs as INVALID: look at the one on the way \
         back.",
        "Our own interface: `ip -s link`, `ethtool -S IFACE | grep -i drop`.",
    ],
    what_not_to_do: &["Do not look for the loss in our sending direction: the first SYN arrived."],
};

pub(super) const RETRANSMITTED: Explanation = Explanation {
    in_short: "the connection works, but a SYN had to be sent again; which packet was lost is not known",
    meaning: "The handshake needed at least one retransmission. Either our SYN or the peer's SYN-ACK was \
              lost, or the accept queue was full for a moment.",
    how_told: "TCP_INFO counts retransmissions, and nothing says which SYN was answered: TCP timestamps are \
               off on one side, or the peer's stack is not known to keep the first one.",
    looks_like: "slow/syn-lost, slow/syn-ack-lost, backlog-full/overloaded.",
    what_to_do: &[
        "Both sides: `sysctl net.ipv4.tcp_timestamps`. With 1 on both, the next run can say which packet was \
         lost.",
        "Measure how often: `tcpprobe --count 100 --interval 1s ADDRESS:PORT`.",
        "Server: `nstat -az TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop`.",
    ],
    what_not_to_do: &[],
};

pub(super) const LATE_SYN_ACK: Explanation = Explanation {
    in_short: "the path is fast, but the SYN-ACK came late",
    meaning: "The host answers other packets quickly and took long for this SYN-ACK. The kernel sends a \
              SYN-ACK without the application, so the delay is in a kernel, a hypervisor, or a box that \
              terminates the connection and first asks someone else.",
    how_told: "No SYN was retransmitted, and the handshake took more than three times, and 100 ms more than, \
               the round trip of the control port's RST or of a ping. No privilege is needed.",
    looks_like: "slow/long-path, if nothing else on the path answers to compare with; slow/syn-ack-lost.",
    what_to_do: &[
        "Server: `mpstat -P ALL 1` (%soft, %steal), `cat /proc/net/softnet_stat` (second column dropped, \
         third squeezed).",
        "A load balancer, SYNPROXY or activator in front that answers only once its own connection to the \
         backend stands: probe the backend directly and compare.",
        "Repeat with `--count 50 --interval 200ms`: a delay in every round is a proxy, in some rounds it is \
         load.",
    ],
    what_not_to_do: &[
        "Do not profile the application's accept loop: accept() has no part in sending a SYN-ACK.",
    ],
};

pub(super) const LONG_PATH: Explanation = Explanation {
    in_short: "the path's own round trip is longer than the --slow threshold",
    meaning: "Nothing was lost and nobody was slow: the distance, or queues along it, take this long.",
    how_told: "The handshake took as long as the RST of the control port or a ping, and longer than --slow. \
               No privilege is needed.",
    looks_like: "slow/late-syn-ack, if only the listener is slow.",
    what_to_do: &[
        "Check that this is the host you mean: another region, a VPN or a proxy adds a round trip.",
        "`mtr -n ADDRESS` shows where the delay begins; a round trip that varies is a queue, a constant one \
         is distance.",
        "If this distance is expected, set `--slow` above it, and reuse connections in the client.",
    ],
    what_not_to_do: &[
        "Do not tune backlogs or buffers for it: the handshake is one round trip whatever they are.",
    ],
};
