//! `tcpprobe man` and `tcpprobe completions`.

use clap::CommandFactory;
use tcpprobe::cli::Arguments;

use crate::support::{cannot, clean, run_command_with_input, tcpprobe};

/// Long options and subcommands of the whole command line.
fn names() -> Vec<String> {
    let mut command = Arguments::command();
    command.build();
    let subcommands: Vec<&clap::Command> = command
        .get_subcommands()
        .filter(|one| one.get_name() != "help" && !one.is_hide_set())
        .collect();
    let mut names: Vec<String> = subcommands
        .iter()
        .chain([&&command])
        .flat_map(|one| one.get_arguments())
        .filter_map(clap::Arg::get_long)
        .map(|long| format!("--{long}"))
        .collect();
    names.extend(subcommands.iter().map(|one| one.get_name().to_owned()));
    names
}

#[test]
fn the_manual_page_names_every_option_and_every_subcommand() {
    let ran = tcpprobe(&["man"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    // In roff a hyphen that is to be one is escaped.
    let page = ran.out.replace("\\-", "-");
    let names = names();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(page.contains(&name), "{name}: {page}");
    }
    for heading in [".TH tcpprobe 1", ".SH SYNOPSIS", ".SH OPTIONS", "Exit codes:"] {
        assert!(page.contains(heading), "{heading}: {page}");
    }
    assert!(
        page.contains("\n.SH \"TCPPROBE DOCTOR\"\n.SS SYNOPSIS\n"),
        "{page}"
    );
    assert_eq!(page.matches(".SH SYNOPSIS").count(), 1, "{page}");
}

#[test]
fn every_shell_gets_completions_for_every_long_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = tcpprobe(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}");
        for name in names() {
            // fish has long options without their hyphens.
            let name = name.trim_start_matches("--");
            assert!(ran.out.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn bash_can_read_its_completions() {
    let mut bash = std::process::Command::new("bash");
    bash.arg("-n");
    let Some(ran) = run_command_with_input(&mut clean(bash), &tcpprobe(&["completions", "bash"]).out) else {
        cannot("there is no bash here");
        return;
    };
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}
