//! What this test program does when it is run as a command inside a lab: it says what it may and sees.

use std::fs;

/// The argument that makes the test program do this.
pub(crate) const WHAT_I_AM: &str = "--what-i-am";

/// Does it if asked to, and returns the exit code.
pub(crate) fn main() -> Option<i32> {
    if std::env::args().nth(1).as_deref() != Some(WHAT_I_AM) {
        return None;
    }
    let raw = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::RAW,
        Some(socket2::Protocol::TCP),
    );
    println!("raw: {:?}", raw.map(drop).map_err(|error| error.kind()));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("Cap") || line.starts_with("NoNewPrivs"))
    {
        println!("{line}");
    }
    for name in ["resolv.conf", "hosts"] {
        println!(
            "{name}: {:?}",
            fs::read_to_string(format!("/etc/{name}")).map_err(|error| error.kind())
        );
    }
    let mut files = Vec::new();
    while let Ok(file) = fs::File::open("/dev/null") {
        files.push(file);
        if files.len() > 4096 {
            break;
        }
    }
    println!("files: {}", files.len());
    Some(0)
}
