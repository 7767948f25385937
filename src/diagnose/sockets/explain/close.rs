//! Connections that should have ended.

use super::LabelText;

pub(super) const CLOSE_WAIT_LEAK: LabelText = LabelText {
    in_short: "the peer has closed, and our program does not",
    meaning: "The peer has sent its FIN, the kernel has acknowledged it, and the program has not called close(). No \
              timer ends this: it lasts until the program closes or ends. Many old ones are a leak in the program.",
    how_told: "Ten or more sockets of one process in CLOSE_WAIT on which nothing came for the time that counts as stuck. \
               The FIN came no later than the last segment, so they are at least that old. How fast they grow, a second \
               look says (--watch).",
    users: "None, until the process has no descriptor left: then it can neither accept nor connect nor open a file \
            (EMFILE), all at once.",
    what_to_do: &[
        "The bug is in the program that is named: a response body that is not closed, a pool that does not notice the \
         end, an error path without close(). The peer's address says which client library to look at.",
        "Take a heap or stack dump before the restart. A restart frees them, and they come back.",
    ],
    what_not_to_do: &[
        "No sysctl changes this: neither tcp_fin_timeout nor keepalive closes what a program holds.",
        "Do not only raise the limit of descriptors: it moves the hour of the failure.",
    ],
};

pub(super) const FIN_WAIT_STUCK: LabelText = LabelText {
    in_short: "we closed first, and the peer does not end it",
    meaning: "In FIN_WAIT1 or CLOSING our FIN, or the data before it, is not acknowledged: the peer is gone or \
              unreachable. In FIN_WAIT2 the peer has acknowledged and does not close, and our program still holds the \
              socket after shutdown(), so that no timeout counts.",
    how_told: "FIN_WAIT1 and CLOSING: three retransmissions in a row. FIN_WAIT2: a program holds it, no timer runs, and \
               nothing came for the time that counts as stuck.",
    users: "Few: memory and descriptors. It shows that peers vanish without a word, or that the other side leaks \
            (CLOSE_WAIT there).",
    what_to_do: &[
        "FIN_WAIT2: look at the peer; it has the same connections in CLOSE_WAIT. Have our program close() instead of \
         waiting after shutdown(), or give the wait a timeout.",
        "FIN_WAIT1: see whether the peer still answers: `tcpprobe ADDRESS:PORT`.",
    ],
    what_not_to_do: &[
        "tcp_fin_timeout does not help: it counts for FIN_WAIT2 without a program, and 60 s is right for that.",
    ],
};

pub(super) const LAST_ACK_STUCK: LabelText = LabelText {
    in_short: "we closed last, and nobody acknowledges it",
    meaning: "The peer closed first, then we did, and our FIN is not acknowledged: the peer, or a box on the way, has \
              forgotten the connection. That is common after CLOSE_WAIT has lasted for minutes.",
    how_told: "Sockets in LAST_ACK whose FIN was sent again three times in a row.",
    users: "None: the program is done with it. The kernel gives up by itself.",
    what_to_do: &[
        "Look for what delays our close(): close-wait-leak, slow workers. The peer waits a minute in FIN_WAIT2, then it \
         forgets.",
        "Where the peer should still answer, see whether a firewall drops segments of connections that it has forgotten \
         instead of resetting them.",
    ],
    what_not_to_do: &["Do not lower tcp_orphan_retries for it: what is not yet delivered is lost with it."],
};

pub(super) const ORPHANS: LabelText = LabelText {
    in_short: "connections that no program holds still try to deliver",
    meaning: "Programs have closed these connections, or ended, and the kernel still tries to deliver what they wrote or \
              their FIN, to peers that do not answer. Each holds its buffers.",
    how_told: "Ten or more sockets in FIN_WAIT1, CLOSING or LAST_ACK that no program holds and whose segments were sent \
               again.",
    users: "None directly. Above tcp_max_orphans, which only the host's own namespace shows, the kernel resets such \
            connections instead of delivering.",
    what_to_do: &[
        "Find out which peers vanish: the groups of fin-wait-stuck and last-ack-stuck name them.",
        "A program that was killed leaves them behind once; growth in --watch means clients that vanish all the time.",
    ],
    what_not_to_do: &[
        "Do not set tcp_orphan_retries to 1 or tcp_max_orphans to a small number: slow but living clients lose the end \
         of their answer.",
    ],
};
