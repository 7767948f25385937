//! The plan and the verdict together, against networks that are simulated: a ladder of a quarter of an hour costs microseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{fate, held};
use crate::diagnose::Confidence;
use crate::diagnose::hold::{HoldDiagnosis, HoldLabel, judge};
use crate::evidence::hold::{Asked, End, Held, Holding};
use crate::evidence::{Ability, Answer, Dial, Ending, Handshake, Mode, Sight};
use crate::net::dial::Idle;
use crate::probe::hold::{Order, Plan, QUESTION, Wanted};

/// What becomes of idle connections.
#[derive(Debug, Clone, Copy)]
enum World {
    /// They live.
    Healthy,
    /// Forgotten after so long, without a word.
    Dropped(Duration),
    /// The same, and reset when they speak.
    Reset(Duration),
    /// Closed by the peer at this age.
    Closed(Duration),
    /// All that are open at this moment are closed.
    Restart(Duration),
    /// From this moment on nothing answers any more.
    Dies(Duration),
    /// The peer asks so often that nothing is ever idle; whoever forgets does so after a while that is longer.
    Speaks(Duration),
}

const ROUND_TRIP: Duration = Duration::from_millis(20);
/// Probes, FINs and a control that is made.
const SILENCE: Duration = Duration::from_millis(7_100);

/// How a connection that is begun at a moment fares, and how long that takes in all.
fn fare(world: World, began: Duration, after: Duration) -> (End, Duration, Duration, Option<Dial>, Duration) {
    let alive = End::Alive {
        after_s: ROUND_TRIP,
        probes: 1,
        to: Asked::Keepalive,
    };
    let silent = End::Silent { probes: 5, fins: 4 };
    let closed = End::Closed { to: Asked::Nothing };
    let lives = (alive, after, after, None, after + ROUND_TRIP);
    let open = || Some(control(syn_ack()));
    match world {
        World::Dropped(limit) if after > limit => (silent, after, after, open(), after + SILENCE),
        World::Reset(limit) if after > limit => {
            let reset = End::Reset { to: Asked::Keepalive };
            (reset, after, after, open(), after + ROUND_TRIP)
        }
        World::Closed(age) if after > age => (closed, age, age, open(), age + ROUND_TRIP),
        World::Restart(moment) if began < moment && moment < began + after => {
            let age = moment.saturating_sub(began);
            (closed, age, age, open(), age + ROUND_TRIP)
        }
        World::Dies(moment) if began >= moment => {
            let answer = Answer::Silence;
            (
                End::NotMade { answer },
                Duration::ZERO,
                Duration::ZERO,
                None,
                Duration::from_secs(4),
            )
        }
        World::Dies(moment) if began + after >= moment => (
            silent,
            after,
            after,
            Some(control(Answer::Silence)),
            after + QUESTION,
        ),
        World::Speaks(every) => {
            let quiet = if after < every { after } else { every };
            let End::Alive { .. } = lives.0 else { return lives };
            (lives.0, after, quiet, None, lives.4)
        }
        World::Healthy
        | World::Dropped(_)
        | World::Reset(_)
        | World::Closed(_)
        | World::Restart(_)
        | World::Dies(_) => lives,
    }
}

fn syn_ack() -> Answer {
    Answer::SynAck(Handshake {
        connect_s: ROUND_TRIP,
        rtt_s: Some(ROUND_TRIP),
        retransmitted_syns: 0,
        segments_in: Some(1),
        timestamps: true,
        peer_window: None,
        segments: None,
        ending: Ending {
            fin_after_s: None,
            fin_acknowledged_after_s: None,
            fin_retransmissions: 0,
            peer_fin_after_s: None,
            reset: None,
            repeated_syn_acks: 0,
            watched_s: Duration::ZERO,
        },
    })
}

fn control(answer: Answer) -> Dial {
    Dial {
        to: ([192, 0, 2, 1], 443).into(),
        from: None,
        ttl: None,
        syns: 1,
        answer,
    }
}

/// A run, and the most connections that it had at a time.
struct Run {
    holding: Holding,
    diagnosis: HoldDiagnosis,
    at_once: usize,
}

/// Until the plan is done, or until somebody ends it.
fn simulate(wanted: Wanted, world: World, until: Option<Duration>) -> Run {
    let mut plan = Plan::new(wanted);
    let mut now = Duration::ZERO;
    let mut under_way: BTreeMap<usize, (Duration, Held)> = BTreeMap::new();
    let mut all = Vec::new();
    let mut at_once = 0;
    let mut interrupted = false;
    for _ in 0..100_000 {
        let step = plan.step(now);
        for order in step.open {
            under_way.insert(order.id, begin(world, now, order));
        }
        for id in step.abandon {
            let one = under_way.get_mut(&id).expect("it is under way");
            one.0 = now;
            one.1.idle_s = now.saturating_sub(one.1.at_s);
            one.1.end = End::CutShort;
            one.1.control = None;
        }
        at_once = at_once.max(under_way.len());
        if step.is_done {
            break;
        }
        let next = under_way.iter().min_by_key(|(_, (at, _))| *at);
        let next = next.map(|(id, (at, _))| (*id, *at));
        let Some((id, at)) = next else {
            panic!("nothing is under way, and nothing is done")
        };
        let wake = step.wake.map_or(at, |wake| wake.min(at)).max(now);
        if until.is_some_and(|until| wake > until) {
            interrupted = true;
            for (_, (_, mut one)) in std::mem::take(&mut under_way) {
                one.end = End::CutShort;
                one.control = None;
                all.push(one);
            }
            break;
        }
        now = wake;
        if at <= now {
            let (_, one) = under_way.remove(&id).expect("it was there");
            plan.saw(id, fate(&one));
            all.push(one);
        }
    }
    assert!(under_way.is_empty(), "it never ends");
    let (Wanted::Limit { max, .. } | Wanted::Once { after: max }) = wanted;
    let yes = Ability::Yes;
    let holding = Holding {
        endpoint: ([192, 0, 2, 1], 443).into(),
        started_unix_s: Duration::ZERO,
        max_s: max,
        took_s: now,
        interrupted,
        sight: Sight {
            mode: Mode::Connect,
            raw: yes.clone(),
            echo: yes.clone(),
            error_queue: yes.clone(),
            reset_shape: yes,
        },
        held: all,
        shots: Vec::new(),
    };
    Run {
        diagnosis: judge(&holding),
        holding,
        at_once,
    }
}

fn begin(world: World, now: Duration, order: Order) -> (Duration, Held) {
    let began = now + order.delay;
    let (end, age, quiet, control, takes) = fare(world, began, order.after);
    let idle = Idle {
        from: None,
        made: None,
        syns: 1,
        idle: age,
        quiet,
        peer_segments: Some(u32::from(quiet < age)),
        end,
    };
    (began + takes, held(order, began, idle, control))
}

fn limit_up_to(max: u64) -> Wanted {
    Wanted::Limit {
        max: Duration::from_secs(max),
        connections: 12,
        within: None,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_box_that_forgets_after_350_s_is_found_within_five_and_in_twelve_minutes() {
    let run = simulate(limit_up_to(900), World::Dropped(seconds(350)), None);
    let limit = run.diagnosis.limit.unwrap();
    assert_eq!(run.diagnosis.label, HoldLabel::IdleDropped);
    assert_eq!(run.diagnosis.confidence, Confidence::Likely);
    assert!(
        limit.at_least_s <= seconds(350) && seconds(350) <= limit.at_most_s,
        "{limit:?}"
    );
    assert!(limit.uncertainty() <= seconds(5), "{limit:?}");
    assert!(run.holding.took_s < seconds(13 * 60), "{:?}", run.holding.took_s);
}

#[test]
fn a_healthy_path_takes_the_longest_time_once() {
    let run = simulate(limit_up_to(900), World::Healthy, None);
    assert_eq!(run.diagnosis.label, HoldLabel::Healthy);
    assert!(run.holding.took_s < seconds(905) && run.holding.held.len() == 12);
}

#[test]
fn a_peer_that_closes_at_an_age_is_told_exactly_and_certainly() {
    let run = simulate(limit_up_to(900), World::Closed(seconds(60)), None);
    let limit = run.diagnosis.limit.unwrap();
    assert_eq!(run.diagnosis.label, HoldLabel::PeerClosed);
    assert_eq!(run.diagnosis.confidence, Confidence::Certain);
    assert_eq!((limit.at_least_s, limit.at_most_s), (seconds(60), seconds(60)));
    assert!(run.holding.took_s < seconds(90), "{:?}", run.holding.took_s);
}

#[test]
fn a_restart_is_no_idle_limit() {
    let run = simulate(limit_up_to(900), World::Restart(seconds(70)), None);
    assert_eq!(run.diagnosis.label, HoldLabel::Undecided);
    assert_eq!(run.diagnosis.limit, None);
}

#[test]
fn a_target_that_dies_is_no_idle_limit() {
    let run = simulate(limit_up_to(900), World::Dies(seconds(200)), None);
    assert_eq!(run.diagnosis.label, HoldLabel::TargetLost);
}

#[test]
fn a_peer_that_speaks_keeps_connections_alive_and_that_is_said() {
    let run = simulate(limit_up_to(900), World::Speaks(seconds(15)), None);
    assert_eq!(run.diagnosis.label, HoldLabel::Healthy);
    assert_eq!(run.diagnosis.lived_s, Some(seconds(15)));
    let kinds: Vec<&str> = run
        .diagnosis
        .findings
        .iter()
        .map(|one| one.kind.label())
        .collect();
    assert_eq!(kinds, ["peer-speaks"]);
}

#[test]
fn one_question_has_one_connection() {
    let once = Wanted::Once { after: seconds(300) };
    let run = simulate(once, World::Dropped(seconds(200)), None);
    let limit = run.diagnosis.limit.unwrap();
    assert_eq!(
        (run.holding.held.len(), run.diagnosis.label),
        (1, HoldLabel::IdleDropped)
    );
    assert_eq!(
        (limit.at_least_s, limit.at_most_s),
        (Duration::ZERO, seconds(300))
    );
    let run = simulate(once, World::Dropped(seconds(301)), None);
    assert_eq!(run.diagnosis.label, HoldLabel::Healthy);
}

fn worlds() -> impl Strategy<Value = World> {
    let time = || (1_000_u64..1_200_000).prop_map(Duration::from_millis);
    prop_oneof![
        Just(World::Healthy),
        time().prop_map(World::Dropped),
        time().prop_map(World::Reset),
        time().prop_map(World::Closed),
        time().prop_map(World::Restart),
        time().prop_map(World::Dies),
        time().prop_map(World::Speaks),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let within = proptest::option::of((500_u64..30_000).prop_map(Duration::from_millis));
    let limit = (1_u64..1_000, 3_usize..30, within).prop_map(|(max, connections, within)| Wanted::Limit {
        max: seconds(max),
        connections,
        within,
    });
    prop_oneof![4 => limit, 1 => (1_u64..1_000).prop_map(|after| Wanted::Once { after: seconds(after) })]
}

proptest! {
    /// Whatever the network does: it ends in the time that was told beforehand, never has more connections than it may, and says
    /// nothing that is not so.
    #[test]
    fn what_is_said_is_true_and_comes_in_time(world in worlds(), wanted in wanted(), early in proptest::option::of(0_u64..2_000)) {
        let run = simulate(wanted, world, early.map(seconds));
        let diagnosis = &run.diagnosis;
        prop_assert!(run.holding.took_s <= Plan::new(wanted).takes_at_most(), "{:?}", run.holding.took_s);
        let most = match wanted {
            Wanted::Limit { connections, .. } => connections,
            Wanted::Once { .. } => 1,
        };
        prop_assert!(run.at_once <= most, "{}", run.at_once);
        let (Wanted::Limit { max, .. } | Wanted::Once { after: max }) = wanted;
        let may_be = match world {
            World::Dropped(limit) if limit < max => vec![HoldLabel::IdleDropped],
            World::Reset(limit) if limit < max => vec![HoldLabel::IdleReset],
            World::Closed(age) if age < max => vec![HoldLabel::PeerClosed],
            World::Healthy | World::Speaks(_) | World::Dropped(_) | World::Reset(_) | World::Closed(_) => {
                vec![HoldLabel::Healthy]
            }
            // One that is closed by a restart is seen to be closed, and never certainly by its age.
            World::Restart(_) => vec![HoldLabel::Healthy, HoldLabel::PeerClosed],
            World::Dies(_) => vec![HoldLabel::Healthy, HoldLabel::TargetLost, HoldLabel::NotOpen],
        };
        let interrupted = run.holding.interrupted;
        // An end that is seen where it was interrupted is still seen.
        let undecided = diagnosis.label == HoldLabel::Undecided && (interrupted || matches!(world, World::Restart(_)));
        prop_assert!(may_be.contains(&diagnosis.label) || undecided, "{diagnosis:?}");
        if let World::Restart(_) = world {
            prop_assert!(diagnosis.confidence != Confidence::Certain || !diagnosis.label.is_death(), "{diagnosis:?}");
        }
        let truth = match world {
            World::Dropped(limit) | World::Reset(limit) | World::Closed(limit) => limit,
            World::Healthy | World::Restart(_) | World::Dies(_) | World::Speaks(_) => return Ok(()),
        };
        if let Some(limit) = diagnosis.limit {
            prop_assert!(limit.at_least_s <= truth && truth <= limit.at_most_s, "{limit:?}");
            if let (Wanted::Limit { within, .. }, false) = (wanted, interrupted) {
                let within = within.unwrap_or_else(|| limit.at_least_s.mul_f64(0.016).max(seconds(1)));
                // After five parts of the gap it is as narrow as it gets.
                let narrowest = max.mul_f64(0.01);
                prop_assert!(limit.uncertainty() <= within.max(narrowest).max(Duration::from_millis(501)), "{limit:?}");
            }
        }
    }
}
