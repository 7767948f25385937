//! The labels of our objects: those that Kubernetes recommends, and our own, by which they are found again.

use std::collections::BTreeMap;

use crate::matrix::file::Source;

use super::objects::Metadata;

/// What our own labels begin with.
pub(super) const OURS: &str = "tcpprobe.dev/";

/// All that belongs to one matrix has it.
pub(super) const MATRIX: &str = "tcpprobe.dev/matrix";

/// All that belongs to one source of it has it.
pub(super) const SOURCE: &str = "tcpprobe.dev/source";

pub(super) type Labels = BTreeMap<String, String>;

/// The metadata of an object of the matrix that is called `base`.
pub(super) fn metadata(base: &str, name: &str, namespace: Option<&str>, source: Option<&str>) -> Metadata {
    let mut labels = recommended(base);
    labels.extend(own(base, source));
    Metadata {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        labels,
    }
}

/// The metadata of a source's pods. Policies know the source by its labels: where one is also recommended, its own counts.
pub(super) fn of_pod(base: &str, source: Option<&Source>, label: Option<&str>) -> Metadata {
    let mut labels = recommended(base);
    labels.extend(source.into_iter().flat_map(|source| source.labels.clone()));
    labels.extend(own(base, label));
    Metadata {
        name: None,
        namespace: None,
        labels,
    }
}

/// Our own labels, which select the pods of a source and nothing else.
pub(super) fn own(base: &str, source: Option<&str>) -> Labels {
    let source = source.map(|source| (SOURCE.to_owned(), source.to_owned()));
    let matrix = (MATRIX.to_owned(), base.to_owned());
    [matrix].into_iter().chain(source).collect()
}

/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>
fn recommended(base: &str) -> Labels {
    let pairs = [
        ("app.kubernetes.io/name", "tcpprobe"),
        ("app.kubernetes.io/instance", base),
        ("app.kubernetes.io/version", env!("CARGO_PKG_VERSION")),
        ("app.kubernetes.io/component", "matrix"),
        ("app.kubernetes.io/managed-by", "tcpprobe"),
    ];
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
