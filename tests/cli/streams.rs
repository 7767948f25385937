//! Standard output is for data alone, whoever reads it and whether or not they go on reading.

use std::fs::OpenOptions;
use std::io;
use std::process::Stdio;

use crate::support::{Port, cannot, command, loopback, run, tcpprobe};

const ESCAPE: char = '\u{1b}';

#[test]
fn a_pipe_that_nobody_reads_any_more_is_no_error() {
    let port = Port::refused(loopback()[0]);
    let word = port.word();
    let cases: [(&[&str], i32); 11] = [
        (&[&word], 1),
        (&["-v", &word], 1),
        (&["-o", "json", &word], 1),
        (&["-o", "jsonl", &word], 1),
        (&["-e", "refused", "--count", "3", "--interval", "10ms", &word], 0),
        (&["explain"], 0),
        (&["doctor"], 0),
        (&["doctor", "-o", "json"], 0),
        (&["man"], 0),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
    ];
    for (arguments, code) in cases {
        let (read, write) = io::pipe().unwrap();
        drop(read);
        let ran = run(command().args(arguments).stdout(write));
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{arguments:?}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_any_more_ends_a_series() {
    let port = Port::open(loopback()[0]);
    let (read, write) = io::pipe().unwrap();
    drop(read);
    let ran = run(command().args(["--interval", "10ms", &port.word()]).stdout(write));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_said_so() {
    let port = Port::open(loopback()[0]);
    for form in ["text", "json", "jsonl"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = run(command().args(["-o", form, &port.word()]).stdout(full));
        assert_eq!(ran.code, Some(3), "{form}: {ran:?}");
        assert!(
            ran.err
                .starts_with("tcpprobe: standard output cannot be written: "),
            "{ran:?}"
        );
    }
}

#[test]
fn nobody_to_complain_to_changes_no_exit_code() {
    let (read, write) = io::pipe().unwrap();
    drop(read);
    let ran = run(command().arg("127.0.0.1").stderr(write));
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
}

#[test]
fn without_a_terminal_there_is_no_colour() {
    let port = Port::refused(loopback()[0]);
    for arguments in [
        vec![port.word()],
        vec!["explain".to_owned()],
        vec!["--help".to_owned()],
    ] {
        let ran = tcpprobe(&arguments);
        assert!(!ran.out.contains(ESCAPE), "{ran:?}");
    }
    assert!(!tcpprobe(&["--nonsense"]).err.contains(ESCAPE));
}

#[test]
fn colour_is_there_when_it_is_asked_for_and_changes_nothing_else() {
    let port = Port::refused(loopback()[0]);
    let plain = tcpprobe(&["-q", "--color", "never", &port.word()]);
    let coloured = run(command()
        .args(["-q", "--color", "always", &port.word()])
        .env("NO_COLOR", "1"));
    assert!(!plain.out.contains(ESCAPE), "{plain:?}");
    assert!(coloured.out.contains(ESCAPE), "{coloured:?}");
    let stripped = anstream::adapter::strip_str(&coloured.out).to_string();
    assert_eq!(stripped, plain.out);
    assert!(
        tcpprobe(&["--colour", "always", "-q", &port.word()])
            .out
            .contains(ESCAPE)
    );
}

#[test]
fn json_is_never_coloured() {
    let port = Port::open(loopback()[0]);
    for form in ["json", "jsonl"] {
        let ran = tcpprobe(&["--color", "always", "-o", form, &port.word()]);
        assert!(!ran.out.contains(ESCAPE), "{ran:?}");
    }
}

#[test]
fn a_terminal_is_coloured_unless_no_color_says_otherwise() {
    let port = Port::refused(loopback()[0]);
    // script(1) gives the command a terminal of its own.
    let on_a_terminal = |variable: Option<(&str, &str)>| {
        let line = format!("exec '{}' -q {}", env!("CARGO_BIN_EXE_tcpprobe"), port.word());
        let mut command = std::process::Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .envs(variable)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    match on_a_terminal(None) {
        Ok(out) => assert!(
            out.contains(ESCAPE) && out.contains("refused/no-listener"),
            "{out:?}"
        ),
        Err(error) => return cannot(&format!("script(1): {error}")),
    }
    let out = on_a_terminal(Some(("NO_COLOR", "1"))).unwrap();
    assert!(
        !out.contains(ESCAPE) && out.contains("refused/no-listener"),
        "{out:?}"
    );
}

#[test]
fn lines_are_as_wide_as_columns_says_and_80_without_it() {
    let port = Port::refused(loopback()[0]);
    for (columns, widest) in [(None, 80), (Some("60"), 60), (Some("1000"), 100)] {
        let ran = run(command()
            .arg(port.word())
            .envs(columns.map(|columns| ("COLUMNS", columns))));
        let found = ran.out.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(
            found <= widest && found > widest - 25,
            "{columns:?}: {found}\n{}",
            ran.out
        );
    }
}
