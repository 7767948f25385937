//! Many targets at once: each name is resolved once and each endpoint looked at once, in random order and within bounds.
//!
//! An edge of a matrix is a target here. What is kept of it grows with what is under way: an outcome is handed out as soon
//! as all endpoints of a target have theirs, and endpoints of one target are looked at one after the other.

mod plan;
mod pulse;
mod queue;
mod sweeping;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::unconstrained;
use tokio::time::sleep;

use super::endpoint::{Fast, Look, check_endpoint};
use super::target::{could_not_begin, outcome, resolve};
use super::{Company, EndpointOutcome, Life, Options, PACKETS_A_CONNECTION, Pace, Sights, TargetOutcome};
use crate::diagnose::{Cause, Class};
use crate::evidence::Resolution;
use crate::net::clock;
use crate::net::finish::{Finish, Finisher, finisher};
use crate::net::raw::Sweeper;
use crate::target::Target;
use plan::{Names, Plan};
use pulse::Pulse;
use queue::Queue;
use sweeping::{Sweeping, Turn};

/// So many names are resolved at once at most: resolvers of a cluster are shared, and drop what is too much.
const NAMES_AT_ONCE: usize = 64;
/// A question for each family.
const PACKETS_A_NAME: u32 = 2;
/// The pause before a target is looked at again that was not as expected.
const PAUSE: Duration = Duration::from_millis(250);

/// A target that is to be looked at.
pub trait Wanted {
    /// The target.
    fn target(&self) -> &Target;
    /// How long to look at one endpoint at most.
    fn timeout(&self) -> Duration;
    /// How often to look at most (from 1).
    fn tries(&self) -> u32;
    /// What follows a rejection.
    fn life(&self) -> Life;
    /// Whether a verdict needs no second look.
    fn is_enough(&self, cause: Cause) -> bool;
}

/// What may be under way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Endpoints (from 1).
    pub at_once: usize,
    /// Endpoints of one host (from 1).
    pub per_host: u32,
    /// Packets a second, as an average over a second (from 1).
    pub rate: u32,
}

/// A target that was looked at.
#[derive(Debug)]
pub struct Looked {
    /// Its place among those that were wanted.
    pub index: usize,
    /// How often it was looked at.
    pub tried: u32,
    /// What the last look came to.
    pub outcome: TargetOutcome,
}

/// When more endpoints may be started.
enum Next {
    /// When the runtime has had the chance to see what was answered meanwhile.
    AfterAGlance,
    /// When it is their turn.
    After(Duration),
    /// When one of those under way has its outcome, if ever.
    WhenOneLands,
}

/// Targets that are being looked at.
pub struct Crowd<W> {
    wanted: Vec<W>,
    shared: Rc<Shared>,
    bounds: Bounds,
    /// How long a default client waits on silence.
    hang: Option<Duration>,
    names: Names,
    resolving: FuturesUnordered<Pinned<(usize, Resolution)>>,
    /// Absent until every name is resolved: before that nobody knows which endpoints are the same.
    plan: Option<Plan>,
    queue: Queue,
    sweeping: Sweeping,
    flights: FuturesUnordered<Pinned<Landed>>,
    /// Targets of which some endpoints have their outcome.
    begun: HashMap<u32, Begun>,
    finished: VecDeque<Looked>,
    pulse: Pulse,
    _finisher: Finisher,
}

type Pinned<T> = Pin<Box<dyn Future<Output = T>>>;

/// What all looks have in common.
struct Shared {
    options: Options,
    company: Company,
    finish: Finish,
    sights: Sights,
}

/// An endpoint that was looked at.
struct Landed {
    unit: u32,
    tried: u32,
    outcome: EndpointOutcome,
}

/// A target of which some endpoints have their outcome.
struct Begun {
    tried: u32,
    left: usize,
    endpoints: Vec<Option<EndpointOutcome>>,
}

impl<W: Wanted> Crowd<W> {
    /// Sends nothing before [`Self::next`] is called. `hang` is how long a default client waits on silence.
    pub fn new(wanted: Vec<W>, options: Options, bounds: Bounds, hang: Option<Duration>) -> Self {
        let (finisher, finish) = finisher();
        Self {
            names: Names::of(&wanted),
            wanted,
            shared: Rc::new(Shared {
                sights: Sights::new(options.raw.clone()),
                options,
                company: Company::of(0, Pace::of(bounds.rate)),
                finish,
            }),
            bounds,
            hang,
            resolving: FuturesUnordered::new(),
            plan: None,
            queue: Queue::default(),
            sweeping: Sweeping::None,
            flights: FuturesUnordered::new(),
            begun: HashMap::new(),
            finished: VecDeque::new(),
            pulse: Pulse::new(),
            _finisher: finisher,
        }
    }

    /// Sends a raw SYN to every endpoint first: who answers that plainly is not looked at any further.
    #[must_use]
    pub fn sweeping(mut self, sweeper: Sweeper) -> Self {
        self.sweeping = Sweeping::Wanted(sweeper);
        self
    }

    /// The targets, in the order in which they were wanted.
    pub fn wanted(&self) -> &[W] {
        &self.wanted
    }

    /// How many endpoints are being looked at.
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// The next target that has an outcome; absent when all have been handed out. Nothing is lost when this is dropped while
    /// it waits.
    pub async fn next(&mut self) -> Option<Looked> {
        loop {
            if self.plan.is_none() {
                self.resolve_names().await;
            }
            if let Some(looked) = self.finished.pop_front() {
                return Some(looked);
            }
            if let Some(looked) = self.next_without_endpoints() {
                return Some(looked);
            }
            if self.is_sweeping().await {
                continue;
            }
            // What has been answered comes first: answers that wait for us look late.
            if let Some(Some(landed)) = self.flights.next().now_or_never() {
                self.land(landed);
                continue;
            }
            let next = self.start();
            if self.flights.is_empty() && matches!(next, Next::WhenOneLands) {
                return None;
            }
            tokio::select! {
                biased;
                Some(landed) = self.flights.next() => self.land(landed),
                () = self.pulse.beat() => {}
                () = next.wait() => {}
            }
        }
    }

    async fn resolve_names(&mut self) {
        loop {
            let now = clock::now();
            let pace = self.shared.company.pace();
            let mut pause = None;
            while self.resolving.len() < NAMES_AT_ONCE && self.names.is_one_left() {
                let due_in = pace.due_in(now);
                if !due_in.is_zero() {
                    pause = Some(due_in);
                    break;
                }
                if let Some(name) = self.names.take() {
                    pace.spend(PACKETS_A_NAME, now);
                    self.resolving.push(resolving(Rc::clone(&self.shared), name));
                }
            }
            if self.resolving.is_empty() && pause.is_none() {
                break;
            }
            tokio::select! {
                Some((index, resolution)) = self.resolving.next() => self.names.resolved(index, resolution),
                () = wait(pause) => {}
            }
        }
        let plan = Plan::of(&self.wanted, &self.names, &self.shared.options);
        self.shared.options.beside.refresh().await;
        let order = self.sweeping.begin(&plan, &self.shared.options, self.bounds);
        self.queue = Queue::of(order, &plan, self.bounds);
        self.plan = Some(plan);
    }

    /// Takes what the sweep has to say next, if there is one; whether it had something to say.
    async fn is_sweeping(&mut self) -> bool {
        let Some(turn) = self.sweeping.next().await else {
            return false;
        };
        let Some(plan) = &self.plan else { return false };
        match turn {
            Turn::Answered(unit, answer) => {
                let endpoint = plan.endpoint(unit);
                let timeout = self.timeout(plan, unit);
                let sight = self.shared.sights.of(endpoint.is_ipv4());
                let outcome = sweeping::outcome(endpoint, answer, timeout, &self.shared.options, sight);
                if self.is_worth_a_look(plan, unit, outcome.diagnosis.cause) {
                    self.sweeping.look_at(unit);
                } else {
                    self.land(Landed {
                        unit,
                        tried: 1,
                        outcome,
                    });
                }
            }
            Turn::Over(order) => self.queue = Queue::of(order, plan, self.bounds),
        }
        true
    }

    /// Whether a plain answer is not enough: it is not what somebody wants, who has to know more than one packet says (a RST may be
    /// a middlebox's), or that who rejects is alive.
    fn is_worth_a_look(&self, plan: &Plan, unit: u32, cause: Cause) -> bool {
        let asks_for_life = matches!(cause.class(), Class::Rejected | Class::Unreachable);
        plan.wanted_by(unit).any(|index| {
            let wanted = &self.wanted[index as usize];
            !wanted.is_enough(cause) || asks_for_life && wanted.life() == Life::Proven
        })
    }

    /// How long to look at an endpoint at most: as long as the most patient of those who want it.
    fn timeout(&self, plan: &Plan, unit: u32) -> Duration {
        let wanted = plan
            .wanted_by(unit)
            .map(|index| self.wanted[index as usize].timeout());
        wanted.max().unwrap_or(self.shared.options.timeout)
    }

    /// A target that has no endpoint: its name has no address, or its interface does not exist.
    fn next_without_endpoints(&mut self) -> Option<Looked> {
        let (index, error) = self.plan.as_mut()?.barren.pop()?;
        let target = self.wanted[index as usize].target();
        let outcome = if let Some(error) = error {
            could_not_begin(target, &self.shared.options, "if_nametoindex", &error)
        } else {
            outcome(target, self.names.resolution_for(target), Vec::new(), self.hang)
        };
        Some(Looked {
            index: index as usize,
            tried: self.wanted[index as usize].tries().max(1),
            outcome,
        })
    }

    /// Starts one, if one may start; returns when the next may. One at a time, since answers that wait for us look late, and
    /// are looked into: what is under way settles at what the round trips of the path ask for.
    fn start(&mut self) -> Next {
        let is_behind = self.pulse.is_late() && !self.flights.is_empty();
        if is_behind || self.flights.len() >= self.bounds.at_once {
            return Next::WhenOneLands;
        }
        let now = clock::now();
        let due_in = self.shared.company.pace().due_in(now);
        if !due_in.is_zero() {
            return if self.queue.is_one_ready() {
                Next::After(due_in)
            } else {
                Next::WhenOneLands
            };
        }
        let Some(unit) = self.plan.as_ref().and_then(|plan| self.queue.take(plan)) else {
            return Next::WhenOneLands;
        };
        self.shared.company.pace().spend(PACKETS_A_CONNECTION, now);
        self.launch(unit, 1);
        Next::AfterAGlance
    }

    /// Looks at an endpoint: a connection first, then, where that is not answered plainly, everything that can tell why.
    fn launch(&self, unit: u32, tried: u32) {
        let Some(plan) = &self.plan else { return };
        let (endpoint, shared) = (plan.endpoint(unit), Rc::clone(&self.shared));
        let wanted = || plan.wanted_by(unit).map(|index| &self.wanted[index as usize]);
        let timeout = self.timeout(plan, unit);
        let life = if wanted().any(|wanted| wanted.life() == Life::Proven) {
            Life::Proven
        } else {
            Life::Assumed
        };
        let others = self.bounds.at_once.min(plan.units()) - 1;
        let alongside = u32::try_from(others).unwrap_or(u32::MAX);
        // All of them are one task to the runtime, whose budget is for a single one: those that are last in a turn would find
        // it spent, and wait for a turn in which they are first.
        self.flights.push(Box::pin(unconstrained(async move {
            if tried > 1 {
                sleep(PAUSE).await;
                shared.company.pace().spend(PACKETS_A_CONNECTION, clock::now());
            }
            let look = Look {
                endpoint,
                timeout,
                life,
                fast: Fast::Believed,
                sight: shared.sights.of(endpoint.is_ipv4()),
                alongside,
            };
            let finish = shared.finish.clone();
            let outcome = check_endpoint(look, &shared.options, &shared.company, finish).await;
            Landed { unit, tried, outcome }
        })));
    }

    /// Hands an outcome to all who want it, unless one of them wants another look.
    fn land(&mut self, landed: Landed) {
        let Some(plan) = &self.plan else { return };
        let Landed { unit, tried, outcome } = landed;
        let cause = outcome.diagnosis.cause;
        let wants_another = plan.wanted_by(unit).any(|index| {
            let wanted = &self.wanted[index as usize];
            tried < wanted.tries() && !wanted.is_enough(cause)
        });
        if wants_another {
            self.launch(unit, tried + 1);
            return;
        }
        let host = plan.endpoint(unit).ip();
        if self.queue.landed(host) {
            self.shared.company.forget(host);
        }
        let mut outcome = Some(outcome);
        let mut indexes = plan.wanted_by(unit).peekable();
        while let Some(index) = indexes.next() {
            let own = if indexes.peek().is_some() {
                outcome.clone()
            } else {
                outcome.take()
            };
            let places = plan.units_of(index);
            let begun = self.begun.entry(index).or_insert_with(|| Begun {
                tried: 0,
                left: places.len(),
                endpoints: places.iter().map(|_| None).collect(),
            });
            begun.tried = begun.tried.max(tried);
            begun.left -= 1;
            if let Some(place) = places.iter().position(|place| *place == unit) {
                begun.endpoints[place] = own;
            }
            if begun.left > 0 {
                continue;
            }
            let Some(begun) = self.begun.remove(&index) else {
                continue;
            };
            let target = self.wanted[index as usize].target();
            let resolution = self.names.resolution_for(target);
            let endpoints = begun.endpoints.into_iter().flatten().collect();
            self.finished.push_back(Looked {
                index: index as usize,
                tried: begun.tried,
                outcome: self::outcome(target, resolution, endpoints, self.hang),
            });
        }
    }
}

/// Resolves a name, again and again as long as that fails and tries are left.
fn resolving(shared: Rc<Shared>, name: plan::NameToResolve) -> Pinned<(usize, Resolution)> {
    Box::pin(async move {
        let mut tried = 1;
        loop {
            let finish = shared.finish.clone();
            let resolution = resolve(&name.name, name.deadline, &shared.options, finish).await;
            if !resolution.addresses.is_empty() || tried >= name.tries {
                return (name.index, resolution);
            }
            tried += 1;
            sleep(PAUSE).await;
            shared.company.pace().spend(PACKETS_A_NAME, clock::now());
        }
    })
}

impl Next {
    async fn wait(self) {
        match self {
            Self::AfterAGlance => tokio::task::yield_now().await,
            Self::After(pause) => sleep(pause).await,
            Self::WhenOneLands => std::future::pending().await,
        }
    }
}

async fn wait(pause: Option<Duration>) {
    match pause {
        Some(pause) => sleep(pause).await,
        None => std::future::pending().await,
    }
}
