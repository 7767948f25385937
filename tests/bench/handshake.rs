//! The round trips of handshakes as several programs tell them, against the times that tcpdump gives the same packets.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use super::capture::Capture;
use super::tools::{HANDSHAKES, Said, Tool};
use super::{OPEN, Spread};

/// So many microseconds are as good as none.
const NEAR: f64 = 10.0;

/// What a program says of a handshake, and what tcpdump says, in microseconds.
struct Pair {
    said: f64,
    seen: f64,
}

impl Pair {
    fn difference(&self) -> f64 {
        self.said - self.seen
    }
}

/// Prints the table: a row for each way and program. A way has a name, an interface and an address.
pub(super) fn measure(ways: &[(&str, &str, IpAddr)]) {
    println!(
        "Round trips of {HANDSHAKES} handshakes as the program tells them, and from SYN to SYN-ACK as tcpdump saw them, in \
         microseconds:\n"
    );
    println!(
        "| way | program | its median | tcpdump, median | difference min | median | max | of them within {NEAR} µs |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut stamped = Vec::new();
    for (way, interface, address) in ways {
        let server = SocketAddr::new(*address, OPEN);
        for tool in Tool::ALL {
            let name = tool.name();
            let row = if address.is_ipv6() && !tool.has_ipv6() {
                "has no IPv6 ||||||".to_owned()
            } else {
                match compare(tool, interface, server, &mut stamped) {
                    Ok(row) => row,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        "it or tcpdump is not here ||||||".to_owned()
                    }
                    Err(error) => format!("{error} ||||||"),
                }
            };
            println!("| {way} | {name} | {row}");
        }
    }
    let by_kernel = stamped.iter().filter(|stamped| **stamped).count();
    println!(
        "\nOf the round trips of {} raw SYNs, {by_kernel} are by the kernel's stamps.\n",
        stamped.len()
    );
}

fn compare(tool: Tool, interface: &str, server: SocketAddr, stamped: &mut Vec<bool>) -> io::Result<String> {
    let capture = Capture::start(interface)?;
    let said = tool.run(interface, server)?;
    let pairs = pairs(&said, &capture.stop()?);
    let told = || said.iter().filter(|said| said.microseconds.is_some());
    stamped.extend(told().filter_map(|said| said.stamped));
    if told().next().is_none() {
        return Err(io::Error::other("says nothing of any of them"));
    }
    let spread = |number: fn(&Pair) -> f64| Spread::of(pairs.iter().map(number).collect());
    let (Some(said), Some(seen), Some(differences)) = (
        spread(|pair| pair.said),
        spread(|pair| pair.seen),
        spread(Pair::difference),
    ) else {
        return Err(io::Error::other("tcpdump saw none of them"));
    };
    let near = pairs
        .iter()
        .filter(|pair| pair.difference().abs() <= NEAR)
        .count();
    Ok(format!(
        "{:.2} | {:.2} | {differences} | {near} of {} |",
        said.median,
        seen.median,
        pairs.len()
    ))
}

/// What is said and what was seen of the same SYNs: those of one port in their order. A port of which not all were seen is
/// left out, since nobody can tell which.
fn pairs(said: &[Said], seen: &HashMap<u16, Vec<Option<f64>>>) -> Vec<Pair> {
    let mut said_of: HashMap<u16, Vec<Option<f64>>> = HashMap::new();
    for said in said {
        said_of.entry(said.port).or_default().push(said.microseconds);
    }
    said_of
        .iter()
        .filter_map(|(port, said)| Some((said, seen.get(port)?)))
        .filter(|(said, seen)| said.len() == seen.len())
        .flat_map(|(said, seen)| said.iter().zip(seen))
        .filter_map(|(said, seen)| {
            Some(Pair {
                said: (*said)?,
                seen: (*seen)?,
            })
        })
        .collect()
}
