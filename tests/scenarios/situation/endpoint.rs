//! A situation of one endpoint: what was seen, and what it has to mean.

use std::time::Duration;

use libtest_mimic::Failed;
use serde::Deserialize;
use toml::Table;

use tcpprobe::diagnose::diagnose;
use tcpprobe::evidence::{Ability, Evidence, Mode, Observation, Sight};

use crate::spelled_out::observations;
use crate::version::Version;
use crate::wanted::Want;

/// A situation as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    /// What is wrong, and what makes it hard to see, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// In which IP versions it shows so.
    #[serde(rename = "families")]
    _families: Option<Vec<Version>>,
    /// What was seen, in the order in which it became known.
    #[serde(default)]
    observation: Vec<Table>,
    want: Want,
}

/// Reads a situation and holds the diagnosis to it.
pub(crate) fn check(text: &str, version: Version) -> Result<(), Failed> {
    let situation: Situation = toml::from_str(&version.fill_in(text))?;
    let seen: Vec<Vec<Observation>> = situation
        .observation
        .iter()
        .map(|entry| observations(entry, version))
        .collect::<Result<_, String>>()?;
    let evidence = Evidence {
        observations: seen.concat(),
        ..nothing_seen(version)
    };
    situation.want.check(&diagnose(&evidence))
}

/// Evidence of a run that any user may do, before it has seen anything.
pub(crate) fn nothing_seen(version: Version) -> Evidence {
    Evidence {
        endpoint: version.endpoint(),
        started_unix_s: Duration::from_secs(1_700_000_000),
        slow_s: Duration::from_millis(250),
        timeout_s: Duration::from_secs(3),
        sight: Sight {
            mode: Mode::Connect,
            raw: Ability::No {
                why: "no CAP_NET_RAW".to_owned(),
            },
            echo: Ability::Yes,
            error_queue: Ability::Yes,
            reset_shape: Ability::Yes,
        },
        observations: Vec::new(),
    }
}
