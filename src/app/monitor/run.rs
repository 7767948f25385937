//! The run itself: begins checks when it is their turn or when somebody asks, and takes down what they come to.

mod force;

use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::unconstrained;
use tokio::time::{sleep_until, timeout_at};

use super::State;
use super::configure::Configured;
use super::events::Events;
use super::look::{Looked, Looker, Looks, Order};
use super::reload::{Reload, Reloads};
use super::web;
use crate::app::room::Room;
use crate::app::{Failure, complain, gather, open_raw_sockets, stop_requested};
use crate::check::{PACKETS_A_CONNECTION, Pace};
use crate::cli::{Exit, ModeArgument, MonitorArguments};
use crate::diagnose::Confidence;
use crate::monitor::{Board, Engine, Schedule, Slot, Turn};
use crate::net::clock;
use crate::net::finish::{Finish, Finisher, finisher};
use crate::report::monitor::{Changed, Event};
use force::{Reading, read};

/// Descriptors that answering over HTTP may take.
const DESCRIPTORS_OF_HTTP: usize = 1024;
/// So long checks that are under way at the end have to end by themselves; then what they have seen is what there is.
const LAST: Duration = Duration::from_millis(400);
/// And so long until nobody waits for them any more.
const LAST_OF_ALL: Duration = Duration::from_millis(300);

/// Watches until a signal says to end.
pub(super) fn run(arguments: &MonitorArguments, configured: Configured) -> Result<Exit, Failure> {
    let options = gather::look(&arguments.look).map_err(Failure::usage)?;
    let board = Arc::new(Board::new(clock::unix_now()));
    let listening = web::listen(arguments)?;
    // Before it is known to anybody that we are there.
    let events = Events::begin(arguments.events.as_deref(), &board).map_err(|error| {
        let path = arguments
            .events
            .as_deref()
            .unwrap_or_else(|| "standard output".as_ref());
        Failure::usage(format!("{} cannot be written: {error}", path.display()))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::could_not_judge(format!("epoll_create1() failed: {error}")))?;
    let outcome = runtime.block_on(async {
        let (looks, orders) = Looks::new();
        let (reloads, reload_requests) = Reloads::new();
        let state = Arc::new(State {
            board: Arc::clone(&board),
            looks,
            reloads,
            aims: Mutex::default(),
        });
        if arguments.look.mode == ModeArgument::Raw {
            open_raw_sockets(&options.raw, "--mode raw")?;
        }
        let looker = Looker::new(options, Pace::of(arguments.rate));
        // Before anything is sent: who sees a packet of ours may already send a signal.
        let stop = stop_requested();
        let hang_ups = signal(SignalKind::hangup()).ok();
        let mut watch = Watch::new(looker, &state, events);
        let targets = configured.config.targets.len();
        watch.begin(configured)?;
        complain(&begins(targets, &listening.urls()));
        let answering = listening.answer(state)?;
        let inbox = Inbox {
            orders,
            reload_requests,
            hang_ups,
        };
        watch.run(inbox, arguments, stop).await;
        answering.stop();
        Ok((watch.end().await, answering))
    });
    // What is still under way is no result.
    drop(runtime);
    let (events, answering) = outcome?;
    answering.wait();
    events.end();
    Ok(Exit::AsExpected)
}

/// What a person reads at the beginning.
fn begins(targets: usize, urls: &str) -> String {
    match targets {
        0 => format!("no targets of its own are watched; {urls} tells what may be asked of it"),
        1 => format!("1 target is watched; {urls} shows what becomes of it"),
        more => format!("{more} targets are watched; {urls} shows what becomes of them"),
    }
}

/// What others want.
struct Inbox {
    orders: mpsc::Receiver<Order>,
    reload_requests: mpsc::Receiver<Reload>,
    /// Absent where the system does not let us catch it.
    hang_ups: Option<Signal>,
}

/// Everything of the thread that checks.
struct Watch {
    looker: Rc<Looker>,
    state: Arc<State>,
    events: Events,
    /// Since when the schedule counts.
    epoch: Instant,
    schedule: Schedule,
    slots: Arc<[Arc<Slot>]>,
    places: HashMap<String, usize>,
    at_once: usize,
    flights: FuturesUnordered<Flight>,
    /// A configuration that is being read, and those who wait for what becomes of it.
    reading: Option<Reading>,
    finisher: Finisher,
    finish: Finish,
}

type Flight = Pin<Box<dyn Future<Output = Option<Landed>>>>;

/// A check of the schedule that has ended.
struct Landed {
    slot: Arc<Slot>,
    late: Duration,
    looked: Option<Looked>,
}

/// What happens next.
enum Next {
    Stop,
    /// Absent of a check on request.
    Landed(Option<Landed>),
    Asked(Order),
    /// By whom, if not by a signal.
    Reload(Option<Reload>),
    Read(Result<Configured, Failure>),
    Turn,
}

/// How far the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Checks end when they have an answer.
    No,
    /// They were concluded.
    Concluded,
}

impl Watch {
    fn new(looker: Looker, state: &Arc<State>, events: Events) -> Self {
        let (finisher, finish) = finisher();
        Self {
            looker: Rc::new(looker),
            state: Arc::clone(state),
            events,
            epoch: clock::now(),
            schedule: Schedule::default(),
            slots: Arc::default(),
            places: HashMap::new(),
            at_once: Room::beside(DESCRIPTORS_OF_HTTP).usual(),
            flights: FuturesUnordered::new(),
            reading: None,
            finisher,
            finish,
        }
    }

    fn board(&self) -> &Board {
        &self.state.board
    }

    /// Puts the first configuration in force.
    fn begin(&mut self, configured: Configured) -> Result<(), Failure> {
        self.is_possible(&configured.config)?;
        self.put_in_force(configured);
        let event = Event::Started(&self.board().loaded(), self.slots.len());
        self.events.tell(&event);
        Ok(())
    }

    async fn run(&mut self, mut inbox: Inbox, arguments: &MonitorArguments, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let wake = self.begin_what_is_due();
            let has_room = self.flights.len() < self.at_once;
            let next = tokio::select! {
                () = &mut stop => Next::Stop,
                Some(landed) = self.flights.next() => Next::Landed(landed),
                Some(order) = inbox.orders.recv(), if has_room => Next::Asked(order),
                Some(reload) = inbox.reload_requests.recv() => Next::Reload(Some(reload)),
                () = hang_up(&mut inbox.hang_ups) => Next::Reload(None),
                read = read(&mut self.reading) => Next::Read(read),
                () = wait(wake) => Next::Turn,
            };
            match next {
                Next::Stop => return,
                Next::Landed(landed) => {
                    self.land(landed, Ending::No);
                }
                Next::Asked(order) => {
                    self.looker.is_asked();
                    self.launch(answered(Rc::clone(&self.looker), order, self.finish.clone()));
                }
                Next::Reload(who) => self.reload(who, arguments),
                Next::Read(outcome) => self.take_up(outcome, arguments),
                Next::Turn => {}
            }
        }
    }

    /// Begins the checks whose turn it is; returns when to come back. Without a time there is nothing to do before a check ends.
    fn begin_what_is_due(&mut self) -> Option<Instant> {
        loop {
            if self.flights.len() >= self.at_once {
                return None;
            }
            let now = clock::now();
            let due = self.epoch + self.schedule.next_due()?;
            if due > now {
                return Some(due);
            }
            let pause = self.looker.pace().due_in(now);
            if !pause.is_zero() {
                return Some(now + pause);
            }
            match self.schedule.take(now - self.epoch) {
                None => {}
                Some(Turn::Begin { index, late }) => {
                    self.looker.pace().spend(PACKETS_A_CONNECTION, now);
                    let due = now.checked_sub(late).unwrap_or(now);
                    let slot = Arc::clone(&self.slots[index]);
                    let state = Arc::clone(&self.state);
                    self.launch(watched(
                        Rc::clone(&self.looker),
                        state,
                        slot,
                        due,
                        self.finish.clone(),
                    ));
                }
                Some(Turn::LeftOut { index }) => {
                    self.board().note(|engine| engine.left_out += 1);
                    self.slots[index].change(|standing| standing.left_out += 1);
                }
                Some(Turn::Missed { turns, .. }) => self.board().note(|engine| engine.missed += turns),
            }
        }
    }

    fn launch(&mut self, check: impl Future<Output = Option<Landed>> + 'static) {
        self.board().note(|engine| engine.in_flight += 1);
        // All of them are one task to the runtime, whose budget is for a single one.
        self.flights.push(Box::pin(unconstrained(check)));
    }

    /// Takes down what a check came to; whether there was anything to be sure of.
    fn land(&mut self, landed: Option<Landed>, ending: Ending) -> bool {
        self.board()
            .note(|engine| engine.in_flight = engine.in_flight.saturating_sub(1));
        let Some(Landed { slot, late, looked }) = landed else {
            return true;
        };
        self.schedule.ended(&slot.watched.name);
        // Something else may be watched under that name by now.
        let Some(slot) = self.in_force(&slot) else {
            return true;
        };
        if late > Engine::LATE {
            slot.change(|standing| standing.late += 1);
        }
        let Some(Looked { check, addresses }) = looked else {
            return false;
        };
        // What would have been answered a moment later is no silence.
        if ending == Ending::Concluded && check.seen.confidence != Confidence::Certain {
            return false;
        }
        let confirm = slot.watched.module.confirm;
        let (moved, changes, confirmed) = slot.change(|standing| {
            let moved = standing.addresses.saw(&addresses, confirm);
            let changes = standing.saw(check.clone(), confirm);
            (moved, changes, standing.confirmed.clone())
        });
        if let Some(moved) = moved {
            self.events.tell(&Event::Moved(&slot.watched, &moved));
        }
        for change in &changes {
            self.events.tell(&Event::Changed(Changed {
                watched: &slot.watched,
                change,
                check: &check,
                confirmed: confirmed.as_ref(),
            }));
        }
        true
    }

    /// Where what is known of a target is kept; absent if it is not watched any more, or in another way.
    fn in_force(&self, slot: &Arc<Slot>) -> Option<Arc<Slot>> {
        let place = *self.places.get(&slot.watched.name)?;
        let current = self.slots.get(place)?;
        let (known, looked_at) = (&current.watched, &slot.watched);
        let is_the_same = known.target == looked_at.target && known.module == looked_at.module;
        (Arc::ptr_eq(current, slot) || is_the_same).then(|| Arc::clone(current))
    }

    /// Lets what is under way come to its end, for a moment.
    async fn end(mut self) -> Events {
        let mut unsure = 0;
        let moments = [(Ending::No, LAST), (Ending::Concluded, LAST_OF_ALL)];
        for (ending, moment) in moments {
            if ending == Ending::Concluded {
                self.finisher.finish();
            }
            let until = clock::now() + moment;
            while let Ok(Some(landed)) = timeout_at(until.into(), self.flights.next()).await {
                unsure += u64::from(!self.land(landed, ending));
            }
        }
        let dropped = unsure + self.flights.len() as u64;
        self.events.tell(&Event::Ended(&self.board().engine(), dropped));
        self.events
    }
}

/// A check of the schedule.
async fn watched(
    eye: Rc<Looker>,
    state: Arc<State>,
    slot: Arc<Slot>,
    due: Instant,
    finish: Finish,
) -> Option<Landed> {
    let late = clock::now().saturating_duration_since(due);
    state.board.note(|engine| engine.begins(late));
    let looked = eye
        .look(&slot.watched.target, &slot.watched.module, None, finish)
        .await;
    Some(Landed { slot, late, looked })
}

/// A check on request, as long as somebody waits for it.
async fn answered(eye: Rc<Looker>, order: Order, finish: Finish) -> Option<Landed> {
    let Order {
        target,
        module,
        within,
        mut reply,
    } = order;
    let looking = async {
        eye.pace().turn(PACKETS_A_CONNECTION).await;
        eye.look(&target, &module, within, finish).await
    };
    let looked = tokio::select! {
        looked = looking => looked,
        () = reply.closed() => return None,
    };
    // Whoever asked may have gone just then.
    let _ = reply.send(looked.map(|looked| looked.check));
    None
}

async fn hang_up(hang_ups: &mut Option<Signal>) {
    match hang_ups {
        Some(hang_ups) => {
            hang_ups.recv().await;
        }
        None => std::future::pending().await,
    }
}

async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}
