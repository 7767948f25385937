//! What `tcpprobe doctor` looks like.

use super::*;
use crate::diagnose::doctor::{cases, examine};
use crate::evidence::facilities::Reach;

fn text(found: &Facilities, width: usize) -> String {
    let mut out = Vec::new();
    let style = Style {
        width,
        ..Style::default()
    };
    write_text(found, &examine(found), &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_restricted_pod_reads_like_this() {
    assert_eq!(
        text(&cases::restricted_pod(), 80),
        "\
Here: connect() only: no raw probes, no ping, no dual stack. 14 of 25
distinctions, 5 in part.

  yes     refused, or dropped
  yes     who rejected it, and with which ICMP error
  yes     no route, a dead neighbour, or silence
  yes     no ports, no descriptors, or denied
  yes     why a name has no address
  partly  this port dropped, or the whole host silent
            a closed control port alone: a host that drops all others looks dead
  yes     where packets are dropped: the last hop that answers
  no      dropped by the host itself, or by the last router
            both are as silent, and as far away
  partly  dropped by our own host on the way out
            TCPRetransFail: only while nothing else here retransmits
  partly  dropped by our own host on the way in
            packets received less those delivered: only on a quiet host
  yes     a full accept queue on this very host
  partly  full accept queue, or the port filtered
            only where SYNs die on the way, which is no queue's doing
  no      full accept queue, or only SYNs filtered
            both are silent to SYNs
  yes     queue at its brim, or a lossy path
  yes     connected for us, and not for the server
  yes     reset by a full queue, or by the application
  no      RST of the host, or of a box before it
            connect() does not show the TTL of a RST
  no      our SYN lost, or the answer to it
            a SYN-ACK that is always lost leaves no trace with us
  yes     slow: lost SYN, or lost SYN-ACK
  yes     slow: late SYN-ACK, or long path
  yes     idle connection forgotten, or closed by the peer
  yes     the host itself, or a proxy at the first hop
  no      SYN cookies in use (of a healthy port: --mode raw)
            our own kernel chooses the options of its SYNs
  partly  round trip to the microsecond (--mode raw)
            the kernel's estimate (TCP_INFO); after a lost SYN in whole ms
  no      IPv4 and IPv6 compared
            one family goes nowhere from here: its addresses are
            unreachable/no-route

  What would tell more
    1. raw probes and packet sockets: we are without CAP_NET_RAW.
       Run the container as root with NET_RAW. As another user it takes a file
       with cap_net_raw+p in the image too.
         securityContext:      # of the container
           runAsUser: 0
           capabilities:
             add: [NET_RAW]
    2. ping: group 1000 is not in net.ipv4.ping_group_range (1 0).
       Let every group have ping sockets.
         securityContext:      # of the pod
           sysctls:
             - name: net.ipv4.ping_group_range
               value: \"0 2147483647\"
    3. dual stack: no IPv6 address beyond loopback.

  Besides
    - no private network can be made, so `tcpprobe demo` has loopback alone:
      EPERM: a seccomp filter or a security module denies it
      Run it on a machine of your own, or in a container whose seccomp profile
      permits unshare(2).

  Found
    - Linux 6.8.0-45-generic, in a pod; user 1000, group 1000
    - CAP_NET_RAW no, CAP_NET_ADMIN no; nothing from the file
    - seccomp: filtered; no_new_privs: set; user namespace: the first
    - IPv4 with a route out, IPv6 on loopback alone
    - /etc/resolv.conf: 1 server
    - telnet hangs for 2 min 11 s on silence (tcp_syn_retries=6,
      tcp_syn_linear_timeouts=4)
    - net.ipv4: ip_local_port_range = 32768 60999; tcp_timestamps = 1;
      tcp_syncookies = 1; icmp_ratelimit = 1000; ping_group_range = 1 0
"
    );
}

#[test]
fn no_line_is_wider_than_the_screen() {
    let places = [
        cases::root(),
        cases::plain_user(),
        cases::with_file_capability(true),
        cases::restricted_pod(),
        cases::net_raw_pod(),
        cases::old_kernel(),
        cases::filtered_root(),
    ];
    for found in places {
        let text = text(&found, 80);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{text}");
    }
}

#[test]
fn the_first_line_is_the_sum() {
    let first = |found| text(&found, 80).lines().next().unwrap().to_owned();
    assert_eq!(
        first(cases::root()),
        "Here: connect() and raw probes. 23 of 25 distinctions, 2 in part."
    );
    let mut v4_only = cases::net_raw_pod();
    v4_only.ipv6 = Reach::Link;
    assert_eq!(
        first(v4_only),
        "Here: connect() and raw probes, but no socket filters, no dual stack. 21 of 25"
    );
    assert_eq!(
        first(cases::plain_user()),
        "Here: connect() only: no raw probes, no ping. 15 of 25 distinctions, 5 in part."
    );
}

#[test]
fn the_table_of_the_documentation_is_that_of_the_program() {
    const BEGIN: &str = "<!-- UPDATE_DOCS=1 cargo test writes this table -->\n";
    const END: &str = "<!-- to here -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/privileges.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = Vec::new();
    write_markdown(&mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    let expected = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == expected,
        "docs/privileges.md is out of date: run UPDATE_DOCS=1 cargo test"
    );
}
