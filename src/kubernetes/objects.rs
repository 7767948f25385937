//! What we use of the Kubernetes API, as serde writes it. Field by field it is what
//! <https://kubernetes.io/docs/reference/kubernetes-api/> says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::labels::Labels;
use super::monitor::objects::{
    DeploymentSpec, NetworkPolicySpec, OpenPort, ProbeSpec, Question, ServiceMonitorSpec, ServiceSpec,
};

/// Any object that we make.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Object {
    ConfigMap(ConfigMap),
    Job(Specified<JobSpec>),
    CronJob(Specified<CronJobSpec>),
    DaemonSet(Specified<DaemonSetSpec>),
    Deployment(Specified<DeploymentSpec>),
    Service(Specified<ServiceSpec>),
    NetworkPolicy(Specified<NetworkPolicySpec>),
    ServiceMonitor(Specified<ServiceMonitorSpec>),
    Probe(Specified<ProbeSpec>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMap {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    data: BTreeMap<String, String>,
}

impl ConfigMap {
    /// With one file.
    pub(super) fn new(metadata: Metadata, key: String, text: &str) -> Self {
        Self {
            api_version: "v1",
            kind: "ConfigMap",
            metadata,
            data: [(key, text.to_owned())].into(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Specified<Spec> {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) labels: Labels,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub(super) annotations: Labels,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallelism: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff_limit_per_index: Option<u32>,
    pub(super) active_deadline_seconds: u64,
    pub(super) ttl_seconds_after_finished: u64,
    pub(super) pod_failure_policy: PodFailurePolicy,
    pub(super) template: PodTemplate,
}

#[derive(Debug, Serialize)]
pub(super) struct PodFailurePolicy {
    pub(super) rules: Vec<FailureRule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureRule {
    pub(super) action: &'static str,
    #[serde(flatten)]
    pub(super) on: FailureOn,
}

#[derive(Debug, Serialize)]
pub(super) enum FailureOn {
    #[serde(rename = "onPodConditions")]
    Conditions(Vec<PodCondition>),
    #[serde(rename = "onExitCodes")]
    ExitCodes(ExitCodes),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodCondition {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExitCodes {
    pub(super) container_name: &'static str,
    pub(super) operator: &'static str,
    pub(super) values: Vec<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CronJobSpec {
    pub(super) schedule: String,
    pub(super) concurrency_policy: &'static str,
    pub(super) starting_deadline_seconds: u32,
    pub(super) successful_jobs_history_limit: u32,
    pub(super) failed_jobs_history_limit: u32,
    pub(super) job_template: JobTemplate,
}

#[derive(Debug, Serialize)]
pub(super) struct JobTemplate {
    pub(super) metadata: Metadata,
    pub(super) spec: JobSpec,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DaemonSetSpec {
    pub(super) selector: Selector,
    pub(super) update_strategy: UpdateStrategy,
    pub(super) template: PodTemplate,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: Labels,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateStrategy {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) rolling_update: RollingUpdate,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RollingUpdate {
    pub(super) max_unavailable: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct PodTemplate {
    pub(super) metadata: Metadata,
    pub(super) spec: PodSpec,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_account_name: Option<String>,
    pub(super) automount_service_account_token: bool,
    pub(super) enable_service_links: bool,
    pub(super) restart_policy: &'static str,
    pub(super) termination_grace_period_seconds: u32,
    pub(super) node_selector: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tolerations: Vec<Toleration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) readiness_gates: Vec<ReadinessGate>,
    pub(super) security_context: PodSecurityContext,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) init_containers: Vec<Container>,
    pub(super) containers: Vec<Container>,
    pub(super) volumes: Vec<Volume>,
}

#[derive(Debug, Serialize)]
pub(super) struct Toleration {
    pub(super) operator: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadinessGate {
    pub(super) condition_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSecurityContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_as_non_root: Option<bool>,
    pub(super) run_as_user: u32,
    pub(super) run_as_group: u32,
    pub(super) seccomp_profile: SeccompProfile,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sysctls: Vec<Sysctl>,
}

#[derive(Debug, Serialize)]
pub(super) struct SeccompProfile {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Sysctl {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: &'static str,
    pub(super) image: String,
    pub(super) image_pull_policy: &'static str,
    pub(super) args: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) env: Vec<Variable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ports: Vec<OpenPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readiness_probe: Option<Question>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness_probe: Option<Question>,
    pub(super) resources: Resources,
    pub(super) security_context: SecurityContext,
    pub(super) termination_message_policy: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) volume_mounts: Vec<VolumeMount>,
}

#[derive(Debug, Serialize)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    #[serde(flatten)]
    pub(super) content: Content,
}

#[derive(Debug, Serialize)]
pub(super) enum Content {
    #[serde(rename = "value")]
    Value(String),
    #[serde(rename = "valueFrom")]
    From(ValueFrom),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueFrom {
    pub(super) field_ref: FieldRef,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldRef {
    pub(super) field_path: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Resources {
    pub(super) requests: BTreeMap<&'static str, &'static str>,
    pub(super) limits: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecurityContext {
    pub(super) allow_privilege_escalation: bool,
    pub(super) read_only_root_filesystem: bool,
    pub(super) capabilities: Capabilities,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Capabilities {
    pub(super) drop: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) add: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeMount {
    pub(super) name: &'static str,
    pub(super) mount_path: &'static str,
    pub(super) read_only: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub(super) name: &'static str,
    pub(super) config_map: ConfigMapVolume,
}

#[derive(Debug, Serialize)]
pub(super) struct ConfigMapVolume {
    pub(super) name: String,
}
