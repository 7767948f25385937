//! Findings of what other programs of this host have open towards the endpoint: what to do about them is what
//! `tcpprobe sockets` says.

use super::FindingText;
use crate::diagnose::sockets::Label;
use crate::diagnose::sockets::explain::{LabelText, explain_label};

const SYN_SENT: &LabelText = explain_label(Label::SynSentStuck);
const STALLED: &LabelText = explain_label(Label::SendStalled);
const WINDOW: &LabelText = explain_label(Label::ZeroWindow);
const LOSS: &LabelText = explain_label(Label::Retransmitting);
const LEAK: &LabelText = explain_label(Label::CloseWaitLeak);
const WAITING: &LabelText = explain_label(Label::TimeWaitPressure);
const PORTS: &LabelText = explain_label(Label::PortsNearlyExhausted);

pub(super) const SYN_SENT_STUCK: FindingText = FindingText {
    in_short: "connections of other programs here to this port get no answer to their SYN",
    meaning: "Programs of this host wait in connect() for the very endpoint that was checked. Where our own SYN was \
              answered, the endpoint answers some SYNs and not others (loss, an accept queue at its brim, one path of \
              several), or it has only just come back, and theirs go out again soon. The verdict is then no more than \
              likely.",
    how_told: "Two sockets and more in SYN_SENT whose SYN was sent again, or one whose SYN was sent again twice. Those of \
               this run do not count. Any user may look.",
    what_to_do: SYN_SENT.what_to_do,
    what_not_to_do: SYN_SENT.what_not_to_do,
};

pub(super) const SEND_STALLED: FindingText = FindingText {
    in_short: "what other programs here sent to this endpoint is not acknowledged",
    meaning: "Connections that were made before have lost their other end, while new ones may well work: the server \
              restarted or failed over, a box on the way forgot them, or does not let large segments through (--pmtu \
              tells). Their programs hang until the kernel gives up.",
    how_told: "Connections whose retransmission timer fired three times and more in a row. Any user may look.",
    what_to_do: STALLED.what_to_do,
    what_not_to_do: STALLED.what_not_to_do,
};

pub(super) const ZERO_WINDOW: FindingText = FindingText {
    in_short: "the endpoint does not read what other programs here have for it",
    meaning: "The peer's kernel takes connections and its program does not read from them: the receiver is the \
              bottleneck. A handshake cannot show that.",
    how_told: "Connections whose persist timer runs, and which could send no data for a minute and more. Any user may look.",
    what_to_do: WINDOW.what_to_do,
    what_not_to_do: WINDOW.what_not_to_do,
};

pub(super) const RETRANSMITTING: FindingText = FindingText {
    in_short: "live connections of other programs here to this endpoint lose segments",
    meaning: "Of the segments with data that went to this endpoint, two of a hundred and more had to be sent again. A \
              handshake of three packets seldom meets such loss; transfers do.",
    how_told: "The kernel counts for each connection since it was made: a loss of hours ago counts as much as one of now. \
               Any user may look.",
    what_to_do: LOSS.what_to_do,
    what_not_to_do: LOSS.what_not_to_do,
};

pub(super) const CLOSE_WAIT: FindingText = FindingText {
    in_short: "this endpoint has closed connections that programs here do not close",
    meaning: "The endpoint did its part. A program of this host leaks, or its pool does not notice that the other side has \
              closed, and its next request on such a connection fails.",
    how_told: "Fifty sockets and more in CLOSE_WAIT, or ten on which nothing came for a minute. Any user may look; whose \
               they are, `tcpprobe sockets` says where it may.",
    what_to_do: LEAK.what_to_do,
    what_not_to_do: LEAK.what_not_to_do,
};

pub(super) const TIME_WAIT: FindingText = FindingText {
    in_short: "programs here close connections to this endpoint as often as they make them",
    meaning: "Each connection that we close first keeps its port for a minute. A hundred of them are a new connection every \
              0.6 s, each with a handshake that a pool would save; at the size of the port range new ones fail.",
    how_told: "A hundred sockets and more in TIME_WAIT, or a fifth of the ports that there are. Those of this run do not \
               count. Any user may look.",
    what_to_do: WAITING.what_to_do,
    what_not_to_do: WAITING.what_not_to_do,
};

pub(super) const PORTS_NEARLY_EXHAUSTED: FindingText = FindingText {
    in_short: "hardly a port of this host is left for connections to this endpoint",
    meaning: "Four fifths of the ports that one address of ours has for this endpoint are taken. When none is left, \
              connect() fails with EADDRNOTAVAIL (local-error/no-ports), here and nowhere else.",
    how_told: "Sockets towards the endpoint are counted for each address of ours and held against the port range. Any user \
               may look.",
    what_to_do: PORTS.what_to_do,
    what_not_to_do: PORTS.what_not_to_do,
};
