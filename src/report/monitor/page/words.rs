//! The vocabulary, as the page's script needs it.

use serde::Serialize;

use crate::diagnose::explain::{explain, explain_class};
use crate::diagnose::{Cause, Class};
use crate::report::matrix::letter;

#[derive(Serialize)]
struct Words {
    classes: Vec<ClassWord>,
    causes: Vec<CauseWord>,
}

#[derive(Serialize)]
struct ClassWord {
    label: &'static str,
    letter: char,
    says: &'static str,
}

#[derive(Serialize)]
struct CauseWord {
    label: &'static str,
    says: &'static str,
    meaning: &'static str,
    what_to_do: &'static [&'static str],
    what_not_to_do: &'static [&'static str],
}

/// Nothing of it can end the element that it stands in.
pub(super) fn json() -> String {
    let class = |class: &Class| ClassWord {
        label: class.label(),
        letter: letter(*class),
        says: explain_class(*class),
    };
    let cause = |cause: &Cause| {
        let texts = explain(*cause);
        CauseWord {
            label: cause.label(),
            says: texts.in_short,
            meaning: texts.meaning,
            what_to_do: texts.what_to_do,
            what_not_to_do: texts.what_not_to_do,
        }
    };
    let words = Words {
        classes: Class::ALL.iter().map(class).collect(),
        causes: Cause::ALL.iter().map(cause).collect(),
    };
    let json = serde_json::to_string(&words).unwrap_or_default();
    json.replace('<', "\\u003c")
}
