//! The four faces of a full accept queue.

use super::Explanation;

pub(super) const SYN_DROPPED: Explanation = Explanation {
    in_short: "accept queue full: the server ignores our SYNs",
    meaning: "The server's kernel is alive, and the application does not accept() what waits. While more \
              connections wait than the backlog, Linux ignores every SYN to this listener without a word.",
    how_told: "With raw probes: SYN and FIN to the port are silent, a bare ACK gets a RST, and a closed control \
               port answers all three. On our own host: the listening socket's queue and ListenOverflows, for \
               any user. From elsewhere without privileges it cannot be told from filtered/port in a single \
               run.",
    looks_like: "filtered/port, and filtered/syn-filter in front of a listener. Drop tracers on the server \
                 do not show it either: the kernel frees the ignored SYN as consumed, not as dropped.",
    what_to_do: &[
        "Server: `ss -ltn 'sport = :PORT'`. For a listener Recv-Q is what waits for accept() and Send-Q the \
         backlog; Recv-Q above Send-Q is full.",
        "Server: `nstat -az TcpExtListenOverflows TcpExtListenDrops`, twice. They grow while it lasts.",
        "Find out why accept() is not called: all workers busy on a slow dependency, out of descriptors \
         (EMFILE), a long GC or lock, stopped, or throttled (`cpu.stat` nr_throttled). Take a stack dump \
         before the restart.",
        "Add capacity, or shed load in front. A larger backlog only helps bursts: raise the listen() \
         argument and net.core.somaxconn, the smaller of the two counts, then let the process call listen() \
         again.",
    ],
    what_not_to_do: &[
        "Do not raise net.core.somaxconn alone: the limit is the smaller of it and the listen() argument, a \
         running listener keeps its own, and in a pod it is the pod's network namespace that counts.",
        "Do not turn to tcp_syncookies, tcp_max_syn_backlog or tcp_abort_on_overflow: a SYN is dropped for a \
         full accept queue whatever they are.",
    ],
};

pub(super) const OVERLOADED: Explanation = Explanation {
    in_short: "accept queue at its brim: some SYNs are ignored",
    meaning: "The application accepts, and more slowly than connections arrive. Whether a client gets in \
              depends on the moment of its SYN; those that do not wait for a retransmission of one second \
              and more.",
    how_told: "Of several SYNs to the port some got a SYN-ACK and some silence, while the control port lost \
               none. With raw probes a SYN on the ports of a connection that is made tells it from a filter \
               that lets only some SYNs pass: the server's host answers it with a challenge ACK.",
    looks_like: "slow/syn-lost (loss on the path hits the control port as well); one bad backend behind a \
                 load balancer that spreads connections; a SYN rate limit.",
    what_to_do: &[
        "Server: `nstat -az TcpExtListenOverflows TcpExtListenDrops`, and `ss -ltn 'sport = :PORT'` several \
         times: Recv-Q moves around Send-Q.",
        "Several backends: probe each one's own address; a single full one spoils its share.",
        "Compare the rate of new connections with the rate of accept(); reuse connections in the clients, \
         add workers or replicas.",
    ],
    what_not_to_do: &[
        "Do not let clients retry at once and without limit: each retry is another SYN for the same queue.",
        "Do not raise net.core.somaxconn alone: the listen() argument limits it too.",
    ],
};

pub(super) const ACK_IGNORED: Explanation = Explanation {
    in_short: "connected for us, but not for the server: its accept queue is full",
    meaning: "The server sent a SYN-ACK and ignored our final ACK, as its accept queue was full by then. Our \
              connect() succeeded; for the server there is no connection. A client hangs in its first read, \
              not in connect().",
    how_told: "Our FIN is not acknowledged: TCP_INFO stays in FIN_WAIT1 with retransmissions, where a real \
               connection is in FIN_WAIT2 within a round trip. Repeated SYN-ACKs (after 1, 3, 7 s) confirm \
               it; with SYN cookies there are none. No privilege is needed.",
    looks_like: "open: connect() and every TCP health check report success. Also a path that loses \
                 everything after the handshake; a SYNPROXY whose backend does not answer; TCP_DEFER_ACCEPT, \
                 which acknowledges data at once.",
    what_to_do: &[
        "Server: `ss -ltn 'sport = :PORT'` (Recv-Q above Send-Q) and `nstat -az TcpExtListenOverflows`.",
        "Client: `ss -tno dst ADDRESS` shows ESTAB with data in Send-Q that is retransmitted; the server's \
         `ss -tn` does not have this connection, or has it in SYN-RECV.",
        "Find out why accept() is not called, as for backlog-full/syn-dropped.",
        "Client: set a read timeout. It is the one that catches this.",
    ],
    what_not_to_do: &[
        "Do not rely on a connect timeout or a TCP health check: connect() succeeds.",
        "Do not raise net.core.somaxconn alone: the listen() argument limits it too.",
    ],
};

pub(super) const RESET_ON_OVERFLOW: Explanation = Explanation {
    in_short: "the server's accept queue was full, so its kernel reset the connection",
    meaning: "As backlog-full/ack-ignored, with net.ipv4.tcp_abort_on_overflow=1: a server whose queue is \
              full resets instead of staying silent. FreeBSD does so by default.",
    how_told: "One round trip after our ACK a bare RST arrives (no ACK flag, as for a segment without a \
               connection), seen by a filter on our own socket. An application that aborts sends RST with \
               ACK. Most kernels permit that filter to any user, some with CAP_NET_ADMIN alone.",
    looks_like: "reset/reset-after-accept, by errno (ECONNRESET for both).",
    what_to_do: &[
        "Server: `ss -ltn 'sport = :PORT'` and `nstat -az TcpExtListenOverflows`.",
        "Server: `sysctl net.ipv4.tcp_abort_on_overflow`. With 1 clients see the overload at once instead of \
         hanging.",
        "Find out why accept() is not called, as for backlog-full/syn-dropped.",
    ],
    what_not_to_do: &["Do not set tcp_abort_on_overflow=0 as a remedy: it turns the reset into a hang."],
};
