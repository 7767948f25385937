//! A real Prometheus that scrapes the schedule and `/probe` while ports go from open to each failure and back, and what its
//! alerts say.

#[path = "prometheus/failures.rs"]
mod failures;
#[path = "prometheus/inside.rs"]
mod inside;
#[path = "prometheus/server.rs"]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use tcpprobe::lab::{Family, Lab, Network, Place, Powers};

use crate::{House, TCPPROBE, wanted};
use failures::{Ports, Target};
use inside::{Program, until};
use server::{Alert, Prometheus};

const PORT: u16 = 9965;

pub(crate) fn trials(house: &House) -> Vec<Trial> {
    let house = House {
        why_not: house.why_not.clone().or_else(server::missing),
    };
    [("as_root", Powers::NetRaw), ("as_a_plain_user", Powers::None)]
        .map(|(who, powers)| {
            house.trial(
                format!("prometheus_is_told_why_and_alerts_say_so_{who}"),
                move || alerts_say_why(powers),
            )
        })
        .into()
}

fn alerts_say_why(powers: Powers) -> Result<(), Failed> {
    let mut network = Network::default();
    let name_server = Place::Server.address(Family::V4);
    network.files.resolv_conf = Some(format!(
        "nameserver {name_server}\noptions timeout:1 attempts:1\n"
    ));
    let lab = Lab::build(&network)?;
    let mut ports = Ports::sound(&lab)?;
    let folder = tempfile::tempdir()?;
    let targets = failures::targets(|| match powers {
        Powers::NetRaw => true,
        Powers::None | Powers::NetAdmin => false,
    });
    let mut watch = Watch::start(&lab, folder.path(), powers, &targets)?;

    watch.until_all_are("open", |_, labels| labels.class == "open" && labels.is_success)?;
    watch.until_alerts_are("none", |_, alerts| alerts.is_empty())?;

    ports.fail()?;
    watch.until_all_are("as they fail", |target, labels| {
        target.classes.contains(&labels.class.as_str())
            && target.cause.is_none_or(|cause| labels.cause == cause)
            && labels.is_success == target.is_still_open()
    })?;
    watch.until_alerts_are("for the right reason", |target, alerts| {
        let of_schedule = alerts.iter().any(|alert| is_about(alert, target));
        let of_probe = alerts.iter().any(|alert| is_probe_about(alert, target));
        of_schedule && (of_probe || target.is_still_open())
    })?;

    ports.mend()?;
    watch.until_all_are("open again", |_, labels| {
        labels.class == "open" && labels.is_success
    })?;
    watch.until_alerts_are("none again", |_, alerts| alerts.is_empty())?;
    watch.never_gave_a_wrong_reason()
}

/// The alert that the rules have for a class.
fn alert_of(class: &str) -> &'static str {
    match class {
        "refused" => "TcpTargetRefused",
        "filtered" => "TcpTargetFiltered",
        "backlog-full" => "TcpTargetBacklogFull",
        "dns-failed" => "TcpTargetDnsFailed",
        "slow" => "TcpTargetSlow",
        _ => "TcpTargetNotAsExpected",
    }
}

/// Those that say that a target fails, and not how it behaves over time.
const OF_TARGETS: &str = "TcpTarget(Refused|Filtered|BacklogFull|DnsFailed|NotAsExpected|Slow)";
const OF_PROBES: &str = "TcpProbeFailed";

fn is_about(alert: &Alert, target: &Target) -> bool {
    let Some(class) = alert.labels.get("class") else {
        return false;
    };
    let says = format!("{} is {class}/{}", target.name, target.cause.unwrap_or_default());
    target.classes.contains(&class.as_str())
        && alert.name() == alert_of(class)
        && alert.labels.get("team").is_some_and(|team| team == "lab")
        && alert
            .annotations
            .get("summary")
            .is_some_and(|summary| summary.starts_with(&says))
}

fn is_probe_about(alert: &Alert, target: &Target) -> bool {
    alert.name() == OF_PROBES
        && alert.annotations.get("summary").is_some_and(|summary| {
            let mut classes = target.classes.iter();
            classes.any(|class| summary.contains(&format!(": {class}/{}", target.cause.unwrap_or_default())))
        })
}

/// What one way of scraping says of a target.
#[derive(Debug, Default)]
struct Said {
    class: String,
    cause: String,
    is_success: bool,
}

struct Watch<'a> {
    targets: &'a [Target],
    monitor: Program,
    prometheus: Prometheus<'a>,
}

impl<'a> Watch<'a> {
    fn start(lab: &'a Lab, folder: &Path, powers: Powers, targets: &'a [Target]) -> Result<Self, Failed> {
        let config = folder.join("monitor.json");
        fs::write(&config, failures::config(targets).to_string())?;
        let mut command = lab.command(TCPPROBE, powers, None)?;
        command
            .arg("monitor")
            .args(["--listen", &format!("127.0.0.1:{PORT}"), "--config"])
            .arg(&config);
        let monitor = Program::start(command, folder, "tcpprobe")?;
        let rules = folder.join("alerts.yaml");
        fs::write(&rules, at_once()?.to_string())?;
        let prometheus = Prometheus::start(lab, folder, &scrapes(targets, &rules))?;
        Ok(Self {
            targets,
            monitor,
            prometheus,
        })
    }

    /// Until both ways of scraping say of each target what is wanted.
    fn until_all_are(&mut self, what: &str, is_so: impl Fn(&Target, &Said) -> bool) -> Result<(), Failed> {
        until(&format!("all targets {what}"), || {
            self.monitor.runs()?;
            self.prometheus.runs()?;
            let ways = self.said()?;
            let lacks: Vec<String> = self
                .targets
                .iter()
                .flat_map(|target| ways.iter().map(move |way| (target, way.get(&target.name))))
                .filter(|(target, said)| !said.is_some_and(|said| is_so(target, said)))
                .map(|(target, said)| format!("{}: {said:?}", target.name))
                .collect();
            Ok(if lacks.is_empty() {
                Ok(())
            } else {
                Err(lacks.join("\n"))
            })
        })
        .map_err(|failed| self.explained(&failed))
    }

    /// What both ways say, by target.
    fn said(&self) -> Result<[BTreeMap<String, Said>; 2], Failed> {
        let of_schedule = self.by(
            "target",
            "tcpprobe_state == 1",
            "tcpprobe_verdict_info",
            "tcpprobe_confirmed_success",
        )?;
        // Of a failure its reason, of a success the verdict.
        let verdict = r#"label_replace(probe_failure_info, "class", "$1", "reason", "(.*)")
            or on (instance) probe_verdict_info"#;
        let of_probe = self.by("instance", verdict, verdict, "probe_success")?;
        Ok([of_schedule, of_probe])
    }

    /// A label names the target; the class is one of the first query, and the cause of the second goes with it.
    fn by(
        &self,
        label: &str,
        classes: &str,
        causes: &str,
        successes: &str,
    ) -> Result<BTreeMap<String, Said>, Failed> {
        let mut all: BTreeMap<String, Said> = BTreeMap::new();
        for sample in self.prometheus.query(classes)? {
            all.entry(sample.label(label)).or_default().class = sample.label("class");
        }
        for sample in self.prometheus.query(causes)? {
            let said = all.entry(sample.label(label)).or_default();
            if said.class == sample.label("class") {
                said.cause = sample.label("cause");
            }
        }
        for sample in self.prometheus.query(successes)? {
            all.entry(sample.label(label)).or_default().is_success = sample.value > 0.5;
        }
        Ok(all)
    }

    /// Until the alerts that are firing about each target are what is wanted.
    fn until_alerts_are(
        &mut self,
        what: &str,
        is_so: impl Fn(&Target, &[Alert]) -> bool,
    ) -> Result<(), Failed> {
        until(&format!("alerts {what}"), || {
            let alerts = self.prometheus.alerts()?;
            let firing: Vec<Alert> = alerts
                .into_iter()
                .filter(|alert| alert.is_firing && is_of_a_target(alert))
                .collect();
            let lacks: Vec<String> = self
                .targets
                .iter()
                .filter_map(|target| {
                    let own: Vec<Alert> = firing
                        .iter()
                        .filter(|alert| names(alert, target))
                        .cloned()
                        .collect();
                    (!is_so(target, &own)).then(|| format!("{}: {own:#?}", target.name))
                })
                .collect();
            Ok(if lacks.is_empty() {
                Ok(())
            } else {
                Err(lacks.join("\n"))
            })
        })
        .map_err(|failed| self.explained(&failed))
    }

    /// What was said only for a moment counts, too: somebody was called for it.
    fn never_gave_a_wrong_reason(&self) -> Result<(), Failed> {
        let fired =
            format!("max_over_time(ALERTS{{alertstate=\"firing\",alertname=~\"{OF_TARGETS}\"}}[10m])");
        let mut said = BTreeSet::new();
        for alert in self.prometheus.query(&fired)? {
            let (target, class) = (alert.label("target"), alert.label("class"));
            let known = self.targets.iter().find(|known| known.name == target);
            wanted(
                known.is_some_and(|known| known.classes.contains(&class.as_str())),
                || format!("{target} was said to be {class}"),
            )
            .map_err(|failed| self.explained(&failed))?;
            said.insert(target);
        }
        wanted(said.len() == self.targets.len(), || format!("{said:?}"))
    }

    fn explained(&self, failed: &Failed) -> Failed {
        format!(
            "{}\n\ntcpprobe says:\n{}\nPrometheus says:\n{}",
            failed.message().unwrap_or("failed"),
            self.monitor.said(),
            self.prometheus.said()
        )
        .into()
    }
}

fn is_of_a_target(alert: &Alert) -> bool {
    let names = OF_TARGETS.trim_start_matches("TcpTarget(").trim_end_matches(')');
    alert.name() == OF_PROBES
        || alert
            .name()
            .strip_prefix("TcpTarget")
            .is_some_and(|rest| names.split('|').any(|name| name == rest))
}

fn names(alert: &Alert, target: &Target) -> bool {
    let label = |name: &str| alert.labels.get(name) == Some(&target.name);
    label("target") || label("instance")
}

/// The rules as we ship them, but for how long something has to last.
fn at_once() -> Result<Value, Failed> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring/alerts.yaml");
    let mut rules: Value = serde_saphyr::from_str(&fs::read_to_string(path)?)?;
    let groups = rules["groups"].as_array_mut().into_iter().flatten();
    for rule in groups.filter_map(|group| group["rules"].as_array_mut()).flatten() {
        if rule.get("for").is_some() {
            rule["for"] = json!("0s");
        }
    }
    Ok(rules)
}

/// Both ways: the schedule's metrics, and every target through `/probe`.
fn scrapes(targets: &[Target], rules: &Path) -> Value {
    let address = format!("127.0.0.1:{PORT}");
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "scrape_configs": [
            {"job_name": "tcpprobe", "static_configs": [{"targets": [address]}]},
            {
                "job_name": "probe",
                "metrics_path": "/probe",
                "params": {"module": ["patient"]},
                "scrape_interval": "4s",
                "scrape_timeout": "4s",
                "static_configs": [{"targets": names}],
                "relabel_configs": [
                    {"source_labels": ["__address__"], "target_label": "__param_target"},
                    {"source_labels": ["__param_target"], "target_label": "instance"},
                    {"target_label": "__address__", "replacement": address},
                ],
            },
        ],
    })
}
