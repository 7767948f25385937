//! The real program as its users and their scripts meet it: arguments in, output and exit code out, on loopback.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/forms.rs"]
mod forms;
#[path = "cli/html.rs"]
mod html;
#[path = "cli/k8s.rs"]
mod k8s;
#[path = "cli/manual.rs"]
mod manual;
#[path = "cli/matrix.rs"]
mod matrix;
#[path = "cli/matrix_file.rs"]
mod matrix_file;
#[path = "cli/monitor_file.rs"]
mod monitor_file;
#[path = "cli/report.rs"]
mod report;
mod schema;
#[path = "cli/series.rs"]
mod series;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/systemd.rs"]
mod systemd;
#[path = "cli/targets.rs"]
mod targets;
#[path = "cli/verdicts.rs"]
mod verdicts;
#[path = "cli/words.rs"]
mod words;
#[path = "cli/wrong.rs"]
mod wrong;
