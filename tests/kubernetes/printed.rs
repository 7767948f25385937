//! What `tcpprobe k8s` prints.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Every kind of workload, with the options that it wants.
pub(crate) const KINDS: [&[&str]; 4] = [
    &["job"],
    &["indexed-job", "--shards", "4"],
    &["daemonset"],
    &["cronjob", "--schedule", "30 2 * * *"],
];

/// What may be printed besides for a monitor, but for what is the Prometheus operator's.
pub(crate) const BUILT_IN: &[&str] = &["--with", "networkpolicy"];

/// All that may be printed besides for a monitor.
pub(crate) const ALL: &[&str] = &[
    "--namespace",
    "elsewhere",
    "--with",
    "networkpolicy,servicemonitor,probe",
];

/// A configuration with two modules.
pub(crate) fn config() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/kubernetes/monitor.yaml"
    ))
}

/// A matrix with two sources, one of which says all that a source can say.
pub(crate) fn matrix() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/kubernetes/matrix.yaml"
    ))
}

/// The text for a matrix.
pub(crate) fn text(kind: &[&str], matrix: &Path, options: &[&str]) -> String {
    let matrix = matrix.to_str().unwrap();
    print(&[kind, &["--matrix", matrix], options].concat())
}

/// The text for a monitor.
pub(crate) fn monitor(config: &Path, options: &[&str]) -> String {
    let config = config.to_str().unwrap();
    print(&[&["monitor", "--config", config], options].concat())
}

fn print(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tcpprobe"))
        .arg("k8s")
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Its documents, by our own reader.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// The part of a workload that is about its pods; absent where there are none.
pub(crate) fn pod(document: &Value) -> Option<&Value> {
    let spec = match document["kind"].as_str().unwrap() {
        "CronJob" => &document["spec"]["jobTemplate"]["spec"]["template"],
        "Job" | "DaemonSet" | "Deployment" => &document["spec"]["template"],
        "ConfigMap" | "Service" | "NetworkPolicy" | "ServiceMonitor" | "Probe" => return None,
        other => panic!("{other}"),
    };
    Some(&spec["spec"])
}

/// All containers of a pod.
pub(crate) fn containers(pod: &Value) -> Vec<&Value> {
    let of = |key: &str| pod[key].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers")).collect()
}
