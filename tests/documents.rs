//! Links of the documents lead somewhere: to a file that is there, and to a heading in it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let (mut links, mut wrong) = (0, Vec::new());
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in targets(&text) {
            links += 1;
            if let Err(why) = follow(&document, link) {
                wrong.push(format!("{}: {link}: {why}", document.display()));
            }
        }
    }
    assert!(links > 20, "only {links} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_link_to_nowhere_is_found() {
    let readme = root().join("README.md");
    assert_eq!(follow(&readme, "docs/verdicts.md#filteredport"), Ok(()));
    assert!(follow(&readme, "docs/verdicts.md#filteredports").is_err());
    assert!(follow(&readme, "docs/verdict.md").is_err());
    let text = "[a](b.md) and\n```text\n[c](d.md)\n```\n`[e](f.md)` [`g/h`](#gh)";
    assert_eq!(targets(text), ["b.md", "#gh"]);
}

/// README and everything written under `docs/`.
fn documents() -> Vec<PathBuf> {
    let folders = ["docs", "docs/monitoring"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let entries = folders.into_iter().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    all.push(root().join("README.md"));
    all
}

/// What the links of a text lead to; code has none.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in prose(text) {
        for (at, _) in line.match_indices("](") {
            // An odd number of backticks before it: within code.
            let in_code = line[..at].matches('`').count() % 2 == 1;
            if let Some((target, _)) = line[at + 2..].split_once(')').filter(|_| !in_code) {
                found.push(target);
            }
        }
    }
    found
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

fn follow(from: &Path, link: &str) -> Result<(), String> {
    if link.starts_with("https://") {
        return Ok(());
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = if path.is_empty() {
        from.to_owned()
    } else {
        from.parent().unwrap().join(path)
    };
    if !file.exists() {
        return Err("no such file".to_owned());
    }
    let is_there =
        anchor.is_empty() || anchors(&fs::read_to_string(&file).unwrap()).contains(&anchor.to_owned());
    is_there.then_some(()).ok_or_else(|| "no such heading".to_owned())
}

/// GitHub's anchors of the headings: lower case, blanks as hyphens, other punctuation left out.
fn anchors(text: &str) -> Vec<String> {
    let heading = |line: &str| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| {
            title
                .trim()
                .to_lowercase()
                .replace(' ', "-")
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
                .collect()
        })
    };
    prose(text).filter_map(heading).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
