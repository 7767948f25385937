//! The dashboard, as far as it can be held to something without Grafana.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tcpprobe::diagnose::Class;

use crate::board::known;
use crate::readers::{complaints, promtool};
use crate::rules::unknown;

#[test]
fn every_expression_is_promql_about_what_we_write() {
    let known = known();
    let all = expressions(&dashboard());
    assert!(all.len() > 20, "{}", all.len());
    for expression in &all {
        assert_eq!(unknown(expression, &known), Vec::<String>::new(), "{expression}");
    }
    // As the expressions of rules, promtool parses them.
    let rules: Vec<Value> = (0..)
        .zip(&all)
        .map(|(number, expression)| {
            let expression = expression.replace("$__rate_interval", "5m");
            json!({ "record": format!("expression:{number}"), "expr": expression })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(file.path(), groups.to_string()).unwrap();
    let Some(output) = promtool(&["check", "rules", file.path().to_str().unwrap()], b"") else {
        return;
    };
    assert!(output.status.success(), "{}", complaints(&output));
}

#[test]
fn panels_have_a_place_of_their_own() {
    let dashboard = dashboard();
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = &panel["title"];
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{title}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(cells.insert(cell), "{title} lies on another panel");
        }
    }
}

#[test]
fn everything_is_read_from_the_chosen_datasource_and_by_variables_that_exist() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: BTreeSet<&str> = variables
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables[0]["type"], "datasource");
    let chosen = json!({ "type": "prometheus", "uid": "${datasource}" });
    for panel in panels(&dashboard).filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"], chosen, "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"], chosen, "{}", panel["title"]);
        }
        assert!(!panel["description"].as_str().unwrap().is_empty());
    }
    let queries = variables
        .iter()
        .filter_map(|variable| variable["definition"].as_str());
    for text in expressions(&dashboard).iter().map(String::as_str).chain(queries) {
        for used in text.split('$').skip(1) {
            let name: String = used
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            let is_known = names.contains(name.as_str()) || name == "__rate_interval";
            assert!(is_known, "${name} in {text}");
        }
    }
    let known = known();
    for variable in variables.iter().filter(|variable| variable["type"] == "query") {
        let query = variable["definition"].as_str().unwrap();
        assert_eq!(unknown(query, &known), Vec::<String>::new(), "{query}");
    }
}

#[test]
fn every_class_has_its_word_and_colour_in_the_timeline() {
    let dashboard = dashboard();
    let timeline = panels(&dashboard)
        .find(|panel| panel["type"] == "state-timeline")
        .unwrap();
    let words = &timeline["fieldConfig"]["defaults"]["mappings"][0]["options"];
    let expression = timeline["targets"][0]["expr"].as_str().unwrap();
    for (number, class) in (1..).zip(Class::ALL) {
        assert_eq!(words[number.to_string()]["text"], class.label());
        // The number that the query gives the class is the one that the word has.
        let term = expression
            .lines()
            .find(|line| line.contains(&format!("class=\"{class}\"")));
        let term = term.unwrap();
        let factor = term
            .rsplit_once("} * ")
            .map_or(1, |(_, factor)| factor.parse().unwrap());
        assert_eq!(factor, number, "{class}");
    }
    assert_eq!(words.as_object().unwrap().len(), Class::ALL.len());
}

fn dashboard() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring/dashboard.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter()
}

fn expressions(dashboard: &Value) -> Vec<String> {
    let targets = panels(dashboard).filter_map(|panel| panel["targets"].as_array());
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    targets
        .flatten()
        .chain(annotations)
        .filter_map(|query| query["expr"].as_str())
        .map(str::to_owned)
        .collect()
}
