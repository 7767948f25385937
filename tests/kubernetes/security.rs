//! The rules of PodSecurity, as <https://kubernetes.io/docs/concepts/security/pod-security-standards/> has them.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::anywhere;
use crate::printed::{self, KINDS};

/// What a pod may have as volumes under `restricted`.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// What a pod may set under `baseline`, and so under `restricted`.
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        anywhere(
            "every_pod_is_what_restricted_wants",
            every_pod_is_what_restricted_wants,
        ),
        anywhere(
            "a_raw_pod_is_root_with_net_raw_alone",
            a_raw_pod_is_root_with_net_raw_alone,
        ),
        anywhere(
            "what_restricted_forbids_is_found",
            what_restricted_forbids_is_found,
        ),
        anywhere("no_pod_gets_a_token", no_pod_gets_a_token),
    ]
}

/// The pods of every kind of workload.
fn pods(options: &[&str]) -> Vec<Value> {
    let mut pods = Vec::new();
    for kind in KINDS {
        let text = printed::text(kind, printed::matrix(), options);
        pods.extend(printed::documents(&text).iter().filter_map(printed::pod).cloned());
    }
    let text = printed::monitor(printed::config(), options);
    pods.extend(printed::documents(&text).iter().filter_map(printed::pod).cloned());
    assert_eq!(pods.len(), 2 * KINDS.len() + 1);
    pods
}

fn every_pod_is_what_restricted_wants() {
    for pod in pods(&[]) {
        assert_eq!(violations(&pod), Vec::<String>::new(), "{pod:#}");
        // Beyond what is asked for.
        for container in printed::containers(&pod) {
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        }
        assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    }
}

fn a_raw_pod_is_root_with_net_raw_alone() {
    for pod in pods(&["--raw"]) {
        assert_eq!(pod["securityContext"]["runAsUser"], 0);
        for container in printed::containers(&pod) {
            let security = &container["securityContext"];
            assert_eq!(
                security["capabilities"],
                json!({"drop": ["ALL"], "add": ["NET_RAW"]})
            );
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
        }
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    }
}

fn what_restricted_forbids_is_found() {
    let sound = pods(&[]).remove(0);
    let wrong: [(&str, Value); 9] = [
        ("/hostNetwork", json!(true)),
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/securityContext/runAsUser", json!(0)),
        ("/securityContext/seccompProfile/type", json!("Unconfined")),
        ("/securityContext/sysctls/0/name", json!("net.core.somaxconn")),
        (
            "/containers/0/securityContext/allowPrivilegeEscalation",
            json!(true),
        ),
        (
            "/containers/0/securityContext/capabilities/drop",
            json!(["NET_RAW"]),
        ),
        (
            "/containers/0/securityContext/capabilities",
            json!({"drop": ["ALL"], "add": ["NET_RAW"]}),
        ),
        ("/volumes/0", json!({"name": "matrix", "hostPath": {"path": "/"}})),
    ];
    for (place, value) in wrong {
        let mut pod = sound.clone();
        if place == "/hostNetwork" {
            pod["hostNetwork"] = value;
        } else {
            *pod.pointer_mut(place).unwrap() = value;
        }
        assert_eq!(violations(&pod).len(), 1, "{place}: {:?}", violations(&pod));
    }
}

fn no_pod_gets_a_token() {
    for pod in pods(&[]).iter().chain(&pods(&["--raw"])) {
        assert_eq!(pod["automountServiceAccountToken"], false);
        for container in printed::containers(pod) {
            let resources = &container["resources"];
            assert!(resources["requests"]["cpu"].is_string() && resources["limits"]["memory"].is_string());
        }
    }
}

/// What of a pod is against `restricted`.
fn violations(pod: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, says: &str| {
        if !holds {
            wrong.push(says.to_owned());
        }
    };
    let of_pod = &pod["securityContext"];
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        must(pod[host] != true, host);
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        let is_permitted = |key: &String| key == "name" || VOLUMES.contains(&key.as_str());
        must(volume.as_object().unwrap().keys().all(is_permitted), "volumes");
    }
    for sysctl in of_pod["sysctls"].as_array().into_iter().flatten() {
        must(SYSCTLS.contains(&sysctl["name"].as_str().unwrap()), "sysctls");
    }
    let containers = printed::containers(pod);
    assert!(!containers.is_empty());
    for container in containers {
        let own = &container["securityContext"];
        // What the container says counts, else what the pod says.
        let either = |key: &str| {
            if own[key].is_null() {
                &of_pod[key]
            } else {
                &own[key]
            }
        };
        must(own["privileged"] != true, "privileged");
        must(own["procMount"].is_null(), "procMount");
        must(
            own["allowPrivilegeEscalation"] == false,
            "allowPrivilegeEscalation",
        );
        must(either("runAsNonRoot") == true, "runAsNonRoot");
        must(either("runAsUser") != 0, "runAsUser");
        let seccomp = &either("seccompProfile")["type"];
        must(
            seccomp == "RuntimeDefault" || seccomp == "Localhost",
            "seccompProfile",
        );
        let capabilities = &own["capabilities"];
        let drops_all = capabilities["drop"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("ALL")));
        must(drops_all, "capabilities.drop");
        let adds = capabilities["add"].as_array().into_iter().flatten();
        must(
            adds.into_iter().all(|one| one == "NET_BIND_SERVICE"),
            "capabilities.add",
        );
        for port in container["ports"].as_array().into_iter().flatten() {
            must(port["hostPort"].is_null(), "hostPort");
        }
    }
    wrong
}
