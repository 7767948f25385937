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

/// A matrix with two sources, one of which says all that a source can say.
pub(crate) fn matrix() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/kubernetes/matrix.yaml"
    ))
}

/// The text.
pub(crate) fn text(kind: &[&str], matrix: &Path, options: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tcpprobe"))
        .arg("k8s")
        .args(kind)
        .arg("--matrix")
        .arg(matrix)
        .args(options)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{kind:?}: {}",
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
        "Job" | "DaemonSet" => &document["spec"]["template"],
        other => {
            assert_eq!(other, "ConfigMap");
            return None;
        }
    };
    Some(&spec["spec"])
}

/// All containers of a pod.
pub(crate) fn containers(pod: &Value) -> Vec<&Value> {
    let of = |key: &str| pod[key].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers")).collect()
}
