//! Prometheus itself: started in a lab, asked by its own HTTP API.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;
use serde_json::Value;
use tcpprobe::lab::{Lab, Powers};

use super::inside::{Program, get, until};
use crate::wanted;

const PORT: u16 = 9090;

/// Why there is no Prometheus, where there is none.
pub(super) fn missing() -> Option<String> {
    let is_there = Command::new("prometheus")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    (!is_there).then(|| "there is no program 'prometheus': Debian's package of that name has it".to_owned())
}

pub(super) struct Prometheus<'a> {
    lab: &'a Lab,
    program: Program,
}

/// What a query found: labels, and the value.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// An alert that is pending or firing.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) is_firing: bool,
}

impl Sample {
    pub(super) fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_default()
    }
}

impl Alert {
    pub(super) fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }
}

impl<'a> Prometheus<'a> {
    /// Starts it and waits until it is ready.
    pub(super) fn start(lab: &'a Lab, folder: &Path, config: &Value) -> Result<Self, Failed> {
        // JSON is YAML.
        let file = folder.join("prometheus.yml");
        fs::write(&file, config.to_string())?;
        let mut command = lab.command("prometheus", Powers::None, None)?;
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{PORT}"))
            .env("GOMAXPROCS", "1");
        let mut prometheus = Self {
            lab,
            program: Program::start(command, folder, "prometheus")?,
        };
        until("Prometheus", || {
            prometheus.runs()?;
            Ok(match get(lab, PORT, "/-/ready") {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}")),
            })
        })?;
        Ok(prometheus)
    }

    /// That it still runs.
    pub(super) fn runs(&mut self) -> Result<(), Failed> {
        self.program.runs()
    }

    /// What it has written.
    pub(super) fn said(&self) -> String {
        self.program.said()
    }

    /// What an expression comes to at the moment.
    pub(super) fn query(&self, expression: &str) -> Result<Vec<Sample>, Failed> {
        let data = self.ask(&format!("/api/v1/query?query={}", encoded(expression)))?;
        let found = data["result"].as_array().into_iter().flatten();
        let sample = |one: &Value| -> Option<Sample> {
            Some(Sample {
                labels: texts(&one["metric"]),
                value: one["value"][1].as_str()?.parse().ok()?,
            })
        };
        Ok(found.filter_map(sample).collect())
    }

    pub(super) fn alerts(&self) -> Result<Vec<Alert>, Failed> {
        let data = self.ask("/api/v1/alerts")?;
        let alert = |one: &Value| Alert {
            labels: texts(&one["labels"]),
            annotations: texts(&one["annotations"]),
            is_firing: one["state"] == "firing",
        };
        Ok(data["alerts"]
            .as_array()
            .into_iter()
            .flatten()
            .map(alert)
            .collect())
    }

    fn ask(&self, path: &str) -> Result<Value, Failed> {
        let answer = get(self.lab, PORT, path)?;
        wanted(answer.status == 200, || format!("{path}: {answer:?}"))?;
        Ok(serde_json::from_str::<Value>(&answer.body)?["data"].take())
    }
}

fn texts(labels: &Value) -> BTreeMap<String, String> {
    let pairs = labels.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}
