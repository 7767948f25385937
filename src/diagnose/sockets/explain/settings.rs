//! The settings that decide how long sockets stay and how many there can be.

use super::SettingText;

pub(super) const RETRIES2: SettingText = SettingText {
    in_short: "how long a dead peer holds a write",
    meaning: "Once data is not acknowledged, the kernel sends it again with pauses that double up to two minutes. It gives \
              up after as long as this many retries take at the shortest timeout: 15 are 15 min 24 s, 8 are 1 min 42 s. \
              TCP_USER_TIMEOUT of a socket replaces it.",
    trade_off: "Lower frees pools of dead connections sooner; it also ends connections that would have survived a \
                failover or a reboot of a switch. TCP_USER_TIMEOUT in the client that needs it costs nobody else \
                anything. RFC 1122 wants at least 100 s for the whole host.",
};

pub(super) const KEEPALIVE_TIME: SettingText = SettingText {
    in_short: "how long an idle connection is believed in, where keepalive is on",
    meaning: "A socket with SO_KEEPALIVE is silent for tcp_keepalive_time, then asks tcp_keepalive_probes times, \
              tcp_keepalive_intvl apart. The defaults make 2 h 11 min until a dead peer is noticed. Sockets without \
              SO_KEEPALIVE never ask.",
    trade_off: "A shorter time notices dead peers and keeps NAT entries alive; it costs a packet for each idle connection \
                and interval, and ends connections over interruptions that they would have slept through. A program can \
                set its own (TCP_KEEPIDLE), which is better than changing everybody's.",
};

pub(super) const SYN_RETRIES: SettingText = SettingText {
    in_short: "how long connect() hangs on silence",
    meaning: "How often a SYN goes out again. Since Linux 6.5 the first tcp_syn_linear_timeouts of them come every second. \
              6 and 4 make 2 min 11 s, 6 alone 2 min 7 s.",
    trade_off: "Lower fails faster everywhere on this host, and fails also where only some packets are lost. A connect \
                timeout in the client does the same for that client alone.",
};

pub(super) const SYNACK_RETRIES: SettingText = SettingText {
    in_short: "how long a handshake that nobody completes is kept",
    meaning: "How often a SYN-ACK goes out again, with pauses that double from a second: 5 keep it for 63 s.",
    trade_off: "Lower frees the queue sooner in a flood, which SYN cookies already deal with; clients behind lossy paths \
                get in less often.",
};

pub(super) const PORT_RANGE: SettingText = SettingText {
    in_short: "how many connections there can be to one address and port",
    meaning: "The ports that the kernel gives to connections, less ip_local_reserved_ports. They count for each pair of \
              our address and the destination's address and port. A port that we close first waits for a minute, so a \
              sixtieth of them is the rate of new connections that lasts.",
    trade_off: "Wider gives more, at most twice as many as the default; services that listen in the new part may find \
                their port taken when they start (reserve it). A pool removes the need.",
};

pub(super) const TW_REUSE: SettingText = SettingText {
    in_short: "whether a port in TIME_WAIT is taken for a new connection",
    meaning: "0 never, 1 always, 2 (the default) within this host alone: when no other port is free for that destination, \
              connect() takes one that has waited for a second. It needs timestamps at both ends. It does nothing for \
              servers.",
    trade_off: "1 raises the rate of connections to one destination sixtyfold; boxes on the way that track connections \
                (NAT, load balancers) may still hold the old one and drop or reset the new SYN. A pool has no such cost.",
};

pub(super) const MAX_TW_BUCKETS: SettingText = SettingText {
    in_short: "how many sockets may be in TIME_WAIT",
    meaning: "Above it, connections skip TIME_WAIT (TCPTimeWaitOverflow grows): late segments may then reach a new \
              connection on the same ports.",
    trade_off: "Higher costs some 200 bytes each. Lower gives up protection and saves next to nothing.",
};

pub(super) const FIN_TIMEOUT: SettingText = SettingText {
    in_short: "how long FIN_WAIT2 lasts without a program",
    meaning: "How long the kernel waits for the peer's FIN after our program has closed. It is not the length of \
              TIME_WAIT, which is 60 s whatever this says, and does not count while a program holds the socket.",
    trade_off: "Lower frees memory sooner when peers are slow to close; what such a peer still sends is then answered \
                with a RST.",
};

pub(super) const ORPHAN_RETRIES: SettingText = SettingText {
    in_short: "how long a connection that no program holds is tried",
    meaning: "How often the rest of the data and the FIN go out again after close() when nothing is acknowledged. 0 stands \
              for 8, which is 1 min 42 s.",
    trade_off: "Lower frees memory of clients that have vanished; clients behind a short interruption lose the end of their \
                answer.",
};

pub(super) const SOMAXCONN: SettingText = SettingText {
    in_short: "the ceiling of every accept queue",
    meaning: "A listener's backlog is the smaller of this and what it passes to listen(). It counts at the time of \
              listen(), in the namespace of the pod. 4096 since Linux 5.4, 128 before.",
    trade_off: "Higher takes longer bursts; connections in a long queue are served so late that their clients may have \
                gone, and the server works for nobody.",
};

pub(super) const ABORT_ON_OVERFLOW: SettingText = SettingText {
    in_short: "what a full accept queue answers",
    meaning: "0: the final ACK of a handshake is ignored and the client tries on, mostly with success. 1: it is reset.",
    trade_off: "1 fails fast and visibly, which suits clients that go elsewhere at once; all others turn a wait of a second \
                into an error.",
};

pub(super) const SYNCOOKIES: SettingText = SettingText {
    in_short: "what a full SYN queue answers",
    meaning: "1: when the queue of half-open handshakes is full, SYN-ACKs carry their state in the sequence number. 0: SYNs \
              are dropped then. 2: always, for tests.",
    trade_off: "0 lets a flood of SYNs shut everybody out. 2 gives up window scaling and SACK for clients without \
                timestamps, and handshakes that are lost at a full accept queue are not repeated.",
};

pub(super) const TIMESTAMPS: SettingText = SettingText {
    in_short: "timestamps, and with them PAWS",
    meaning: "They measure the round trip of every segment, tell old segments from new ones when sequence numbers wrap \
              (PAWS), and let ports in TIME_WAIT be used again. 1 is the default, 2 is without the random offset.",
    trade_off: "0 saves 12 bytes a segment and gives all of that up; fast connections then risk taking an old segment for a \
                new one.",
};

pub(super) const CONNTRACK_MAX: SettingText = SettingText {
    in_short: "how many connections the firewall can hold",
    meaning: "Connection tracking (iptables state, NAT, kube-proxy) has an entry for each connection of the host, those of \
              all pods among them. When its table is full, packets of new connections are dropped without a word.",
    trade_off: "A larger table costs about 300 bytes an entry, and needs nf_conntrack_buckets in proportion; shorter \
                timeouts free entries sooner and forget connections that are merely idle.",
};
