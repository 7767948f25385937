//! The process whose sockets are looked at: it does what it is told on its standard input, a line at a time.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use socket2::{Domain, Socket, Type};

/// The first argument that makes the test program this process.
pub(crate) const ARGUMENT: &str = "--hold-sockets";

/// Obeys until standard input ends.
pub(crate) fn obey() -> i32 {
    let mut held: Vec<Option<Socket>> = Vec::new();
    for line in io::stdin().lines() {
        let Ok(line) = line else { return 1 };
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match carry_out(&words, &mut held) {
            Ok(answer) => answer,
            Err(error) => format!("error {line}: {error}"),
        };
        let mut out = io::stdout();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            return 1;
        }
    }
    0
}

fn carry_out(words: &[&str], held: &mut Vec<Option<Socket>>) -> io::Result<String> {
    let number = |word: &str| word.parse::<usize>().map_err(io::Error::other);
    let address = |word: &str| word.parse::<SocketAddr>().map_err(io::Error::other);
    let keep = |socket: Socket, held: &mut Vec<Option<Socket>>| {
        held.push(Some(socket));
        (held.len() - 1).to_string()
    };
    let gone = || io::Error::other("not held");
    match words {
        ["connect", to] => {
            let socket = socket(address(to)?)?;
            socket.connect(&address(to)?.into())?;
            socket.set_tcp_nodelay(true)?;
            Ok(keep(socket, held))
        }
        ["begin-to-connect", to] => {
            let socket = socket(address(to)?)?;
            socket.set_nonblocking(true)?;
            match socket.connect(&address(to)?.into()) {
                Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(error),
                _ => Ok(keep(socket, held)),
            }
        }
        ["listen", at, backlog] => {
            let socket = socket(address(at)?)?;
            socket.bind(&address(at)?.into())?;
            socket.listen(backlog.parse().map_err(io::Error::other)?)?;
            let local = socket.local_addr()?.as_socket().ok_or_else(gone)?;
            keep(socket, held);
            Ok(local.to_string())
        }
        ["send", which, times] => {
            let socket = held
                .get(number(which)?)
                .and_then(Option::as_ref)
                .ok_or_else(gone)?;
            for _ in 0..number(times)? {
                socket.send(b"x")?;
            }
            Ok("done".to_owned())
        }
        // Until there is no room, here or there.
        ["fill", which] => {
            let socket = held
                .get(number(which)?)
                .and_then(Option::as_ref)
                .ok_or_else(gone)?;
            socket.set_nonblocking(true)?;
            while socket.send(&[0; 4096]).is_ok() {}
            Ok("done".to_owned())
        }
        ["shutdown", which] => {
            let socket = held
                .get(number(which)?)
                .and_then(Option::as_ref)
                .ok_or_else(gone)?;
            socket.shutdown(std::net::Shutdown::Write)?;
            Ok("done".to_owned())
        }
        ["close", which] => {
            held[number(which)?] = None;
            Ok("done".to_owned())
        }
        _ => Err(io::Error::other("no such order")),
    }
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(address), Type::STREAM, None)
}

/// The other end of its orders.
pub(crate) struct Holder {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Holder {
    /// Starts the command, which is this program.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers).lines(),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has something done, and waits for it.
    pub(crate) fn order(&mut self, order: &str) -> io::Result<String> {
        let orders = self.orders.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(orders, "{order}")?;
        let answer = self.answers.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        if answer.starts_with("error") {
            return Err(io::Error::other(answer));
        }
        Ok(answer)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // It ends when nobody tells it anything any more.
        self.orders = None;
        let _ = self.child.wait();
    }
}
