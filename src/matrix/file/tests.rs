//! What a matrix file may say, what it expands to, and what is said of one that cannot be meant.

mod expansion;
mod schema;
mod wrong;

use super::*;

fn read(text: &str) -> Result<Matrix, FileError> {
    Matrix::read(text, Format::Yaml, &Services::default())
}

/// The edges of a source, as `target expectation [rules]`.
fn edges(text: &str, source: Option<&str>) -> Vec<String> {
    let edges = read(text).unwrap().edges(source, 100_000).unwrap();
    edges
        .iter()
        .map(|edge| format!("{} {} {:?}", edge.target, edge.demand.expected, edge.demand.rules))
        .collect()
}

#[test]
fn the_example_is_read_and_expands() {
    let matrix = read(EXAMPLE).unwrap();
    assert_eq!(matrix.name.as_deref(), Some("shop"));
    let names: Vec<_> = matrix.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["frontend", "admin"]);
    assert_eq!(matrix.sources[0].labels["app"], "frontend");
    let expansion = matrix.expand(1000).unwrap();
    let counts: Vec<_> = expansion
        .sources()
        .map(|(source, edges)| (source.unwrap(), edges.len()))
        .collect();
    // 2 + 11 + 1 backends, 13 + 16 addresses of offices, their control, the queue.
    assert_eq!(counts, [("frontend", 44), ("admin", 31)]);
}

#[test]
fn the_three_languages_say_the_same() {
    let yaml = "
name: shop
defaults: { timeout: 1s, control: api:80 }
sources: { a: { labels: { app: a } }, b: }
targets: { db: [\"db:1,3-4\", \"[::1]:443\"] }
rules:
  - { from: a, to: [db, x:http], except: db:3, expect: blocked, tries: 2 }
";
    let toml = "
name = 'shop'
[defaults]
timeout = '1s'
control = 'api:80'
[sources.a.labels]
app = 'a'
[sources.b]
[targets]
db = ['db:1,3-4', '[::1]:443']
[[rules]]
from = 'a'
to = ['db', 'x:http']
except = 'db:3'
expect = 'blocked'
tries = 2
";
    let json = "{
\t\"name\": \"sh\\u006fp\", \"defaults\": {\"timeout\": \"1s\", \"control\": \"api:80\"},
\t\"sources\": {\"a\": {\"labels\": {\"app\": \"a\"}}, \"b\": {}},
\t\"targets\": {\"db\": [\"db:1,3-4\", \"[::1]:443\"]},
\t\"rules\": [{\"from\": \"a\", \"to\": [\"db\", \"x:http\"], \"except\": \"db:3\", \"expect\": [\"blocked\"], \"tries\": 2}]
}";
    let services = Services::default();
    let yaml = Matrix::read(yaml, Format::Yaml, &services).unwrap();
    for (text, format) in [(toml, Format::Toml), (json, Format::Json)] {
        let other = Matrix::read(text, format, &services).unwrap();
        assert_eq!(other.name, yaml.name, "{format:?}");
        assert_eq!(other.sources, yaml.sources, "{format:?}");
        for source in ["a", "b"] {
            assert_eq!(
                other.edges(Some(source), 100),
                yaml.edges(Some(source), 100),
                "{format:?}"
            );
        }
    }
    let edges = yaml.edges(Some("a"), 100).unwrap();
    let targets: Vec<_> = edges.iter().map(|edge| edge.target.to_string()).collect();
    assert_eq!(targets, ["db:1", "db:4", "[::1]:443", "x:80", "api:80"]);
}

#[test]
fn words_of_other_yaml_are_texts() {
    // In YAML 1.1 these would be a truth value, a number to the base of 60, and one to the base of 8.
    let text = "\u{feff}sources: [no, off]\r\ntargets: { on: host:0022 }\r\nrules:\r\n- { from: no, to: [on, a.b:22] }\r\n";
    assert_eq!(
        edges(text, Some("no")),
        ["host:22 reachable [\"rule 1\"]", "a.b:22 reachable [\"rule 1\"]"]
    );
    assert!(edges(text, Some("off")).is_empty());
}

#[test]
fn anchors_and_merge_keys_save_writing() {
    let text = "
rules:
  - &deny { to: db:1, expect: blocked, timeout: 2s }
  - { <<: *deny, to: db:2 }
";
    let edges = read(text).unwrap().edges(None, 10).unwrap();
    assert!(
        edges
            .iter()
            .all(|edge| edge.demand.timeout == Duration::from_secs(2))
    );
    assert_eq!(edges[1].target.to_string(), "db:2");
}
