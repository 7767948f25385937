//! Manifests of a monitor as their reader gets them.

use serde_json::{Value, json};

use super::*;
use std::sync::Arc;

use crate::matrix::file::Format;

const TEXT: &str = "targets: [{target: \"10.0.0.1:80\"}]\n";

fn settings() -> MonitorSettings {
    MonitorSettings {
        name: None,
        namespace: Some("watch".to_owned()),
        image: "tcpprobe:1".to_owned(),
        power: Power::Restricted,
        with: BTreeSet::new(),
        prometheus_namespace: "monitoring".to_owned(),
        options: Vec::new(),
    }
}

#[expect(
    clippy::default_trait_access,
    reason = "the names of ports are of another room"
)]
fn config(targets: &[(&str, &str)]) -> Config {
    let watched = |(target, module): &(&str, &str)| Watched {
        target: crate::target::Target::parse_words(&[*target], &Default::default())
            .unwrap()
            .remove(0),
        name: (*target).to_owned(),
        module: Arc::new(Module {
            name: (*module).to_owned(),
            ..Module::default()
        }),
        labels: BTreeMap::new(),
    };
    Config {
        targets: targets.iter().map(watched).collect(),
        modules: BTreeMap::new(),
    }
}

fn text(config: &Config, document: &str, settings: &MonitorSettings) -> Result<String, ManifestError> {
    let document = Document {
        text: document,
        format: Format::Yaml,
    };
    let mut out = Vec::new();
    Manifests::of_monitor(config, document, settings)?
        .write(&mut out)
        .unwrap();
    Ok(String::from_utf8(out).unwrap())
}

fn objects(settings: &MonitorSettings) -> Vec<Value> {
    let config = config(&[
        ("db:5432", "default"),
        ("10.0.0.1:80", "Slow ones"),
        ("api:80", "default"),
    ]);
    serde_saphyr::from_multiple(&text(&config, TEXT, settings).unwrap()).unwrap()
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

#[test]
fn one_pod_watches_and_a_service_finds_it() {
    let all = objects(&settings());
    assert_eq!(kinds(&all), ["ConfigMap", "Deployment", "Service"]);
    for one in &all {
        assert_eq!(one["metadata"]["name"], "tcpprobe-monitor");
        assert_eq!(one["metadata"]["namespace"], "watch");
        assert_eq!(
            one["metadata"]["labels"]["app.kubernetes.io/component"],
            "monitor"
        );
    }
    assert_eq!(all[0]["data"], json!({"monitor.yaml": TEXT}));
    let [_, deployment, service] = &all[..] else {
        panic!("{all:?}")
    };
    let pod = &deployment["spec"]["template"];
    for selector in [
        &deployment["spec"]["selector"]["matchLabels"],
        &service["spec"]["selector"],
    ] {
        assert_eq!(*selector, json!({"tcpprobe/monitor": "tcpprobe-monitor"}));
        assert_eq!(pod["metadata"]["labels"]["tcpprobe/monitor"], "tcpprobe-monitor");
    }
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["args"],
        json!([
            "monitor",
            "--config=/etc/tcpprobe/monitor.yaml",
            "--listen=[::]:9965"
        ])
    );
    assert_eq!(
        container["readinessProbe"]["httpGet"],
        json!({"path": "/-/ready", "port": "http"})
    );
    assert_eq!(
        container["livenessProbe"]["httpGet"],
        json!({"path": "/-/healthy", "port": "http"})
    );
    // It is to be ready: unlike the pods of a matrix it stands for no other workload.
    assert_eq!(pod["spec"]["readinessGates"], Value::Null);
}

#[test]
fn another_configuration_makes_another_pod() {
    let hash = |document: &str| {
        let text = text(&config(&[]), document, &settings()).unwrap();
        let all: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let annotations = &all[1]["spec"]["template"]["metadata"]["annotations"];
        annotations["tcpprobe/config-hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash(TEXT), hash(TEXT));
    assert_ne!(hash(TEXT), hash(&format!("{TEXT} ")));
    assert_eq!(hash(TEXT).len(), 32);
}

#[test]
fn what_is_asked_for_besides_is_there() {
    let mut settings = settings();
    settings.with = [Extra::ServiceMonitor, Extra::Probe, Extra::NetworkPolicy].into();
    let all = objects(&settings);
    let [_, _, _, service_monitor, slow, default, policy] = &all[..] else {
        panic!("{:?}", kinds(&all))
    };
    assert_eq!(service_monitor["kind"], "ServiceMonitor");
    assert_eq!(service_monitor["spec"]["endpoints"][0]["port"], "http");
    // The job is called as the alerts expect it.
    let job_label = service_monitor["spec"]["jobLabel"].as_str().unwrap();
    assert_eq!(all[2]["metadata"]["labels"][job_label], "tcpprobe");
    // A Probe has one module.
    for (probe, name, module, targets) in [
        (
            slow,
            "tcpprobe-monitor-slow-ones",
            "Slow ones",
            json!(["10.0.0.1:80"]),
        ),
        (
            default,
            "tcpprobe-monitor-default",
            "default",
            json!(["db:5432", "api:80"]),
        ),
    ] {
        assert_eq!(probe["kind"], "Probe");
        assert_eq!(probe["metadata"]["name"], name);
        assert_eq!(probe["spec"]["module"], module);
        assert_eq!(probe["spec"]["targets"]["staticConfig"]["static"], targets);
        assert_eq!(probe["spec"]["prober"]["url"], "tcpprobe-monitor.watch.svc:9965");
    }
    assert_eq!(policy["kind"], "NetworkPolicy");
    let from = &policy["spec"]["ingress"][0]["from"][0];
    assert_eq!(
        from["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
        "monitoring"
    );
    let text = text(&config(&[("db:5432", "default")]), TEXT, &settings).unwrap();
    let delete = "kubectl delete -n watch deployment,service,configmap,servicemonitor,probe,networkpolicy \
                  -l tcpprobe/monitor=tcpprobe-monitor";
    assert!(text.contains(delete), "{text}");
}

#[test]
fn options_go_to_the_monitor_as_they_are() {
    let mut settings = settings();
    settings.options = vec!["--interval=30s".to_owned(), "$(HOME)".to_owned()];
    let all = objects(&settings);
    let arguments = &all[1]["spec"]["template"]["spec"]["containers"][0]["args"];
    let last = &arguments.as_array().unwrap()[3..];
    assert_eq!(last, ["--interval=30s", "$$(HOME)"]);
}

#[test]
fn what_kubernetes_or_the_operator_would_refuse_is_refused_with_what_would_be_right() {
    let says = |config: &Config, document: &str, change: fn(&mut MonitorSettings)| {
        let mut settings = settings();
        change(&mut settings);
        text(config, document, &settings).unwrap_err().to_string()
    };
    let some = config(&[("db:5432", "default")]);
    let probe: fn(&mut MonitorSettings) = |one| one.with = [Extra::Probe].into();
    assert!(says(&config(&[]), TEXT, probe).contains("has none"));
    let nowhere = says(&some, TEXT, |one| {
        one.namespace = None;
        one.with = [Extra::Probe].into();
    });
    assert!(nowhere.contains("say --namespace too"), "{nowhere}");
    assert!(says(&some, TEXT, |one| one.namespace = Some("A".to_owned())).contains("--namespace A"));
    assert!(
        says(&some, TEXT, |one| one.prometheus_namespace = "A".to_owned())
            .contains("--prometheus-namespace A")
    );
    assert!(says(&some, TEXT, |one| one.image = String::new()).contains("--image ''"));
    let large = "#".repeat((1 << 20) + 1);
    let large = says(&some, &large, |_| {});
    assert!(
        large.starts_with("the configuration has 1048577 bytes"),
        "{large}"
    );
}
