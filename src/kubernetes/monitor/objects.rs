//! What we use of the API beyond pods and ConfigMaps for a monitor: a Deployment, a Service, a NetworkPolicy, and of the
//! Prometheus operator a ServiceMonitor and a Probe (<https://prometheus-operator.dev/docs/api-reference/api/>).

use serde::Serialize;

use crate::kubernetes::labels::Labels;
use crate::kubernetes::objects::{PodTemplate, Selector};

#[derive(Debug, Serialize)]
pub(in crate::kubernetes) struct DeploymentSpec {
    pub(super) replicas: u32,
    pub(super) selector: Selector,
    pub(super) strategy: Strategy,
    pub(super) template: PodTemplate,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Strategy {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) rolling_update: OneMore,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneMore {
    pub(super) max_surge: u32,
    pub(super) max_unavailable: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct OpenPort {
    pub(super) name: &'static str,
    pub(super) container_port: u16,
    pub(super) protocol: &'static str,
}

/// What the kubelet asks a container.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct Question {
    pub(super) http_get: HttpGet,
    pub(super) period_seconds: u32,
    pub(super) timeout_seconds: u32,
    pub(super) failure_threshold: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct HttpGet {
    pub(super) path: &'static str,
    pub(super) port: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct ServiceSpec {
    pub(super) ip_family_policy: &'static str,
    pub(super) selector: Labels,
    pub(super) ports: Vec<ServicePort>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServicePort {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) target_port: &'static str,
    pub(super) protocol: &'static str,
    pub(super) app_protocol: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct NetworkPolicySpec {
    pub(super) pod_selector: Selector,
    pub(super) policy_types: [&'static str; 1],
    pub(super) ingress: Vec<Ingress>,
}

#[derive(Debug, Serialize)]
pub(super) struct Ingress {
    pub(super) from: Vec<Peer>,
    pub(super) ports: Vec<PolicyPort>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Peer {
    pub(super) namespace_selector: Selector,
    pub(super) pod_selector: Selector,
}

#[derive(Debug, Serialize)]
pub(super) struct PolicyPort {
    pub(super) protocol: &'static str,
    pub(super) port: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct ServiceMonitorSpec {
    pub(super) job_label: &'static str,
    pub(super) selector: Selector,
    pub(super) endpoints: Vec<Endpoint>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoint {
    pub(super) port: &'static str,
    pub(super) path: &'static str,
    pub(super) interval: String,
    pub(super) scrape_timeout: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::kubernetes) struct ProbeSpec {
    pub(super) job_name: String,
    pub(super) prober: Prober,
    pub(super) module: String,
    pub(super) interval: String,
    pub(super) scrape_timeout: String,
    pub(super) targets: ProbeTargets,
}

#[derive(Debug, Serialize)]
pub(super) struct Prober {
    pub(super) url: String,
    pub(super) path: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProbeTargets {
    pub(super) static_config: StaticTargets,
}

#[derive(Debug, Serialize)]
pub(super) struct StaticTargets {
    #[serde(rename = "static")]
    pub(super) targets: Vec<String>,
}
