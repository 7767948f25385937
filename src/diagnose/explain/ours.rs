//! Our own side could not try, or could not say.

use super::Explanation;

pub(super) const NO_PORTS: Explanation = Explanation {
    in_short: "our host has no free local port left for this destination",
    meaning: "Every ephemeral port is in use towards this address and port, by open connections or by \
              TIME_WAIT (60 s). The default range 32768 to 60999 allows 28232 connections from one source \
              address to one destination.",
    how_told: "connect() fails at once with EADDRNOTAVAIL; no packet left. Another destination still works. \
               No privilege is needed.",
    looks_like: "A failing server, in the client's log.",
    what_to_do: &[
        "`ss -tan dst ADDRESS | awk '{print $1}' | sort | uniq -c`: ESTAB is a leak or real load, TIME-WAIT \
         is one connection for each request.",
        "Reuse connections (keep-alive, a pool). It is the only lasting remedy.",
        "`sysctl net.ipv4.ip_local_port_range`: widen it; or spread over more source or destination \
         addresses.",
        "net.ipv4.tcp_tw_reuse=1 lets a client reuse TIME_WAIT ports after a second, with timestamps on both \
         sides.",
    ],
    what_not_to_do: &[
        "Do not follow advice on tcp_tw_recycle: it broke clients behind NAT and is gone since Linux 4.12.",
        "Do not raise the server's backlog: nothing was sent to it.",
    ],
};

pub(super) const NO_DESCRIPTORS: Explanation = Explanation {
    in_short: "our host has no file descriptor left",
    meaning: "socket() failed because the process (EMFILE) or the system (ENFILE) is at its limit.",
    how_told: "The errno of socket(); no packet left. No privilege is needed.",
    looks_like: "A failing server, in the client's log.",
    what_to_do: &[
        "`ulimit -n` in this shell, `sysctl fs.file-nr` for the system (in use, free, limit).",
        "The process that holds them: `ls /proc/PID/fd | wc -l`, `grep 'open files' /proc/PID/limits`. Many \
         CLOSE-WAIT sockets in `ss -tanp` are a leak in that process.",
    ],
    what_not_to_do: &["Do not raise the limit before looking for a leak: it only fails later."],
};

pub(super) const DENIED: Explanation = Explanation {
    in_short: "a policy of our own host forbids the connection",
    meaning: "The kernel refused at once on account of a policy: a prohibit route, a cgroup's BPF program, a \
              security module or a sandbox.",
    how_told: "connect() fails at once with EACCES or EPERM and an empty error queue; no packet left. No \
               privilege is needed. An EACCES with an ICMPv6 error in the queue is \
               rejected/admin-prohibited.",
    looks_like: "rejected/admin-prohibited, over IPv6 by errno.",
    what_to_do: &[
        "`ip route get ADDRESS` and `ip rule`: a prohibit route answers EACCES.",
        "`ausearch -m avc -ts recent` (SELinux), `dmesg | grep -i apparmor`.",
        "systemd: IPAddressDeny= and RestrictAddressFamilies= of the unit. Containers: the runtime's seccomp \
         profile.",
        "Cilium or another cgroup program: `bpftool cgroup tree`.",
    ],
    what_not_to_do: &["Do not look at the target: nothing was sent."],
};

pub(super) const OTHER_LOCAL: Explanation = Explanation {
    in_short: "our own host failed before a packet left",
    meaning: "A system call failed with an errno that says nothing about the target.",
    how_told: "The call and its errno, in the evidence. No privilege is needed.",
    looks_like: "Nothing else: the target was not asked.",
    what_to_do: &[
        "Read the call and the errno in the evidence (`-v`), then `dmesg` of that moment.",
        "EAFNOSUPPORT: this host or sandbox has no IPv6 (or IPv4) at all. ENOBUFS, ENOMEM: memory of the \
         host or cgroup.",
    ],
    what_not_to_do: &[],
};

pub(super) const UNDECIDED: Explanation = Explanation {
    in_short: "time ran out before anything could be said",
    meaning: "The run ended, by its deadline or by an interrupt, before there was enough evidence for any \
              verdict.",
    how_told: "By what is missing: too few tries, spread over too little time.",
    looks_like: "filtered, which needs silence to several tries over more than a second.",
    what_to_do: &["Give it more time: `tcpprobe --timeout 5s ADDRESS:PORT`."],
    what_not_to_do: &["Do not count it as a failure of the target."],
};
