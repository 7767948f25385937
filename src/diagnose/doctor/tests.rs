//! What is judged of typical places.

use std::collections::BTreeSet;

use super::cases::{
    denied, filtered_root, net_raw_pod, old_kernel, plain_user, restricted_pod, root, with_file_capability,
};
use super::*;
use crate::diagnose::Cause;
use crate::evidence::facilities::{Facilities, ResolvConf, Surroundings};

fn told(examination: &Examination, label: &str) -> Told {
    let of = |one: &&Judged| one.distinction.label == label;
    examination.distinctions.iter().find(of).unwrap().way.told
}

fn not_yes(found: &Facilities) -> Vec<(&'static str, &'static str)> {
    let examination = examine(found);
    let limited = examination
        .distinctions
        .iter()
        .filter(|one| one.way.told != Told::Yes);
    limited
        .map(|one| (one.distinction.label, one.way.told.label()))
        .collect()
}

fn why(found: &Facilities, means: Means) -> (String, Vec<Remedy>) {
    match means.availability(found) {
        Availability::Given => panic!("{means:?} is given"),
        Availability::Missing { why, remedies } => (why, remedies),
    }
}

#[test]
fn root_tells_all_but_what_looks_the_same_to_everybody() {
    assert_eq!(
        not_yes(&root()),
        [("host-or-router", "partly"), ("queue-or-syn-filter", "partly")]
    );
}

#[test]
fn a_plain_user_knows_what_he_cannot_tell() {
    assert_eq!(
        not_yes(&plain_user()),
        [
            ("host-or-port", "partly"),
            ("host-or-router", "no"),
            ("own-egress", "partly"),
            ("own-ingress", "partly"),
            ("queue-or-filter", "partly"),
            ("queue-or-syn-filter", "no"),
            ("middlebox-reset", "no"),
            ("return-path", "no"),
            ("syn-cookies", "no"),
            ("round-trip", "partly"),
        ]
    );
}

#[test]
fn a_plain_user_is_told_of_the_file_capability() {
    let (why, remedies) = why(&plain_user(), Means::Raw);
    assert_eq!(why, "we are without CAP_NET_RAW");
    assert_eq!(remedies, [Remedy::NetRaw(Surroundings::Host)]);
    assert!(remedies[0].lines()[0].contains("setcap cap_net_raw+p "));
}

#[test]
fn a_file_capability_that_is_permitted_is_as_good_as_root() {
    assert_eq!(not_yes(&with_file_capability(false)), not_yes(&root()));
    assert_eq!(examine(&with_file_capability(false)).notes, []);
}

#[test]
fn a_file_capability_that_is_effective_at_once_is_advised_against() {
    let examination = examine(&with_file_capability(true));
    assert_eq!(examination.notes, [Note::EffectiveFileCapability]);
}

#[test]
fn no_new_privs_withholds_what_the_file_has() {
    let mut found = plain_user();
    found.process.file_capability = with_file_capability(false).process.file_capability;
    found.process.no_new_privileges = Some(true);
    found.surroundings = Surroundings::Pod;
    let (why, remedies) = why(&found, Means::Raw);
    assert!(why.contains("no_new_privs withholds it"), "{why}");
    assert_eq!(remedies, [Remedy::NewPrivileges(Surroundings::Pod)]);
    assert!(remedies[0].lines().contains(&"  allowPrivilegeEscalation: true"));
}

#[test]
fn no_new_privs_is_named_before_setcap_is_advised() {
    let mut found = plain_user();
    found.process.no_new_privileges = Some(true);
    assert_eq!(
        why(&found, Means::Raw).1,
        [
            Remedy::NewPrivileges(Surroundings::Host),
            Remedy::NetRaw(Surroundings::Host)
        ]
    );
}

#[test]
fn what_the_bounding_set_lacks_no_file_gives() {
    let mut found = plain_user();
    found.process.file_capability = with_file_capability(false).process.file_capability;
    found.process.capabilities = Some(cases::NONE);
    assert!(why(&found, Means::Raw).0.contains("our bounding set has not"));
}

#[test]
fn a_restricted_pod_is_given_the_lines_for_its_manifest() {
    let found = restricted_pod();
    assert_eq!(why(&found, Means::Raw).1, [Remedy::NetRaw(Surroundings::Pod)]);
    assert_eq!(
        why(&found, Means::Ping),
        (
            "group 1000 is not in net.ipv4.ping_group_range (1 0)".to_owned(),
            vec![Remedy::PingGroups(Surroundings::Pod)]
        )
    );
    assert_eq!(
        why(&found, Means::BothFamilies).0,
        "no IPv6 address beyond loopback"
    );
    assert_eq!(told(&examine(&found), "families"), Told::No);
}

#[test]
fn a_pod_with_net_raw_tells_what_root_tells_but_for_the_flags_of_a_reset() {
    let examination = examine(&net_raw_pod());
    let mut limited = not_yes(&root());
    limited.push(("whose-reset", "partly"));
    assert_eq!(not_yes(&net_raw_pod()), limited);
    assert_eq!(examination.gain(Means::OwnFilter), 1);
    assert_eq!(
        why(&net_raw_pod(), Means::OwnFilter).1,
        [Remedy::NetAdmin(Surroundings::Pod)]
    );
    assert!(matches!(examination.demo, Availability::Missing { .. }));
}

#[test]
fn a_kernel_before_5_9_hides_who_rejects_and_where_packets_die() {
    let found = old_kernel();
    let examination = examine(&found);
    assert_eq!(told(&examination, "who-rejects"), Told::Partly);
    assert_eq!(told(&examination, "last-hop"), Told::No);
    assert_eq!(told(&examination, "queue-or-filter"), Told::No);
    let (why, remedies) = why(&found, Means::ErrorQueue);
    assert!(why.starts_with("Linux 4.19.0-27-amd64: "), "{why}");
    assert_eq!(remedies, [Remedy::NewerKernel]);
}

#[test]
fn on_an_old_kernel_raw_sockets_make_up_for_the_error_queue() {
    let mut found = root();
    found.kernel = old_kernel().kernel;
    assert_eq!(not_yes(&found), not_yes(&root()));
}

#[test]
fn a_denial_despite_the_capability_is_blamed_on_who_denies() {
    let (blamed, _) = why(&filtered_root(), Means::Raw);
    assert!(blamed.contains("seccomp"), "{blamed}");

    let mut found = filtered_root();
    found.process.seccomp = Some(false);
    assert!(
        why(&found, Means::Raw)
            .0
            .contains("a security module (SELinux, AppArmor)")
    );

    found.process.in_user_namespace = Some(true);
    assert_eq!(why(&found, Means::Raw).1, [Remedy::OutsideUserNamespace]);
}

#[test]
fn root_without_the_capability_is_told_who_dropped_it() {
    let mut found = plain_user();
    found.process.user = 0;
    found.surroundings = Surroundings::Container;
    assert!(why(&found, Means::Raw).0.contains("the container drops it"));
    found.surroundings = Surroundings::Host;
    assert!(why(&found, Means::Raw).0.contains("whoever started us"));
}

#[test]
fn a_family_that_the_kernel_lacks_does_not_spoil_the_other() {
    let mut found = root();
    found.tried.raw_v6 = Trial::Missing {
        errno: "EAFNOSUPPORT".to_owned(),
    };
    assert!(examine(&found).has(Means::Raw));
    found.tried.raw_v6 = denied("EPERM");
    assert!(!examine(&found).has(Means::Raw));
    (found.tried.raw_v4, found.tried.raw_v6) = (found.tried.raw_v6, Trial::Worked);
    assert!(!examine(&found).has(Means::Raw));
}

#[test]
fn a_group_in_the_range_is_not_told_to_widen_it() {
    let mut found = plain_user();
    found.settings.ping_groups = Some((0, i32::MAX.cast_unsigned()));
    assert!(why(&found, Means::Ping).0.contains("although group 1000 is in"));
    found.tried.ping_v4 = Trial::Worked;
    found.tried.ping_v6 = Trial::Worked;
    assert!(examine(&found).has(Means::Ping));
    assert_eq!(told(&examine(&found), "host-or-port"), Told::Yes);
}

#[test]
fn settings_that_take_a_distinction_away_are_named() {
    let mut found = root();
    found.settings.tcp_timestamps = Some(0);
    found.resolv_conf = ResolvConf::Read { servers: 0 };
    let examination = examine(&found);
    assert_eq!(told(&examination, "lost-direction"), Told::Partly);
    assert_eq!(told(&examination, "names"), Told::No);
    assert_eq!(why(&found, Means::Timestamps).1, [Remedy::TcpTimestamps]);

    let mut found = plain_user();
    found.counters = false;
    assert_eq!(told(&examine(&found), "own-egress"), Told::No);
}

#[test]
fn namespaces_that_are_denied_are_blamed_on_the_setting_that_denies_them() {
    let of = |change: fn(&mut Facilities)| {
        let mut found = restricted_pod();
        change(&mut found);
        match examine(&found).demo {
            Availability::Given => panic!("given"),
            Availability::Missing { remedies, .. } => remedies,
        }
    };
    assert_eq!(
        of(|found| found.settings.max_user_namespaces = Some(0)),
        [Remedy::MaxUserNamespaces]
    );
    assert_eq!(
        of(|found| found.settings.unprivileged_userns_clone = Some(0)),
        [Remedy::UserNamespaceClone]
    );
    assert_eq!(
        of(|found| found.settings.apparmor_restrict_unprivileged_userns = Some(1)),
        [Remedy::AppArmorUserNamespaces]
    );
    assert_eq!(of(|_| {}), [Remedy::NamespacesElsewhere]);
}

#[test]
fn few_ports_and_few_descriptors_are_said() {
    let mut found = root();
    found.settings.local_ports = Some((40_000, 40_009));
    found.process.open_files = Some(256);
    assert_eq!(
        examine(&found).notes,
        [Note::FewPorts(10), Note::FewDescriptors(256)]
    );
}

#[test]
fn every_distinction_has_a_way_that_needs_nothing_and_no_better_one_below_it() {
    for one in DISTINCTIONS {
        let (last, better) = one.ways.split_last().unwrap();
        assert!(last.needs.is_empty(), "{}", one.label);
        assert!(better.iter().all(|way| !way.needs.is_empty()), "{}", one.label);
        assert!(
            one.ways.windows(2).all(|pair| pair[0].told >= pair[1].told),
            "{}",
            one.label
        );
        assert!(one.name.chars().count() <= 60, "{}", one.name);
    }
    let labels: BTreeSet<_> = DISTINCTIONS.iter().map(|one| one.label).collect();
    assert_eq!(labels.len(), DISTINCTIONS.len());
}

#[test]
fn every_verdict_is_one_side_of_a_distinction() {
    let known: BTreeSet<Cause> = DISTINCTIONS.iter().flat_map(|one| one.causes).copied().collect();
    let without: Vec<&Cause> = Cause::ALL.iter().filter(|cause| !known.contains(cause)).collect();
    // These two say that nothing was told apart.
    assert_eq!(without, [&Cause::Unattributed, &Cause::Undecided]);
}

#[test]
fn every_means_is_needed_by_a_distinction() {
    let needed = |means: &Means| {
        let mut ways = DISTINCTIONS.iter().flat_map(|one| one.ways);
        ways.any(|way| way.needs.contains(means))
    };
    assert!(Means::ALL.iter().all(needed));
}
