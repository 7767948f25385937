//! A monitor that runs on a lab's client, and what it tells.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use jsonschema::Validator;
use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tcpprobe::lab::{Lab, Powers};
use tcpprobe::net::clock;

/// Nothing takes so long, but on a machine that has no time.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A monitor that runs until this is dropped.
pub(super) struct Watching {
    child: Child,
    errors: tempfile::NamedTempFile,
    lines: Receiver<String>,
    told: Vec<Value>,
    /// How many of them were looked at.
    seen: usize,
    schema: Validator,
}

/// What became of it.
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) lines: Vec<Value>,
    pub(super) errors: String,
}

impl Watching {
    /// Starts it, and waits until it says so.
    pub(super) fn start(lab: &Lab, powers: Powers, arguments: &[&str]) -> Result<Self, Failed> {
        let errors = tempfile::NamedTempFile::new()?;
        let mut command = lab.command(crate::TCPPROBE, powers, None)?;
        command.arg("monitor").args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(errors.reopen()?).spawn()?;
        let (sender, lines) = channel();
        let out: ChildStdout = child.stdout.take().ok_or("no standard output")?;
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Who does not read any more closes its end.
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut watching = Self {
            child,
            errors,
            lines,
            told: Vec::new(),
            seen: 0,
            schema: schema()?,
        };
        watching.until("the beginning", |line| line["record"] == "started")?;
        Ok(watching)
    }

    /// The next line that is meant; what comes before it is passed over.
    pub(super) fn until(&mut self, what: &str, is_meant: impl Fn(&Value) -> bool) -> Result<Value, Failed> {
        let until = clock::now() + PATIENCE;
        loop {
            while let Some(line) = self.told.get(self.seen) {
                self.seen += 1;
                if is_meant(line) {
                    return Ok(line.clone());
                }
            }
            let left = until.saturating_duration_since(clock::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.take(&line)?,
                Err(why @ (RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => {
                    let errors = self.errors();
                    return Err(format!("{what} does not come ({why}):\n{:#?}\n{errors}", self.told).into());
                }
            }
        }
    }

    fn take(&mut self, line: &str) -> Result<(), Failed> {
        let value: Value = serde_json::from_str(line)?;
        let wrong: Vec<String> = self
            .schema
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        self.told.push(value);
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{line}\nis not as the schema says: {}", wrong.join("\n")).into())
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), Failed> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?;
        Ok(())
    }

    /// Closes our end of its standard output, with the next line that comes.
    pub(super) fn stop_reading(&mut self) {
        self.lines = channel().1;
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.errors.path()).unwrap_or_default()
    }

    /// Tells it to end, and waits until it has.
    pub(super) fn end(mut self) -> Result<Ended, Failed> {
        self.signal(Signal::SIGTERM)?;
        let until = clock::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if clock::now() > until {
                return Err(format!("it does not end: {}", self.errors()).into());
            }
            thread::sleep(Duration::from_millis(5));
        };
        // Until the other end is closed.
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.take(&line)?;
        }
        Ok(Ended {
            code: status.code(),
            errors: self.errors(),
            lines: std::mem::take(&mut self.told),
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Where it has ended there is nothing to be done.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The committed schema of events.
fn schema() -> Result<Validator, Failed> {
    let read = |name: &str| -> Result<Value, Failed> {
        let path = format!("{}/docs/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    };
    let base = jsonschema::Resource::from_contents(read("tcpprobe-v1")?);
    let validator = jsonschema::options()
        .with_resource("json-schema:///tcpprobe-v1.schema.json", base)
        .build(&read("tcpprobe-event-v1")?);
    validator.map_err(|error| error.to_string().into())
}
