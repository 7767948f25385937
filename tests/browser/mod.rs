//! Headless Chromium, driven through chromedriver (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) mod outcomes;

/// Nothing that a page of ours does takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium may start where there is no sandbox for it, and has nobody to talk to.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,900",
];

/// A browser with one window.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
    /// Kept, as a driver that cannot write ends.
    _said: BufReader<ChildStdout>,
}

/// A key that is pressed and let go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Letter(char),
    Enter,
    Escape,
    Down,
    Right,
}

impl Browser {
    /// Why there may be none.
    pub(crate) const MISSING: &str =
        "there is no chromedriver (Debian: apt-get install chromium chromium-driver)";

    /// Absent where there is no chromedriver.
    pub(crate) fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            // A plain user in CI may have no home to write to.
            .env("HOME", profile.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = driver else {
            return None;
        };
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let mut browser = Self {
            driver,
            port: port(&mut said),
            session: String::new(),
            profile,
            _said: said,
        };
        browser.begin();
        Some(browser)
    }

    fn begin(&mut self) {
        let data = self.profile.path().join("data");
        let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", data.display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let begun = self.ask("POST", "/session", &wanted);
        begun["sessionId"].as_str().unwrap().clone_into(&mut self.session);
    }

    /// Opens an address, and returns when it is loaded.
    pub(crate) fn go(&self, address: &str) {
        self.command("url", &json!({ "url": address }));
    }

    /// Runs a script in the page: the body of a function.
    pub(crate) fn run(&self, script: &str, arguments: &Value) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a script that calls its last argument when it is done.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.command("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Asks for what WebDriver has no command for (<https://chromedevtools.github.io/devtools-protocol/>).
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command(
            "goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    /// Waits for something that follows from what was done, drawn by drawn picture.
    pub(crate) fn wait_until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1]; let left = 600; \
             const look = () => ({condition}) || --left === 0 ? done(left > 0) : requestAnimationFrame(look); look()"
        );
        assert_eq!(self.run_async(&script), json!(true), "{condition}");
    }

    /// Clicks at a place of the window.
    pub(crate) fn click(&self, at: (f64, f64)) {
        self.point(
            at,
            &[
                json!({ "type": "pointerDown", "button": 0 }),
                json!({ "type": "pointerUp", "button": 0 }),
            ],
        );
    }

    /// Moves the pointer to a place of the window.
    pub(crate) fn move_to(&self, at: (f64, f64)) {
        self.point(at, &[]);
    }

    fn point(&self, (x, y): (f64, f64), then: &[Value]) {
        let mut actions = vec![json!({ "type": "pointerMove", "x": x, "y": y, "duration": 0 })];
        actions.extend_from_slice(then);
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": actions });
        self.command("actions", &json!({ "actions": [mouse] }));
    }

    /// Presses one key after another.
    pub(crate) fn press(&self, keys: &[Key]) {
        let presses: Vec<Value> = keys
            .iter()
            .map(|key| key.letter().to_string())
            .flat_map(|key| {
                [
                    json!({ "type": "keyDown", "value": key }),
                    json!({ "type": "keyUp", "value": key }),
                ]
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": presses });
        self.command("actions", &json!({ "actions": [keyboard] }));
    }

    /// Warnings and errors of the browser's console since it was asked last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().unwrap().iter();
        entries
            .filter(|entry| matches!(entry["level"].as_str(), Some("WARNING" | "SEVERE")))
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}/{name}", self.session), body)
    }

    /// One exchange with the driver, which holds for the test.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.exchange(method, path, body).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {value:#}");
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = body.to_string();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n\
             {body}",
            self.port,
            body.len()
        )?;
        body_of(BufReader::new(stream))
    }
}

/// The body of an answer. The driver does not close the connection when it has said everything.
fn body_of(mut answer: impl BufRead) -> std::io::Result<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(String::from_utf8(body).unwrap())
}

/// Ends Chromium through its driver, then the driver.
impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.exchange("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Key {
    /// As WebDriver writes it.
    fn letter(self) -> char {
        match self {
            Self::Letter(letter) => letter,
            Self::Enter => '\u{e007}',
            Self::Escape => '\u{e00c}',
            Self::Down => '\u{e015}',
            Self::Right => '\u{e014}',
        }
    }
}

/// The port that the driver has chosen, which it says in one of its first lines.
fn port(said: &mut impl BufRead) -> u16 {
    let mut lines = String::new();
    for _ in 0..20 {
        said.read_line(&mut lines).unwrap();
        let after = lines.split("successfully on port ").nth(1);
        if let Some(port) = after.and_then(|rest| rest.trim_end().trim_end_matches('.').parse().ok()) {
            return port;
        }
    }
    panic!("chromedriver does not say its port: {lines}");
}
