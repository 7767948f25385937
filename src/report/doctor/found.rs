//! What was found, in a few lines.

use crate::diagnose::advice::default_client_hang;
use crate::evidence::facilities::{
    Capabilities, Facilities, FileCapability, Held, Process, Reach, ResolvConf, Settings, Surroundings,
};
use crate::report::human::{count, human_duration, wrap};
use crate::report::style::Style;

pub(super) fn lines(found: &Facilities, style: &Style) -> Vec<String> {
    let reach = format!("IPv4 {}, IPv6 {}", reach(found.ipv4), reach(found.ipv6));
    [
        Some(system(found)),
        Some(powers(&found.process)),
        Some(limits(&found.process)),
        Some(reach),
        Some(names(&found.resolv_conf)),
        patience(&found.settings),
        settings(&found.settings),
    ]
    .into_iter()
    .flatten()
    .flat_map(|text| wrap("    - ", &text, style.width()))
    .collect()
}

fn system(found: &Facilities) -> String {
    let surroundings = match found.surroundings {
        Surroundings::Pod => ", in a pod",
        Surroundings::Container => ", in a container",
        Surroundings::Host => "",
    };
    let process = &found.process;
    format!(
        "Linux {}{surroundings}; user {}, group {}",
        found.kernel.release, process.user, process.group
    )
}

fn powers(process: &Process) -> String {
    let held = |held| match held {
        Held::No => "no",
        Held::Permitted => "permitted",
        Held::Effective => "effective",
    };
    let ours = process.capabilities.map_or_else(
        || "capabilities cannot be read".to_owned(),
        |Capabilities {
             net_raw, net_admin, ..
         }| { format!("CAP_NET_RAW {}, CAP_NET_ADMIN {}", held(net_raw), held(net_admin)) },
    );
    let file = match process.file_capability {
        Some(FileCapability {
            net_raw: true,
            effective: false,
        }) => "the file has cap_net_raw+p",
        Some(FileCapability {
            net_raw: true,
            effective: true,
        }) => "the file has cap_net_raw+ep",
        Some(FileCapability { net_raw: false, .. }) | None => "nothing from the file",
    };
    format!("{ours}; {file}")
}

fn limits(process: &Process) -> String {
    let state = |state: Option<bool>, yes: &'static str, no: &'static str| match state {
        Some(true) => yes,
        Some(false) => no,
        None => "not known",
    };
    format!(
        "seccomp: {}; no_new_privs: {}; user namespace: {}",
        state(process.seccomp, "filtered", "none"),
        state(process.no_new_privileges, "set", "not set"),
        state(process.in_user_namespace, "one of its own", "the first"),
    )
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::None => "not in this kernel",
        Reach::Loopback => "on loopback alone",
        Reach::Link => "on our own links alone",
        Reach::World => "with a route out",
    }
}

fn names(resolv_conf: &ResolvConf) -> String {
    match resolv_conf {
        ResolvConf::Read { servers } => {
            format!("/etc/resolv.conf: {}", count(*servers, "server", "servers"))
        }
        ResolvConf::Unreadable { why } => format!("resolver: {why}"),
    }
}

fn patience(settings: &Settings) -> Option<String> {
    let schedule = settings.syn_schedule?;
    let linear = schedule.linear_timeouts.map_or_else(String::new, |linear| {
        format!(", tcp_syn_linear_timeouts={linear}")
    });
    Some(format!(
        "telnet hangs for {} on silence (tcp_syn_retries={}{linear})",
        human_duration(default_client_hang(schedule)),
        schedule.retries
    ))
}

fn settings(settings: &Settings) -> Option<String> {
    let pair = |(first, last): (u32, u32)| format!("{first} {last}");
    let local_ports = settings
        .local_ports
        .map(|(first, last)| (first.into(), last.into()));
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let all: Vec<String> = [
        ("ip_local_port_range", local_ports.map(pair)),
        ("tcp_timestamps", number(settings.tcp_timestamps)),
        ("tcp_syncookies", number(settings.tcp_syncookies)),
        ("icmp_ratelimit", number(settings.icmp_ratelimit_ms)),
        ("ping_group_range", settings.ping_groups.map(pair)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("{name} = {}", value?)))
    .collect();
    (!all.is_empty()).then(|| format!("net.ipv4: {}", all.join("; ")))
}
