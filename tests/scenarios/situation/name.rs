//! A situation of a name: what each lookup said, and what it has to mean.

use std::net::IpAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use serde::Deserialize;
use toml::{Table, Value};

use tcpprobe::diagnose::name::diagnose_name;
use tcpprobe::evidence::{Lookup, Resolution, ResolvedBy};

use crate::spelled_out::read;
use crate::wanted::Want;

/// A situation as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    /// What is wrong, and what makes it hard to see, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// Who was asked.
    #[serde(default = "dns")]
    by: ResolvedBy,
    /// Each question and its answer, in the order asked.
    #[serde(default)]
    lookup: Vec<Table>,
    /// The addresses found.
    #[serde(default)]
    addresses: Vec<IpAddr>,
    /// Absent where the name is not to blame for anything.
    want: Option<Want>,
}

const fn dns() -> ResolvedBy {
    ResolvedBy::Dns
}

/// Reads a situation and holds the diagnosis to it.
pub(crate) fn check(text: &str) -> Result<(), Failed> {
    let situation: Situation = toml::from_str(text)?;
    let lookups = situation
        .lookup
        .into_iter()
        .map(lookup)
        .collect::<Result<_, String>>()?;
    let resolution = Resolution {
        name: "web".to_owned(),
        by: situation.by,
        lookups,
        addresses: situation.addresses,
        took_s: Duration::from_millis(5),
    };
    match (situation.want, diagnose_name(&resolution)) {
        (None, None) => Ok(()),
        (Some(want), Some(diagnosis)) => want.check(&diagnosis),
        (wanted, got) => Err(format!("wanted {wanted:?}, got {got:?}").into()),
    }
}

fn lookup(mut entry: Table) -> Result<Lookup, String> {
    let mut default = |key: &str, value: Value| {
        entry.entry(key).or_insert(value);
    };
    default("candidate", "web.test.".into());
    default("at_s", 0.0.into());
    default("took_s", 0.001.into());
    let said = entry.remove("said").ok_or("a lookup says something")?;
    let outcome = if let Value::Table(said) = said {
        said
    } else {
        Table::from_iter([("said".to_owned(), said)])
    };
    entry.insert("outcome".to_owned(), Value::Table(outcome));
    read(entry)
}
