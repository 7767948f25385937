//! `tcpprobe monitor --init` and `--check`: the example, what a configuration comes to, and what is wrong with one.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;

use tempfile::TempDir;

use super::support::{Ran, run_with_input, tcpprobe};

/// A folder with one file.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn check(&self, more: &[&str]) -> Ran {
        let mut arguments = vec!["monitor", "--config", self.name(), "--check"];
        arguments.extend(more);
        tcpprobe(&arguments)
    }
}

fn check(arguments: &[&str]) -> Ran {
    let mut all = vec!["monitor", "--check"];
    all.extend(arguments);
    tcpprobe(&all)
}

/// One line of all text, however it was broken.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_said(ran: &Ran, says: &str) {
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(flat(&ran.out).contains(says), "{says}\n{}", ran.out);
}

fn is_refused(ran: &Ran, says: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert_eq!(flat(&ran.err), format!("tcpprobe: {says}"));
}

#[test]
fn the_example_is_written_and_is_right() {
    let example = tcpprobe(&["monitor", "--init"]);
    assert_eq!((example.code, example.err.as_str()), (Some(0), ""));
    assert!(
        example.out.starts_with("# What is watched, and how."),
        "{}",
        example.out
    );
    let file = File::new("monitor.yaml", &example.out);
    let checked = file.check(&[]);
    is_said(
        &checked,
        &format!(
            "{} is right: 4 modules, 30 targets, 1.02 checks a second.",
            file.name()
        ),
    );
    for row in [
        "default 14 15s 3s 1 2 250ms all open",
        "patient 1 30s 10s 1 2 250ms all open",
        "shut 15 5m 3s 1 2 250ms all blocked, refused",
        "api.shop:443 default 15s",
        "db.shop:5432 orders database patient 30s team=\"orders\" tier=\"1\"",
        "10.0.0.14:22 shut 5m team=\"security\"",
    ] {
        assert!(
            checked.out.lines().any(|line| flat(line) == row),
            "{row}\n{}",
            checked.out
        );
    }
    let piped = run_with_input(&["monitor", "--check", "--config", "-"], &example.out);
    is_said(&piped, "standard input is right: 4 modules, 30 targets");
}

#[test]
fn a_check_says_what_it_comes_to() {
    let file = File::new(
        "m.toml",
        "targets = ['127.0.0.1:1', 'db:5432']
[modules.default]
interval = '2s'
timeout = '1s'
tries = 3
",
    );
    let ran = file.check(&[]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let (before, after) = ran
        .out
        .split_once("The number of this configuration is ")
        .unwrap();
    let (number, after) = after.split_once(':').unwrap();
    assert!(number.parse::<u64>().unwrap() < 1 << 48);
    assert_eq!(
        before,
        format!(
            "{} is right: 1 module, 2 targets, 1 check a second.

MODULE   TARGETS  EVERY  TIMEOUT  TRIES  CONFIRM  SLOW   LOOKS AT  EXPECTED
default  2        2s     1s       3      2        250ms  all       open

About 4 packets a second while every port is open, and at most 120 when nothing
answers and every try is needed; --rate permits 16000. 1 target has a name, and
every address that it has beyond the first costs as much again.
With the module default, 3 tries of 1s each may take longer than the 2s from one
check to the next: a check whose turn comes meanwhile is left out, and counted.
/probe may be aimed at whatever this host reaches, since only this host can ask
(every --listen is on loopback, and no `allow` says otherwise). It looks at one
host 5 times a second at most, 10 at once.
",
            file.name()
        )
    );
    assert_eq!(
        after,
        " the same wherever the same
is configured.

TARGET       NAME  MODULE   EVERY  LABELS
127.0.0.1:1        default  2s
db:5432            default  2s
"
    );
}

#[test]
fn a_check_sends_nothing_and_listens_nowhere() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    is_said(&check(&[&taken, "--listen", &taken]), "1 target,");
    listener.set_nonblocking(true).unwrap();
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

#[test]
fn who_may_aim_probe_at_what_is_said() {
    const LIMIT: &str = ". It looks at one host 5 times a second at most, 10 at once.";
    let says = |file: &str, more: &[&str], says: &str| {
        let file = File::new("m.yaml", file);
        is_said(&file.check(more), &format!("/probe may be aimed at {says}"));
    };
    let beyond: &[&str] = &["--listen", "127.0.0.1:0", "--listen", "[::]:0"];
    let others = ": others can ask (a --listen is beyond loopback), and no `allow` permits more";
    says(
        "targets: [a:1]",
        &["--listen", "[::1]:0"],
        "whatever this host reaches, since only this host can ask",
    );
    says(
        "targets: [a:1]",
        beyond,
        &format!("the target below, and nothing else{others}{LIMIT}"),
    );
    says(
        "targets: [a:1, b:1]",
        beyond,
        &format!("the 2 targets below, and nothing else{others}{LIMIT}"),
    );
    says("modules: {}", beyond, &format!("nothing{others}{LIMIT}"));
    says(
        "targets: [a:1]\nallow: []",
        &[],
        &format!("the target below, and nothing else{LIMIT}"),
    );
    says("allow: []", &[], &format!("nothing{LIMIT}"));
    says(
        "allow: ['*.b:80-90,443']",
        beyond,
        &format!("*.b:80-90,443{LIMIT}"),
    );
    says(
        "targets: [a:1, a:2]\nallow: ['10.0.0.0/8:*', 'B:https', '[::1]:1']\nprobe_limit: { rate: 1, burst: 3 }",
        &[],
        "the 2 targets below, and 10.0.0.0/8:*, b:443 and [::1]:1. It looks at one host 1 time a second at most, 3 at once.",
    );
}

#[test]
fn targets_of_the_command_line_stand_beside_those_of_the_file() {
    let file = File::new(
        "m.yaml",
        "modules: { default: { interval: 1m }, v4: { family: ipv4 } }
targets: [ 'db:1', { target: 'x:1', module: v4 }, { target: 'y:1', module: v4, name: why } ]",
    );
    let ran = file.check(&["web", "80", "why", "1", "y:1"]);
    is_said(&ran, "2 modules, 6 targets,");
    for row in [
        "web:80 default 1m",
        "why:1 default 1m",
        "y:1 why v4 1m",
        "y:1 default 1m",
    ] {
        assert!(
            ran.out.lines().any(|line| flat(line) == row),
            "{row}\n{}",
            ran.out
        );
    }
    is_refused(
        &file.check(&["DB:1"]),
        "DB:1 is a target of the file already: leave it out here",
    );
    is_refused(
        &file.check(&["x:1"]),
        "x:1 is a target of the file already: leave it out here",
    );
    is_refused(
        &file.check(&["w:1", "w", "1"]),
        "w:1 is named already: leave it out here",
    );
    is_refused(
        &check(&["w:1", "W.:1"]),
        "W.:1 is named already: leave it out here",
    );
}

#[test]
fn how_to_look_is_said_by_the_file_or_by_options_but_not_by_both() {
    let file = File::new("m.yaml", "targets: [a:1]");
    for (options, names, keys) in [
        (&["--interval", "5s"] as &[&str], "--interval", "interval: 5s"),
        // The value that it has anyway is no other than what is asked for beside the file.
        (&["-i", "15s"], "--interval", "interval: 15s"),
        (&["-t", "1s"], "--timeout", "timeout: 1s"),
        (&["--tries", "2"], "--tries", "tries: 2"),
        (&["--confirm", "3"], "--confirm", "confirm: 3"),
        (
            &["-e", "refused,blocked"],
            "--expect",
            "expect: [refused, blocked]",
        ),
        (&["-4"], "--ipv4", "family: ipv4"),
        (&["-6"], "--ipv6", "family: ipv6"),
        (&["--first"], "--first", "addresses: first"),
        (&["--slow", "1s"], "--slow", "slow: 1s"),
        (&["--mode", "connect"], "--mode", "mode: connect"),
        (
            &["--mode", "raw", "--slow", "90s"],
            "--slow and --mode",
            "slow: 1m 30s, mode: raw",
        ),
    ] {
        is_refused(
            &file.check(options),
            &format!(
                "with --config the file says how to look: leave {names} out, and write into {} under `modules`: default: {{ \
                 {keys} }}",
                file.name()
            ),
        );
    }
    // What is written as the sentence says is right.
    let file = File::new(
        "m.yaml",
        "modules:\n  default: { expect: [refused, blocked], slow: 1m 30s, mode: connect, family: ipv4, addresses: first }",
    );
    is_said(
        &file.check(&[]),
        "default 0 15s 3s 1 2 1m 30s first, ipv4, connect refused, blocked",
    );
    // These hold for the whole process.
    is_said(
        &file.check(&["--rate", "7", "--resolver", "system", "a:1"]),
        "--rate permits 7.",
    );
}

#[test]
fn the_command_line_is_a_configuration_too() {
    is_said(
        &check(&[]),
        "the command line is right: 1 module, 0 targets, 0 checks a second.",
    );
    is_said(&check(&["a:1", "-i", "1s"]), "default 1 1s 1s 1 2 250ms all open");
    is_said(
        &check(&[
            "a:1",
            "-i",
            "1m",
            "-t",
            "10s",
            "-e",
            "refused",
            "--tries",
            "2",
            "--confirm",
            "1",
            "-6",
            "--first",
        ]),
        "default 1 1m 10s 2 1 250ms first, ipv6 refused",
    );
    is_refused(
        &check(&["a:1", "-i", "1s", "-t", "2s"]),
        "--timeout 2s is longer than the interval of 1s: a look has to end before the next begins",
    );
    is_refused(
        &check(&["a:1", "-i", "1ms"]),
        "--interval 1ms: it is 10ms at least",
    );
    is_refused(
        &check(&["127.0.0.1:1", "-6"]),
        "127.0.0.1:1 is an IPv4 address, and the module `default` looks at IPv6 alone: take another module",
    );
}

#[test]
fn the_number_is_the_same_where_the_same_is_configured() {
    let number = |ran: &Ran| {
        let out = flat(&ran.out);
        let (_, rest) = out.split_once("The number of this configuration is ").unwrap();
        rest.split_once(':').unwrap().0.to_owned()
    };
    let yaml = File::new(
        "m.yaml",
        "# Yes.\ntargets: [ 'a:80', b:1 ]\nmodules: { default: { tries: 2 } }",
    );
    let json = File::new(
        "n.json",
        "{\"modules\": {\"default\": {\"tries\": 2}}, \"targets\": [\"a:http\", \"b:1\"]}",
    );
    let by_file = number(&yaml.check(&[]));
    assert_eq!(number(&json.check(&[])), by_file);
    assert_eq!(number(&check(&["a:80", "b", "1", "--tries", "2"])), by_file);
    assert_ne!(number(&check(&["a:80", "b", "1"])), by_file);
}

#[test]
fn what_is_wrong_is_told_as_compilers_do() {
    let wrong = |name: &str, text: &[u8], says: &str| {
        let file = File::new(name, text);
        is_refused(&file.check(&[]), &format!("{}:{says}", file.name()));
    };
    wrong(
        "m.yaml",
        b"targets:\n- a:1\n- { target: b:1, modul: x }\n",
        "3:18: `modul` is no key of a target: did you mean `module`?",
    );
    wrong(
        "m.toml",
        b"targets = 'a'\n",
        "1:11: `a` has no port: write `a:PORT`, with a port number or a service name",
    );
    wrong(
        "m.json",
        b"{\"targets\": [\"a:1\",\n \"a:1\"]}",
        "2:2: `a:1` is a target already, in line 1: leave one out, or give one of them a `name` of its own and another module",
    );
    wrong(
        "m.yaml",
        b"targets:\n# \xff\n",
        "2:3: this is no UTF-8: save the file as UTF-8",
    );
    wrong(
        "m.yaml",
        b"targets:\n- a:1\n- '[fe80::1%no-such-link]:1'\n",
        "3:3: no-such-link: there is no interface of that name on this host ('ip link' lists them)",
    );
    let large = vec![b'#'; (16 << 20) + 1];
    wrong("m.yaml", &large, " larger than 16 MiB: that is no configuration");
    let file = File::new("m.yaml", "");
    fs::remove_file(&file.path).unwrap();
    is_refused(
        &file.check(&[]),
        &format!(
            "{}: cannot be read: No such file or directory (os error 2)",
            file.name()
        ),
    );
}

#[test]
fn a_link_local_address_needs_its_link() {
    let file = File::new("m.yaml", "targets:\n- a:1\n- '[fe80::1]:1'\n");
    let ran = file.check(&[]);
    assert_eq!(ran.code, Some(2));
    let place = format!("tcpprobe: {}:3:3: ", file.name());
    assert!(ran.err.starts_with(&place), "{}", ran.err);
    assert!(ran.err.contains("fe80::1%"), "{}", ran.err);
    is_said(&file.check(&["--interface", "lo"]), "2 targets");
}

#[test]
fn an_example_is_written_alone() {
    for beside in [&["--check"] as &[&str], &["--config", "x"], &["a:1"]] {
        let mut arguments = vec!["monitor", "--init"];
        arguments.extend(beside);
        let ran = tcpprobe(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{beside:?}");
    }
}
