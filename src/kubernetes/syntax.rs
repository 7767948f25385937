//! What Kubernetes takes as a name or a label, so that a wrong one is found before the cluster is asked.

use crate::matrix::file::Source;

use super::labels::OURS;

/// Longest label, in the sense of DNS and of Kubernetes.
const LONGEST_LABEL: usize = 63;

/// Longest name made of several labels.
const LONGEST_SUBDOMAIN: usize = 253;

/// Whether it is a label of RFC 1123, as the names of namespaces are.
pub(super) fn is_label(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty()
        && text.len() <= LONGEST_LABEL
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether it is a subdomain of RFC 1123, as the names of service accounts are.
fn is_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_label)
}

/// Whether it is a word as label keys end in, and as label values are.
fn is_word(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LONGEST_LABEL
        && text.bytes().all(inside)
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_word(name),
        None => is_word(text),
    }
}

/// Whether Kubernetes takes all that a source says.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn check(source: &Source) -> Result<(), String> {
    if let Some(namespace) = &source.namespace
        && !is_label(namespace)
    {
        return Err(format!(
            "no namespace is called '{namespace}': Kubernetes takes up to {LONGEST_LABEL} small letters, digits and hyphens"
        ));
    }
    if let Some(account) = &source.service_account
        && !is_subdomain(account)
    {
        return Err(format!(
            "no service account is called '{account}': Kubernetes takes small letters, digits, hyphens and dots"
        ));
    }
    for (key, value) in &source.labels {
        pair("label", key, value)?;
        if key.starts_with(OURS) {
            return Err(format!(
                "the label '{key}' is one that tcpprobe gives its own pods: leave it out"
            ));
        }
    }
    for (key, value) in &source.node_selector {
        pair("label of nodes", key, value)?;
    }
    Ok(())
}

fn pair(what: &str, key: &str, value: &str) -> Result<(), String> {
    if !is_key(key) {
        return Err(format!(
            "'{key}' is no {what}: Kubernetes takes up to {LONGEST_LABEL} letters, digits, '-', '_' and '.', perhaps behind a \
             domain, such as app.kubernetes.io/name"
        ));
    }
    if !value.is_empty() && !is_word(value) {
        return Err(format!(
            "'{value}' is no value of the {what} '{key}': Kubernetes takes up to {LONGEST_LABEL} letters, digits, '-', '_' and \
             '.', the first and the last a letter or a digit"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn source() -> Source {
        Source {
            name: "frontend".to_owned(),
            namespace: None,
            labels: BTreeMap::new(),
            service_account: None,
            node_selector: BTreeMap::new(),
        }
    }

    #[test]
    fn names_and_labels_are_those_that_kubernetes_takes() {
        for good in ["a", "shop-1", "0", &"a".repeat(63)] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "ä", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
        for good in ["app", "app.kubernetes.io/name", "A_b.c-d", "x.y/Z"] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "/a", "a/", "A.b/c", "a/b/c", "a b", "_a", "a_"] {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn what_kubernetes_does_not_take_is_named() {
        let says = |change: fn(&mut Source)| {
            let mut one = source();
            change(&mut one);
            check(&one).unwrap_err()
        };
        let label = |one: &mut Source, key: &str, value: &str| {
            one.labels.insert(key.to_owned(), value.to_owned());
        };
        assert_eq!(check(&source()), Ok(()));
        assert!(says(|one| one.namespace = Some("Shop".to_owned())).contains("'Shop'"));
        assert!(says(|one| one.service_account = Some("a_b".to_owned())).contains("'a_b'"));
        let mut one = source();
        label(&mut one, "app", "a b");
        assert!(check(&one).unwrap_err().contains("'a b' is no value"));
        let mut one = source();
        label(&mut one, "a b", "c");
        assert!(check(&one).unwrap_err().contains("'a b' is no label"));
        let mut one = source();
        label(&mut one, "tcpprobe.dev/matrix", "c");
        assert!(check(&one).unwrap_err().contains("leave it out"));
        let mut one = source();
        one.node_selector.insert("disk".to_owned(), "s s d".to_owned());
        assert!(check(&one).unwrap_err().contains("of nodes"));
        // A value may be empty.
        let mut one = source();
        label(&mut one, "app", "");
        assert_eq!(check(&one), Ok(()));
    }
}
