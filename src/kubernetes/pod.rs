//! The pod that runs a matrix for a source.

use super::labels::{self, Labels};
use super::objects::{
    Capabilities, ConfigMapVolume, Container, Content, FieldRef, PodSecurityContext, PodSpec, PodTemplate,
    ReadinessGate, Resources, SeccompProfile, SecurityContext, Sysctl, Toleration, ValueFrom, Variable,
    Volume, VolumeMount,
};
use super::{Document, MATRIX_FILE, Part, Power, Runs, Settings, key};

/// The container whose log the results are.
pub(super) const CONTAINER: &str = "tcpprobe";

/// Where the ConfigMap is mounted.
pub(super) const FOLDER: &str = "/etc/tcpprobe";

/// A condition that nobody ever sets. A pod with the labels of a workload is a backend of that workload's Services: one
/// that is never ready gets no traffic.
const NEVER: &str = "tcpprobe/serves";

/// As images without an `/etc/passwd` have it: a user that is not root and owns nothing.
const USER: u32 = 65532;

/// Every user of the pod may open ping sockets. PodSecurity counts it as safe.
const PING: Sysctl = Sysctl {
    name: "net.ipv4.ping_group_range",
    value: "0 2147483647",
};

pub(super) fn pod(base: &str, part: &Part<'_>, document: Document<'_>, settings: &Settings) -> PodTemplate {
    let matrix = container(base, part, document, settings);
    let stays = match settings.runs {
        Runs::DaemonSet => true,
        Runs::Job | Runs::IndexedJob { .. } | Runs::CronJob { .. } => false,
    };
    let (init_containers, containers) = if stays {
        (vec![matrix], vec![waiting(settings)])
    } else {
        (Vec::new(), vec![matrix])
    };
    let source = part.source;
    let mut node_selector = on_linux();
    node_selector.extend(source.into_iter().flat_map(|source| source.node_selector.clone()));
    PodTemplate {
        metadata: labels::of_pod(base, source, part.label.as_deref()),
        spec: PodSpec {
            service_account_name: source.and_then(|source| source.service_account.clone()),
            automount_service_account_token: false,
            enable_service_links: false,
            restart_policy: if stays { "Always" } else { "Never" },
            termination_grace_period_seconds: 10,
            node_selector,
            // Every node means those with taints too.
            tolerations: if stays {
                vec![Toleration { operator: "Exists" }]
            } else {
                Vec::new()
            },
            readiness_gates: vec![ReadinessGate {
                condition_type: NEVER,
            }],
            security_context: security(settings.power),
            init_containers,
            containers,
            volumes: vec![Volume {
                name: "matrix",
                config_map: ConfigMapVolume {
                    name: base.to_owned(),
                },
            }],
        },
    }
}

fn container(base: &str, part: &Part<'_>, document: Document<'_>, settings: &Settings) -> Container {
    Container {
        args: arguments(document, settings),
        env: environment(base, part, settings),
        resources: Resources {
            requests: [("cpu", "100m"), ("memory", "64Mi")].into(),
            // Without a limit on CPU: a process that is held back takes its own delay for that of the network.
            limits: [("memory", "256Mi")].into(),
        },
        volume_mounts: vec![VolumeMount {
            name: "matrix",
            mount_path: FOLDER,
            read_only: true,
        }],
        ..bare(CONTAINER, &settings.image, settings.power)
    }
}

/// The program is one for Linux, and a cluster may have other nodes.
pub(super) fn on_linux() -> Labels {
    [("kubernetes.io/os".to_owned(), "linux".to_owned())].into()
}

/// A DaemonSet's pods may not end. This one holds the place until the next run.
fn waiting(settings: &Settings) -> Container {
    Container {
        args: ["pod", "wait"].map(str::to_owned).into(),
        resources: Resources {
            requests: [("cpu", "1m"), ("memory", "8Mi")].into(),
            limits: [("memory", "32Mi")].into(),
        },
        ..bare("wait", &settings.image, settings.power)
    }
}

/// A container that nothing is asked of yet.
pub(super) fn bare(name: &'static str, image: &str, power: Power) -> Container {
    let add = match power {
        Power::Restricted => Vec::new(),
        Power::Raw => vec!["NET_RAW"],
    };
    Container {
        name,
        image: image.to_owned(),
        image_pull_policy: "IfNotPresent",
        args: Vec::new(),
        env: Vec::new(),
        ports: Vec::new(),
        readiness_probe: None,
        liveness_probe: None,
        resources: Resources {
            requests: [].into(),
            limits: [].into(),
        },
        security_context: SecurityContext {
            allow_privilege_escalation: false,
            read_only_root_filesystem: true,
            capabilities: Capabilities {
                drop: vec!["ALL"],
                add,
            },
        },
        termination_message_policy: "FallbackToLogsOnError",
        volume_mounts: Vec::new(),
    }
}

/// Quiet, since a kubelet splits long lines, and a line on standard error could get between the parts of one.
fn arguments(document: Document<'_>, settings: &Settings) -> Vec<String> {
    let command: &[&str] = match settings.runs {
        Runs::DaemonSet => &["pod", "once"],
        Runs::Job | Runs::IndexedJob { .. } | Runs::CronJob { .. } => &["matrix"],
    };
    let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    arguments.push(format!("{FOLDER}/{}", key(MATRIX_FILE, document.format)));
    arguments.extend(["--output=jsonl", "--quiet"].map(str::to_owned));
    if let Runs::IndexedJob { shards } = settings.runs {
        // Kubernetes sets the variable, and puts it in here.
        arguments.push(format!("--shard=$(JOB_COMPLETION_INDEX)/{shards}"));
    }
    arguments.extend(settings.options.iter().map(|option| literal(option)));
    arguments
}

/// Kubernetes would put variables in.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn environment(base: &str, part: &Part<'_>, settings: &Settings) -> Vec<Variable> {
    let value = |name, value: String| Variable {
        name,
        content: Content::Value(value),
    };
    let field = |name, field_path| Variable {
        name,
        content: Content::From(ValueFrom {
            field_ref: FieldRef { field_path },
        }),
    };
    let mut all = vec![
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
        field("POD_IP", "status.podIP"),
        field("NODE_NAME", "spec.nodeName"),
    ];
    // Who runs a matrix without sources is to have the same name in every pod and every run.
    let source = part.source.map_or(base, |source| &source.name);
    all.push(value("TCPPROBE_SOURCE", literal(source)));
    if settings.runs == Runs::DaemonSet {
        all.push(field("TCPPROBE_INSTANCE", "spec.nodeName"));
    }
    all
}

pub(super) fn security(power: Power) -> PodSecurityContext {
    let seccomp_profile = SeccompProfile {
        kind: "RuntimeDefault",
    };
    match power {
        Power::Restricted => PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: USER,
            run_as_group: USER,
            seccomp_profile,
            sysctls: vec![PING],
        },
        Power::Raw => PodSecurityContext {
            run_as_non_root: None,
            run_as_user: 0,
            run_as_group: 0,
            seccomp_profile,
            sysctls: Vec::new(),
        },
    }
}
