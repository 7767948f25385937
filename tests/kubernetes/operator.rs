//! What is the Prometheus operator's, against what its API takes, field by field: `kubernetes-validate` has no schemas of it.
//! See <https://prometheus-operator.dev/docs/api-reference/api/>.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::anywhere;
use crate::printed;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        anywhere(
            "what_the_operator_reads_is_what_its_api_takes",
            what_the_operator_reads_is_what_its_api_takes,
        ),
        anywhere(
            "what_the_operator_would_refuse_is_found",
            what_the_operator_would_refuse_is_found,
        ),
        anywhere(
            "the_operator_finds_the_service_and_the_probe_finds_the_monitor",
            the_operator_finds_the_service_and_the_probe_finds_the_monitor,
        ),
    ]
}

fn documents() -> Vec<Value> {
    printed::documents(&printed::monitor(printed::config(), printed::ALL))
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|one| one["kind"] == kind).collect()
}

fn what_the_operator_reads_is_what_its_api_takes() {
    let all = documents();
    let (monitors, probes) = (of_kind(&all, "ServiceMonitor"), of_kind(&all, "Probe"));
    // A Probe a module.
    assert_eq!((monitors.len(), probes.len()), (1, 2));
    for one in monitors.into_iter().chain(probes) {
        assert_eq!(violations(one), Vec::<String>::new(), "{one:#}");
    }
}

fn what_the_operator_would_refuse_is_found() {
    let all = documents();
    let (monitor, probe) = (of_kind(&all, "ServiceMonitor")[0], of_kind(&all, "Probe")[0]);
    let wrong: [(&Value, &str, Value); 8] = [
        (monitor, "/apiVersion", json!("monitoring.coreos.com/v2")),
        (monitor, "/spec/endpoints/0/port", json!(9965)),
        (monitor, "/spec/endpoints/0/interval", json!("15 s")),
        (monitor, "/spec/endpoints/0/scrapeTimeout", json!("16s")),
        (monitor, "/spec/selector", json!({"matchLabel": {"a": "b"}})),
        (probe, "/spec/prober", json!({"address": "a:1"})),
        (probe, "/spec/prober/url", json!("http://a:1")),
        (
            probe,
            "/spec/targets/staticConfig",
            json!({"targets": ["a:1"], "static": ["a:1"]}),
        ),
    ];
    for (sound, place, value) in wrong {
        let mut one = sound.clone();
        *one.pointer_mut(place).unwrap() = value;
        assert_eq!(violations(&one).len(), 1, "{place}: {:?}", violations(&one));
    }
}

fn the_operator_finds_the_service_and_the_probe_finds_the_monitor() {
    let all = documents();
    let service = of_kind(&all, "Service")[0];
    let monitor = of_kind(&all, "ServiceMonitor")[0];
    for (key, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(service["metadata"]["labels"][key], *value);
    }
    let port = &service["spec"]["ports"][0];
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], port["name"]);
    for probe in of_kind(&all, "Probe") {
        let wanted = format!(
            "{}.{}.svc:{}",
            service["metadata"]["name"].as_str().unwrap(),
            service["metadata"]["namespace"].as_str().unwrap(),
            port["port"]
        );
        assert_eq!(probe["spec"]["prober"]["url"], wanted);
    }
    let targets: Vec<&Value> = of_kind(&all, "Probe")
        .iter()
        .flat_map(|probe| {
            probe["spec"]["targets"]["staticConfig"]["static"]
                .as_array()
                .unwrap()
        })
        .collect();
    assert_eq!(
        targets,
        [
            "db.shop.svc.cluster.local:5432",
            "10.0.0.1:80",
            "[2001:db8::7]:443"
        ]
    );
}

/// A field of an object: its name, what it has to be, and whether it may be left out.
type Field = (&'static str, fn(&Value) -> bool, Presence);

#[derive(Clone, Copy, PartialEq)]
enum Presence {
    Wanted,
    Optional,
}

use Presence::{Optional, Wanted};

/// What of an object its API does not take.
fn violations(one: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let root: &[Field] = &[
        ("apiVersion", |value| value == "monitoring.coreos.com/v1", Wanted),
        ("kind", Value::is_string, Wanted),
        ("metadata", Value::is_object, Wanted),
        ("spec", Value::is_object, Wanted),
    ];
    fields(one, "", root, &mut wrong);
    let spec = &one["spec"];
    if one["kind"] == "ServiceMonitor" {
        let of_spec: &[Field] = &[
            ("selector", is_selector, Wanted),
            ("endpoints", is_filled_list, Wanted),
            ("namespaceSelector", Value::is_object, Optional),
            ("jobLabel", Value::is_string, Optional),
        ];
        let of_endpoint: &[Field] = &[
            ("port", Value::is_string, Wanted),
            ("path", is_path, Optional),
            ("interval", |value| seconds(value).is_some(), Optional),
            ("scrapeTimeout", |value| seconds(value).is_some(), Optional),
        ];
        fields(spec, "/spec", of_spec, &mut wrong);
        for endpoint in spec["endpoints"].as_array().into_iter().flatten() {
            fields(endpoint, "/spec/endpoints", of_endpoint, &mut wrong);
            in_time(endpoint, &mut wrong);
        }
    } else {
        let of_spec: &[Field] = &[
            ("jobName", Value::is_string, Optional),
            ("prober", Value::is_object, Wanted),
            ("module", Value::is_string, Optional),
            ("interval", |value| seconds(value).is_some(), Optional),
            ("scrapeTimeout", |value| seconds(value).is_some(), Optional),
            ("targets", Value::is_object, Wanted),
        ];
        fields(spec, "/spec", of_spec, &mut wrong);
        let of_prober: &[Field] = &[("url", is_address, Wanted), ("path", is_path, Optional)];
        if let [only] = wrong_names(&spec["prober"], of_prober)[..] {
            wrong.push(format!("/spec/prober: {only}"));
        } else {
            fields(&spec["prober"], "/spec/prober", of_prober, &mut wrong);
        }
        let of_targets: &[Field] = &[("staticConfig", Value::is_object, Wanted)];
        fields(&spec["targets"], "/spec/targets", of_targets, &mut wrong);
        let of_static: &[Field] = &[
            ("static", is_filled_list, Wanted),
            ("labels", Value::is_object, Optional),
        ];
        let list = &spec["targets"]["staticConfig"];
        fields(list, "/spec/targets/staticConfig", of_static, &mut wrong);
        in_time(spec, &mut wrong);
    }
    wrong
}

fn wrong_names<'a>(object: &'a Value, known: &[Field]) -> Vec<&'a str> {
    let names = object.as_object().into_iter().flat_map(|fields| fields.keys());
    names
        .map(String::as_str)
        .filter(|name| !known.iter().any(|(one, _, _)| one == name))
        .collect()
}

fn fields(object: &Value, place: &str, known: &[Field], wrong: &mut Vec<String>) {
    for name in wrong_names(object, known) {
        wrong.push(format!("{place}/{name}: there is no such field"));
    }
    for (name, is_right, presence) in known {
        match object.get(name) {
            Some(value) if !is_right(value) => wrong.push(format!("{place}/{name}: {value}")),
            None if *presence == Wanted => wrong.push(format!("{place}/{name}: missing")),
            Some(_) | None => {}
        }
    }
}

/// The operator refuses what waits for longer than it is from one scrape to the next.
fn in_time(scrape: &Value, wrong: &mut Vec<String>) {
    if let (Some(interval), Some(timeout)) = (seconds(&scrape["interval"]), seconds(&scrape["scrapeTimeout"]))
        && timeout > interval
    {
        wrong.push("scrapeTimeout: longer than interval".to_owned());
    }
}

fn is_filled_list(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty())
}

fn is_path(value: &Value) -> bool {
    value.as_str().is_some_and(|path| path.starts_with('/'))
}

/// Host and port, without a scheme.
fn is_address(value: &Value) -> bool {
    let parts = value.as_str().and_then(|address| address.rsplit_once(':'));
    parts.is_some_and(|(host, port)| !host.contains('/') && port.parse::<u16>().is_ok())
}

fn is_selector(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        !fields.is_empty()
            && fields
                .keys()
                .all(|name| name == "matchLabels" || name == "matchExpressions")
    })
}

/// As Prometheus writes times, as far as we do.
fn seconds(value: &Value) -> Option<u64> {
    value.as_str()?.strip_suffix('s')?.parse().ok()
}
