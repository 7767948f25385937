//! What can be told apart with what a process may do here: `Facilities -> Examination`, for `tcpprobe doctor` and
//! `docs/privileges.md`.

#[cfg(test)]
pub(crate) mod cases;
mod distinctions;
mod means;
mod remedy;
#[cfg(test)]
mod tests;

pub use distinctions::{DISTINCTIONS, Distinction, Told, Way};
pub use means::{Availability, Means};
pub use remedy::Remedy;

use crate::evidence::facilities::{Facilities, Trial};

/// What a process may do here, and what follows from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Every means, and whether it is ours.
    pub means: Vec<(Means, Availability)>,
    /// Every distinction, and whether it can be made.
    pub distinctions: Vec<Judged>,
    /// Whether private networks can be made, which `tcpprobe demo` shows its failures in.
    pub demo: Availability,
    /// What is worth saying besides.
    pub notes: Vec<Note>,
}

/// One distinction with the best way to make it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The distinction.
    pub distinction: &'static Distinction,
    /// How it is made, or why it cannot be made.
    pub way: &'static Way,
    /// The means whose lack keeps it from being made better.
    pub lacks: Vec<Means>,
}

/// Worth saying, and no distinction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The program's file gives `CAP_NET_RAW` from the first instruction (`+ep`).
    EffectiveFileCapability,
    /// So few ports are left to connect from.
    FewPorts(u32),
    /// So few descriptors may be open at a time.
    FewDescriptors(u64),
}

/// Fewer ports, or descriptors, than this are soon used up by one run over many targets.
const FEW: u64 = 1024;

/// Judges what was found.
pub fn examine(found: &Facilities) -> Examination {
    let means: Vec<(Means, Availability)> = Means::ALL
        .iter()
        .map(|one| (*one, one.availability(found)))
        .collect();
    let given = |wanted: Means| {
        means
            .iter()
            .any(|(one, availability)| *one == wanted && *availability == Availability::Given)
    };
    Examination {
        distinctions: DISTINCTIONS.iter().map(|one| one.judge(given)).collect(),
        demo: means::namespaces(found),
        notes: notes(found),
        means,
    }
}

impl Examination {
    /// How many distinctions can be made to this degree.
    pub fn count(&self, told: Told) -> usize {
        self.distinctions
            .iter()
            .filter(|one| one.way.told == told)
            .count()
    }

    /// Whether a means is ours.
    pub fn has(&self, means: Means) -> bool {
        self.means
            .iter()
            .any(|(one, availability)| *one == means && *availability == Availability::Given)
    }

    /// How many distinctions could be made better with a means that is lacking.
    pub fn gain(&self, means: Means) -> usize {
        let gains = |one: &&Judged| one.lacks.contains(&means);
        self.distinctions.iter().filter(gains).count()
    }
}

impl Distinction {
    /// The best way to make it with the means that are given, and what would make it better.
    pub fn judge(&'static self, given: impl Fn(Means) -> bool) -> Judged {
        let is_open = |way: &&Way| way.needs.iter().all(|means| given(*means));
        let way = self.ways.iter().find(is_open).unwrap_or(&distinctions::NO_WAY);
        let mut lacks = Vec::new();
        for better in self.ways.iter().filter(|one| one.told > way.told) {
            for means in better.needs {
                if !given(*means) && !lacks.contains(means) {
                    lacks.push(*means);
                }
            }
        }
        Judged {
            distinction: self,
            way,
            lacks,
        }
    }
}

fn notes(found: &Facilities) -> Vec<Note> {
    let file = found.process.file_capability;
    let ports = found.settings.local_ports;
    let ports = ports.map(|(first, last)| u32::from(last.saturating_sub(first)) + 1);
    [
        file.filter(|file| file.net_raw && file.effective)
            .map(|_| Note::EffectiveFileCapability),
        ports.filter(|ports| u64::from(*ports) < FEW).map(Note::FewPorts),
        found
            .process
            .open_files
            .filter(|limit| *limit < FEW)
            .map(Note::FewDescriptors),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One outcome for both families: a family that the kernel does not have does not count.
fn together<'a>(v4: &'a Trial, v6: &'a Trial) -> &'a Trial {
    match (v4, v6) {
        (Trial::Missing { .. }, _) | (Trial::Worked, Trial::Denied { .. } | Trial::Failed { .. }) => v6,
        (Trial::Worked | Trial::Denied { .. } | Trial::Failed { .. }, _) => v4,
    }
}
