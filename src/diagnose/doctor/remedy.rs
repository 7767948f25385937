//! What would let more be told apart, and the lines to paste.

use crate::evidence::facilities::Surroundings;

/// Something to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Give us `CAP_NET_RAW`.
    NetRaw(Surroundings),
    /// Give us `CAP_NET_ADMIN`.
    NetAdmin(Surroundings),
    /// Let the program's file give what it has.
    NewPrivileges(Surroundings),
    /// Another seccomp profile, or another rule of the security module.
    Profile(Surroundings),
    /// Run as root of the user namespace that the network belongs to.
    OutsideUserNamespace,
    /// Let our group have ping sockets.
    PingGroups(Surroundings),
    /// A kernel with an error queue for connecting sockets.
    NewerKernel,
    /// Switch TCP timestamps on.
    TcpTimestamps,
    /// Let `/proc/net` be read.
    MountProc,
    /// Name a DNS server.
    ResolvConf,
    /// Allow user namespaces: `user.max_user_namespaces`.
    MaxUserNamespaces,
    /// Allow user namespaces: `kernel.unprivileged_userns_clone`.
    UserNamespaceClone,
    /// Allow user namespaces: `kernel.apparmor_restrict_unprivileged_userns`.
    AppArmorUserNamespaces,
    /// Run where user namespaces are allowed.
    NamespacesElsewhere,
}

impl Remedy {
    /// What to do, in a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Self::NetRaw(Surroundings::Host) => {
                "Run it as root, or let its file give CAP_NET_RAW: +p, not +ep, and the program raises it only while \
                 it opens sockets."
            }
            Self::NetRaw(Surroundings::Container) => "Start the container as root with NET_RAW.",
            Self::NetRaw(Surroundings::Pod) => {
                "Run the container as root with NET_RAW. As another user it takes a file with cap_net_raw+p in the \
                 image too."
            }
            Self::NetAdmin(Surroundings::Host) => "Run it as root.",
            Self::NetAdmin(Surroundings::Container) => "Start the container as root with NET_ADMIN.",
            Self::NetAdmin(Surroundings::Pod) => "Run the container as root with NET_ADMIN.",
            Self::NewPrivileges(Surroundings::Host) => {
                "Run it without no_new_privs (NoNewPrivileges= of a systemd unit, a sandbox)."
            }
            Self::NewPrivileges(Surroundings::Container) => {
                "Start the container without --security-opt no-new-privileges."
            }
            Self::NewPrivileges(Surroundings::Pod) => {
                "Do not forbid privilege escalation: that keeps a file from giving what whoever starts it has not."
            }
            Self::Profile(Surroundings::Pod) => {
                "Use the runtime's own seccomp profile, which permits such sockets."
            }
            Self::Profile(Surroundings::Host | Surroundings::Container) => {
                "Find who denies it: the seccomp profile, or a module that says so in the kernel's log."
            }
            Self::OutsideUserNamespace => {
                "Run it as root outside this user namespace: only there does root own this network."
            }
            Self::PingGroups(_) => "Let every group have ping sockets.",
            Self::NewerKernel => "Run it on Linux 5.9 or later; raw probes do without.",
            Self::TcpTimestamps => "Switch TCP timestamps on.",
            Self::MountProc => "Mount /proc without subset=pid.",
            Self::ResolvConf => "Name a server in /etc/resolv.conf, or in a file of your own.",
            Self::MaxUserNamespaces | Self::UserNamespaceClone => "Allow user namespaces.",
            Self::AppArmorUserNamespaces => {
                "Allow user namespaces, or give the program an AppArmor profile that does."
            }
            Self::NamespacesElsewhere => {
                "Run it on a machine of your own, or in a container whose seccomp profile permits unshare(2)."
            }
        }
    }

    /// Lines to paste: commands, or YAML where a pod is to be changed.
    pub const fn lines(self) -> &'static [&'static str] {
        match self {
            Self::NetRaw(Surroundings::Host) => &["sudo setcap cap_net_raw+p \"$(command -v tcpprobe)\""],
            Self::NetRaw(Surroundings::Container) => &["docker run --user 0 --cap-add NET_RAW ..."],
            Self::NetRaw(Surroundings::Pod) => &[
                "securityContext:      # of the container",
                "  runAsUser: 0",
                "  capabilities:",
                "    add: [NET_RAW]",
            ],
            Self::NetAdmin(Surroundings::Host) => &["sudo tcpprobe TARGET"],
            Self::NetAdmin(Surroundings::Container) => &["docker run --user 0 --cap-add NET_ADMIN ..."],
            Self::NetAdmin(Surroundings::Pod) => &[
                "securityContext:      # of the container",
                "  runAsUser: 0",
                "  capabilities:",
                "    add: [NET_ADMIN]",
            ],
            Self::NewPrivileges(Surroundings::Pod) => &[
                "securityContext:      # of the container",
                "  allowPrivilegeEscalation: true",
            ],
            Self::Profile(Surroundings::Pod) => &[
                "securityContext:",
                "  seccompProfile:",
                "    type: RuntimeDefault",
            ],
            Self::Profile(Surroundings::Host | Surroundings::Container) => {
                &["sudo journalctl -k | grep -E 'apparmor=\"DENIED\"|avc:'"]
            }
            Self::PingGroups(Surroundings::Pod) => &[
                "securityContext:      # of the pod",
                "  sysctls:",
                "    - name: net.ipv4.ping_group_range",
                "      value: \"0 2147483647\"",
            ],
            Self::PingGroups(Surroundings::Container) => {
                &["docker run --sysctl net.ipv4.ping_group_range=\"0 2147483647\" ..."]
            }
            Self::PingGroups(Surroundings::Host) => {
                &["sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""]
            }
            Self::TcpTimestamps => &["sudo sysctl -w net.ipv4.tcp_timestamps=1"],
            Self::ResolvConf => &["tcpprobe --resolv-conf FILE TARGET"],
            Self::MaxUserNamespaces => &["sudo sysctl -w user.max_user_namespaces=15000"],
            Self::UserNamespaceClone => &["sudo sysctl -w kernel.unprivileged_userns_clone=1"],
            Self::AppArmorUserNamespaces => {
                &["sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"]
            }
            Self::NewPrivileges(Surroundings::Host | Surroundings::Container)
            | Self::OutsideUserNamespace
            | Self::NewerKernel
            | Self::MountProc
            | Self::NamespacesElsewhere => &[],
        }
    }
}
