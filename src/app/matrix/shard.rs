//! One part of a matrix: the parts of one file have no edge in common and are all of it together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::MatrixArguments;
use super::identity::Environment;
use crate::app::Failure;
use crate::matrix::{Planned, Shard};
use crate::target::Target;

/// Which part this run looks at: as `--shard` says, or the pod of an Indexed Job.
pub(super) fn shard(arguments: &MatrixArguments, environment: Environment) -> Result<Option<Shard>, Failure> {
    const INDEX: &str = "JOB_COMPLETION_INDEX";
    if let Some(text) = arguments.shard.as_deref().filter(|text| !text.is_empty()) {
        let shard = parse(text).ok_or_else(|| {
            Failure::usage(format!(
                "--shard {text}: write INDEX/COUNT, counted from 0, such as 0/8 for the first of eight"
            ))
        })?;
        return Ok(Some(shard));
    }
    let Some(count) = arguments.shard_count else {
        return Ok(None);
    };
    let Some(index) = environment(INDEX) else {
        return Err(Failure::usage(format!(
            "--shard-count {count}: {INDEX} does not say which of them this is; write --shard INDEX/{count} outside of an Indexed Job"
        )));
    };
    let shard = parse(&format!("{index}/{count}"));
    shard.map(Some).ok_or_else(|| {
        Failure::usage(format!(
            "{INDEX} is '{index}', which is no number below the {count} of --shard-count: let the Job have as many completions"
        ))
    })
}

fn parse(text: &str) -> Option<Shard> {
    let (index, count) = text.split_once('/')?;
    let shard = Shard {
        index: index.trim().parse().ok()?,
        count: count.trim().parse().ok()?,
    };
    (shard.index < shard.count).then_some(shard)
}

/// The edges of a part, behind them the controls of other parts that prove its blocks, and how many edges are its own.
///
/// Every count-th edge in the order of the file, so that a large host or group is spread over all parts.
pub(super) fn part(all: Vec<Planned>, shard: Shard) -> (Vec<Planned>, usize) {
    let is_own = |index: usize| index as u64 % u64::from(shard.count) == u64::from(shard.index);
    let mut own = Vec::new();
    let mut others = HashMap::new();
    for (index, edge) in all.into_iter().enumerate() {
        if is_own(index) {
            own.push(edge);
        } else {
            others.insert(edge.target, edge.demand);
        }
    }
    let needed: HashSet<&Target> = own.iter().flat_map(|edge| &edge.demand.controls).collect();
    let controls: Vec<Planned> = needed
        .into_iter()
        .filter_map(|control| {
            let demand = Arc::clone(others.get(control)?);
            let target = control.clone();
            Some(Planned { target, demand })
        })
        .collect();
    let count = own.len();
    own.extend(controls);
    (own, count)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::matrix::Demand;
    use crate::target::Services;

    fn edges(ports: std::ops::Range<u16>, controls: &[u16]) -> Vec<Planned> {
        let target = |port: &u16| Target::parse(&format!("host:{port}"), &Services::default()).unwrap();
        let demand = Arc::new(Demand {
            rules: Vec::new(),
            expected: "blocked".parse().unwrap(),
            controls: controls.iter().map(target).collect(),
            timeout: Duration::from_secs(1),
            tries: 1,
        });
        ports
            .map(|port| Planned {
                target: target(&port),
                demand: Arc::clone(&demand),
            })
            .collect()
    }

    #[test]
    fn parts_have_no_edge_in_common_and_are_all_of_it_together() {
        for count in [1, 2, 7, 100] {
            let mut seen: Vec<u16> = Vec::new();
            for index in 0..count {
                let (part, own) = part(edges(1..51, &[]), Shard { index, count });
                assert_eq!(part.len(), own);
                seen.extend(part.iter().map(|edge| edge.target.port));
            }
            seen.sort_unstable();
            assert_eq!(seen, (1..51).collect::<Vec<u16>>(), "{count}");
        }
    }

    #[test]
    fn a_part_has_the_controls_of_other_parts_that_prove_its_blocks() {
        for index in 0..5 {
            let (part, own) = part(edges(1..11, &[3]), Shard { index, count: 5 });
            let controls = part.iter().filter(|edge| edge.target.port == 3).count();
            assert_eq!((own, controls), (2, 1), "{index}");
        }
    }

    #[test]
    fn a_part_is_an_index_below_its_count() {
        assert_eq!(parse("2/8"), Some(Shard { index: 2, count: 8 }));
        for wrong in ["8/8", "1", "-1/8", "a/b", "0/0", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
