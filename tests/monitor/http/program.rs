//! The program itself: its routes, what it refuses, and its end.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};
use tcpprobe::lab::{self, Family, Lab, Network, Node, Powers};

use super::certificates::{Authority, VERSIONS};
use super::client::{Answer, Connection, PATIENCE, get};
use super::loopback;
use crate::{House, TCPPROBE, wanted};

type Job = fn(&mut Scene) -> Result<(), Failed>;

const ALL: &[(&str, Job)] = &[
    ("each_route_answers", each_route_answers),
    (
        "a_wrong_request_is_told_what_would_be_right",
        a_wrong_request_is_told_what_would_be_right,
    ),
    (
        "a_failed_target_is_an_answer_like_others",
        a_failed_target_is_an_answer_like_others,
    ),
    (
        "the_configuration_is_read_again_or_stays",
        the_configuration_is_read_again_or_stays,
    ),
    (
        "beyond_loopback_only_what_is_configured_may_be_asked_for",
        beyond_loopback_only_what_is_configured_may_be_asked_for,
    ),
    (
        "one_host_is_not_asked_for_too_often",
        one_host_is_not_asked_for_too_often,
    ),
    (
        "a_check_ends_with_the_client_that_asked_for_it",
        a_check_ends_with_the_client_that_asked_for_it,
    ),
    (
        "a_check_ends_before_the_scraper_gives_up",
        a_check_ends_before_the_scraper_gives_up,
    ),
    (
        "it_ends_when_it_is_told_to_whoever_is_connected",
        it_ends_when_it_is_told_to_whoever_is_connected,
    ),
    (
        "it_answers_again_after_it_had_no_descriptors",
        it_answers_again_after_it_had_no_descriptors,
    ),
    (
        "the_web_configuration_holds_for_every_route",
        the_web_configuration_holds_for_every_route,
    ),
    (
        "what_keeps_it_from_listening_ends_it_at_once",
        what_keeps_it_from_listening_ends_it_at_once,
    ),
];

pub(super) fn trials(house: &House) -> Vec<Trial> {
    let mut trials = Vec::new();
    for family in Family::BOTH {
        for (name, job) in ALL {
            trials.push(
                house.trial(format!("http_{name}_{family:?}").to_lowercase(), move || {
                    let lab = Lab::build(&Network::default())?;
                    let mut scene = Scene::set(&lab, family)?;
                    lab.on(Node::Client, move || {
                        let outcome = job(&mut scene);
                        outcome.map_err(|failed| scene.with_what_was_said(&failed))
                    })?
                }),
            );
        }
    }
    trials
}

/// A directory, the program to be started, and where it listens.
struct Scene {
    directory: tempfile::TempDir,
    command: Command,
    few_descriptors: Command,
    at: SocketAddr,
    family: Family,
    child: Option<Child>,
}

impl Scene {
    fn set(lab: &Lab, family: Family) -> Result<Self, Failed> {
        Ok(Self {
            directory: tempfile::tempdir()?,
            command: lab.command(TCPPROBE, Powers::None, None)?,
            few_descriptors: lab.command(TCPPROBE, Powers::None, Some(40))?,
            at: SocketAddr::new(loopback(family), 9965),
            family,
            child: None,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Starts it, listening on loopback, and waits until it answers.
    fn start(&mut self, arguments: &[&str]) -> Result<(), Failed> {
        let listen = format!("--listen={}", self.at);
        self.start_listening(&[&[listen.as_str()], arguments].concat())
    }

    fn start_listening(&mut self, arguments: &[&str]) -> Result<(), Failed> {
        let said = File::create(self.path("stderr"))?;
        let events = File::create(self.path("stdout"))?;
        let command = self.command.arg("monitor").args(arguments);
        self.child = Some(command.stdin(Stdio::null()).stdout(events).stderr(said).spawn()?);
        super::until(|| TcpStream::connect(self.at).is_ok())
    }

    fn get(&self, path: &str) -> io::Result<Answer> {
        get(self.at, path)
    }

    fn post(&self, path: &str) -> io::Result<Answer> {
        Connection::open(self.at)?.ask("POST", path, &[])
    }

    /// Has it end, and says with which exit code.
    fn end(&mut self) -> Result<Option<i32>, Failed> {
        let Some(mut child) = self.child.take() else {
            return Err("it is not running".into());
        };
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
        for _ in 0..PATIENCE.as_millis() / 5 {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code());
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.child = Some(child);
        Err("it has not ended".into())
    }

    fn with_what_was_said(&self, failed: &Failed) -> Failed {
        let said = fs::read_to_string(self.path("stderr")).unwrap_or_default();
        format!("{}\nstderr: {said}", failed.message().unwrap_or_default()).into()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Somebody listens there, until this is dropped.
fn listen(at: IpAddr) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::new(at, 0))
}

/// A listener whose queue is full: SYNs to it are ignored.
fn full_listener(at: IpAddr) -> Result<(Vec<Socket>, SocketAddr), Failed> {
    let listener = Socket::new(Domain::for_address((at, 0).into()), Type::STREAM, None)?;
    listener.bind(&SocketAddr::new(at, 0).into())?;
    listener.listen(0)?;
    let address = listener.local_addr()?.as_socket().ok_or("no address")?;
    let mut held = vec![listener];
    for _ in 0..2 {
        let caller = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        caller.set_nonblocking(true)?;
        // The first is taken, another may stay on its way.
        let _ = caller.connect(&address.into());
        held.push(caller);
    }
    Ok((held, address))
}

/// How many sockets of this network are on their way to a port.
fn on_their_way(family: Family, port: u16) -> io::Result<usize> {
    const SYN_SENT: &str = "02";
    let path = match family {
        Family::V4 => "/proc/thread-self/net/tcp",
        Family::V6 => "/proc/thread-self/net/tcp6",
    };
    let to = format!(":{port:04X}");
    let table = fs::read_to_string(path)?;
    let of_interest = table.lines().filter(|line| {
        let mut columns = line.split_whitespace().skip(2);
        columns.next().is_some_and(|remote| remote.ends_with(&to)) && columns.next() == Some(SYN_SENT)
    });
    Ok(of_interest.count())
}

fn each_route_answers(scene: &mut Scene) -> Result<(), Failed> {
    let listener = listen(scene.at.ip())?;
    let open = listener.local_addr()?.to_string();
    scene.start(&[&open, "--interval=200ms", "--timeout=200ms"])?;
    super::until(|| scene.get("/-/ready").is_ok_and(|answer| answer.status == 200))?;
    for (path, kind, holds) in [
        ("/", "text/html; charset=utf-8", ""),
        ("/api/targets", "application/json", "tcpprobe-monitor-targets/v1"),
        (
            &format!("/api/target?name={open}"),
            "application/json",
            "tcpprobe-monitor-target/v1",
        ),
        (
            "/metrics",
            "text/plain; version=0.0.4; charset=utf-8",
            "tcpprobe_state{target=",
        ),
        ("/-/healthy", "text/plain; charset=utf-8", "tcpprobe is healthy."),
        ("/-/ready", "text/plain; charset=utf-8", "tcpprobe is ready."),
        (
            &format!("/probe?target={open}"),
            "text/plain; version=0.0.4; charset=utf-8",
            "probe_success 1",
        ),
        (
            &format!("/probe?target={open}&debug=true"),
            "text/plain; charset=utf-8",
            "open/healthy",
        ),
        (
            &format!("/probe?target={open}&module=default&timeout=100ms"),
            "text/plain; version=0.0.4; charset=utf-8",
            "probe_timeout_seconds 0.1",
        ),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = Connection::open(scene.at)?.ask(method, path, &[])?;
            wanted(
                answer.status == 200
                    && answer.header("content-type") == Some(kind)
                    && answer.header("x-content-type-options") == Some("nosniff")
                    && answer
                        .header("content-security-policy")
                        .is_some_and(|policy| policy.contains("default-src 'none'"))
                    && (method == "HEAD") == answer.body.is_empty()
                    && (method == "HEAD" || answer.text().contains(holds)),
                || format!("{method} {path}: {answer:?}"),
            )?;
        }
    }
    let debug = scene.get(&format!("/probe?target={open}&debug=true"))?.text();
    wanted(
        debug.contains("SYN-ACK to the first SYN") && debug.contains("\nprobe_success 1\n"),
        || format!("neither evidence nor metrics: {debug}"),
    )?;
    for (accept, kind) in [
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        (
            "text/plain;q=0.5, */*;q=0.1",
            "text/plain; version=0.0.4; charset=utf-8",
        ),
    ] {
        for path in ["/metrics".to_owned(), format!("/probe?target={open}")] {
            let answer = Connection::open(scene.at)?.ask("GET", &path, &[("Accept", accept)])?;
            wanted(answer.header("content-type") == Some(kind), || {
                format!("{path}: {answer:?}")
            })?;
        }
    }
    let nothing = scene.get("/metric")?;
    wanted(
        nothing.status == 404 && nothing.text().contains("  /metrics "),
        || format!("{nothing:?}"),
    )?;
    let mut connection = Connection::open(scene.at)?;
    for (method, path, allow) in [
        ("POST", "/probe", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("GET", "/-/reload", "POST, PUT"),
    ] {
        let answer = connection.ask(method, path, &[])?;
        wanted(
            answer.status == 405 && answer.header("allow") == Some(allow),
            || format!("{method} {path}: {answer:?}"),
        )?;
    }
    for (path, status) in [("/api/target", 400), ("/api/target?name=nobody", 404)] {
        let answer = connection.get(path)?;
        wanted(answer.status == status, || format!("{path}: {answer:?}"))?;
    }
    for (method, path) in [("GET", "/probe?target=localhost:1"), ("POST", "/-/reload")] {
        let answer = connection.ask(method, path, &[("Sec-Fetch-Site", "cross-site")])?;
        wanted(answer.status == 403, || {
            format!("{path} for another site: {answer:?}")
        })?;
    }
    Ok(())
}

fn a_wrong_request_is_told_what_would_be_right(scene: &mut Scene) -> Result<(), Failed> {
    scene.start(&[])?;
    let mut connection = Connection::open(scene.at)?;
    for (path, scrape, expected) in [
        (
            "/probe",
            "",
            "the parameter `target` is missing: ask for /probe?target=HOST:PORT\n",
        ),
        ("/probe?target=", "", "the parameter `target` is missing"),
        ("/probe?target=db", "", "target: `db` has no port"),
        ("/probe?target=db:0", "", "target: "),
        (
            "/probe?target=db:1&module=defaul",
            "",
            "there is no module `defaul`: did you mean default?",
        ),
        (
            "/probe?target=db:1&target=db:2",
            "",
            "the parameter `target` is there twice: give it once",
        ),
        (
            "/probe?target=db:1&modul=default",
            "",
            "/probe has no parameter `modul`: did you mean module?",
        ),
        (
            "/probe?target=db:1&debug=yes",
            "",
            "debug is true or false, and this is `yes`",
        ),
        ("/probe?target=db:1&timeout=1h", "", "timeout: "),
        (
            "/probe?target=db:1",
            "soon",
            "the header X-Prometheus-Scrape-Timeout-Seconds is a number of seconds",
        ),
        ("/probe?target=db:1", "0.5", "the scraper waits for 0.5 s"),
    ] {
        let header = [("X-Prometheus-Scrape-Timeout-Seconds", scrape)];
        let headers = if scrape.is_empty() { &[][..] } else { &header };
        let answer = connection.ask("GET", path, headers)?;
        wanted(
            answer.status == 400 && answer.text().starts_with(expected),
            || format!("{path}: {answer:?}"),
        )?;
    }
    Ok(())
}

fn a_failed_target_is_an_answer_like_others(scene: &mut Scene) -> Result<(), Failed> {
    let closed = listen(scene.at.ip())?.local_addr()?;
    scene.start(&[])?;
    let answer = scene.get(&format!("/probe?target={closed}"))?;
    wanted(
        answer.status == 200
            && answer.text().contains("\nprobe_success 0\n")
            && answer.text().contains("cause=\"no-listener\""),
        || format!("{answer:?}"),
    )
}

fn the_configuration_is_read_again_or_stays(scene: &mut Scene) -> Result<(), Failed> {
    let config = scene.write("tcpprobe.yaml", "targets: [\"localhost:1\"]\n")?;
    scene.start(&[&format!("--config={}", config.display())])?;
    let has = |scene: &Scene, target: &str| {
        let metrics = scene.get("/metrics")?.text();
        Ok::<bool, io::Error>(metrics.contains(&format!("tcpprobe_checks_total{{target=\"{target}\"")))
    };
    wanted(has(scene, "localhost:1")?, || "not as configured".to_owned())?;
    scene.write("tcpprobe.yaml", "targets: [\"localhost:2\"]\n")?;
    let answer = scene.post("/-/reload")?;
    wanted(answer.status == 200, || format!("{answer:?}"))?;
    wanted(has(scene, "localhost:2")? && !has(scene, "localhost:1")?, || {
        "not read again".to_owned()
    })?;
    scene.write("tcpprobe.yaml", "target: [\"localhost:3\"]\n")?;
    let answer = Connection::open(scene.at)?.ask("PUT", "/-/reload", &[])?;
    wanted(
        answer.status == 500 && answer.text().contains("tcpprobe.yaml:1:1: `target` is no key"),
        || format!("{answer:?}"),
    )?;
    wanted(has(scene, "localhost:2")?, || {
        "the one before does not stay in force".to_owned()
    })
}

fn beyond_loopback_only_what_is_configured_may_be_asked_for(scene: &mut Scene) -> Result<(), Failed> {
    let listener = listen(scene.at.ip())?;
    let own = listener.local_addr()?;
    let any = match scene.family {
        Family::V4 => "0.0.0.0:9965",
        Family::V6 => "[::]:9965",
    };
    let allowed = listen(scene.at.ip())?.local_addr()?;
    let config = format!("targets: [\"{own}\"]\n");
    let file = scene.write("tcpprobe.yaml", &config)?;
    scene.start_listening(&[
        &format!("--listen={any}"),
        &format!("--config={}", file.display()),
    ])?;
    wanted(scene.get(&format!("/probe?target={own}"))?.status == 200, || {
        "its own target".to_owned()
    })?;
    let refused = scene.get(&format!("/probe?target={allowed}"))?;
    wanted(
        refused.status == 403
            && refused
                .text()
                .starts_with(&format!("{allowed} is not permitted: ")),
        || format!("{refused:?}"),
    )?;
    scene.write("tcpprobe.yaml", &format!("{config}allow: [\"{allowed}\"]\n"))?;
    scene.post("/-/reload")?;
    wanted(
        scene.get(&format!("/probe?target={allowed}"))?.status == 200,
        || "it is permitted".to_owned(),
    )
}

fn one_host_is_not_asked_for_too_often(scene: &mut Scene) -> Result<(), Failed> {
    let listener = listen(scene.at.ip())?;
    let open = listener.local_addr()?;
    let config = scene.write(
        "tcpprobe.yaml",
        "targets: []\nprobe_limit: { rate: 1, burst: 2 }\n",
    )?;
    scene.start(&[&format!("--config={}", config.display())])?;
    let path = format!("/probe?target={open}");
    // On a busy machine a second may pass between two of them.
    let answers: Vec<Answer> = (0..20).map(|_| scene.get(&path)).collect::<io::Result<_>>()?;
    wanted(answers[0].status == 200 && answers[1].status == 200, || {
        "not even what is permitted".to_owned()
    })?;
    let refused = answers.iter().find(|answer| answer.status == 429);
    wanted(
        refused.is_some_and(|answer| {
            answer.header("retry-after") == Some("1") && answer.text().contains("`probe_limit`")
        }),
        || format!("{answers:?}"),
    )
}

fn a_check_ends_with_the_client_that_asked_for_it(scene: &mut Scene) -> Result<(), Failed> {
    let (_held, full) = full_listener(scene.at.ip())?;
    let (family, port) = (scene.family, full.port());
    let before = on_their_way(family, port)?;
    scene.start(&["--interval=10m", "--timeout=5m"])?;
    let mut connection = Connection::open(scene.at)?;
    connection.send(format!("GET /probe?target={full} HTTP/1.1\r\nhost: test\r\n\r\n"))?;
    super::until(|| on_their_way(family, port).is_ok_and(|count| count > before))?;
    drop(connection);
    super::until(|| on_their_way(family, port).is_ok_and(|count| count <= before))?;
    wanted(scene.get("/-/healthy")?.status == 200, || {
        "it ended with it".to_owned()
    })
}

fn a_check_ends_before_the_scraper_gives_up(scene: &mut Scene) -> Result<(), Failed> {
    let (_held, full) = full_listener(scene.at.ip())?;
    scene.start(&["--interval=10m", "--timeout=5m"])?;
    let header = [("X-Prometheus-Scrape-Timeout-Seconds", "1")];
    let answer = Connection::open(scene.at)?.ask("GET", &format!("/probe?target={full}"), &header)?;
    wanted(
        answer.status == 200
            && answer.text().contains("\nprobe_success 0\n")
            && answer.text().contains("\nprobe_timeout_seconds 0.5\n"),
        || format!("{answer:?}"),
    )
}

fn it_ends_when_it_is_told_to_whoever_is_connected(scene: &mut Scene) -> Result<(), Failed> {
    let (_held, full) = full_listener(scene.at.ip())?;
    scene.start(&["--interval=10m", "--timeout=5m"])?;
    let mut idle = Connection::open(scene.at)?;
    idle.get("/-/healthy")?;
    let mut half = Connection::open(scene.at)?;
    half.send("GET /-/heal")?;
    let mut asking = Connection::open(scene.at)?;
    asking.send(format!("GET /probe?target={full} HTTP/1.1\r\nhost: test\r\n\r\n"))?;
    super::until(|| on_their_way(scene.family, full.port()).is_ok_and(|count| count > 0))?;
    let code = scene.end()?;
    wanted(code == Some(0) && idle.is_ended()?, || {
        format!("exit code {code:?}")
    })
}

fn it_answers_again_after_it_had_no_descriptors(scene: &mut Scene) -> Result<(), Failed> {
    std::mem::swap(&mut scene.command, &mut scene.few_descriptors);
    scene.start(&[])?;
    let mut held = Vec::new();
    // More than it has descriptors; those beyond wait in the kernel.
    for _ in 0..60 {
        held.push(Connection::open(scene.at)?);
    }
    let said = scene.path("stderr");
    super::until(|| {
        fs::read_to_string(&said).is_ok_and(|said| said.contains("connections cannot be accepted"))
    })?;
    drop(held);
    super::until(|| scene.get("/-/healthy").is_ok_and(|answer| answer.status == 200))?;
    // Once for as long as it lasts, however often it is tried; while they go, it may end and begin again.
    let said = fs::read_to_string(&said)?;
    wanted(
        said.matches("connections cannot be accepted").count() <= 10,
        || said.clone(),
    )
}

fn the_web_configuration_holds_for_every_route(scene: &mut Scene) -> Result<(), Failed> {
    let authority = Authority::new("ours")?;
    authority.server()?.write(scene.directory.path())?;
    let config = format!(
        "tls_server_config: {{ cert_file: server.crt, key_file: server.key }}\nbasic_auth_users: {{ alice: {} }}\n",
        bcrypt::hash("secret", 4)?
    );
    let file = scene.write("web.yml", &config)?;
    scene.start(&[&format!("--web-config={}", file.display())])?;
    let client = authority.client(None, &VERSIONS)?;
    let mut connection = Connection::tls(scene.at, client)?;
    for path in [
        "/",
        "/metrics",
        "/probe?target=localhost:1",
        "/-/healthy",
        "/-/ready",
        "/nothing",
    ] {
        let refused = connection.get(path)?;
        wanted(refused.status == 401, || format!("{path}: {refused:?}"))?;
        let right = [("Authorization", "Basic YWxpY2U6c2VjcmV0")];
        let answer = connection.ask("GET", path, &right)?;
        wanted(
            answer.status == if path == "/nothing" { 404 } else { 200 },
            || format!("{path}: {answer:?}"),
        )?;
    }
    let reload = connection.ask("POST", "/-/reload", &[])?;
    wanted(reload.status == 401, || format!("{reload:?}"))?;
    scene.write("web.yml", "tls_server_config: yes\n")?;
    let reload = connection.ask(
        "POST",
        "/-/reload",
        &[("Authorization", "Basic YWxpY2U6c2VjcmV0")],
    )?;
    let said = fs::read_to_string(scene.path("stderr"))?;
    wanted(reload.status == 500 && said.contains("web.yml:1:20: "), || {
        format!("{reload:?}, {said}")
    })
}

fn what_keeps_it_from_listening_ends_it_at_once(scene: &mut Scene) -> Result<(), Failed> {
    let taken = TcpListener::bind(scene.at)?;
    let web_config = scene.write("web.yml", "tls_server_config:\n  cert_file: server.crt\n")?;
    let listen = format!("--listen={}", scene.at);
    let web_config = format!("--web-config={}", web_config.display());
    scene.command.args(["monitor", &listen]);
    let finished = lab::run(&mut scene.command, PATIENCE)?;
    wanted(
        finished.status.code() == Some(2) && finished.stderr.contains("Another program listens there"),
        || format!("{finished:?}"),
    )?;
    drop(taken);
    scene.command.arg(&web_config);
    let finished = lab::run(&mut scene.command, PATIENCE)?;
    wanted(
        finished.status.code() == Some(2)
            && finished
                .stderr
                .contains("web.yml:2:3: TLS needs a certificate and its key"),
        || format!("{finished:?}"),
    )
}
