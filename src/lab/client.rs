//! Programs that run on the client: the files that they see, and waiting for them with a deadline.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::net::clock;
use crate::net::open_files::OpenFiles;
use crate::net::sys::namespace::{self, Cage, NetNamespace, Powers};

use super::network::Files;

/// What programs need of the real `/etc` to run at all, as far as it is there.
const COPIED: [&str; 8] = [
    "passwd",
    "group",
    "nsswitch.conf",
    "services",
    "protocols",
    "gai.conf",
    "ld.so.cache",
    "localtime",
];

/// A directory that programs on the client see as `/etc`. It is removed when this is dropped.
pub(super) struct Etc(PathBuf);

impl Etc {
    pub(super) fn create(files: &Files) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tcpprobe-lab-{}-{number}", std::process::id()));
        fs::create_dir(&path)?;
        let etc = Self(path);
        for name in COPIED {
            // Nothing depends on a file that this system does not have, or does not let us read.
            let _ = fs::copy(Path::new("/etc").join(name), etc.0.join(name));
        }
        let own = [("resolv.conf", &files.resolv_conf), ("hosts", &files.hosts)];
        for (name, text) in own {
            if let Some(text) = text {
                fs::write(etc.0.join(name), text)?;
            }
        }
        Ok(etc)
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A command that will run on the client.
pub(super) fn command(
    program: &OsStr,
    network: NetNamespace,
    etc: &Etc,
    powers: Powers,
    open_files: OpenFiles,
) -> io::Result<Command> {
    let etc = CString::new(etc.0.as_os_str().as_bytes())?;
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    namespace::confine(
        &mut command,
        Cage {
            network,
            etc: Some(etc),
            powers,
            open_files,
        },
    );
    Ok(command)
}

/// What came of a program.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs a command to its end, or kills it at the deadline, which is an error.
pub fn run(command: &mut Command, deadline: Duration) -> io::Result<Finished> {
    let started = clock::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let status = wait(&mut child, deadline);
    let took = clock::now().duration_since(started);
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    match status? {
        Some(status) => Ok(Finished {
            status,
            stdout,
            stderr,
            took,
        }),
        None => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("still running after {deadline:?}\nstdout: {stdout}\nstderr: {stderr}"),
        )),
    }
}

fn wait(child: &mut Child, deadline: Duration) -> io::Result<Option<ExitStatus>> {
    let until = clock::now() + deadline;
    while clock::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
