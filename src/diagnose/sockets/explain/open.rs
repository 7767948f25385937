//! Connections that we open, and the ports that they take.

use super::LabelText;

pub(super) const PORTS_NEARLY_EXHAUSTED: LabelText = LabelText {
    in_short: "hardly a port is left for connections to one place",
    meaning: "A connection is told by both addresses and both ports. Towards one address and port, from one address of \
              ours, there can be no more connections than the port range has ports, and four fifths of them are taken.",
    how_told: "Sockets are counted for each of our addresses and each destination. Those in TIME_WAIT count, unless the \
               kernel takes their ports again (tcp_tw_reuse). Ports that programs have bound and not connected are not seen.",
    users: "When the last one is taken, connect() fails at once with EADDRNOTAVAIL; before, it takes longer and longer \
            to find one. Other destinations are not affected.",
    what_to_do: &[
        "Reuse connections: a pool, HTTP keep-alive, HTTP/2. One connection a request is what uses ports up.",
        "See which process holds them (below, or --process), and whether it leaks: established connections that nobody \
         uses.",
        "More addresses multiply ports: several addresses of the destination, or of ours. A wider \
         ip_local_port_range gives twice as many at best, and takes ports that services may want to listen on: reserve \
         those (ip_local_reserved_ports).",
    ],
    what_not_to_do: &[
        "Do not look for a firewall: nothing has left this host.",
        "Do not lower nf_conntrack or tcp_fin_timeout settings for it: TIME_WAIT lasts a minute whatever they are.",
    ],
};

pub(super) const TIME_WAIT_PRESSURE: LabelText = LabelText {
    in_short: "ports in TIME_WAIT take a large part of the range for one destination",
    meaning: "We close connections to this destination first, and as often as new ones are made: each of them keeps its \
              port for a minute. A fifth of the range and more waits.",
    how_told: "Sockets in TIME_WAIT are counted by destination and held against the port range. Those of a server that \
               closes first have its listening port and cost memory alone; they do not count.",
    users: "Nothing yet. At the full range, new connections to this destination fail with EADDRNOTAVAIL.",
    what_to_do: &[
        "Pool: keep connections open and use them again, or let the server close first. That removes the cause, and \
         handshakes with it.",
        "If that is not possible, spread over more addresses of the destination or of ours.",
    ],
    what_not_to_do: &[
        "tcp_tw_reuse=1 is no substitute for a pool: it makes new connections take ports after a second, which rests on \
         timestamps at both ends, and NAT or a load balancer in between may still hold the old connection and drop or \
         reset the new one.",
        "tcp_fin_timeout has nothing to do with TIME_WAIT, and tcp_tw_recycle, which broke clients behind NAT, is gone \
         since Linux 4.12.",
        "Do not lower tcp_max_tw_buckets: TIME_WAIT protects the next connection on these ports from segments of the \
         last.",
    ],
};

pub(super) const SYN_SENT_STUCK: LabelText = LabelText {
    in_short: "connections that cannot be made: the SYN was sent again",
    meaning: "A program waits in connect(), and neither an answer nor an error came to its SYN for a second and more.",
    how_told: "Sockets in SYN_SENT whose SYN was sent again, and how often. Why it goes unanswered cannot be seen from \
               here.",
    users: "Whatever waits for the connection hangs, for as long as the kernel or the program's own timeout says.",
    what_to_do: &[
        "Ask tcpprobe for the reason: `tcpprobe ADDRESS:PORT` tells a firewall from a full accept queue, a dead host, a \
         route.",
        "Set a connect timeout in the client that fits its users: a few seconds; then try another address. It costs the \
         connections that would have come later on a lossy path.",
    ],
    what_not_to_do: &[
        "Do not lower tcp_syn_retries for the whole host to bound one client: it makes every connection on it give up \
         sooner, also on paths that lose a packet or two.",
    ],
};
