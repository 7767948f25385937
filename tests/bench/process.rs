//! How long whole processes take, and how much memory: tcpprobe and its peers in turn, so that both meet the same noise.

use std::env;
use std::net::IpAddr;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use tcpprobe::net::clock;

use super::{CLOSED, OPEN, Spread, TCPPROBE};

const WARM_UPS: usize = 20;
const PAIRS: usize = 300;

/// The first argument of this program when it is to run a command once and print the peak of its memory.
const PEAK_OF: &str = "--peak-of";

pub(super) type Words = Vec<String>;

/// Prints the tables. The servers are on another host, so that raw packets can say something of their refusals.
pub(super) fn measure(servers: &[IpAddr]) {
    println!("Wall time of the whole process, in milliseconds, of {PAIRS} pairs in turn:\n");
    println!("| what | tcpprobe min | median | max | peer | min | median | max | ratio min | median | max |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let nc = is_openbsd_nc();
    let pairs = [
        ("open", "127.0.0.1", OPEN),
        ("open", "::1", OPEN),
        ("refused", "127.0.0.1", CLOSED),
        ("refused", "::1", CLOSED),
    ];
    for (what, address, port) in pairs {
        if nc {
            let peer = words(&["nc", "-z", address, &port.to_string()]);
            compare(
                &format!("{what}, {address}"),
                &check(address, port),
                &peer,
                "`nc -z`",
            );
        }
    }
    compare(
        "`--version`",
        &words(&[TCPPROBE, "--version"]),
        &words(&["/bin/true"]),
        "`/bin/true`",
    );
    for server in servers {
        let address = server.to_string();
        let connect = words(&[TCPPROBE, "-q", "--mode", "connect", &target(&address, CLOSED)]);
        compare(
            &format!("refused, {address}, beyond a veth"),
            &check(&address, CLOSED),
            &connect,
            "`--mode connect`",
        );
    }
    if !nc {
        println!("\nSkipped: nc of OpenBSD is not here (package netcat-openbsd).");
    }
    println!(
        "\nPeak memory (`ru_maxrss`), in KiB; `/bin/true` is what this way of measuring adds up to at least:\n"
    );
    println!("| tcpprobe, open | nc, open | /bin/true |\n| --- | --- | --- |");
    let peer = words(&["nc", "-z", "127.0.0.1", &OPEN.to_string()]);
    let cell = |command: &Words| peak(command).unwrap_or_else(|| "–".to_owned());
    println!(
        "| {} | {} | {} |\n",
        cell(&check("127.0.0.1", OPEN)),
        if nc { cell(&peer) } else { "–".to_owned() },
        cell(&words(&["/bin/true"])),
    );
}

fn check(address: &str, port: u16) -> Words {
    words(&[TCPPROBE, "-q", &target(address, port)])
}

fn target(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

pub(super) fn words(words: &[&str]) -> Words {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn is_openbsd_nc() -> bool {
    let help = Command::new("nc").arg("-h").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains("OpenBSD"))
}

fn compare(what: &str, ours: &Words, theirs: &Words, peer: &str) {
    for _ in 0..WARM_UPS {
        milliseconds(ours);
        milliseconds(theirs);
    }
    let pairs: Vec<(f64, f64)> = (0..PAIRS)
        .map(|_| (milliseconds(ours), milliseconds(theirs)))
        .collect();
    let spread = |number: fn(&(f64, f64)) -> f64| {
        Spread::of(pairs.iter().map(number).collect()).map_or_else(String::new, |spread| spread.to_string())
    };
    println!(
        "| {what} | {} | {peer} | {} | {} |",
        spread(|pair| pair.0),
        spread(|pair| pair.1),
        spread(|pair| pair.0 / pair.1)
    );
}

pub(super) fn milliseconds(words: &Words) -> f64 {
    let mut command = quiet(words);
    let began = clock::now();
    command.status().expect("the program is there");
    (clock::now() - began).as_secs_f64() * 1e3
}

fn quiet(words: &Words) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Of all children of a process the kernel keeps the largest peak only: so a process of its own runs each command.
pub(super) fn peak(words: &Words) -> Option<String> {
    let helper = Command::new(env::current_exe().ok()?)
        .arg(PEAK_OF)
        .args(words)
        .output()
        .ok()?;
    let text = String::from_utf8(helper.stdout).ok()?;
    Some(text.trim().to_owned())
}

/// Runs a command once and prints the peak of its memory, if this process was started for that.
pub(super) fn measure_as_helper() -> Option<ExitCode> {
    let mut arguments = env::args().skip(1);
    if arguments.next()? != PEAK_OF {
        return None;
    }
    let command: Words = arguments.collect();
    let ran = quiet(&command).status().is_ok();
    match getrusage(UsageWho::RUSAGE_CHILDREN) {
        Ok(usage) if ran => println!("{}", usage.max_rss()),
        _ => return Some(ExitCode::FAILURE),
    }
    Some(ExitCode::SUCCESS)
}
