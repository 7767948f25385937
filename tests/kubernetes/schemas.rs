//! The manifests against the schemas of Kubernetes, by the PyPI package `kubernetes-validate`. `PYTHON` names an
//! interpreter that has it; else that is `python3`.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::printed::{self, KINDS};
use crate::{Cannot, trial};

/// The oldest version that is promised, one between, and the newest that the package knows.
const VERSIONS: [&str; 3] = [tcpprobe::kubernetes::OLDEST, "1.32", "latest"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "every_manifest_is_what_the_schemas_of_kubernetes_say",
            every_manifest_is_what_the_schemas_of_kubernetes_say,
        ),
        trial(
            "a_manifest_with_a_field_too_many_is_found",
            a_manifest_with_a_field_too_many_is_found,
        ),
        trial(
            "any_text_comes_out_of_the_config_map_as_it_went_in",
            any_text_comes_out_of_the_config_map_as_it_went_in,
        ),
    ]
}

fn every_manifest_is_what_the_schemas_of_kubernetes_say() -> Result<(), Cannot> {
    let mut all = String::new();
    for kind in KINDS {
        for options in [
            &["--namespace", "elsewhere"][..],
            &["--raw", "--", "--rate", "500"],
        ] {
            all.push_str(&printed::text(kind, printed::matrix(), options));
        }
    }
    for options in [&["--raw", "--", "--rate", "500"][..], printed::BUILT_IN] {
        all.push_str(&printed::monitor(printed::config(), options));
    }
    let output = read(&all, &VERSIONS)?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Readers of YAML 1.1 and 1.2 see the same.
    let theirs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs, printed::documents(&all));
    assert_eq!(theirs.len(), KINDS.len() * 2 * 4 + 3 + 4);
    let labels =
        &theirs.iter().find(|one| one["kind"] == "Job").unwrap()["spec"]["template"]["metadata"]["labels"];
    let words = [
        ("app", "on"),
        ("tier", "1e3"),
        ("zone", "0x1F"),
        ("hour", "12"),
        ("version", "1.10"),
        ("app.kubernetes.io/name", "null"),
        ("empty", ""),
    ];
    for (key, value) in words {
        assert_eq!(labels[key], value, "{labels}");
    }
    Ok(())
}

fn a_manifest_with_a_field_too_many_is_found() -> Result<(), Cannot> {
    let job = printed::text(&["job"], printed::matrix(), &[]);
    let monitor = printed::monitor(printed::config(), printed::BUILT_IN);
    for (right, field, wrong) in [
        (&job, "backoffLimit: 3", "backoffLimt: 3"),
        (&job, "restartPolicy: Never", "restartPolicy: [Never]"),
        (&monitor, "periodSeconds: 5", "periodSecond: 5"),
        (&monitor, "targetPort: http", "targetPort: [http]"),
        (&monitor, "policyTypes:", "policyType:"),
    ] {
        assert!(right.contains(field), "{field}");
        let output = read(&right.replace(field, wrong), &VERSIONS[..1])?;
        assert!(!output.status.success(), "{wrong}");
    }
    Ok(())
}

fn any_text_comes_out_of_the_config_map_as_it_went_in() -> Result<(), Cannot> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.yaml");
    let rule = "rules: [{to: \"10.0.0.1:80\"}]";
    let texts = [
        rule.to_owned(),
        format!("{rule}\n"),
        format!("{rule}\n\n\n"),
        format!("\n\n{rule}"),
        format!("{rule} # trailing blanks  \n"),
        format!("{rule}\n#\ta tab\n"),
        format!("{rule}\r\n# two systems\r\n"),
        format!("  {rule}\n"),
        format!("\u{feff}{rule}\n"),
        format!("{rule}\n# ä — 漢字 🙂 \u{a0}\u{2028}\u{85} #\n"),
        format!("# {}\n{rule}\n", "long ".repeat(100)),
        format!("---\n{rule}\n...\n"),
    ];
    let mut all = String::new();
    for text in &texts {
        fs::write(&path, text).unwrap();
        all.push_str(&printed::text(&["job"], &path, &[]));
    }
    let output = read(&all, &[])?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let theirs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for documents in [theirs, printed::documents(&all)] {
        let found = documents
            .iter()
            .filter_map(|one| one["data"]["matrix.yaml"].as_str());
        assert_eq!(found.collect::<Vec<_>>(), texts);
    }
    Ok(())
}

/// Has Python read and check the manifests.
fn read(manifests: &str, versions: &[&str]) -> Result<Output, Cannot> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_it = Command::new(&python)
        .args(["-c", "import kubernetes_validate"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_it {
        return Err(Cannot(format!(
            "{python} has no kubernetes-validate: install it with pip, and name the interpreter in PYTHON"
        )));
    }
    let mut child = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubernetes/read.py"))
        .args(versions)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(manifests.as_bytes())
        .unwrap();
    Ok(child.wait_with_output().unwrap())
}
