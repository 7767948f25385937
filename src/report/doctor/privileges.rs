//! The table of `docs/privileges.md`: what each level of privilege tells apart.

use std::io;

use crate::diagnose::doctor::{DISTINCTIONS, Means};

/// What any user has on a kernel of today; whether he may filter his own socket is up to the kernel.
const ANY_USER: &[Means] = &[
    Means::ErrorQueue,
    Means::Timestamps,
    Means::Counters,
    Means::Routes,
    Means::OwnSockets,
    Means::Resolver,
    Means::BothFamilies,
];

/// Levels from the least up, each with what it adds to the one before.
const LEVELS: &[(&str, &[Means])] = &[
    ("any user", &[]),
    ("own filter", &[Means::OwnFilter]),
    ("ping group", &[Means::Ping]),
    ("CAP_NET_RAW", &[Means::Raw, Means::Packet]),
];

/// Writes the table as Markdown.
pub fn write_markdown(out: &mut impl io::Write) -> io::Result<()> {
    let names: Vec<&str> = LEVELS.iter().map(|(name, _)| *name).collect();
    writeln!(out, "| told apart | {} |", names.join(" | "))?;
    writeln!(out, "| --- |{}", " --- |".repeat(names.len()))?;
    for distinction in DISTINCTIONS {
        write!(out, "| {} |", distinction.name)?;
        let mut ours = ANY_USER.to_vec();
        for (_, adds) in LEVELS {
            ours.extend_from_slice(adds);
            let judged = distinction.judge(|means| ours.contains(&means));
            write!(out, " {} |", judged.way.told.label())?;
        }
        writeln!(out)?;
    }
    Ok(())
}
