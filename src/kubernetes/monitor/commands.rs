//! The commands that run, read and delete a monitor, as the manifests' opening comment has them.

use super::{Extra, MonitorSettings, PORT};
use crate::kubernetes::labels::MONITOR;
use crate::kubernetes::{OLDEST, Power};

/// The lines of the comment.
pub(super) fn header(base: &str, settings: &MonitorSettings) -> Vec<String> {
    let image = &settings.image;
    let power = match settings.power {
        Power::Restricted => "Its pod is what PodSecurity's level \"restricted\" wants.",
        Power::Raw => {
            "Its pod is root with NET_RAW: its namespace must permit PodSecurity's level \"privileged\"."
        }
    };
    let mut lines = vec![
        format!(
            "A monitor, by tcpprobe {}, for Kubernetes {OLDEST} or later.",
            env!("CARGO_PKG_VERSION")
        ),
        power.to_owned(),
        format!("The image is {image}: in the sources of tcpprobe, \"docker build -t {image} .\" makes it."),
    ];
    for (title, command) in commands(base, settings) {
        lines.extend([String::new(), title.to_owned(), format!("  {command}")]);
    }
    lines
}

fn commands(base: &str, settings: &MonitorSettings) -> Vec<(&'static str, String)> {
    let namespace = settings.namespace.as_deref().map(|name| format!(" -n {name}"));
    let namespace = namespace.unwrap_or_default();
    let mut all = vec![
        (
            "Run it; apply it again when the configuration is another, and another pod takes over:",
            "kubectl apply --server-side -f FILE".to_owned(),
        ),
        (
            "Wait until it is ready:",
            format!("kubectl rollout status{namespace} deployment/{base}"),
        ),
        (
            "Its page, at http://127.0.0.1:9965/:",
            format!("kubectl port-forward{namespace} service/{base} {PORT}"),
        ),
        (
            "Every change, a line each:",
            format!("kubectl logs{namespace} deployment/{base} --tail=-1"),
        ),
    ];
    let of_operator: Vec<&str> = settings
        .with
        .iter()
        .filter_map(|extra| of_operator(*extra))
        .collect();
    if !of_operator.is_empty() {
        all.push((
            "Where Prometheus selects what it scrapes by a label, such as release=prometheus, give it that label:",
            format!(
                "kubectl label{namespace} {} -l {MONITOR}={base} release=prometheus",
                of_operator.join(",")
            ),
        ));
    }
    let kinds: Vec<&str> = ["deployment", "service", "configmap"]
        .into_iter()
        .chain(settings.with.iter().map(|extra| kind(*extra)))
        .collect();
    all.push((
        "Delete it:",
        format!(
            "kubectl delete{namespace} {} -l {MONITOR}={base}",
            kinds.join(",")
        ),
    ));
    all
}

fn kind(extra: Extra) -> &'static str {
    match extra {
        Extra::ServiceMonitor => "servicemonitor",
        Extra::Probe => "probe",
        Extra::NetworkPolicy => "networkpolicy",
    }
}

fn of_operator(extra: Extra) -> Option<&'static str> {
    match extra {
        Extra::ServiceMonitor | Extra::Probe => Some(kind(extra)),
        Extra::NetworkPolicy => None,
    }
}
