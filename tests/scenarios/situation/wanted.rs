//! What a situation has to mean.

use libtest_mimic::Failed;
use serde::Deserialize;

use tcpprobe::diagnose::{Cause, Confidence, Diagnosis, FindingKind};

/// The diagnosis wanted. What is not mentioned must not be there, but for what is not ruled out: there a file gives
/// either the whole list or what matters of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Want {
    /// `class/cause`.
    verdict: String,
    confidence: Confidence,
    /// The sender of the answer, or the last hop; absent where nobody is to be named.
    from: Option<std::net::IpAddr>,
    /// All other causes that are left, in any order.
    not_ruled_out: Option<Vec<Cause>>,
    /// Causes that have to be left, besides others.
    #[serde(default)]
    considers: Vec<Cause>,
    /// Causes that must not be left.
    #[serde(default)]
    ruled_out: Vec<Cause>,
    #[serde(default)]
    findings: Vec<FindingKind>,
    /// Words that the reasons have to hold.
    #[serde(default)]
    because: Vec<String>,
}

impl Want {
    pub(crate) fn check(&self, diagnosis: &Diagnosis) -> Result<(), Failed> {
        let wrong = self.wrong_in(diagnosis);
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{}\n\n{diagnosis:#?}", wrong.join("\n")).into())
    }

    fn wrong_in(&self, diagnosis: &Diagnosis) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut differ = |what: &str, wanted: &str, got: &str| {
            if wanted != got {
                wrong.push(format!("{what}: wanted {wanted}, got {got}"));
            }
        };
        let verdict = format!("{}/{}", diagnosis.cause.class(), diagnosis.cause);
        differ("verdict", &self.verdict, &verdict);
        differ(
            "confidence",
            self.confidence.label(),
            diagnosis.confidence.label(),
        );
        differ("from", &text(self.from.iter()), &text(diagnosis.from.iter()));
        if let Some(wanted) = &self.not_ruled_out {
            differ(
                "not ruled out",
                &sorted(wanted),
                &sorted(&diagnosis.not_ruled_out),
            );
        }
        let findings: Vec<FindingKind> = diagnosis.findings.iter().map(|finding| finding.kind).collect();
        differ("findings", &sorted(&self.findings), &sorted(&findings));
        let is_left = |cause: &Cause| diagnosis.not_ruled_out.contains(cause);
        for cause in self.considers.iter().filter(|cause| !is_left(cause)) {
            wrong.push(format!("{cause} is ruled out"));
        }
        for cause in self.ruled_out.iter().filter(|cause| is_left(cause)) {
            wrong.push(format!("{cause} is not ruled out"));
        }
        let reasons: Vec<&str> = diagnosis.because.iter().map(|reason| &*reason.says).collect();
        let reasons = reasons.join("\n");
        for words in self.because.iter().filter(|words| !reasons.contains(*words)) {
            wrong.push(format!("no reason holds '{words}'"));
        }
        if self.not_ruled_out.is_none() && self.considers.is_empty() && self.ruled_out.is_empty() {
            wrong.push("the file does not say what is ruled out".to_owned());
        }
        wrong
    }
}

fn sorted<T: ToString>(all: &[T]) -> String {
    let mut all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.sort();
    format!("[{}]", all.join(", "))
}

fn text<T: ToString>(all: impl Iterator<Item = T>) -> String {
    all.map(|one| one.to_string()).collect()
}
