//! The alert rules: each has tests that it passes, and speaks of metrics, labels and headings that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tcpprobe::diagnose::{Cause, Class};

use crate::board::known;
use crate::readers::{complaints, promtool};

#[test]
fn promtool_finds_the_rules_right_and_each_of_their_tests_passes() {
    let folder = folder();
    for (command, file) in [
        (["check", "rules"], "alerts.yaml"),
        (["test", "rules"], "alerts_test.yaml"),
    ] {
        let file = folder.join(file);
        let arguments = [command[0], command[1], file.to_str().unwrap()];
        let Some(output) = promtool(&arguments, b"") else {
            return;
        };
        assert!(output.status.success(), "{}", complaints(&output));
    }
}

#[test]
fn every_alert_has_a_test_in_which_it_is_raised_and_one_in_which_it_is_not() {
    let tests = yaml("alerts_test.yaml");
    let mut outcomes: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for test in tests["tests"].as_array().unwrap() {
        for check in test["alert_rule_test"].as_array().unwrap() {
            let is_raised = !check["exp_alerts"].as_array().unwrap().is_empty();
            let name = check["alertname"].as_str().unwrap();
            outcomes.entry(name).or_default().insert(is_raised);
        }
    }
    let rules = rules();
    assert!(rules.len() > 10);
    for rule in &rules {
        let name = rule["alert"].as_str().unwrap();
        let outcome = outcomes.get(name).map(BTreeSet::len);
        assert_eq!(outcome, Some(2), "{name}");
    }
}

#[test]
fn rules_speak_of_metrics_and_labels_that_we_write() {
    let known = known();
    for rule in rules() {
        let expression = rule["expr"].as_str().unwrap();
        assert_eq!(unknown(expression, &known), Vec::<String>::new(), "{expression}");
    }
    // The queries in the texts, too: what they find nothing for is left out silently.
    let text = fs::read_to_string(folder().join("alerts.yaml")).unwrap();
    for query in text.split("printf").skip(1) {
        let query = query.split('"').nth(1).unwrap();
        assert_eq!(unknown(query, &known), Vec::<String>::new(), "{query}");
    }
}

#[test]
fn words_in_rules_are_words_of_the_vocabulary() {
    let mut words: BTreeSet<&str> = Class::ALL.iter().map(|class| class.label()).collect();
    words.extend(Cause::ALL.iter().map(|cause| cause.label()));
    for rule in rules() {
        let expression = rule["expr"].as_str().unwrap();
        for label in ["class", "reason", "cause"] {
            for (at, _) in expression.match_indices(label) {
                let rest = expression[at + label.len()..].trim_start_matches(['=', '!', '~']);
                let Some(value) = rest.strip_prefix('"') else {
                    continue;
                };
                for word in value.split('"').next().unwrap().split('|') {
                    assert!(words.contains(word), "{word} in {expression}");
                }
            }
        }
    }
}

#[test]
fn exactly_one_alert_is_raised_for_each_class_that_is_not_as_expected() {
    let rules = rules();
    let names = rules.iter().filter_map(|rule| rule["alert"].as_str());
    let of_targets: Vec<&str> = names
        .filter(|name| name.starts_with("TcpTarget") || *name == "TcpprobeCouldNotJudge")
        .collect();
    let raised = format!(
        "count(ALERTS{{alertname=~\"{}\",alertstate=\"firing\"}})",
        of_targets.join("|")
    );
    let tests: Vec<Value> = Class::ALL
        .iter()
        .map(|class| {
            json!({
                "interval": "30s",
                "input_series": after_a_check_of(*class),
                "promql_expr_test": [
                    { "expr": raised, "eval_time": "10m", "exp_samples": [{ "labels": "{}", "value": 1 }] },
                ],
            })
        })
        .collect();
    let tests = json!({ "rule_files": ["alerts.yaml"], "evaluation_interval": "30s", "tests": tests });
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder().join("alerts.yaml"), copy.path().join("alerts.yaml")).unwrap();
    let file = copy.path().join("classes.yaml");
    fs::write(&file, tests.to_string()).unwrap();
    let Some(output) = promtool(&["test", "rules", file.to_str().unwrap()], b"") else {
        return;
    };
    assert!(output.status.success(), "{}", complaints(&output));
}

/// The series of a target that was open, as expected, and is of this class now.
fn after_a_check_of(class: Class) -> Vec<Value> {
    // What could not be judged leaves what was confirmed before.
    let (confirmed, success) = match class {
        Class::LocalError | Class::Unknown => (Class::Open, 1),
        Class::Open
        | Class::Slow
        | Class::Refused
        | Class::Rejected
        | Class::Unreachable
        | Class::Filtered
        | Class::BacklogFull
        | Class::Reset
        | Class::IdleDeath
        | Class::DnsFailed => (class, 0),
    };
    let series = |series: String, value: u8| json!({ "series": series, "values": format!("{value}x40") });
    let state = |of: &Class| {
        series(
            format!("tcpprobe_state{{target=\"a:1\",class=\"{of}\"}}"),
            (*of == confirmed).into(),
        )
    };
    let verdict = format!("tcpprobe_verdict_info{{target=\"a:1\",class=\"{class}\"}}");
    let success = series("tcpprobe_confirmed_success{target=\"a:1\"}".to_owned(), success);
    let others = [series(verdict, 1), success];
    Class::ALL.iter().map(state).chain(others).collect()
}

#[test]
fn runbooks_are_headings_that_exist_for_every_class() {
    for rule in rules() {
        let url = rule["annotations"]["runbook_url"].as_str().unwrap();
        for class in Class::ALL {
            let url = url
                .replace("{{ $labels.class }}", class.label())
                .replace("{{ $labels.reason }}", class.label());
            let (file, heading) = url.split_once('#').unwrap_or((&url, ""));
            let text = fs::read_to_string(root().join(file)).unwrap();
            let is_there = heading.is_empty()
                || text.lines().any(|line| {
                    let title = line.trim_start_matches('#').trim();
                    line.starts_with('#') && title.to_lowercase() == heading
                });
            assert!(is_there, "{url}");
        }
    }
}

/// What an expression of PromQL speaks of and we do not write: names of metrics, and labels beside a metric.
pub(crate) fn unknown(expression: &str, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut rest = expression;
    while let Some(at) = rest.find(is_word) {
        let word: String = rest[at..].chars().take_while(|c| is_word(*c)).collect();
        rest = &rest[at + word.len()..];
        let ours = ["tcpprobe_", "probe_", "process_"];
        if !ours.iter().any(|prefix| word.starts_with(prefix)) {
            // What is in quotes is a value.
            if rest.starts_with('"') || rest.starts_with('\'') {
                rest = &rest[1..];
            }
            continue;
        }
        let Some(labels) = known.get(&word) else {
            wrong.push(word);
            continue;
        };
        let Some(selector) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            continue;
        };
        rest = selector.1;
        for matcher in selector.0.split(',') {
            let label = matcher.split(['=', '!']).next().unwrap().trim();
            if !labels.contains(label) && !["job", "instance"].contains(&label) {
                wrong.push(format!("{word}{{{label}}}"));
            }
        }
    }
    wrong
}

#[test]
fn what_nobody_writes_is_found_in_an_expression() {
    let known = known();
    let of = |expression: &str| unknown(expression, &known);
    assert_eq!(
        of("rate(tcpprobe_check_total[5m]) / tcpprobe_success{job=\"a\"}"),
        ["tcpprobe_check_total"]
    );
    assert_eq!(
        of("tcpprobe_state{class=\"open\",cause!~\"x\"} == 1"),
        ["tcpprobe_state{cause}"]
    );
    assert_eq!(
        of("sum by (le) (tcpprobe_handshake_seconds_bucket{le=\"0.5\"}) or up{job=\"x\"}"),
        Vec::<String>::new()
    );
}

fn rules() -> Vec<Value> {
    let groups = yaml("alerts.yaml");
    let groups = groups["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(folder().join(file)).unwrap()).unwrap()
}

fn folder() -> PathBuf {
    root().join("docs/monitoring")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
