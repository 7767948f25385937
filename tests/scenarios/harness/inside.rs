//! What this test program does when it is run as a command inside a lab: it says what it may and sees.

use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use tcpprobe::lab::{Family, Place};

/// The argument that makes the test program do this.
pub(crate) const WHAT_I_AM: &str = "--what-i-am";

/// Does it if asked to, and returns the exit code.
pub(crate) fn main() -> Option<i32> {
    if std::env::args().nth(1).as_deref() != Some(WHAT_I_AM) {
        return None;
    }
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP));
    line(&format!("raw: {:?}", raw.map(drop).map_err(|error| error.kind())));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for entry in status
        .lines()
        .filter(|entry| entry.starts_with("Cap") || entry.starts_with("NoNewPrivs"))
    {
        line(entry);
    }
    for name in ["resolv.conf", "hosts"] {
        line(&format!(
            "{name}: {:?}",
            fs::read_to_string(format!("/etc/{name}")).map_err(|error| error.kind())
        ));
    }
    for (family, name) in [(Family::V4, "v4"), (Family::V6, "v6")] {
        line(&format!(
            "ping {name}: {:?}",
            ping(Place::Server.address(family)).map_err(|error| error.kind())
        ));
    }
    let mut files = Vec::new();
    while let Ok(file) = fs::File::open("/dev/null") {
        files.push(file);
        if files.len() > 4096 {
            break;
        }
    }
    line(&format!("files: {}", files.len()));
    Some(0)
}

/// Standard output is what this is about.
fn line(text: &str) {
    // Whoever asked may have gone.
    let _ = writeln!(io::stdout(), "{text}");
}

/// Sends an echo request the way any user may, if any user may, and waits for 300 ms.
fn ping(to: std::net::IpAddr) -> io::Result<()> {
    let to = SocketAddr::new(to, 0);
    let (protocol, request) = match to {
        SocketAddr::V4(_) => (Protocol::ICMPV4, 8),
        SocketAddr::V6(_) => (Protocol::ICMPV6, 128),
    };
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(protocol))?;
    socket.set_read_timeout(Some(Duration::from_millis(300)))?;
    socket.send_to(&[request, 0, 0, 0, 0, 0, 0, 1], &to.into())?;
    (&socket).read(&mut [0; 64]).map(drop)
}
