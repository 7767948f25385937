//! Programs that run in a lab's client, and what they answer over HTTP there.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;
use tcpprobe::lab::{Lab, Node};
use tcpprobe::net::clock;

/// Nothing takes so long, but on a machine that has no time.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// So much of what a program has written is shown.
const LINES: usize = 40;
const LINE: usize = 500;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// A program that runs until this is dropped.
pub(super) struct Program {
    child: Child,
    output: PathBuf,
}

impl Program {
    /// Starts it; what it writes is kept in the folder.
    pub(super) fn start(mut command: Command, folder: &Path, name: &str) -> io::Result<Self> {
        let output = folder.join(format!("{name}.log"));
        let log = File::create(&output)?;
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child, output })
    }

    /// That it still runs.
    pub(super) fn runs(&mut self) -> Result<(), Failed> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{}: {status}\n{}", self.output.display(), self.said()).into()),
        }
    }

    /// What it has written last, each line as far as it can be read.
    pub(super) fn said(&self) -> String {
        let all = fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<&str> = all.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LINES));
        let short = last.map(|line| line.chars().take(LINE).collect::<String>() + "\n");
        short.collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of a server on the client's loopback.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks a server on the client's loopback.
pub(super) fn get(lab: &Lab, port: u16, path: &str) -> io::Result<Answer> {
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let answer = lab.on(Node::Client, move || -> io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut connection = TcpStream::connect_timeout(&address, ANSWER)?;
        connection.set_read_timeout(Some(ANSWER))?;
        connection.write_all(request.as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    })??;
    let wrong = || io::Error::other(format!("no answer of HTTP: {answer}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(wrong)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.ok_or_else(wrong)?,
        body: body.to_owned(),
    })
}

/// Looks until what is wanted is there; says what was there last where it does not come.
pub(super) fn until<T>(
    what: &str,
    mut look: impl FnMut() -> Result<Result<T, String>, Failed>,
) -> Result<T, Failed> {
    let end = clock::now() + PATIENCE;
    loop {
        match look()? {
            Ok(found) => return Ok(found),
            Err(lacks) if clock::now() > end => {
                return Err(format!("{what} does not come within {PATIENCE:?}:\n{lacks}").into());
            }
            Err(_) => thread::sleep(BETWEEN_LOOKS),
        }
    }
}
