//! The manifests that run a matrix in a cluster: one workload for each source, with the labels and the service account by
//! which policies know it, and the matrix itself in a ConfigMap; and those that run a monitor. Pure.

mod commands;
mod labels;
mod monitor;
mod names;
mod objects;
mod pod;
mod schedule;
mod syntax;
#[cfg(test)]
mod tests;
mod workload;

pub use monitor::{Extra, MonitorSettings};
pub use schedule::{Schedule, ScheduleError};

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::matrix::file::{Format, Matrix, Source};
use commands::Commands;
use objects::{ConfigMap, Object};

/// The oldest Kubernetes that keeps all that is asked of it: `backoffLimitPerIndex`, which an Indexed Job needs.
pub const OLDEST: &str = "1.29";

/// What Kubernetes takes in a ConfigMap, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// Shards of one matrix at most. A pod each is already more than a cluster is likely to give.
pub const MOST_SHARDS: u32 = 10_000;

/// A matrix, or the configuration of a monitor, as its user wrote it.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The file.
    pub text: &'a str,
    /// Its language.
    pub format: Format,
}

/// What is to be made of a matrix.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What everything is called; left out, the matrix's own name behind `tcpprobe-`.
    pub name: Option<String>,
    /// The source to run; all of them when left out.
    pub source: Option<String>,
    /// The namespace of sources that name none; the one that `kubectl` is set to when left out.
    pub namespace: Option<String>,
    /// The image, whose entrypoint is tcpprobe.
    pub image: String,
    /// What runs the matrix.
    pub runs: Runs,
    /// What it may do.
    pub power: Power,
    /// How long a Job and its logs are kept when it is over.
    pub keep: Duration,
    /// How long a Job may take at most.
    pub deadline: Duration,
    /// Further options of `tcpprobe matrix`.
    pub options: Vec<String>,
}

/// What runs a matrix in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// A Job for each source.
    Job,
    /// An Indexed Job for each source, whose pods share the edges.
    IndexedJob {
        /// How many pods.
        shards: NonZeroU32,
    },
    /// A DaemonSet for each source: a pod on every node.
    DaemonSet,
    /// A CronJob for each source.
    CronJob {
        /// When.
        schedule: Schedule,
    },
}

/// What the pods may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// What PodSecurity's level `restricted` permits.
    Restricted,
    /// Root with CAP_NET_RAW, for raw probes; needs a namespace that enforces the level `privileged`, or none.
    Raw,
}

/// Why there are no manifests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There is no such source.
    #[error("--source {name}: the matrix has no such source; it has {}", or_none(known))]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The file does not fit.
    #[error(
        "the {what} has {bytes} bytes, and a ConfigMap takes {MOST_BYTES}: write blocks and ranges instead of single targets, \
         or make several of it"
    )]
    TooLarge {
        /// What does not fit.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The name is none that Kubernetes takes.
    #[error(
        "--name {0}: Kubernetes takes up to {longest} small letters, digits and hyphens here, no hyphen first or last, such as \
         shop-policies",
        longest = names::LONGEST_BASE
    )]
    Name(String),
    /// The image is none.
    #[error("--image '{0}': no image is called that; write it as registry.example/tcpprobe:1.0")]
    Image(String),
    /// The default namespace is none.
    #[error(
        "--namespace {0}: no namespace is called that: Kubernetes takes small letters, digits and hyphens"
    )]
    Namespace(String),
    /// The namespace of Prometheus is none.
    #[error(
        "--prometheus-namespace {0}: no namespace is called that: Kubernetes takes small letters, digits and hyphens"
    )]
    PrometheusNamespace(String),
    /// Prometheus, in its own namespace, could not find the monitor.
    #[error("--with probe: a Probe has to say where the monitor is: say --namespace too")]
    ProbeWithoutNamespace,
    /// There is nothing to list.
    #[error(
        "--with probe: a Probe lists the targets of the configuration, and it has none: leave it out, or add \"targets\""
    )]
    ProbeWithoutTargets,
    /// A source says something that Kubernetes does not take.
    #[error("source '{source_name}': {says}")]
    Source {
        /// The source.
        source_name: String,
        /// What is wrong, and what would be right.
        says: String,
    },
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        return "none: leave --source out".to_owned();
    }
    names.join(", ")
}

/// Manifests, ready to be written.
#[derive(Debug)]
pub struct Manifests {
    header: Vec<String>,
    objects: Vec<Object>,
}

/// One source, and what its objects are called.
#[derive(Debug)]
struct Part<'a> {
    /// Absent for a matrix that names no source.
    source: Option<&'a Source>,
    /// Its name as Kubernetes takes it; absent with the source.
    label: Option<String>,
    /// What its workload is called.
    name: String,
    /// Where it lives; absent for the namespace that `kubectl` is set to.
    namespace: Option<&'a str>,
}

impl Manifests {
    /// The objects that run a matrix.
    pub fn new(matrix: &Matrix, document: Document<'_>, settings: &Settings) -> Result<Self, ManifestError> {
        check("matrix", document, &settings.image, settings.namespace.as_deref())?;
        let base = names::base(settings.name.as_deref(), matrix.name.as_deref())?;
        let parts = parts(matrix, settings, &base)?;
        let namespaces: BTreeSet<Option<&str>> = parts.iter().map(|part| part.namespace).collect();
        let maps = namespaces.iter().map(|namespace| {
            let metadata = labels::metadata(&base, &base, *namespace, None);
            Object::ConfigMap(ConfigMap::new(
                metadata,
                key(MATRIX_FILE, document.format),
                document.text,
            ))
        });
        let workloads = parts
            .iter()
            .map(|part| workload::workload(&base, part, document, settings));
        let commands = Commands {
            base: &base,
            namespaces: namespaces.iter().copied().collect(),
            workloads: parts
                .iter()
                .map(|part| (part.namespace, part.name.as_str()))
                .collect(),
        };
        Ok(Self {
            header: commands.header(settings),
            objects: maps.chain(workloads).collect(),
        })
    }

    /// Writes them as one stream of YAML, after comments that say how to use them.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for line in &self.header {
            writeln!(out, "{}", format!("# {line}").trim_end())?;
        }
        for object in &self.objects {
            let text = serde_saphyr::to_string(object).map_err(io::Error::other)?;
            write!(out, "---\n{text}")?;
        }
        Ok(())
    }
}

fn check(
    what: &'static str,
    document: Document<'_>,
    image: &str,
    namespace: Option<&str>,
) -> Result<(), ManifestError> {
    let bytes = document.text.len();
    if bytes > MOST_BYTES {
        return Err(ManifestError::TooLarge { what, bytes });
    }
    if image.is_empty() || !image.chars().all(|c| c.is_ascii_graphic()) {
        return Err(ManifestError::Image(image.to_owned()));
    }
    match namespace {
        Some(name) if !syntax::is_label(name) => Err(ManifestError::Namespace(name.to_owned())),
        _ => Ok(()),
    }
}

/// The sources that were asked for. Their names do not depend on which those are.
fn parts<'a>(matrix: &'a Matrix, settings: &'a Settings, base: &str) -> Result<Vec<Part<'a>>, ManifestError> {
    let known = || matrix.sources.iter().map(|source| source.name.clone()).collect();
    if let Some(name) = &settings.source
        && !matrix.sources.iter().any(|source| source.name == *name)
    {
        return Err(ManifestError::UnknownSource {
            name: name.clone(),
            known: known(),
        });
    }
    if matrix.sources.is_empty() {
        return Ok(vec![Part {
            source: None,
            label: None,
            name: base.to_owned(),
            namespace: settings.namespace.as_deref(),
        }]);
    }
    let labels = names::of_parts(base, matrix.sources.iter().map(|source| source.name.as_str()));
    matrix
        .sources
        .iter()
        .zip(labels)
        .filter(|(source, _)| settings.source.as_ref().is_none_or(|name| *name == source.name))
        .map(|(source, label)| {
            syntax::check(source).map_err(|says| ManifestError::Source {
                source_name: source.name.clone(),
                says,
            })?;
            Ok(Part {
                source: Some(source),
                name: format!("{base}-{label}"),
                label: Some(label),
                namespace: source.namespace.as_deref().or(settings.namespace.as_deref()),
            })
        })
        .collect()
}

/// The stem of the matrix's name in the ConfigMap.
const MATRIX_FILE: &str = "matrix";

/// The name of a file in the ConfigMap.
fn key(stem: &str, format: Format) -> String {
    let ending = match format {
        Format::Yaml => "yaml",
        Format::Toml => "toml",
        Format::Json => "json",
    };
    format!("{stem}.{ending}")
}
