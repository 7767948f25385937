//! The states of a TCP socket.

use super::StateText;

pub(super) const LISTEN: StateText = StateText {
    in_short: "waits for connections",
    meaning: "A program has called listen(). The kernel completes handshakes by itself and queues them for accept().",
    normal: "One for each service; several on one port with SO_REUSEPORT.",
    suspicious: "A queue that does not empty: accept-queue-near, accept-queue-full.",
};

pub(super) const SYN_SENT: StateText = StateText {
    in_short: "our SYN waits for its answer",
    meaning: "A program has called connect(). It ends with the SYN-ACK, a RST or an error, or when the kernel gives up \
              after two minutes.",
    normal: "For one round trip, so that hardly any are ever seen.",
    suspicious: "Any whose SYN was sent again: syn-sent-stuck.",
};

pub(super) const SYN_RECEIVED: StateText = StateText {
    in_short: "a SYN was answered, and the handshake is not complete",
    meaning: "The kernel has answered a SYN and waits for the ACK. It is no full socket yet and costs little. It ends \
              with the ACK, or after a minute of SYN-ACKs without an answer.",
    normal: "For one round trip; a few scanners on public addresses.",
    suspicious: "Many whose SYN-ACK was sent again: syn-received-piling.",
};

pub(super) const ESTABLISHED: StateText = StateText {
    in_short: "the connection is made, and nobody has closed it",
    meaning: "Both kernels hold it. Without keepalive it lasts as long as nobody sends, even when the peer has long gone.",
    normal: "Any number, for any time.",
    suspicious: "Bytes that wait: send-stalled, zero-window, receive-unread. Silence without keepalive: peer-silent.",
};

pub(super) const FIN_WAIT_1: StateText = StateText {
    in_short: "we closed first, and our FIN is not acknowledged",
    meaning: "The rest of what was written and the FIN are on their way. It ends with the acknowledgement, or when the \
              kernel gives up: after tcp_orphan_retries when no program holds it any more.",
    normal: "For one round trip, longer while much is left to send.",
    suspicious: "With retransmissions: fin-wait-stuck. Many without a program: orphans.",
};

pub(super) const FIN_WAIT_2: StateText = StateText {
    in_short: "we closed first, and the peer has not closed yet",
    meaning: "The peer knows that we are done and may still send. Without a program it ends after tcp_fin_timeout (60 s); \
              held by a program, after shutdown(), it has no end of its own.",
    normal: "As long as the peer needs to close, mostly less than a second.",
    suspicious: "Held by a program for long: fin-wait-stuck. The peer has it in CLOSE_WAIT.",
};

pub(super) const CLOSING: StateText = StateText {
    in_short: "both closed at the same time, and our FIN is not acknowledged",
    meaning: "Both FINs crossed on the way. It ends in TIME_WAIT with the acknowledgement.",
    normal: "Hardly ever seen.",
    suspicious: "With retransmissions: fin-wait-stuck.",
};

pub(super) const TIME_WAIT: StateText = StateText {
    in_short: "closed on both sides; the ports wait a minute",
    meaning: "Whoever closes first waits for 60 s (fixed in Linux), so that late segments do not reach the next \
              connection on the same ports, and the peer's last FIN finds an answer. No program holds it; it costs some \
              200 bytes and a port towards that destination.",
    normal: "Thousands, on whoever closes first. They are no problem in themselves.",
    suspicious: "Towards one destination, as many as the port range has a large part of: time-wait-pressure, \
                 ports-nearly-exhausted.",
};

pub(super) const CLOSE_WAIT: StateText = StateText {
    in_short: "the peer has closed, and our program has not",
    meaning: "The peer's FIN came; the program learns of it when it reads, and has to call close(). No timer ends this.",
    normal: "For as long as the program takes to notice: milliseconds. A pool may notice at its next check.",
    suspicious: "Old ones, many of one process: close-wait-leak.",
};

pub(super) const LAST_ACK: StateText = StateText {
    in_short: "the peer closed first, then we; our FIN is not acknowledged",
    meaning: "The last segment of the connection is on its way. It ends with the acknowledgement, or when the kernel \
              gives up.",
    normal: "For one round trip.",
    suspicious: "With retransmissions: last-ack-stuck.",
};
