//! The manifests that run a monitor in a cluster: a Deployment of one pod, its Service, its configuration in a ConfigMap,
//! and what lets Prometheus in and tells its operator.

mod commands;
pub(super) mod objects;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;

use super::labels::{self, Labels};
use super::objects::{
    ConfigMap, ConfigMapVolume, Container, Metadata, Object, PodSpec, PodTemplate, Resources, Selector,
    Specified, Volume, VolumeMount,
};
use super::{Document, ManifestError, Manifests, Power, check, key, names, pod, syntax};
use crate::monitor::{Config, Module, Watched};
use objects::{
    DeploymentSpec, Endpoint, HttpGet, Ingress, NetworkPolicySpec, OneMore, OpenPort, Peer, PolicyPort,
    ProbeSpec, ProbeTargets, Prober, Question, ServiceMonitorSpec, ServicePort, ServiceSpec, StaticTargets,
    Strategy,
};

/// What everything is called when nothing else is asked for.
const NAME: &str = "tcpprobe-monitor";

/// The stem of the configuration's name in the ConfigMap.
const FILE: &str = "monitor";

const PORT: u16 = 9965;

/// What the port is called.
const HTTP: &str = "http";

/// Another value makes other pods: what changes in a ConfigMap alone changes no pod.
const HASH: &str = "tcpprobe/config-hash";

/// How often Prometheus asks for the metrics of the schedule, and how long it waits, in seconds.
const SCRAPE: (u64, u64) = (15, 10);

/// What is to be made of a configuration.
#[derive(Debug, Clone)]
pub struct MonitorSettings {
    /// What everything is called; `tcpprobe-monitor` when left out.
    pub name: Option<String>,
    /// The namespace; the one that `kubectl` is set to when left out.
    pub namespace: Option<String>,
    /// The image, whose entrypoint is tcpprobe.
    pub image: String,
    /// What the pod may do.
    pub power: Power,
    /// What else is made.
    pub with: BTreeSet<Extra>,
    /// The namespace that Prometheus is in.
    pub prometheus_namespace: String,
    /// Further options of `tcpprobe monitor`.
    pub options: Vec<String>,
}

/// What not every cluster takes, or wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extra {
    /// Has the Prometheus operator scrape the schedule's metrics.
    ServiceMonitor,
    /// Has the Prometheus operator scrape `/probe` for every target.
    Probe,
    /// Lets nobody in but Prometheus.
    NetworkPolicy,
}

impl Manifests {
    /// The objects that run a monitor.
    ///
    /// # Errors
    /// What Kubernetes would not take, and what would be right.
    pub fn of_monitor(
        config: &Config,
        document: Document<'_>,
        settings: &MonitorSettings,
    ) -> Result<Self, ManifestError> {
        let namespace = settings.namespace.as_deref();
        check("configuration", document, &settings.image, namespace)?;
        if !syntax::is_label(&settings.prometheus_namespace) {
            return Err(ManifestError::PrometheusNamespace(
                settings.prometheus_namespace.clone(),
            ));
        }
        let base = names::base(Some(settings.name.as_deref().unwrap_or(NAME)), None)?;
        let monitor = Monitor {
            base: &base,
            namespace,
            document,
            settings,
        };
        let mut objects = vec![monitor.config_map(), monitor.deployment(), monitor.service()];
        for extra in &settings.with {
            match extra {
                Extra::ServiceMonitor => objects.push(monitor.service_monitor()),
                Extra::Probe => objects.extend(monitor.probes(config)?),
                Extra::NetworkPolicy => objects.push(monitor.network_policy()),
            }
        }
        Ok(Self {
            header: commands::header(&base, settings),
            objects,
        })
    }
}

struct Monitor<'a> {
    base: &'a str,
    namespace: Option<&'a str>,
    document: Document<'a>,
    settings: &'a MonitorSettings,
}

impl Monitor<'_> {
    fn metadata(&self) -> Metadata {
        labels::of_monitor(self.base, self.base, self.namespace)
    }

    fn specified<Spec>(&self, api_version: &'static str, kind: &'static str, spec: Spec) -> Specified<Spec> {
        Specified {
            api_version,
            kind,
            metadata: self.metadata(),
            spec,
        }
    }

    fn config_map(&self) -> Object {
        let file = key(FILE, self.document.format);
        Object::ConfigMap(ConfigMap::new(self.metadata(), file, self.document.text))
    }

    fn deployment(&self) -> Object {
        let spec = DeploymentSpec {
            // A second one would check everything twice.
            replicas: 1,
            selector: self.own(),
            // The next one is ready before the one before ends, so that no alert misses its metrics.
            strategy: Strategy {
                kind: "RollingUpdate",
                rolling_update: OneMore {
                    max_surge: 1,
                    max_unavailable: 0,
                },
            },
            template: self.pod(),
        };
        Object::Deployment(self.specified("apps/v1", "Deployment", spec))
    }

    fn own(&self) -> Selector {
        Selector {
            match_labels: labels::own_of_monitor(self.base),
        }
    }

    fn pod(&self) -> PodTemplate {
        let hash = hmac_sha256::Hash::hash(self.document.text.as_bytes());
        let annotations = Labels::from([(HASH.to_owned(), HEXLOWER.encode(&hash[..16]))]);
        PodTemplate {
            metadata: Metadata {
                name: None,
                namespace: None,
                annotations,
                ..self.metadata()
            },
            spec: PodSpec {
                service_account_name: None,
                automount_service_account_token: false,
                enable_service_links: false,
                restart_policy: "Always",
                // It ends within a second.
                termination_grace_period_seconds: 10,
                node_selector: pod::on_linux(),
                tolerations: Vec::new(),
                readiness_gates: Vec::new(),
                security_context: pod::security(self.settings.power),
                init_containers: Vec::new(),
                containers: vec![self.container()],
                volumes: vec![Volume {
                    name: FILE,
                    config_map: ConfigMapVolume {
                        name: self.base.to_owned(),
                    },
                }],
            },
        }
    }

    fn container(&self) -> Container {
        let ask = |path, period_seconds, failure_threshold| Question {
            http_get: HttpGet { path, port: HTTP },
            period_seconds,
            timeout_seconds: 5,
            failure_threshold,
        };
        let mut args = vec![
            "monitor".to_owned(),
            format!("--config={}/{}", pod::FOLDER, key(FILE, self.document.format)),
            // In both IP versions: the pod's own address is what Prometheus and the kubelet ask.
            format!("--listen=[::]:{PORT}"),
        ];
        args.extend(self.settings.options.iter().map(|option| pod::literal(option)));
        Container {
            args,
            ports: vec![OpenPort {
                name: HTTP,
                container_port: PORT,
                protocol: "TCP",
            }],
            readiness_probe: Some(ask("/-/ready", 5, 3)),
            // Slow to give up: a monitor that is started again has forgotten what it knew.
            liveness_probe: Some(ask("/-/healthy", 10, 6)),
            resources: Resources {
                requests: [("cpu", "100m"), ("memory", "64Mi")].into(),
                // Without a limit on CPU: a process that is held back takes its own delay for that of the network.
                limits: [("memory", "256Mi")].into(),
            },
            // The folder and not the file alone, which would never be replaced in a pod that lives.
            volume_mounts: vec![VolumeMount {
                name: FILE,
                mount_path: pod::FOLDER,
                read_only: true,
            }],
            ..pod::bare(pod::CONTAINER, &self.settings.image, self.settings.power)
        }
    }

    fn service(&self) -> Object {
        let spec = ServiceSpec {
            ip_family_policy: "PreferDualStack",
            selector: labels::own_of_monitor(self.base),
            ports: vec![ServicePort {
                name: HTTP,
                port: PORT,
                target_port: HTTP,
                protocol: "TCP",
                app_protocol: "http",
            }],
        };
        Object::Service(self.specified("v1", "Service", spec))
    }

    fn network_policy(&self) -> Object {
        let one = |key: &str, value: &str| Selector {
            match_labels: [(key.to_owned(), value.to_owned())].into(),
        };
        let spec = NetworkPolicySpec {
            pod_selector: self.own(),
            // What it sends is what it is there for.
            policy_types: ["Ingress"],
            ingress: vec![Ingress {
                from: vec![Peer {
                    namespace_selector: one(
                        "kubernetes.io/metadata.name",
                        &self.settings.prometheus_namespace,
                    ),
                    pod_selector: one("app.kubernetes.io/name", "prometheus"),
                }],
                ports: vec![PolicyPort {
                    protocol: "TCP",
                    port: HTTP,
                }],
            }],
        };
        Object::NetworkPolicy(self.specified("networking.k8s.io/v1", "NetworkPolicy", spec))
    }

    fn service_monitor(&self) -> Object {
        let (interval, scrape_timeout) = SCRAPE;
        let spec = ServiceMonitorSpec {
            // Its value is "tcpprobe", whatever the Service is called: so the alerts know the job.
            job_label: "app.kubernetes.io/name",
            selector: self.own(),
            endpoints: vec![Endpoint {
                port: HTTP,
                path: "/metrics",
                interval: format!("{interval}s"),
                scrape_timeout: format!("{scrape_timeout}s"),
            }],
        };
        Object::ServiceMonitor(self.specified("monitoring.coreos.com/v1", "ServiceMonitor", spec))
    }

    /// One a module, since a Probe names one.
    fn probes(&self, config: &Config) -> Result<Vec<Object>, ManifestError> {
        let Some(namespace) = self.namespace else {
            return Err(ManifestError::ProbeWithoutNamespace);
        };
        let mut modules: BTreeMap<&str, (&Module, Vec<&Watched>)> = BTreeMap::new();
        for watched in &config.targets {
            let (_, targets) = modules
                .entry(&watched.module.name)
                .or_insert((&watched.module, Vec::new()));
            targets.push(watched);
        }
        if modules.is_empty() {
            return Err(ManifestError::ProbeWithoutTargets);
        }
        let names = names::of_parts(self.base, modules.keys().copied());
        let probes = modules.into_values().zip(names).map(|((module, targets), name)| {
            let mut probe = self.specified(
                "monitoring.coreos.com/v1",
                "Probe",
                self.probe(namespace, module, &targets),
            );
            probe.metadata.name = Some(format!("{}-{name}", self.base));
            Object::Probe(probe)
        });
        Ok(probes.collect())
    }

    fn probe(&self, namespace: &str, module: &Module, targets: &[&Watched]) -> ProbeSpec {
        // The operator refuses what waits for longer than it is from one scrape to the next.
        let interval = module.interval.as_secs().max(1);
        let scrape_timeout = interval.min(SCRAPE.1);
        ProbeSpec {
            job_name: format!("{}-probe", self.base),
            prober: Prober {
                url: format!("{}.{namespace}.svc:{PORT}", self.base),
                path: "/probe",
            },
            module: module.name.clone(),
            interval: format!("{interval}s"),
            scrape_timeout: format!("{scrape_timeout}s"),
            targets: ProbeTargets {
                static_config: StaticTargets {
                    targets: targets.iter().map(|watched| watched.name.clone()).collect(),
                },
            },
        }
    }
}
