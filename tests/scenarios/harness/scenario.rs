//! Scenario files: a network, the command to run in it, and the verdict wanted.
//!
//! Before a file is read as TOML, `{server}` and the names of the other places are replaced by their addresses (in
//! brackets where a port follows an IPv6 address), `{family}` by `v4` or `v6`, and `{record}` by `A` or `AAAA`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs};

use libtest_mimic::Failed;
use serde::Deserialize;

use tcpprobe::lab::{Family, Finished, Lab, Network, Place, Powers, run};

use crate::Test;
use crate::schema;
use crate::wanted::{Line, Want};

/// No run needs as long as this, whatever it looks for.
const DEADLINE: Duration = Duration::from_secs(30);

/// A scenario as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenario {
    /// What is wrong, and what makes it hard to see, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// In which IP versions it is run.
    #[serde(default = "Version::each")]
    families: Vec<Version>,
    /// What the command may look at.
    #[serde(default)]
    sight: Sight,
    /// The command line, without the program and the output format. A word that contains `{1..3}` stands for three.
    args: Vec<String>,
    /// How many file descriptors the command may have open.
    open_files: Option<u64>,
    /// The network, and what is wrong with it.
    #[serde(default)]
    network: Network,
    /// What the command has to say.
    want: Want,
}

/// The IP version of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Version {
    V4,
    V6,
    /// The scenario is about both at once; addresses can be named by the place only in what is wanted.
    Dual,
}

/// What the command may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sight {
    /// What any user may.
    #[default]
    Connect,
    /// A filter on its own sockets too, which not every kernel permits to any user.
    Filter,
    /// Raw packets too.
    Raw,
}

impl Version {
    const ALL: [Self; 3] = [Self::V4, Self::V6, Self::Dual];

    fn each() -> Vec<Self> {
        vec![Self::V4, Self::V6]
    }

    const fn name(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V6 => "v6",
            Self::Dual => "dual",
        }
    }

    const fn family(self) -> Option<Family> {
        match self {
            Self::V4 => Some(Family::V4),
            Self::V6 => Some(Family::V6),
            Self::Dual => None,
        }
    }
}

/// A scenario in one IP version.
#[derive(Clone)]
pub(crate) struct Case {
    /// The name of its file.
    pub(crate) name: String,
    version: Version,
    scenario: Arc<Scenario>,
}

/// A trial for each scenario file and IP version. A file that cannot be read is a trial that fails.
pub(crate) fn trials() -> Vec<Test> {
    let trial = |case: Result<Case, Unreadable>| match case {
        Ok(case) => Test {
            name: case.to_string(),
            network: case.network().clone(),
            body: Box::new(move |lab| carry_out(&case, lab)),
        },
        Err(Unreadable { name, error }) => Test {
            name,
            network: Network::default(),
            body: Box::new(move |_| Err(Failed::from(&error))),
        },
    };
    cases().into_iter().map(trial).collect()
}

/// A file, or an IP version of it, that cannot be read.
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) error: toml::de::Error,
}

/// Every scenario file in each of its IP versions.
pub(crate) fn cases() -> Vec<Result<Case, Unreadable>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/lab");
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    files.iter().flat_map(|file| cases_of(file)).collect()
}

fn cases_of(file: &Path) -> Vec<Result<Case, Unreadable>> {
    let name = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // Which versions a file is for stands in the file, whose text depends on the version: any will do to find out.
    let versions = match Version::ALL.map(|version| read(&text, version)) {
        [Err(error), _, Err(_)] => return vec![Err(Unreadable { name, error })],
        [Ok(scenario), _, _] | [Err(_), _, Ok(scenario)] => scenario.families,
    };
    let case = |version: &Version| match read(&text, *version) {
        Ok(scenario) => Ok(Case {
            name: name.clone(),
            version: *version,
            scenario: Arc::new(scenario),
        }),
        Err(error) => Err(Unreadable {
            name: format!("{name}::{}", version.name()),
            error,
        }),
    };
    versions.iter().map(case).collect()
}

fn read(text: &str, version: Version) -> Result<Scenario, toml::de::Error> {
    let mut text = text.to_owned();
    if let Some(family) = version.family() {
        for (place, name) in Place::ALL {
            let address = place.address(family).to_string();
            let before_port = if family == Family::V6 {
                format!("[{address}]:")
            } else {
                format!("{address}:")
            };
            text = text
                .replace(&format!("{{{name}}}:"), &before_port)
                .replace(&format!("{{{name}}}"), &address);
        }
        text = text.replace("{family}", version.name());
        text = text.replace("{record}", if family == Family::V4 { "A" } else { "AAAA" });
    } else {
        for (place, name) in Place::ALL {
            text = text.replace(&format!("{{{name}}}"), &place.address(Family::V4).to_string());
        }
    }
    toml::from_str(&text)
}

/// What a run of the command said.
pub(crate) struct Said {
    pub(crate) finished: Finished,
    pub(crate) lines: Vec<Line>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.name, self.version.name())
    }
}

impl Case {
    pub(crate) fn version(&self) -> &'static str {
        self.version.name()
    }

    pub(crate) fn sight(&self) -> &'static str {
        match self.scenario.sight {
            Sight::Connect => "connect",
            Sight::Filter => "filter",
            Sight::Raw => "raw",
        }
    }

    pub(crate) fn network(&self) -> &Network {
        &self.scenario.network
    }

    pub(crate) fn want(&self) -> &Want {
        &self.scenario.want
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, lab: &Lab) -> Result<Said, Failed> {
        let powers = match self.scenario.sight {
            Sight::Connect => Powers::None,
            Sight::Filter => Powers::NetAdmin,
            Sight::Raw => Powers::NetRaw,
        };
        let mut command = lab.command(env!("CARGO_BIN_EXE_tcpprobe"), powers, self.scenario.open_files)?;
        command
            .args(["-o", "jsonl"])
            .args(self.scenario.args.iter().flat_map(|word| expanded(word)))
            .env("RUST_BACKTRACE", "0");
        let finished = run(&mut command, DEADLINE)?;
        let lines = finished
            .stdout
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Line>, _>>()
            .map_err(|error| {
                format!(
                    "not what the contract says ({error}):\n{}{}",
                    finished.stdout, finished.stderr
                )
            })?;
        Ok(Said { finished, lines })
    }
}

/// As the shell has it: `a{1..3}` is `a1`, `a2`, `a3`. Braces without two dots and two numbers are themselves.
fn expanded(word: &str) -> Vec<String> {
    let range = || {
        let (before, rest) = word.split_once('{')?;
        let (range, after) = rest.split_once('}')?;
        let (first, last) = range.split_once("..")?;
        let numbers = first.parse::<u16>().ok()?..=last.parse::<u16>().ok()?;
        Some(numbers.map(|number| format!("{before}{number}{after}")).collect())
    };
    range().unwrap_or_else(|| vec![word.to_owned()])
}

fn carry_out(case: &Case, lab: &Lab) -> Result<(), Failed> {
    let Said { finished, lines } = case.run(lab)?;
    let mut wrong = off_schema(&finished.stdout);
    wrong.extend(
        case.want()
            .wrong_in(&lines, finished.status.code(), case.version.family()),
    );
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\n\nafter {:?} it said:\n{}{}",
        wrong.join("\n"),
        finished.took,
        finished.stdout,
        finished.stderr
    )
    .into())
}

/// Where the lines differ from the committed schema.
fn off_schema(lines: &str) -> Vec<String> {
    let values = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
    values.flat_map(|value| schema::errors("line", &value)).collect()
}
