//! Boards that no monitor filled: targets, and what their checks came to.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tcpprobe::check::TargetOutcome;
use tcpprobe::diagnose::diagnose;
use tcpprobe::monitor::{Board, Check, Loaded, Module, Seen, Slot, Watched};
use tcpprobe::report::json;
use tcpprobe::target::{Services, Target};

use super::browser::outcomes::{Does, at_address, diagnosed, evidence, unknown_name};

/// When the checks of these boards are made.
pub(super) const NOW: Duration = Duration::from_secs(1_700_000_000);
/// When the check before was.
const BEFORE: Duration = Duration::from_secs(1_699_999_985);
/// When the process began.
const BEGAN: Duration = Duration::from_secs(1_699_996_400);

/// A target of a board.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) module: &'static str,
    pub(super) outcome: TargetOutcome,
}

pub(super) fn plan(name: &str, team: &str, outcome: TargetOutcome) -> Plan {
    Plan {
        name: name.to_owned(),
        labels: vec![("team", team.to_owned())],
        module: Module::DEFAULT,
        outcome,
    }
}

/// One of each kind.
pub(super) fn few() -> Vec<Plan> {
    let mut few = vec![
        plan("web", "shop", at_address("10.0.3.7:80", Does::Answer)),
        plan("api", "shop", at_address("10.0.3.8:80", Does::Answer)),
        plan("db", "data", at_address("10.0.3.7:5432", Does::Drop)),
        plan("cache", "data", at_address("10.0.3.7:81", Does::Refuse)),
        plan("edge", "net", at_address("[2001:db8::7]:443", Does::Prohibit)),
        plan("nope", "net", unknown_name("nope:80")),
    ];
    few[4].module = "strict";
    few
}

/// So many, of which every hundredth refuses and every thousandth drops.
pub(super) fn many(count: u32) -> Vec<Plan> {
    let first = "10.9.0.0:8080".parse().unwrap();
    let meanings = Does::ALL.map(|does| diagnose(&evidence(first, does, 0)));
    let of = |number: u32| {
        let does = match number % 1000 {
            7 => Does::Drop,
            other if other % 100 == 3 => Does::Refuse,
            _ => Does::Answer,
        };
        let address = format!("10.9.{}.{}:8080", number / 250, number % 250);
        let diagnosis = meanings[does as usize].clone();
        let rack = format!("r{}", number % 7);
        plan(
            &format!("node-{number:05}"),
            &rack,
            diagnosed(&address, does, 0, diagnosis),
        )
    };
    (0..count).map(of).collect()
}

/// Texts that would run, or turn the page around, if they were more than texts.
pub(super) fn hostile() -> Vec<Plan> {
    let names = [
        "<img src=x onerror=\"window.ran='name'\">".to_owned(),
        "</script><script>window.ran='end'</script>".to_owned(),
        "\u{202e}gnp.exe' \" & `".to_owned(),
        "x".repeat(2000),
    ];
    let of = |name: &String| Plan {
        labels: vec![
            ("team", "<svg onload=window.ran='label'>\u{202e}".to_owned()),
            ("long", "y".repeat(500)),
        ],
        ..plan(name, "", at_address("10.0.3.7:81", Does::Refuse))
    };
    names.iter().map(of).collect()
}

/// A board on which each target had two checks, the later at [`NOW`].
pub(super) fn board(plans: &[Plan]) -> Arc<Board> {
    let board = Board::new(BEGAN);
    let modules: BTreeMap<String, Arc<Module>> = [Module::DEFAULT, "strict"]
        .into_iter()
        .map(|name| {
            let module = Module {
                name: name.to_owned(),
                ..Module::default()
            };
            (name.to_owned(), Arc::new(module))
        })
        .collect();
    let slots: Vec<Arc<Slot>> = plans
        .iter()
        .map(|plan| Arc::new(slot(plan, &modules[plan.module])))
        .collect();
    for (plan, slot) in plans.iter().zip(&slots) {
        look(slot, &plan.outcome, BEFORE);
        look(slot, &plan.outcome, NOW);
    }
    let loaded = Loaded {
        hash: 0x1234_5678_9abc,
        is_success: true,
        success_unix_s: BEGAN,
        error: None,
    };
    board.replace(slots, modules, loaded);
    Arc::new(board)
}

fn slot(plan: &Plan, module: &Arc<Module>) -> Slot {
    let labels = plan.labels.iter();
    Slot::new(Watched {
        target: Target::parse("10.0.3.7:80", &Services::default()).unwrap(),
        name: plan.name.clone(),
        module: Arc::clone(module),
        labels: labels
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    })
}

/// A check of the target of that name comes to something else.
pub(super) fn becomes(board: &Board, name: &str, outcome: &TargetOutcome, at: Duration) {
    let slots = board.slots();
    let slot = slots.iter().find(|slot| slot.watched.name == name).unwrap();
    look(slot, outcome, at);
}

fn look(slot: &Slot, outcome: &TargetOutcome, at: Duration) {
    let module = &slot.watched.module;
    let seen = Seen::of(outcome, &module.expected, 1, at, Duration::from_millis(3)).unwrap();
    let mut record = Vec::new();
    json::write_target_lines(outcome, None, &mut record).unwrap();
    let check = Check {
        seen,
        record: String::from_utf8(record).unwrap().into(),
    };
    let mut standing = slot.standing.lock().unwrap_or_else(PoisonError::into_inner);
    standing.saw(check, module.confirm);
}
