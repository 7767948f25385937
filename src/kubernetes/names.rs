//! What the objects are called: names that Kubernetes takes, each once.

use std::collections::BTreeSet;

use super::{ManifestError, syntax};

/// Kubernetes appends to the name of a CronJob for its Jobs, to that of an Indexed Job for its pods' host names, and
/// wants both to stay labels of DNS. This is what it leaves a CronJob.
const LONGEST: usize = 52;

/// Longest common part of the names.
pub(super) const LONGEST_BASE: usize = 32;

/// The program and its place before the name of a matrix: a user's own objects may have that name.
const OURS: &str = "tcpprobe";

/// What everything of a matrix is called: as asked for, else after the matrix.
pub(super) fn base(asked: Option<&str>, matrix: Option<&str>) -> Result<String, ManifestError> {
    if let Some(name) = asked {
        if name.len() > LONGEST_BASE || !syntax::is_label(name) {
            return Err(ManifestError::Name(name.to_owned()));
        }
        return Ok(name.to_owned());
    }
    let Some(name) = matrix.and_then(sanitised) else {
        return Ok(OURS.to_owned());
    };
    Ok(cut(&format!("{OURS}-{name}"), LONGEST_BASE).to_owned())
}

/// The names of parts (a matrix's sources, a monitor's modules), in their order, each once and short enough to follow
/// `base`. One that Kubernetes takes is left as it is, wherever it stands.
pub(super) fn of_parts<'a>(base: &str, parts: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let room = LONGEST - base.len() - 1;
    let is_fine = |name: &str| syntax::is_label(name) && name.len() <= room;
    let count = parts.clone().count();
    let mut taken: BTreeSet<String> = parts
        .clone()
        .filter(|part| is_fine(part))
        .map(str::to_owned)
        .collect();
    let mut name = |part: &str| {
        if is_fine(part) {
            return part.to_owned();
        }
        let wanted = sanitised(part).unwrap_or_else(|| "source".to_owned());
        let numbered = |number: usize| {
            if number == 1 {
                return cut(&wanted, room).to_owned();
            }
            let number = format!("-{number}");
            format!("{}{number}", cut(&wanted, room - number.len()))
        };
        // One more number than there are names.
        let free = (1..=count + 1)
            .map(numbered)
            .find(|name| !taken.contains(name))
            .unwrap_or(wanted);
        taken.insert(free.clone());
        free
    };
    parts.map(&mut name).collect()
}

/// Small letters, digits and single hyphens; absent when nothing is left.
fn sanitised(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join("-"))
}

fn cut(name: &str, longest: usize) -> &str {
    name[..name.len().min(longest)].trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        of_parts("tcpprobe", of.iter().copied())
    }

    #[test]
    fn a_name_that_kubernetes_takes_is_left_as_it_is() {
        assert_eq!(names(&["frontend", "a-2"]), ["frontend", "a-2"]);
    }

    #[test]
    fn every_source_gets_a_name_of_its_own() {
        assert_eq!(
            names(&[
                "The Shop",
                "the shop",
                "the-shop-2",
                "the_shop",
                "the-shop",
                "Ä",
                "ß"
            ]),
            [
                "the-shop-3",
                "the-shop-4",
                "the-shop-2",
                "the-shop-5",
                "the-shop",
                "source",
                "source-2"
            ]
        );
    }

    #[test]
    fn long_names_are_cut_to_what_a_cron_job_may_have_and_still_differ() {
        let long = ["x".repeat(80), format!("{}y", "x".repeat(80)), "x".repeat(43)];
        let names = names(&long.each_ref().map(String::as_str));
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), 3, "{names:?}");
        for name in &names {
            assert!(
                "tcpprobe-".len() + name.len() <= LONGEST && syntax::is_label(name),
                "{name}"
            );
        }
        // It has just the length that fits.
        assert_eq!(names[2], "x".repeat(43));
    }

    #[test]
    fn everything_is_called_as_asked_for_or_after_the_matrix() {
        assert_eq!(base(None, None).unwrap(), "tcpprobe");
        assert_eq!(
            base(None, Some("Shop: who may?")).unwrap(),
            "tcpprobe-shop-who-may"
        );
        assert_eq!(base(None, Some("…")).unwrap(), "tcpprobe");
        assert_eq!(base(Some("mine"), Some("Shop")).unwrap(), "mine");
        assert_eq!(
            base(None, Some(&format!("{} y", "x".repeat(22)))).unwrap().len(),
            31
        );
        for wrong in ["", "Mine", "a.b", "-a", &"a".repeat(33)] {
            assert_eq!(
                base(Some(wrong), None),
                Err(ManifestError::Name(wrong.to_owned()))
            );
        }
    }
}
