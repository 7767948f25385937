//! One check of one target: for the schedule, and for whoever asks over HTTP.
//!
//! All checks of a process are made on one thread: it alone has CAP_NET_RAW until the raw sockets are opened, and all of them
//! keep one pace. Other threads ask it by [`Looks`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::check::{
    Company, Options, PACKETS_A_CONNECTION, Pace, Sights, TargetOutcome, check_one_of_many, could_not_begin,
};
use crate::diagnose::Judged;
use crate::diagnose::advice::default_client_hang;
use crate::evidence::SynSchedule;
use crate::monitor::{Check, Module, Seen};
use crate::net::finish::{Finish, finisher};
use crate::net::{clock, settings};
use crate::report::json;
use crate::target::Target;

/// The pause before a target is looked at again that was not as expected.
const PAUSE: Duration = Duration::from_millis(250);
/// What checks know of each other is forgotten after that time: what rejected a port a minute ago says nothing.
const COMPANY_LASTS: Duration = Duration::from_secs(10);
/// So many checks may wait for their turn that others have asked for.
const ORDERS: usize = 256;

/// Looks at targets, on the thread that it was made on.
pub(super) struct Looker {
    /// How to look, as far as no module says otherwise.
    options: Options,
    schedule: Option<SynSchedule>,
    pace: Pace,
    company: RefCell<(Rc<Company>, Instant)>,
    /// How many other targets may be looked at while one is: what the kernel counts for all of us is not one's own.
    others: Cell<u32>,
    /// Those of the modules in force, by name.
    manners: RefCell<HashMap<String, Rc<Manner>>>,
}

/// A module, made ready.
struct Manner {
    module: Arc<Module>,
    options: Options,
    sights: Sights,
}

/// What a check came to.
pub(super) struct Looked {
    /// The check.
    pub(super) check: Check,
    /// The addresses that the name has; empty for an address, and where the name gave none.
    pub(super) addresses: Vec<IpAddr>,
}

impl Looker {
    /// Opens nothing and sends nothing.
    pub(super) fn new(options: Options, pace: Pace) -> Self {
        Self {
            options,
            schedule: settings::syn_schedule(),
            company: RefCell::new((Rc::new(Company::of(0, pace.clone()).spread()), clock::now())),
            pace,
            others: Cell::new(0),
            manners: RefCell::default(),
        }
    }

    /// How to look, as far as no module says otherwise.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// The pace that all checks keep. Who begins one has had a turn of [`PACKETS_A_CONNECTION`].
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Those modules are in force, and so many targets are watched. What can be looked at is found out anew.
    pub(super) fn take_up(&self, modules: &BTreeMap<String, Arc<Module>>, targets: usize) {
        let others = u32::try_from(targets.saturating_sub(1)).unwrap_or(u32::MAX);
        self.others.set(self.others.get().min(1).max(others));
        self.renew_company(clock::now());
        let manners = modules
            .iter()
            .map(|(name, module)| (name.clone(), Rc::new(self.made_ready(module))));
        *self.manners.borrow_mut() = manners.collect();
    }

    /// Looks at a target as the module says, as often as it says, and no longer than `within`. The name is resolved anew each
    /// time. `finish` concludes: what has been seen by then is what it comes to. Who drops it leaves nothing open.
    ///
    /// Absent where it was concluded before the name had an address.
    pub(super) async fn look(
        &self,
        target: &Target,
        module: &Arc<Module>,
        within: Option<Duration>,
        mut finish: Finish,
    ) -> Option<Looked> {
        let manner = self.manner(module);
        let Some(within) = within else {
            return self.look_often(target, &manner, finish).await;
        };
        let (own_finisher, own_finish) = finisher();
        let looking = self.look_often(target, &manner, own_finish);
        tokio::pin!(looking);
        tokio::select! {
            looked = &mut looking => return looked,
            () = sleep(within) => {}
            () = finish.requested() => {}
        }
        own_finisher.finish();
        looking.await
    }

    async fn look_often(&self, target: &Target, manner: &Manner, finish: Finish) -> Option<Looked> {
        let (began, began_unix_s) = (clock::now(), clock::unix_now());
        let mut tried = 1;
        loop {
            let outcome = self.look_once(target, manner, finish.clone()).await;
            let took_s = clock::now().saturating_duration_since(began);
            let seen = Seen::of(&outcome, &manner.module.expected, tried, began_unix_s, took_s)?;
            let is_last = tried >= manner.module.tries || seen.judged == Judged::AsExpected;
            if is_last || finish.is_requested() {
                return Some(Looked {
                    check: Check {
                        seen,
                        record: self.record(&outcome),
                    },
                    addresses: outcome
                        .name
                        .map_or_else(Vec::new, |name| name.resolution.addresses),
                });
            }
            tried += 1;
            let mut ended = finish.clone();
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = ended.requested() => {}
            }
            self.pace.spend(PACKETS_A_CONNECTION, clock::now());
        }
    }

    async fn look_once(&self, target: &Target, manner: &Manner, finish: Finish) -> TargetOutcome {
        let company = self.company();
        let hang = self.schedule.map(default_client_hang);
        let (options, sights) = (&manner.options, &manner.sights);
        let looked = check_one_of_many(target, options, sights, &company, hang, finish).await;
        looked.unwrap_or_else(|error| could_not_begin(target, options, "if_nametoindex", &error))
    }

    /// The records of a target's endpoints as JSON lines.
    fn record(&self, outcome: &TargetOutcome) -> Arc<str> {
        let mut record = Vec::with_capacity(4096);
        // A vector takes whatever is written.
        let written: io::Result<()> = json::write_target_lines(outcome, self.schedule, &mut record);
        debug_assert!(written.is_ok());
        String::from_utf8_lossy(&record).into()
    }

    /// Somebody asks for a check beside the schedule, and may do so again at any time: no target is alone any more.
    pub(super) fn is_asked(&self) {
        if self.others.get() == 0 {
            self.others.set(1);
            self.renew_company(clock::now());
        }
    }

    /// What is looked at in the same time.
    fn company(&self) -> Rc<Company> {
        let now = clock::now();
        if now.saturating_duration_since(self.company.borrow().1) > COMPANY_LASTS {
            self.renew_company(now);
        }
        Rc::clone(&self.company.borrow().0)
    }

    fn renew_company(&self, now: Instant) {
        let company = Company::of(self.others.get(), self.pace.clone()).spread();
        *self.company.borrow_mut() = (Rc::new(company), now);
    }

    /// That of a module in force, or one made for this check alone.
    fn manner(&self, module: &Arc<Module>) -> Rc<Manner> {
        let known = self.manners.borrow().get(&module.name).map(Rc::clone);
        match known {
            Some(known) if Arc::ptr_eq(&known.module, module) || known.module == *module => known,
            Some(_) | None => Rc::new(self.made_ready(module)),
        }
    }

    fn made_ready(&self, module: &Arc<Module>) -> Manner {
        let options = Options {
            timeout: module.timeout,
            slow: module.slow,
            idle: module.hold,
            families: module.families,
            addresses: module.addresses,
            raw: self.options.raw.using(module.raw),
            ..self.options.clone()
        };
        Manner {
            module: Arc::clone(module),
            sights: Sights::new(options.raw.clone()),
            options,
        }
    }
}

/// Asks for checks from any thread.
#[derive(Debug, Clone)]
pub(super) struct Looks(mpsc::Sender<Order>);

/// A check that somebody asks for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) target: Target,
    pub(super) module: Arc<Module>,
    pub(super) within: Option<Duration>,
    pub(super) reply: oneshot::Sender<Option<Check>>,
}

impl Looks {
    /// And the other end.
    pub(super) fn new() -> (Self, mpsc::Receiver<Order>) {
        let (sender, receiver) = mpsc::channel(ORDERS);
        (Self(sender), receiver)
    }

    /// Has a target looked at, within that time if there is a bound; who drops this cancels it. Absent when the process is about to
    /// end.
    pub(super) async fn look(
        &self,
        target: Target,
        module: Arc<Module>,
        within: Option<Duration>,
    ) -> Option<Check> {
        let (reply, check) = oneshot::channel();
        let order = Order {
            target,
            module,
            within,
            reply,
        };
        self.0.send(order).await.ok()?;
        check.await.ok().flatten()
    }
}
