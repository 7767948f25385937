//! What `docs/monitoring.md` says is so: its examples are read by those for whom they are, and its tables are whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::board::known;
use crate::readers::{complaints, promtool};

#[test]
fn promtool_reads_every_example_of_a_scrape() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        root().join("docs/monitoring/alerts.yaml"),
        folder.path().join("alerts.yaml"),
    )
    .unwrap();
    let file = folder.path().join("prometheus.yml");
    let mut count = 0;
    for example in blocks("yaml").filter(|example| example.contains("scrape_configs:")) {
        fs::write(&file, &example).unwrap();
        let Some(output) = promtool(&["check", "config", file.to_str().unwrap()], b"") else {
            return;
        };
        assert!(output.status.success(), "{example}{}", complaints(&output));
        count += 1;
    }
    assert_eq!(count, 3);
    // The change that is shown is one of a job that was right before and is right after.
    let change = blocks("diff").next().unwrap();
    for mark in ['-', '+'] {
        let lines = change.lines().filter_map(|line| {
            let kept = line.strip_prefix(' ').or_else(|| line.strip_prefix(mark))?;
            Some(format!(" {kept}\n"))
        });
        fs::write(&file, format!("scrape_configs:\n{}", lines.collect::<String>())).unwrap();
        let output = promtool(&["check", "config", file.to_str().unwrap()], b"").unwrap();
        assert!(output.status.success(), "{mark} {}", complaints(&output));
    }
}

#[test]
fn every_metric_is_in_a_table_and_nothing_else() {
    let text = text();
    let mut named = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let first = line.split('|').nth(1).unwrap();
        for code in first.split('`').skip(1).step_by(2) {
            let name = code.split('{').next().unwrap();
            let ours = ["tcpprobe_", "probe_", "process_"];
            if ours.iter().any(|prefix| name.starts_with(prefix)) {
                named.insert(name.to_owned());
            }
        }
    }
    let written = known().into_keys().map(|name| {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part));
        base.unwrap_or(&name).to_owned()
    });
    assert_eq!(named, written.collect());
}

#[test]
fn every_alert_is_in_the_table() {
    let text = text();
    let alerts = alerts();
    for name in &alerts {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
    let rules = blocks("yaml")
        .find(|block| block.contains("inhibit_rules:"))
        .unwrap();
    let rules: Value = serde_saphyr::from_str(&rules).unwrap();
    let mut count = 0;
    for rule in rules["inhibit_rules"].as_array().unwrap() {
        for side in ["source_matchers", "target_matchers"] {
            for matcher in rule[side].as_array().unwrap() {
                let Some(names) = matcher.as_str().unwrap().strip_prefix("alertname=") else {
                    continue;
                };
                for name in names.trim_matches(['~', '"']).split('|') {
                    count += 1;
                    assert!(alerts.iter().any(|alert| alert == name), "{name}");
                }
            }
        }
    }
    assert!(count > 4, "{count}");
}

fn alerts() -> Vec<String> {
    let file = fs::read_to_string(root().join("docs/monitoring/alerts.yaml")).unwrap();
    let rules: Value = serde_saphyr::from_str(&file).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| rule["alert"].as_str().unwrap().to_owned())
        .collect()
}

/// The blocks of code in this language.
fn blocks(language: &str) -> impl Iterator<Item = String> {
    let start = format!("```{language}\n");
    let text = text();
    let blocks: Vec<String> = text
        .split(&start)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect();
    blocks.into_iter()
}

fn text() -> String {
    fs::read_to_string(root().join("docs/monitoring.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
