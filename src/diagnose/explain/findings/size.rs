//! Findings of how large packets may be (`--pmtu`).

use super::FindingText;

pub(super) const PATH_MTU: FindingText = FindingText {
    in_short: "how large packets to the host may be",
    meaning: "The largest packet that reached the host, by asking. It is as large as our own connections send, or as our \
              own link takes. That holds for our direction alone: what the server sends us is as large as our MSS \
              permits, and whether that arrives only its own bytes could show.",
    how_told: "Packets that may not be fragmented, of growing and shrinking size, none of which reaches a program: with \
               CAP_NET_RAW an ACK with data of no connection, which the host answers with a RST; else a datagram to a \
               closed UDP port, which it answers with a port-unreachable, or a ping, which shows both directions at once.",
    what_to_do: &[],
    what_not_to_do: &[],
};

pub(super) const PMTU_REDUCED: FindingText = FindingText {
    in_short: "a router says that packets have to be smaller, so TCP copes",
    meaning: "A link on the way takes less than our own, and the router before it says so (ICMP 3/4, ICMPv6 2/0) and how \
              much it takes. The kernel then sends smaller segments. It costs each new connection one lost flight, and \
              works only as long as nobody drops those messages.",
    how_told: "The message quoted our packet, and a packet of the size it names got through.",
    what_to_do: &[
        "Nothing has to be done. To save the lost flight, set the MTU of our interface or of the route to the value \
         (`ip route change ... mtu 1400`): it holds for all traffic on that route.",
        "For a tunnel of your own, clamp the MSS at it as well (`tcp option maxseg size set rt mtu`): then TCP does not \
         depend on ICMP. It does nothing for UDP and QUIC.",
    ],
    what_not_to_do: &[
        "Do not block ICMP type 3 code 4 or ICMPv6 type 2 anywhere on that path: it becomes a black hole.",
    ],
};

pub(super) const PMTU_BLACK_HOLE: FindingText = FindingText {
    in_short: "larger packets vanish and nobody says so: it connects, then hangs on the first big write",
    meaning: "Handshake, small requests and keepalives fit; the first full-sized segment vanishes, and so does each of its \
              retransmissions, until the kernel gives up after a quarter of an hour. Tunnels and overlay networks whose \
              overhead nobody took off the MTU, with ICMP dropped on the way, are the common cause. `curl` stops after \
              the TLS ClientHello or in an upload; `ssh` in the key exchange.",
    how_told: "Packets of one size were answered and larger ones, of a size that connections would send, were not, each \
               tried several times while small ones were answered in the same time; and no ICMP message came. With \
               CAP_NET_RAW these were TCP segments. A plain user's datagrams and pings may be dropped for their size by a \
               firewall that lets TCP through, so that they prove less.",
    what_to_do: &[
        "Let ICMP type 3 code 4 and ICMPv6 type 2 through, at every firewall between the small link and both ends, security \
         groups and the host's own rules among them. It is the only remedy for all protocols, and costs nothing: a \
         message that quotes no packet of ours is ignored.",
        "At the tunnel: `nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu`. It repairs TCP \
         through that box in both directions, needs nobody else, and does nothing for UDP and QUIC.",
        "Here: lower the MTU of the interface, or of the route to that network, to the size that gets through. It is \
         certain, and makes all packets on it smaller, those for other targets too.",
        "net.ipv4.tcp_mtu_probing=1 lets the kernel find it out by itself: only after some retransmissions have gone \
         unanswered, so each new destination hangs for a few seconds first, and loss that has nothing to do with size \
         makes segments small.",
    ],
    what_not_to_do: &[
        "Do not allow all of ICMP because of it, and do not drop all of it either: two types are enough.",
        "Do not turn on tcp_mtu_probing=2 for the whole host: every connection begins with small segments.",
        "Do not look for it in the server's application: it never saw the bytes.",
    ],
};

pub(super) const MSS_CLAMPED: FindingText = FindingText {
    in_short: "the peer's MSS keeps segments smaller than our own link allows",
    meaning: "The MSS in the SYN-ACK permits less than our link would take: the server's own link is smaller, or a box on the \
              way clamps the option. TCP never sends larger packets then, so that a smaller link on the way does no harm to \
              it. UDP and QUIC have no such help.",
    how_told: "The SYN-ACK's option, where raw packets let it be seen; else the size of the segments that the kernel means to \
               send, which is never more than the peer's MSS. Whether a box on the way or the server itself chose it \
               cannot be told from one side, and what became of the option in our own SYN only the peer can see.",
    what_to_do: &[
        "Nothing, where it is meant. Where packets are smaller than they should be, look at the server's MTU first.",
    ],
    what_not_to_do: &[
        "Do not take it for proof that all of the path is well: other protocols may still hang.",
    ],
};

pub(super) const PMTU_UNKNOWN: FindingText = FindingText {
    in_short: "how large packets to the host may be could not be found out",
    meaning: "Nothing that may be asked without a program's bytes was answered, not even small, or too much was lost. A black \
              hole is not ruled out.",
    how_told: "The small packets that have to be answered before silence means anything were not.",
    what_to_do: &[
        "Ask with CAP_NET_RAW, if that was without: a TCP segment passes where pings and UDP do not.",
        "Behind a firewall that only lets segments of connections through, ask the application: a request or upload of a \
         few kilobytes either works or hangs, and `ss -ti dst ADDRESS` shows its retransmissions.",
    ],
    what_not_to_do: &["Do not take it for a black hole, nor for the absence of one."],
};
