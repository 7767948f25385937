//! Readers of metrics that are not ours.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tcpprobe::report::monitor::Exposition;

/// What somebody else reads.
#[derive(Debug)]
pub(crate) struct Read {
    /// Value by name and labels; `le` is written as a float, with a point.
    pub(crate) samples: BTreeMap<Series, f64>,
    /// Type, unit and help by family.
    pub(crate) families: BTreeMap<String, [String; 3]>,
    /// Native histograms: upper edge and count of each bucket, by labels.
    pub(crate) native: BTreeMap<Series, Vec<(f64, u64)>>,
}

/// A name and its labels.
pub(crate) type Series = (String, BTreeMap<String, String>);

/// Has the PyPI packages `prometheus-client` and `protobuf` read metrics; absent where Python does not have them.
pub(crate) fn python(form: Exposition, metrics: &[u8]) -> Option<Read> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_them = Command::new(&python)
        .args(["-c", "import prometheus_client, grpc_tools, google.protobuf"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_them {
        cannot(&format!(
            "{python} has no prometheus-client and grpcio-tools: install them with pip, and name the interpreter in PYTHON"
        ));
        return None;
    }
    let form = match form {
        Exposition::Text => "text",
        Exposition::OpenMetrics => "openmetrics",
        Exposition::Protobuf => "protobuf",
    };
    let mut command = Command::new(&python);
    command.args([
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/metrics/read.py"),
        form,
    ]);
    let output = with_input(&mut command, metrics).unwrap();
    assert!(
        output.status.success(),
        "{form}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut samples = BTreeMap::new();
    for sample in read["samples"].as_array().unwrap() {
        let series = series(sample);
        let value = sample[2].as_str().unwrap().parse().unwrap();
        assert!(
            samples.insert(series.clone(), value).is_none(),
            "{form}: {series:?} is there twice"
        );
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let families = read["families"].as_object().unwrap().iter();
    let families = families
        .map(|(name, head)| {
            (
                name.clone(),
                [text(&head["type"]), text(&head["unit"]), text(&head["help"])],
            )
        })
        .collect();
    let bucket = |bucket: &Value| (bucket[0].as_f64().unwrap(), bucket[1].as_u64().unwrap());
    let native = read["native"].as_array().unwrap().iter();
    let native = native
        .map(|one| {
            assert_eq!(one[2], 3, "{one}");
            (
                series(one),
                one[3].as_array().unwrap().iter().map(bucket).collect(),
            )
        })
        .collect();
    Some(Read {
        samples,
        families,
        native,
    })
}

fn series(sample: &Value) -> Series {
    let labels: BTreeMap<String, String> = serde_json::from_value(sample[1].clone()).unwrap();
    let labels = labels.into_iter().map(|(name, value)| {
        let value = match name.as_str() {
            "le" if value != "+Inf" => format!("{:?}", value.parse::<f64>().unwrap()),
            _ => value,
        };
        (name, value)
    });
    (sample[0].as_str().unwrap().to_owned(), labels.collect())
}

/// promtool with this on its standard input; absent where there is none.
pub(crate) fn promtool(arguments: &[&str], input: &[u8]) -> Option<Output> {
    let output = with_input(Command::new("promtool").args(arguments), input);
    if output.is_none() {
        cannot("promtool is not installed");
    }
    output
}

/// What promtool has to say, where that is not a success without words.
pub(crate) fn complaints(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    format!("{}\n{}", output.status, said.join("\n"))
}

fn with_input(command: &mut Command, input: &[u8]) -> Option<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // Whoever complains early does not read to the end.
    let _ = writer.join().unwrap();
    Some(output)
}

/// A test that cannot run here says so; in CI, where all of them can, that is a failure.
pub(crate) fn cannot(reason: &str) {
    let test = thread::current().name().unwrap_or("?").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {reason}");
    #[expect(clippy::print_stderr, reason = "a test says that it could not run")]
    {
        eprintln!("{test} cannot run in full: {reason}");
    }
}
