//! Whether a run may look with raw sockets, and opening them when it first does.

use std::io;
use std::sync::{Arc, OnceLock};

use super::{Order, Raw, Sweeper};
use crate::evidence::{Ability, LocalError, Mode, Shot, ShotOutcome, Sight};
use crate::net::dial::Source;
use crate::net::finish::Finish;
use crate::net::{errno, privileges};

/// The raw sockets of a run. A run that never asks for them, because all that it looks at is open, does not pay for them.
#[derive(Debug, Clone)]
pub struct RawSight {
    when: Use,
    permitted: bool,
    opened: Arc<OnceLock<Result<Raw, LocalError>>>,
}

/// When raw sockets are to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Not at all, whatever is permitted.
    Never,
    /// Where they are permitted, and when something is to be asked that nothing else can.
    WhenNeeded,
    /// In any case.
    Always,
}

impl RawSight {
    /// Finds out what is permitted; opens nothing.
    pub fn new(when: Use) -> Self {
        Self {
            when,
            permitted: privileges::may_use_raw_sockets(),
            opened: Arc::default(),
        }
    }

    /// The same sockets, used at other times.
    #[must_use]
    pub fn using(&self, when: Use) -> Self {
        Self { when, ..self.clone() }
    }

    /// Whether raw probes can be asked for, as far as is known before it is tried.
    pub fn ability(&self) -> Ability {
        let why = match (self.when, self.permitted, self.opened.get()) {
            (Use::Never, _, _) => "--mode connect does without".to_owned(),
            (Use::WhenNeeded | Use::Always, _, Some(Err(error))) => {
                format!("{}() failed with {}", error.call, error.errno)
            }
            (Use::WhenNeeded | Use::Always, false, _) => "CAP_NET_RAW is missing".to_owned(),
            (Use::WhenNeeded | Use::Always, true, Some(Ok(_)) | None) => return Ability::Yes,
        };
        Ability::No { why }
    }

    /// How a run looks that has not asked for raw probes yet.
    pub fn mode(&self) -> Mode {
        match self.when {
            Use::Never | Use::WhenNeeded => Mode::Connect,
            Use::Always => Mode::Raw,
        }
    }

    /// The sockets, which are opened when this is called for the first time. To be called within a tokio runtime, on the
    /// thread that has CAP_NET_RAW.
    ///
    /// # Errors
    /// Why they cannot be opened; the same each time.
    pub fn raw(&self) -> Result<Raw, LocalError> {
        if self.when == Use::Never || !self.permitted {
            return Err(errno::local("socket", &io::Error::from_raw_os_error(libc::EPERM)));
        }
        self.opened
            .get_or_init(|| Raw::open().map_err(|error| errno::local("socket", &error)))
            .clone()
    }

    /// Opens the sockets of a sweep, on the thread that has CAP_NET_RAW, and before [`Self::raw`] gives that up.
    ///
    /// # Errors
    /// Why they cannot be opened.
    pub fn sweeper(&self, source: &Source) -> Result<Sweeper, LocalError> {
        if self.when == Use::Never || !self.permitted {
            return Err(errno::local("socket", &io::Error::from_raw_os_error(libc::EPERM)));
        }
        Sweeper::open(source).map_err(|error| errno::local("socket", &error))
    }

    /// Sends a probe as [`Raw::shoot`] does; where the sockets cannot be opened it is not sent, and says why.
    pub async fn shoot(&self, order: &Order, finish: Finish) -> Shot {
        match self.raw() {
            Ok(raw) => raw.shoot(order, finish).await,
            Err(error) => Shot {
                question: order.question,
                to: order.to,
                from: None,
                outcome: ShotOutcome::NotSent(error),
            },
        }
    }

    /// Has the sight of an endpoint say that raw probes were asked for: whether they were possible is known by now.
    pub fn note_use(&self, sight: &mut Sight) {
        sight.raw = self.ability();
        if let Some(Ok(_)) = self.opened.get() {
            sight.mode = Mode::Raw;
        }
    }
}
