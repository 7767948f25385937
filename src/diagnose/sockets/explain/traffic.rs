//! Connections that are made, and what does not get on in them.

use super::LabelText;

pub(super) const SEND_STALLED: LabelText = LabelText {
    in_short: "what was sent is not acknowledged at all",
    meaning: "Data was sent three times again and more, each time after a longer pause, and nothing was acknowledged in \
              between: the peer is gone, or something on the way drops this connection.",
    how_told: "The retransmission timer has fired three times in a row. How long the kernel goes on follows from \
               tcp_retries2; a time that the program set itself (TCP_USER_TIMEOUT) cannot be seen.",
    users: "Requests on these connections hang until the kernel gives up, a quarter of an hour by default, unless the \
            program has a timeout of its own.",
    what_to_do: &[
        "See whether a new connection works: `tcpprobe ADDRESS:PORT`. If it does, a box on the way has forgotten the \
         old ones (idle timeout, failover), or large packets alone vanish (path MTU: `ping -M do -s 1472`).",
        "Have the client set TCP_USER_TIMEOUT (10 to 30 s) or a request timeout, and drop the whole pool on the first \
         such failure. It costs connections that would have recovered after a longer interruption.",
    ],
    what_not_to_do: &[
        "Do not lower tcp_retries2 for the whole host first: 8 gives up after 1 min 42 s, and so does every other \
         connection on it in a failover that takes two minutes.",
    ],
};

pub(super) const ZERO_WINDOW: LabelText = LabelText {
    in_short: "the peer's window is closed: the receiver does not read",
    meaning: "The peer acknowledges what we send and has no room for more: its program does not read. The network works; \
              our kernel asks again and again (persist timer) whether there is room.",
    how_told: "The persist timer runs, with data waiting, and nothing could be sent for the time that counts as stuck.",
    users: "Whatever the peer should get stands still. Our program blocks in write(), and whatever shares its thread or \
            its lock blocks with it.",
    what_to_do: &[
        "Look at the receiver: `tcpprobe sockets` there shows receive-unread and the process. A stack dump says what it \
         does instead of reading.",
        "Bound writes in our program: a write timeout, or TCP_USER_TIMEOUT, which also ends this. It costs slow readers \
         their connection.",
    ],
    what_not_to_do: &[
        "Do not raise tcp_rmem or tcp_wmem: a larger buffer fills as well, only later.",
        "Do not wait for the kernel: as long as the peer acknowledges the probes, it never gives up.",
    ],
};

pub(super) const RECEIVE_UNREAD: LabelText = LabelText {
    in_short: "our own program does not read what came",
    meaning: "Bytes wait in the socket's receive queue, and the last of them came long ago. A program reads in order, so \
              all of it has waited at least as long. When the buffer is full, the peer's window closes and the peer \
              stands still.",
    how_told: "The receive queue holds more than a FIN, and nothing came for the time that counts as stuck.",
    users: "Requests that arrived are not answered, and the network is not to blame.",
    what_to_do: &[
        "Take a stack dump of the process: what does it do instead of reading? A lock, a slow dependency, a full queue of \
         its own, a connection that its pool has forgotten.",
        "Of a connection pool: bytes that wait on an idle connection are often the server's goodbye. Have the pool check \
         a connection before it uses it.",
    ],
    what_not_to_do: &[
        "Do not raise receive buffers (tcp_rmem): they hide how long the program has not read.",
    ],
};

pub(super) const RETRANSMITTING: LabelText = LabelText {
    in_short: "live connections to a peer lose segments",
    meaning: "Of the segments with data that were sent to this peer, two of a hundred and more had to be sent again. \
              Either the path loses packets, or acknowledgements come so late that the kernel takes them for lost.",
    how_told: "The kernel counts what each connection sent, and sent again, since it was made: a loss of hours ago counts \
               as much as one of now. OutSegs and RetransSegs between two looks (--watch) are those of now, for the \
               whole namespace.",
    users: "Answers come late, by 200 ms and more for a lost last segment; large transfers are slow.",
    what_to_do: &[
        "Compare peers: one peer alone is its path or its host; all of them are our own link, its queue or a policer \
         (`tc -s qdisc`, `ethtool -S`, a bandwidth limit of the pod).",
        "Measure the path: `tcpprobe --count 100 --interval 100ms ADDRESS:PORT`.",
    ],
    what_not_to_do: &[
        "Do not change the congestion control to outshout a policer: it sends more into the same limit, and others lose.",
    ],
};

pub(super) const PEER_SILENT: LabelText = LabelText {
    in_short: "nothing came for long, and nobody asks whether the peer is there",
    meaning: "An established connection without keepalive on which the peer has sent nothing for long, not even an \
              acknowledgement. It may be idle and well. If the peer has vanished, or a box on the way has forgotten the \
              connection, nobody notices before the next write.",
    how_told: "No timer runs (keepalive is off), nothing is left to send, and the last segment is older than --silent-after.",
    users: "None while it is idle. The first request on a dead one hangs until the kernel gives the write up \
            (tcp_retries2), and a reader waits forever.",
    what_to_do: &[
        "Know the idle timeouts on the way: NAT and load balancers forget after 350 s (AWS), 4 min (Azure), 10 min \
         (GCP) and so on. Have the program turn on keepalive (SO_KEEPALIVE, TCP_KEEPIDLE below that), or have its pool \
         close what is idle longer. Keepalive costs a small packet now and then, and wakes up mobile peers.",
    ],
    what_not_to_do: &[
        "Do not only change tcp_keepalive_time: it counts for sockets that have asked for keepalive, and these have \
         not.",
    ],
};
