//! The labels of our objects: those that Kubernetes recommends, and our own, by which they are found again.

use std::collections::BTreeMap;

use crate::matrix::file::Source;

use super::objects::Metadata;

/// What our own labels begin with.
pub(super) const OURS: &str = "tcpprobe/";

/// All that belongs to one matrix has it.
pub(super) const MATRIX: &str = "tcpprobe/matrix";

/// All that belongs to one source of it has it.
pub(super) const SOURCE: &str = "tcpprobe/source";

pub(super) type Labels = BTreeMap<String, String>;

/// All that belongs to one monitor has it.
pub(super) const MONITOR: &str = "tcpprobe/monitor";

/// The metadata of an object of the monitor that is called `base`.
pub(super) fn of_monitor(base: &str, name: &str, namespace: Option<&str>) -> Metadata {
    let mut labels = recommended(base, "monitor");
    labels.extend(own_of_monitor(base));
    Metadata {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        labels,
        annotations: Labels::new(),
    }
}

/// The label that selects the monitor's pod and nothing else.
pub(super) fn own_of_monitor(base: &str) -> Labels {
    [(MONITOR.to_owned(), base.to_owned())].into()
}

/// The metadata of an object of the matrix that is called `base`.
pub(super) fn metadata(base: &str, name: &str, namespace: Option<&str>, source: Option<&str>) -> Metadata {
    let mut labels = recommended(base, "matrix");
    labels.extend(own(base, source));
    Metadata {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        labels,
        annotations: Labels::new(),
    }
}

/// The metadata of a source's pods. Policies know the source by its labels: where one is also recommended, its own counts.
pub(super) fn of_pod(base: &str, source: Option<&Source>, label: Option<&str>) -> Metadata {
    let mut labels = recommended(base, "matrix");
    labels.extend(source.into_iter().flat_map(|source| source.labels.clone()));
    labels.extend(own(base, label));
    Metadata {
        name: None,
        namespace: None,
        labels,
        annotations: Labels::new(),
    }
}

/// Our own labels, which select the pods of a source and nothing else.
pub(super) fn own(base: &str, source: Option<&str>) -> Labels {
    let source = source.map(|source| (SOURCE.to_owned(), source.to_owned()));
    let matrix = (MATRIX.to_owned(), base.to_owned());
    [matrix].into_iter().chain(source).collect()
}

/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>
fn recommended(base: &str, component: &str) -> Labels {
    let pairs = [
        ("app.kubernetes.io/name", "tcpprobe"),
        ("app.kubernetes.io/instance", base),
        ("app.kubernetes.io/version", env!("CARGO_PKG_VERSION")),
        ("app.kubernetes.io/component", component),
        ("app.kubernetes.io/managed-by", "tcpprobe"),
    ];
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
