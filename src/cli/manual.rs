//! The command line as other programs want it: a manual page, and completions for shells.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Arguments;

/// Which of the two apostrophes the formatter is to print. The library begins every section with this; once is enough.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Writes the manual page in roff, one for the program and all its subcommands.
pub fn write_manual(out: &mut impl Write) -> io::Result<()> {
    let mut page = Vec::new();
    sections(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    write!(out, "{PREAMBLE}{}", page.replace(PREAMBLE, ""))
}

fn sections(out: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    let subcommands: Vec<clap::Command> = command
        .get_subcommands()
        .filter(|one| one.get_name() != "help" && !one.is_hide_set())
        .cloned()
        .collect();
    let after_help = command.get_after_help().map(ToString::to_string);
    let page = Man::new(command);
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for subcommand in subcommands {
        of_subcommand(subcommand, out)?;
    }
    if let Some(text) = after_help {
        // As it is, line by line.
        Roff::new()
            .control("SH", ["EXAMPLES AND EXIT CODES"])
            .control("nf", [])
            .text([roman(text)])
            .control("fi", [])
            .to_writer(out)?;
    }
    page.render_version_section(out)
}

/// Its sections are those of a page of its own, one level down.
fn of_subcommand(subcommand: clap::Command, out: &mut Vec<u8>) -> io::Result<()> {
    let heading = format!("TCPPROBE {}", subcommand.get_name().to_uppercase());
    Roff::new().control("SH", [heading.as_str()]).to_writer(out)?;
    let page = Man::new(subcommand);
    let mut sections = Vec::new();
    page.render_synopsis_section(&mut sections)?;
    page.render_description_section(&mut sections)?;
    page.render_options_section(&mut sections)?;
    let sections = String::from_utf8(sections).map_err(io::Error::other)?;
    out.extend(sections.replace("\n.SH ", "\n.SS ").into_bytes());
    Ok(())
}

/// Writes what a shell reads to complete our command line.
pub fn write_completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    // The library panics where it cannot write, which a closed pipe is no reason for.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tcpprobe", &mut script);
    out.write_all(&script)
}
