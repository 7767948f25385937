//! What a scenario wants to be said, and what of it was not.

use std::iter;
use std::net::IpAddr;

use serde::Deserialize;

use tcpprobe::diagnose::{Cause, Class, Confidence, FindingKind};
use tcpprobe::lab::{Family, Place};

/// What a run has to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Want {
    /// The exit code; absent where either is right.
    exit: Option<i32>,
    /// One for each line of output.
    endpoint: Vec<WantedLine>,
    /// So many lines may say something else, as long as they do not call it certain: for what chance has a hand in.
    #[serde(default)]
    all_but: usize,
}

/// What one line has to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WantedLine {
    /// Which line it is, by its address; absent means the one in this place.
    #[serde(default)]
    address: Option<IpAddr>,
    /// How many lines in a row it is about.
    #[serde(default = "WantedLine::one")]
    repeat: usize,
    /// The verdicts that are right, as `class/cause`.
    verdict: OneOrMore,
    /// No less sure than this.
    at_least: Option<Confidence>,
    /// No surer than this.
    at_most: Option<Confidence>,
    /// Who said so.
    from: Option<Place>,
    /// Causes that are among those not ruled out.
    #[serde(default)]
    not_ruled_out: Vec<Verdict>,
    /// Causes that are the verdict, or among those not ruled out.
    #[serde(default)]
    considers: Vec<Verdict>,
    /// Causes that are neither.
    #[serde(default)]
    ruled_out: Vec<Verdict>,
    /// Findings that are there, about this endpoint or about the name that it belongs to.
    #[serde(default)]
    findings: Vec<FindingKind>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Verdict),
    More(Vec<Verdict>),
}

/// A cause, written with its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Verdict(Cause);

impl TryFrom<String> for Verdict {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (class, cause) = text
            .split_once('/')
            .ok_or_else(|| format!("'{text}' is not class/cause"))?;
        let cause: Cause = cause.parse().map_err(|error| format!("{error}"))?;
        let class: Class = class.parse().map_err(|error| format!("{error}"))?;
        if cause.class() == class {
            Ok(Self(cause))
        } else {
            Err(format!("{cause} belongs to {}", cause.class()))
        }
    }
}

/// What is looked at of a line of output.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    address: Option<IpAddr>,
    class: Class,
    cause: Cause,
    confidence: Confidence,
    #[serde(default)]
    from: Option<IpAddr>,
    not_ruled_out: Vec<Other>,
    findings: Vec<Finding>,
    #[serde(default)]
    name: Option<NamePart>,
}

/// What is said of the name, and so of all of its addresses.
#[derive(Debug, Deserialize)]
struct NamePart {
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Other {
    class: Class,
    cause: Cause,
}

#[derive(Debug, Deserialize)]
struct Finding {
    kind: FindingKind,
}

/// How good what was said is, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Score {
    /// A verdict that is right.
    Right,
    /// Another verdict, which was said not to be certain, with a right one among those not ruled out.
    Uncertain,
    /// Another verdict, with no right one among those not ruled out.
    Wrong,
    /// Another verdict, and that one was called certain.
    CertainAndWrong,
}

impl Want {
    /// The verdicts that are right for its first line.
    pub(crate) fn causes(&self) -> Vec<Cause> {
        let first = self.endpoint.first().map_or(&[][..], WantedLine::right);
        first.iter().map(|Verdict(cause)| *cause).collect()
    }

    /// How good the verdicts are, and how sure they were said to be, a wanted line each. A line that is missing is wrong.
    pub(crate) fn scores(&self, lines: &[Line]) -> Vec<(Score, Option<Confidence>)> {
        let score = |(wanted, line): (&WantedLine, Option<&Line>)| {
            let score = line.map_or(Score::Wrong, |line| wanted.score(line));
            (score, line.map(|line| line.confidence))
        };
        self.pairs(lines).map(score).collect()
    }

    /// How good a run with these scores is as a whole: as good as the worst line that is not permitted to be so.
    pub(crate) fn overall(&self, scores: &[(Score, Option<Confidence>)]) -> Score {
        let mut worst_first: Vec<Score> = scores.iter().map(|(score, _)| *score).collect();
        worst_first.sort_by(|a, b| b.cmp(a));
        match worst_first.first() {
            None => Score::Wrong,
            Some(Score::CertainAndWrong) => Score::CertainAndWrong,
            Some(_) => worst_first.get(self.all_but).copied().unwrap_or(Score::Right),
        }
    }

    /// What is wanted of each line, with the line, if it is there.
    fn pairs<'a>(&'a self, lines: &'a [Line]) -> impl Iterator<Item = (&'a WantedLine, Option<&'a Line>)> {
        let wanted = self.endpoint.iter();
        let wanted = wanted.flat_map(|wanted| iter::repeat_n(wanted, wanted.repeat));
        wanted
            .enumerate()
            .map(|(number, wanted)| (wanted, wanted.find(number, lines)))
    }

    /// What is not as wanted, a sentence each.
    pub(crate) fn wrong_in(&self, lines: &[Line], exit: Option<i32>, family: Option<Family>) -> Vec<String> {
        let mut wrong = Vec::new();
        let wanted = self.pairs(lines).count();
        if lines.len() != wanted {
            wrong.push(format!("wanted {wanted} lines, got {}", lines.len()));
        }
        let mut others = Vec::new();
        for (number, (wanted, line)) in self.pairs(lines).enumerate() {
            let mut said = Vec::new();
            match line {
                Some(line) => wanted.compare(line, family, &mut said),
                None => said.push(format!("no line {number} (address {:?})", wanted.address)),
            }
            if !said.is_empty() {
                others.push(said.join("\n"));
            }
        }
        let certain = self.overall(&self.scores(lines)) == Score::CertainAndWrong;
        if others.len() > self.all_but || certain {
            wrong.extend(others);
        }
        if self.exit.is_some() && exit != self.exit {
            wrong.push(format!("wanted exit code {:?}, got {exit:?}", self.exit));
        }
        wrong
    }
}

impl WantedLine {
    const fn one() -> usize {
        1
    }

    /// The line that it is about, if it is `number` of those that are wanted.
    fn find<'a>(&self, number: usize, lines: &'a [Line]) -> Option<&'a Line> {
        match self.address {
            Some(address) => lines.iter().find(|line| line.address == Some(address)),
            None => lines.get(number),
        }
    }

    fn right(&self) -> &[Verdict] {
        match &self.verdict {
            OneOrMore::One(verdict) => std::slice::from_ref(verdict),
            OneOrMore::More(verdicts) => verdicts,
        }
    }

    fn score(&self, line: &Line) -> Score {
        let is_right = |cause: Cause| self.right().contains(&Verdict(cause));
        if is_right(line.cause) {
            Score::Right
        } else if line.confidence == Confidence::Certain {
            Score::CertainAndWrong
        } else if line.not_ruled_out.iter().any(|other| is_right(other.cause)) {
            Score::Uncertain
        } else {
            Score::Wrong
        }
    }

    fn compare(&self, line: &Line, family: Option<Family>, wrong: &mut Vec<String>) {
        let mut demand = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let right = self.right();
        let open = |cause: Cause| line.not_ruled_out.iter().any(|other| other.cause == cause);
        demand(
            right.contains(&Verdict(line.cause)),
            format!("wanted {right:?}, got {}/{}", line.class, line.cause),
        );
        demand(
            line.class == line.cause.class(),
            format!("{} is not of class {}", line.cause, line.class),
        );
        demand(
            !open(line.cause),
            format!("{} is the verdict and not ruled out", line.cause),
        );
        for other in &line.not_ruled_out {
            demand(
                other.class == other.cause.class(),
                format!("{} is not of class {}", other.cause, other.class),
            );
        }
        if let Some(least) = self.at_least {
            demand(
                line.confidence >= least,
                format!("wanted at least {least}, got {}", line.confidence),
            );
        }
        if let Some(most) = self.at_most {
            demand(
                line.confidence <= most,
                format!("wanted at most {most}, got {}", line.confidence),
            );
        }
        if let (Some(from), Some(family)) = (self.from, family) {
            let from = from.address(family);
            demand(
                line.from == Some(from),
                format!("wanted it from {from}, got {:?}", line.from),
            );
        }
        for Verdict(cause) in &self.not_ruled_out {
            demand(
                open(*cause),
                format!("{cause} is not ruled out, but not said to be so"),
            );
        }
        for Verdict(cause) in &self.considers {
            demand(
                line.cause == *cause || open(*cause),
                format!("{cause} is not even considered"),
            );
        }
        for Verdict(cause) in &self.ruled_out {
            demand(
                line.cause != *cause && !open(*cause),
                format!("{cause} is ruled out by what there was to see"),
            );
        }
        let of_name = line.name.iter().flat_map(|name| &name.findings);
        let found: Vec<FindingKind> = line
            .findings
            .iter()
            .chain(of_name)
            .map(|finding| finding.kind)
            .collect();
        for kind in &self.findings {
            demand(found.contains(kind), format!("the finding {kind} is missing"));
        }
    }
}
