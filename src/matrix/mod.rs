//! Who may reach whom: the file that says so, its expansion into edges, what became of each, and the merging of runs.
//!
//! Pure, and shared by the run and by `tcpprobe report`: whatever has become of an edge is added to a [`Merger`], which judges
//! it in the light of everything else that is known; what it all comes to is an [`Answer`].

mod answer;
mod changes;
mod digest;
mod edge;
mod expected;
pub mod file;
mod gaps;
mod identity;
mod judge;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Cell, Edges, Merger, Run, Shard, Totals};
pub use changes::{Change, ChangeKind, Changes, Was};
pub use edge::{Demand, Edge, Planned};
pub use expected::{Expected, ExpectedError};
pub use gaps::Gap;
pub use identity::Identity;
pub use judge::{Judged, Judgement, Proof, Why};
