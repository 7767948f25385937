//! Answers over HTTP, on a thread of its own: what is known, what is asked for, and whether all is well.

mod probe;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;

use super::State;
use super::thread::off_duty;
use crate::app::gather::services;
use crate::app::{Failure, complain};
use crate::cli::MonitorArguments;
use crate::http::{Body, Gate, Limits, Request, Response, Server};
use crate::monitor::{Buckets, Reach, Usage};
use crate::net::finish::{Finisher, finisher};
use crate::net::{clock, settings};
use crate::report::monitor::{exposition, of_schedule, page, page_policy, target_json, targets_json};
use crate::target::Services;

/// A monitor is ready after that time, even if some target with a long interval has not had its first check.
const READY_AFTER: Duration = Duration::from_secs(60);

/// All paths, with what each is for.
const PATHS: &[(&str, &str)] = &[
    ("/", "all targets, as a page"),
    (
        "/api/targets",
        "all targets, as the page reads them; with since=CURSOR those that are new",
    ),
    (
        "/api/target?name=NAME",
        "one target with its evidence and what to do next",
    ),
    ("/metrics", "all targets and this process, for Prometheus"),
    (
        "/probe?target=HOST:PORT",
        "one check, made for this request; with module=NAME, timeout=DURATION, debug=true",
    ),
    ("/-/healthy", "whether this process answers"),
    ("/-/ready", "whether every target has been looked at"),
    ("/-/reload", "reads the configuration again (POST or PUT)"),
];

/// Where answers will be given: nobody has been answered yet.
pub(super) struct Listening {
    server: Server,
    gate: Arc<Gate>,
}

/// Where they are given.
pub(super) struct Answering {
    finisher: Finisher,
    thread: JoinHandle<()>,
}

/// Listens, before anything is sent, so that what is wrong here ends the run at once.
pub(super) fn listen(arguments: &MonitorArguments) -> Result<Listening, Failure> {
    let gate = match &arguments.web_config {
        None => Gate::open(complain),
        Some(file) => Gate::read(file, complain).map_err(Failure::usage)?,
    };
    let gate = Arc::new(gate);
    let server = Server::bind(&arguments.listen, Limits::default(), Arc::clone(&gate));
    Ok(Listening {
        server: server.map_err(Failure::usage)?,
        gate,
    })
}

impl Listening {
    /// Where, as one may put it into a browser.
    pub(super) fn urls(&self) -> String {
        let scheme = if self.gate.wants_tls() { "https" } else { "http" };
        let addresses = self.server.addresses().into_iter();
        let urls: Vec<String> = addresses.map(|at| format!("{scheme}://{at}/")).collect();
        urls.join(" and ")
    }

    /// Answers from what is known, until it is told to end.
    pub(super) fn answer(self, state: Arc<State>) -> Result<Answering, Failure> {
        let cannot =
            |error| Failure::could_not_judge(format!("answering over HTTP is not possible: {error}"));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(cannot)?;
        let reach = Reach::of(&self.server.addresses());
        let web = Arc::new(Web {
            state,
            gate: self.gate,
            reach,
            services: services(),
            buckets: Mutex::default(),
            has_been_ready: AtomicBool::new(false),
        });
        let (finisher, mut finish) = finisher();
        let answer = move |request| {
            let web = Arc::clone(&web);
            async move { web.answer(&request).await }
        };
        let serve = move || {
            let served = runtime.block_on(self.server.serve(answer, async move { finish.requested().await }));
            if let Err(error) = served {
                complain(&format!("nobody is answered over HTTP any more: {error}"));
            }
        };
        let thread = off_duty("http", serve).map_err(cannot)?;
        Ok(Answering { finisher, thread })
    }
}

impl Answering {
    /// Answers what is being answered, within a second, and nobody else.
    pub(super) fn stop(&self) {
        self.finisher.finish();
    }

    /// Returns when it has ended.
    pub(super) fn wait(self) {
        // If it panicked, it has ended too, and said so.
        let _ = self.thread.join();
    }
}

/// What answers are made from.
struct Web {
    state: Arc<State>,
    gate: Arc<Gate>,
    reach: Reach,
    services: Services,
    buckets: Mutex<Buckets>,
    has_been_ready: AtomicBool,
}

impl Web {
    async fn answer(&self, request: &Request) -> Response {
        let response = match request.path.as_str() {
            "/-/reload" => self.reload(request).await,
            "/" | "/api/targets" | "/api/target" | "/metrics" | "/probe" | "/-/healthy" | "/-/ready"
                if !matches!(request.method.as_str(), "GET" | "HEAD") =>
            {
                Response::text(405, format!("{} is asked with GET or HEAD.", request.path))
                    .with("allow", "GET, HEAD")
            }
            "/" => html(page(&self.state.board, clock::unix_now())),
            "/api/targets" => json(targets_json(
                &self.state.board,
                request.query("since"),
                clock::unix_now(),
            )),
            "/api/target" => self.target(request),
            "/metrics" => self.metrics(request),
            "/probe" => self.probe(request).await,
            "/-/healthy" => Response::text(200, "tcpprobe is healthy."),
            "/-/ready" => self.ready(),
            path => not_found(path),
        };
        hardened(response)
    }

    /// One target, by the name that the configuration gives it.
    fn target(&self, request: &Request) -> Response {
        let Some(name) = request.query("name") else {
            return Response::text(
                400,
                "Say which target: /api/target?name=NAME, as /api/targets names it.",
            );
        };
        let slots = self.state.board.slots();
        match slots.iter().find(|slot| slot.watched.name == name) {
            Some(slot) => json(target_json(slot, settings::syn_schedule(), clock::unix_now())),
            None => Response::text(
                404,
                "There is no target of that name; /api/targets lists all of them.",
            ),
        }
    }

    fn metrics(&self, request: &Request) -> Response {
        let form = exposition(request.header("accept"));
        let pieces = of_schedule(&self.state.board, Usage::of_this_process(), form);
        Response {
            status: 200,
            headers: vec![("content-type", form.content_type().to_owned())],
            body: Body::Pieces(Box::new(pieces)),
        }
    }

    /// Ready is who has looked at every target, since who asks then gets an answer for each; and who has been once remains so.
    fn ready(&self) -> Response {
        if self.has_been_ready.load(Ordering::Relaxed) {
            return ready();
        }
        let slots = self.state.board.slots();
        let is_unseen = |slot: &&Arc<_>| crate::monitor::Slot::standing(slot).latest.is_none();
        let unseen = slots.iter().filter(is_unseen).count();
        let up = clock::unix_now().saturating_sub(self.state.board.started_unix_s);
        if unseen > 0 && up < READY_AFTER {
            let says = format!("{unseen} of {} targets have not been looked at yet.", slots.len());
            return Response::text(503, says).with("retry-after", "1");
        }
        self.has_been_ready.store(true, Ordering::Relaxed);
        ready()
    }

    async fn reload(&self, request: &Request) -> Response {
        if !matches!(request.method.as_str(), "POST" | "PUT") {
            return Response::text(405, "/-/reload is asked with POST or PUT: it changes something.")
                .with("allow", "POST, PUT");
        }
        if is_from_another_site(request) {
            return Response::text(
                403,
                "A page of another site may not have the configuration read again.",
            );
        }
        if let Err(why) = self.state.reloads.reload().await {
            return Response::text(
                500,
                format!("The configuration was not taken, and the one before stays in force: {why}"),
            );
        }
        if let Err(why) = self.gate.refresh() {
            return Response::text(
                500,
                format!(
                    "The configuration is in force, but not the web configuration; the one before stays: {why}"
                ),
            );
        }
        Response::text(200, "The configuration is in force.")
    }
}

fn ready() -> Response {
    Response::text(200, "tcpprobe is ready.")
}

fn html(page: String) -> Response {
    Response {
        status: 200,
        headers: vec![
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("content-security-policy", page_policy().to_owned()),
        ],
        body: Body::Whole(page.into_bytes()),
    }
}

fn json(document: Vec<u8>) -> Response {
    Response {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        body: Body::Whole(document),
    }
}

fn not_found(path: &str) -> Response {
    let shown: String = path
        .chars()
        .take(100)
        .filter(|letter| !letter.is_control())
        .collect();
    let widest = PATHS.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
    let paths = PATHS
        .iter()
        .map(|(path, what)| format!("  {path:widest$}  {what}\n"));
    Response::text(
        404,
        format!(
            "There is nothing at {shown}. The paths are:\n{}",
            paths.collect::<String>()
        ),
    )
}

/// Whether a browser says that a page of another site made it ask. Of two sites that a person has open, one shall not use the
/// person's way to the other.
fn is_from_another_site(request: &Request) -> bool {
    request.header("sec-fetch-site") == Some("cross-site")
}

/// What browsers are to take care of, where the answer itself does not say.
fn hardened(mut response: Response) -> Response {
    for (name, value) in [
        ("cache-control", "no-store"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        if !response.headers.iter().any(|(known, _)| *known == name) {
            response.headers.push((name, value.to_owned()));
        }
    }
    response
}
