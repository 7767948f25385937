//! What a listener holds: connections to be accepted, and handshakes to be completed.

use super::LabelText;

pub(super) const ACCEPT_QUEUE_FULL: LabelText = LabelText {
    in_short: "a listener's accept queue is full: new connections are ignored",
    meaning: "More connections wait for accept() than the listener's backlog. While that lasts, Linux ignores every SYN \
              to it, and the final ACK of handshakes that were under way.",
    how_told: "The kernel tells the queue, its limit and the drops of the very socket. It is a moment's reading: a queue \
               that is full only in bursts needs --watch, or the growth of ListenOverflows.",
    users: "New clients hang in connect() and get in a second or more late, or not at all. With \
            tcp_abort_on_overflow they are reset instead. Connections that were accepted before go on.",
    what_to_do: &[
        "Find out why the process does not call accept(): all workers busy on a slow dependency, out of descriptors \
         (EMFILE), a long pause for garbage collection or a lock, stopped, or throttled (`cpu.stat` nr_throttled). Take \
         a stack dump before the restart.",
        "Add capacity, or shed load in front. A larger backlog only helps bursts, and costs latency: whoever waits in \
         it may have given up before he is served.",
    ],
    what_not_to_do: &[
        "Do not raise net.core.somaxconn alone: the limit is the smaller of it and the listen() argument, and a running \
         listener keeps its own.",
        "Do not turn on tcp_abort_on_overflow: it turns a wait that often ends well into an error.",
    ],
};

pub(super) const ACCEPT_QUEUE_NEAR: LabelText = LabelText {
    in_short: "a listener's accept queue is at four fifths of its limit or more",
    meaning: "Connections wait for accept() longer than they should. A little more load, or a short pause of the \
              program, fills the queue, and then SYNs are ignored.",
    how_told: "The kernel tells the queue and its limit. One look cannot tell a burst from a trend: --watch can.",
    users: "Connections open at once and then wait for their first byte, since nobody has accepted them yet.",
    what_to_do: &[
        "Look again with --watch: a queue that is drained between looks is a burst.",
        "Compare the rate of new connections with the rate of accept(); have clients reuse connections, or add workers.",
    ],
    what_not_to_do: &[
        "Do not only raise the backlog: when the program accepts more slowly than connections come, any queue fills, \
         and a longer one makes everybody in it wait longer.",
    ],
};

pub(super) const SYN_RECEIVED_PILING: LabelText = LabelText {
    in_short: "handshakes that nobody completes pile up at a listener",
    meaning: "SYNs came and were answered, and the last part of the handshake does not come although our SYN-ACK was \
              sent again. Our answers are lost on their way back, the senders do not exist (a SYN flood), or the accept \
              queue was full at the moment of the ACK.",
    how_told: "At least ten sockets of one listener in SYN_RECV whose SYN-ACK was sent more than once. A few of them are \
               always there on a public address: scanners.",
    users: "Clients hang in connect() when it is the way back that fails. In a flood, others get in as long as SYN \
            cookies are on.",
    what_to_do: &[
        "See whether the accept queue of the same listener is full: then that is the cause.",
        "Where the peers are your own clients, look at the way back: a capture on both sides (`tcpdump 'tcp[13] = \
         18'`), asymmetric routes, a stateful firewall that saw one direction alone.",
        "Where they are strangers from many networks, it is a flood or a scan: keep tcp_syncookies at 1 and filter \
         upstream. Cookies cost the options that do not fit into them, when timestamps are off.",
    ],
    what_not_to_do: &[
        "Do not lower tcp_synack_retries on a guess: it drops clients behind lossy paths first.",
        "Do not set tcp_syncookies to 0 or 2.",
    ],
};
