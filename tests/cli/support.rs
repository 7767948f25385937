//! Starting the program, and ports in every state that loopback has.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

/// No run of these tests needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; absent when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with an environment that says nothing about terminals.
pub(crate) fn command() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_tcpprobe")))
}

/// The program in a network of its own that has no route anywhere; absent where none can be made.
pub(crate) fn command_without_routes() -> Option<Command> {
    let unshare = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", program]);
        clean(command)
    };
    if unshare("true").status().is_ok_and(|status| status.success()) {
        return Some(unshare(env!("CARGO_BIN_EXE_tcpprobe")));
    }
    cannot("unshare(1) makes no network namespace here");
    None
}

/// A command with an environment that says nothing about terminals.
pub(crate) fn clean(mut command: Command) -> Command {
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "TERM"] {
        command.env_remove(variable);
    }
    command
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub(crate) fn tcpprobe<S: AsRef<str>>(arguments: &[S]) -> Ran {
    run(command().args(arguments.iter().map(AsRef::as_ref)))
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    finish(command.spawn().unwrap())
}

/// Runs the program with a text on its standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &str) -> Ran {
    run_command_with_input(command().args(arguments), input).unwrap()
}

/// Runs a command with a text on its standard input; absent when there is no such command.
pub(crate) fn run_command_with_input(command: &mut Command, input: &str) -> Option<Ran> {
    let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    // Whoever finds its arguments wrong ends before it reads anything.
    let unread = |error: std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    assert!(
        written.map_or_else(unread, |()| true),
        "the input could not be written"
    );
    Some(finish(child))
}

/// Waits for the end, and reads what of the output nobody has taken.
pub(crate) fn finish(mut child: Child) -> Ran {
    let pid = pid(&child);
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(child.wait()));
    let Ok(status) = ended.recv_timeout(PATIENCE) else {
        let _ = kill(pid, Signal::SIGKILL);
        panic!("it does not end: {} {}", out.join().unwrap(), err.join().unwrap());
    };
    Ran {
        code: status.unwrap().code(),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_string(&mut text).unwrap();
        }
        text
    })
}

/// The child's process id, for signals.
pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// A test, or a part of one, that cannot run here. In CI, where all of them can, that is a failure.
pub(crate) fn cannot(reason: &str) {
    let test = thread::current().name().unwrap_or("?").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {reason}");
    #[expect(clippy::print_stderr, reason = "a test says that it could not run")]
    {
        eprintln!("{test} cannot run in full: {reason}");
    }
}

/// The loopback addresses of this host.
pub(crate) fn loopback() -> Vec<IpAddr> {
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    let mut all = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
    if TcpListener::bind((v6, 0)).is_ok() {
        all.push(v6);
    } else {
        cannot("this host has no ::1");
    }
    all
}

/// A port on loopback. It keeps its state while this lives.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    socket: Socket,
    _filler: Option<TcpStream>,
}

impl Port {
    /// Accepts connections, as far as the kernel does that by itself.
    pub(crate) fn open(on: IpAddr) -> Self {
        let port = Self::refused(on);
        port.begin_to_listen();
        port
    }

    /// Nothing listens, and nobody else can.
    pub(crate) fn refused(on: IpAddr) -> Self {
        let socket = Socket::new(Domain::for_address((on, 0).into()), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(on, 0).into()).unwrap();
        Self {
            address: socket.local_addr().unwrap().as_socket().unwrap(),
            socket,
            _filler: None,
        }
    }

    /// The accept queue is full: with a backlog of 0 it holds one connection.
    pub(crate) fn full(on: IpAddr) -> Self {
        let port = Self::refused(on);
        port.socket.listen(0).unwrap();
        let filler = TcpStream::connect(port.address).unwrap();
        Self {
            _filler: Some(filler),
            ..port
        }
    }

    pub(crate) fn begin_to_listen(&self) {
        self.socket.listen(64).unwrap();
    }

    /// Waits for a connection.
    pub(crate) fn accept(&self) -> Socket {
        // A program that does not connect fails the test instead of hanging it.
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        self.socket.accept().unwrap().0
    }

    /// How many connections have come since this was asked last.
    pub(crate) fn accepted(&self) -> usize {
        self.socket.set_nonblocking(true).unwrap();
        std::iter::from_fn(|| self.socket.accept().ok()).count()
    }

    /// As a word on the command line.
    pub(crate) fn word(&self) -> String {
        self.address.to_string()
    }
}
