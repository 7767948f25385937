//! Manifests as their reader gets them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

const TEXT: &str = "rules: [{to: \"10.0.0.1:80\"}]\n";

fn source(name: &str, labels: &[(&str, &str)]) -> Source {
    Source {
        name: name.to_owned(),
        namespace: None,
        labels: labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        service_account: None,
        node_selector: BTreeMap::new(),
    }
}

fn matrix(sources: Vec<Source>) -> Matrix {
    let mut matrix = empty();
    matrix.name = Some("Shop".to_owned());
    matrix.sources = sources;
    matrix
}

/// A matrix that names no sources.
#[expect(
    clippy::default_trait_access,
    reason = "the names of ports are of another room"
)]
fn empty() -> Matrix {
    Matrix::read(TEXT, Format::Yaml, &Default::default()).unwrap()
}

fn settings(runs: Runs) -> Settings {
    Settings {
        name: None,
        source: None,
        namespace: None,
        image: "tcpprobe:1".to_owned(),
        runs,
        power: Power::Restricted,
        keep: Duration::from_secs(86_400),
        deadline: Duration::from_secs(3600),
        options: Vec::new(),
    }
}

fn shards(number: u32) -> Runs {
    Runs::IndexedJob {
        shards: NonZeroU32::new(number).unwrap(),
    }
}

fn nightly() -> Runs {
    Runs::CronJob {
        schedule: "30 2 * * *".parse().unwrap(),
    }
}

fn text(matrix: &Matrix, settings: &Settings) -> Result<String, ManifestError> {
    let document = Document {
        text: TEXT,
        format: Format::Yaml,
    };
    let mut out = Vec::new();
    Manifests::new(matrix, document, settings)?
        .write(&mut out)
        .unwrap();
    Ok(String::from_utf8(out).unwrap())
}

fn objects(matrix: &Matrix, settings: &Settings) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(matrix, settings).unwrap()).unwrap()
}

/// The objects but for the ConfigMaps.
fn workloads(matrix: &Matrix, settings: &Settings) -> Vec<Value> {
    let mut all = objects(matrix, settings);
    all.retain(|one| one["kind"] != "ConfigMap");
    all
}

#[test]
fn every_source_gets_a_workload_with_its_labels_and_its_service_account() {
    let mut backend = source("backend", &[("app", "backend")]);
    backend.service_account = Some("backend".to_owned());
    backend.node_selector.insert("disk".to_owned(), "ssd".to_owned());
    let matrix = matrix(vec![source("frontend", &[("app", "frontend")]), backend]);
    let all = workloads(&matrix, &settings(Runs::Job));
    let names: Vec<&Value> = all.iter().map(|one| &one["metadata"]["name"]).collect();
    assert_eq!(names, ["tcpprobe-shop-frontend", "tcpprobe-shop-backend"]);
    for (one, name) in all.iter().zip(["frontend", "backend"]) {
        let pod = &one["spec"]["template"];
        assert_eq!(pod["metadata"]["labels"]["app"], name);
        assert_eq!(pod["metadata"]["labels"]["tcpprobe/source"], name);
        let environment = pod["spec"]["containers"][0]["env"].as_array().unwrap();
        assert!(environment.contains(&json!({"name": "TCPPROBE_SOURCE", "value": name})));
    }
    let pod = |number: usize| &all[number]["spec"]["template"]["spec"];
    assert_eq!(pod(0)["serviceAccountName"], Value::Null);
    assert_eq!(pod(1)["serviceAccountName"], "backend");
    assert_eq!(
        pod(1)["nodeSelector"],
        json!({"kubernetes.io/os": "linux", "disk": "ssd"})
    );
}

#[test]
fn a_label_of_a_source_outweighs_one_that_is_recommended() {
    let matrix = matrix(vec![source(
        "frontend",
        &[("app.kubernetes.io/name", "frontend")],
    )]);
    for runs in [Runs::Job, Runs::DaemonSet] {
        let one = workloads(&matrix, &settings(runs)).remove(0);
        let of_pod = &one["spec"]["template"]["metadata"]["labels"];
        assert_eq!(of_pod["app.kubernetes.io/name"], "frontend");
        assert_eq!(of_pod["app.kubernetes.io/managed-by"], "tcpprobe");
        assert_eq!(of_pod["tcpprobe/matrix"], "tcpprobe-shop");
        assert_eq!(one["metadata"]["labels"]["app.kubernetes.io/name"], "tcpprobe");
    }
}

#[test]
fn no_pod_is_ever_ready_to_get_the_traffic_of_the_workload_that_it_stands_for() {
    for runs in [Runs::Job, shards(2), Runs::DaemonSet] {
        let one = workloads(&empty(), &settings(runs)).remove(0);
        let gates = &one["spec"]["template"]["spec"]["readinessGates"];
        assert_eq!(gates, &json!([{"conditionType": "tcpprobe/serves"}]));
    }
}

#[test]
fn a_result_is_not_run_again_and_what_could_not_be_judged_is() {
    let one = workloads(&empty(), &settings(Runs::Job)).remove(0);
    assert_eq!(one["spec"]["backoffLimit"], 3);
    assert_eq!(
        one["spec"]["podFailurePolicy"]["rules"],
        json!([
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob",
             "onExitCodes": {"containerName": "tcpprobe", "operator": "In", "values": [1, 2]}},
        ])
    );
}

#[test]
fn what_one_shard_misses_does_not_stop_the_others() {
    let one = workloads(&empty(), &settings(shards(8))).remove(0);
    let spec = &one["spec"];
    assert_eq!(
        [
            &spec["completionMode"],
            &spec["completions"],
            &spec["parallelism"]
        ],
        [&json!("Indexed"), &json!(8), &json!(8)]
    );
    assert_eq!(
        [&spec["backoffLimit"], &spec["backoffLimitPerIndex"]],
        [&Value::Null, &json!(3)]
    );
    let actions: Vec<(&Value, &Value)> = spec["podFailurePolicy"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (&rule["action"], &rule["onExitCodes"]["values"]))
        .collect();
    assert_eq!(
        actions,
        [
            (&json!("Ignore"), &Value::Null),
            (&json!("FailIndex"), &json!([1])),
            (&json!("FailJob"), &json!([2])),
        ]
    );
    let arguments = &spec["template"]["spec"]["containers"][0]["args"];
    assert!(
        arguments
            .as_array()
            .unwrap()
            .contains(&json!("--shard=$(JOB_COMPLETION_INDEX)/8")),
        "{arguments}"
    );
}

#[test]
fn a_pod_of_a_daemon_set_runs_on_every_node_and_waits_when_it_is_done() {
    let one = workloads(&empty(), &settings(Runs::DaemonSet)).remove(0);
    let pod = &one["spec"]["template"]["spec"];
    assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]));
    assert_eq!(
        pod["initContainers"][0]["args"],
        json!([
            "pod",
            "once",
            "/etc/tcpprobe/matrix.yaml",
            "--output=jsonl",
            "--quiet"
        ])
    );
    let instance =
        json!({"name": "TCPPROBE_INSTANCE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}});
    assert!(
        pod["initContainers"][0]["env"]
            .as_array()
            .unwrap()
            .contains(&instance)
    );
    assert_eq!(pod["containers"][0]["args"], json!(["pod", "wait"]));
    // Pods that are never ready must not hold an update up.
    assert_eq!(
        one["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"],
        "100%"
    );
    let selector = one["spec"]["selector"]["matchLabels"].as_object().unwrap();
    for (key, value) in selector {
        assert_eq!(&one["spec"]["template"]["metadata"]["labels"][key], value);
    }
}

#[test]
fn a_cron_job_runs_the_job_on_its_schedule() {
    let one = workloads(&empty(), &settings(nightly())).remove(0);
    assert_eq!(one["spec"]["schedule"], "30 2 * * *");
    assert_eq!(one["spec"]["concurrencyPolicy"], "Forbid");
    let job = workloads(&empty(), &settings(Runs::Job)).remove(0);
    assert_eq!(one["spec"]["jobTemplate"]["spec"], job["spec"]);
    assert_eq!(
        one["spec"]["jobTemplate"]["metadata"]["labels"],
        job["metadata"]["labels"]
    );
}

#[test]
fn the_matrix_is_in_every_namespace_in_which_a_source_lives() {
    let mut one = source("a", &[]);
    one.namespace = Some("shop".to_owned());
    let matrix = matrix(vec![
        one.clone(),
        source("b", &[]),
        Source {
            name: "c".to_owned(),
            ..one
        },
    ]);
    let mut settings = settings(Runs::Job);
    settings.namespace = Some("elsewhere".to_owned());
    let all = objects(&matrix, &settings);
    let places: Vec<(&str, &str)> = all
        .iter()
        .map(|one| {
            (
                one["kind"].as_str().unwrap(),
                one["metadata"]["namespace"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("ConfigMap", "elsewhere"),
            ("ConfigMap", "shop"),
            ("Job", "shop"),
            ("Job", "elsewhere"),
            ("Job", "shop")
        ]
    );
    assert_eq!(all[0]["data"], json!({"matrix.yaml": TEXT}));
}

#[test]
fn one_source_alone_is_called_as_it_is_among_all() {
    let matrix = matrix(vec![source("The Shop", &[]), source("the shop", &[])]);
    let mut settings = settings(Runs::Job);
    settings.source = Some("the shop".to_owned());
    let all = workloads(&matrix, &settings);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["metadata"]["name"], "tcpprobe-shop-the-shop-2");
    let environment = all[0]["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap();
    assert!(environment.contains(&json!({"name": "TCPPROBE_SOURCE", "value": "the shop"})));
}

#[test]
fn kubernetes_puts_no_variable_into_what_the_user_wrote() {
    let matrix = matrix(vec![source("$(POD_IP)", &[])]);
    let mut settings = settings(Runs::Job);
    settings.options = vec!["--instance=$(HOME)$$".to_owned()];
    let one = workloads(&matrix, &settings).remove(0);
    let container = &one["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["args"].as_array().unwrap().last().unwrap(),
        "--instance=$$(HOME)$$$$"
    );
    assert!(
        container["env"]
            .as_array()
            .unwrap()
            .contains(&json!({"name": "TCPPROBE_SOURCE", "value": "$$(POD_IP)"}))
    );
}

#[test]
fn what_kubernetes_would_refuse_is_refused_with_what_would_be_right() {
    let all = matrix(vec![
        source("frontend", &[("app", "a b")]),
        source("backend", &[]),
    ]);
    let says = |matrix: &Matrix, change: fn(&mut Settings)| {
        let mut settings = settings(Runs::Job);
        change(&mut settings);
        text(matrix, &settings).unwrap_err().to_string()
    };
    assert!(says(&all, |_| {}).starts_with("source 'frontend': 'a b' is no value of the label 'app'"));
    let unknown = says(&all, |one| one.source = Some("front".to_owned()));
    assert_eq!(
        unknown,
        "--source front: the matrix has no such source; it has frontend, backend"
    );
    let none = says(&empty(), |one| one.source = Some("front".to_owned()));
    assert!(none.contains("leave --source out"), "{none}");
    assert!(says(&empty(), |one| one.image = "a b".to_owned()).contains("--image 'a b'"));
    assert!(says(&empty(), |one| one.namespace = Some("A".to_owned())).contains("--namespace A"));
    assert!(says(&empty(), |one| one.name = Some("A".to_owned())).contains("--name A"));
}

#[test]
fn a_matrix_that_no_config_map_holds_is_refused() {
    let of = |bytes: usize| {
        let text = "#".repeat(bytes);
        let document = Document {
            text: &text,
            format: Format::Yaml,
        };
        Manifests::new(&empty(), document, &settings(Runs::Job)).map(|_| ())
    };
    assert_eq!(of(1 << 20), Ok(()));
    assert_eq!(
        of((1 << 20) + 1),
        Err(ManifestError::TooLarge {
            what: "matrix",
            bytes: 1_048_577
        })
    );
}

#[test]
fn what_is_written_begins_with_the_commands_for_all_its_namespaces() {
    let mut shop = source("frontend", &[]);
    shop.namespace = Some("shop".to_owned());
    let header = |matrix: &Matrix, runs: Runs| {
        let text = text(matrix, &settings(runs)).unwrap();
        let lines = text.lines().take_while(|line| line.starts_with('#'));
        lines
            .map(|line| line.trim_start_matches('#').trim().to_owned())
            .collect::<Vec<_>>()
    };
    let has =
        |lines: &[String], line: &str| assert!(lines.iter().any(|one| one == line), "{line}: {lines:#?}");
    let one = header(&matrix(vec![shop.clone()]), Runs::Job);
    has(&one, "kubectl apply --server-side -f FILE");
    has(
        &one,
        "kubectl logs -n shop -l tcpprobe/matrix=tcpprobe-shop --tail=-1 | tcpprobe report -",
    );
    has(
        &one,
        "kubectl delete job,configmap -n shop -l tcpprobe/matrix=tcpprobe-shop",
    );
    let two = matrix(vec![shop.clone(), source("backend", &[])]);
    has(
        &header(&two, Runs::DaemonSet),
        "{ kubectl logs -l tcpprobe/matrix=tcpprobe-shop -c tcpprobe --tail=-1; \
         kubectl logs -n shop -l tcpprobe/matrix=tcpprobe-shop -c tcpprobe --tail=-1; } | tcpprobe report -",
    );
    has(
        &header(&two, nightly()),
        "kubectl create job -n shop tcpprobe-shop-frontend-now --from=cronjob/tcpprobe-shop-frontend",
    );
}
