//! What a request for /probe asks for, and whether it may.
//!
//! A prober that anyone may aim is a scanner for hire. The targets of the configuration may always be asked for. Beyond
//! them, `allow` decides; without an `allow`, anything may be asked for while we listen on loopback alone, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::allow::{Permit, in_one_form};
use super::{Config, Limit, Module};
use crate::document::nearest;
use crate::duration;
use crate::target::{Host, Services, Target};

/// Who may aim at what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// What may be asked for besides the configured targets; absent where nothing is said of it.
    pub permits: Option<Vec<Permit>>,
    /// How often one host may be asked for.
    pub limit: Limit,
}

/// From where requests can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every listener is on loopback: from this host alone.
    Loopback,
    /// From elsewhere too.
    Beyond,
}

impl Reach {
    /// Of all listeners together.
    pub fn of(listeners: &[SocketAddr]) -> Self {
        if listeners.iter().all(|at| at.ip().to_canonical().is_loopback()) {
            Self::Loopback
        } else {
            Self::Beyond
        }
    }
}

/// A request, as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The names and values of the query, decoded.
    pub query: &'a [(String, String)],
    /// The header `X-Prometheus-Scrape-Timeout-Seconds`.
    pub scrape_timeout: Option<&'a str>,
}

/// What is to be looked at, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// The target.
    pub target: Target,
    /// How to look; its timeout is no longer than what was asked for and than the scraper waits.
    pub module: Arc<Module>,
    /// When all of it has to be over, tries and addresses together; absent where nobody said so.
    pub within: Option<Duration>,
    /// What to answer.
    pub answer: Answer,
}

/// What to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The metrics.
    Metrics,
    /// What a person reads: the evidence, and then the metrics.
    Debug,
}

/// Why nothing is looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct Refused {
    /// The HTTP status: 400, 403 or 429.
    pub status: u16,
    /// What is wrong, and what would be right.
    pub says: String,
    /// When it may be tried again, in whole seconds (`Retry-After`); with 429 alone.
    pub retry_after_s: Option<u64>,
}

/// What may be aimed at: made once from a configuration, and asked for each request.
#[derive(Debug, Clone, Default)]
pub struct Aims {
    modules: BTreeMap<String, Arc<Module>>,
    /// In one form each.
    targets: HashSet<Target>,
    names: HashMap<String, Target>,
    allow: Allow,
}

const PARAMETERS: &[&str] = &["target", "module", "timeout", "debug"];

/// What is kept of the scraper's timeout for the answer and its way.
const FOR_THE_ANSWER: Duration = Duration::from_millis(500);
/// A look that is shorter says nothing.
const SHORTEST: Duration = Duration::from_millis(100);

impl Aims {
    /// Those of a configuration.
    pub fn new(config: &Config, allow: Allow) -> Self {
        let targets = config.targets.iter();
        Self {
            modules: config.modules.clone(),
            targets: targets
                .clone()
                .map(|watched| in_one_form(&watched.target))
                .collect(),
            names: targets
                .map(|watched| (watched.name.clone(), watched.target.clone()))
                .collect(),
            allow,
        }
    }

    /// How often one host may be asked for.
    pub fn limit(&self) -> Limit {
        self.allow.limit
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// What is wrong with it, or that it is not permitted.
    pub fn aim(&self, asked: Asked<'_>, reach: Reach, services: &Services) -> Result<Aim, Refused> {
        let query = Query::read(asked.query)?;
        let target = self.target(&query, services)?;
        let module = self.module(&query)?;
        if !self.may(&target, reach) {
            return Err(Refused::forbidden(self.why_not(&target)));
        }
        if let Some(says) = module.cannot_look_at(&target) {
            return Err(Refused::request(says));
        }
        if let Some(hold) = module.hold {
            return Err(Refused::request(format!(
                "module: `{}` leaves a connection idle for {}, which no scrape waits for: give it targets of the configuration, \
                 and read what became of them in /metrics",
                module.name,
                humantime::format_duration(hold)
            )));
        }
        let (module, within) = timed(module, query.timeout, asked.scrape_timeout)?;
        Ok(Aim {
            target,
            module,
            within,
            answer: query.answer()?,
        })
    }

    /// Whether a target may be asked for.
    fn may(&self, target: &Target, reach: Reach) -> bool {
        if self.targets.contains(&in_one_form(target)) {
            return true;
        }
        match (&self.allow.permits, reach) {
            (Some(permits), _) => permits.iter().any(|permit| permit.permits(target)),
            (None, Reach::Loopback) => true,
            (None, Reach::Beyond) => false,
        }
    }

    fn why_not(&self, target: &Target) -> String {
        let why = match &self.allow.permits {
            None => {
                "it is no target of the configuration, and others may be asked for only where every listener is on \
                 loopback, or where `allow` permits them"
            }
            Some(_) => "it is no target of the configuration, and `allow` does not permit it",
        };
        let names = match &target.host {
            Host::Name(_) => " (what permits addresses permits no names)",
            Host::Address { .. } => "",
        };
        format!(
            "{target} is not permitted: {why}{names}. To permit it, write into the configuration: allow: [\"{target}\"]"
        )
    }

    fn target(&self, query: &Query<'_>, services: &Services) -> Result<Target, Refused> {
        let Some(text) = query.target.map(str::trim).filter(|text| !text.is_empty()) else {
            return Err(Refused::request(
                "the parameter `target` is missing: ask for /probe?target=HOST:PORT",
            ));
        };
        if let Some(target) = self.names.get(text) {
            return Ok(target.clone());
        }
        Target::parse(text, services).map_err(|error| Refused::request(format!("target: {error}")))
    }

    fn module(&self, query: &Query<'_>) -> Result<&Arc<Module>, Refused> {
        let name = query.module.unwrap_or(Module::DEFAULT);
        self.modules.get(name).ok_or_else(|| {
            const MOST: usize = 20;
            let mut known: Vec<&str> = self.modules.keys().map(String::as_str).collect();
            let says = if let Some(near) = nearest(name, known.iter().copied()) {
                format!("did you mean {near}?")
            } else {
                let cut = known.len() > MOST;
                known.truncate(MOST);
                known.extend(cut.then_some("…"));
                format!("known are {}", known.join(", "))
            };
            Refused::request(format!("there is no module `{name}`: {says}"))
        })
    }
}

/// The parameters, each once.
#[derive(Default)]
struct Query<'a> {
    target: Option<&'a str>,
    module: Option<&'a str>,
    timeout: Option<&'a str>,
    debug: Option<&'a str>,
}

impl<'a> Query<'a> {
    fn read(pairs: &'a [(String, String)]) -> Result<Self, Refused> {
        let mut query = Self::default();
        for (name, value) in pairs {
            let place = match name.as_str() {
                "target" => &mut query.target,
                "module" => &mut query.module,
                "timeout" => &mut query.timeout,
                "debug" => &mut query.debug,
                _ => {
                    let says = match nearest(name, PARAMETERS.iter().copied()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("its parameters are {}", PARAMETERS.join(", ")),
                    };
                    return Err(Refused::request(format!(
                        "/probe has no parameter `{name}`: {says}"
                    )));
                }
            };
            if place.replace(value).is_some() {
                return Err(Refused::request(format!(
                    "the parameter `{name}` is there twice: give it once"
                )));
            }
        }
        Ok(query)
    }

    fn answer(&self) -> Result<Answer, Refused> {
        match self.debug {
            None | Some("false") => Ok(Answer::Metrics),
            Some("true") => Ok(Answer::Debug),
            Some(other) => Err(Refused::request(format!(
                "debug is true or false, and this is `{other}`"
            ))),
        }
    }
}

/// A module with the timeout that is asked for, and when all has to be over.
fn timed(
    module: &Arc<Module>,
    timeout: Option<&str>,
    scrape_timeout: Option<&str>,
) -> Result<(Arc<Module>, Option<Duration>), Refused> {
    let asked = timeout.map(duration::parse).transpose();
    let asked = asked.map_err(|error| Refused::request(format!("timeout: {error}")))?;
    if let Some(asked) = asked.filter(|asked| *asked > module.timeout) {
        return Err(Refused::request(format!(
            "timeout: {} is longer than the {} of the module `{}`: ask for less, or for a module that looks longer",
            humantime::format_duration(asked),
            humantime::format_duration(module.timeout),
            module.name
        )));
    }
    let within = scrape_timeout.map(left_of).transpose()?;
    let timeout = asked
        .into_iter()
        .chain(within)
        .fold(module.timeout, Duration::min);
    let module = if timeout == module.timeout {
        Arc::clone(module)
    } else {
        Arc::new(Module {
            timeout,
            ..Module::clone(module)
        })
    };
    Ok((module, within))
}

/// What the scraper's timeout leaves for looking.
fn left_of(header: &str) -> Result<Duration, Refused> {
    let timeout = header.trim().parse().ok();
    let timeout = timeout.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
    let Some(timeout) = timeout else {
        return Err(Refused::request(format!(
            "the header X-Prometheus-Scrape-Timeout-Seconds is a number of seconds, such as 10, and this is `{header}`"
        )));
    };
    let left = timeout.saturating_sub(FOR_THE_ANSWER);
    if left < SHORTEST {
        return Err(Refused::request(format!(
            "the scraper waits for {header} s (X-Prometheus-Scrape-Timeout-Seconds), and 0.5 s of that are for the answer: \
             set its scrape_timeout to 1s or more"
        )));
    }
    Ok(left)
}

impl Refused {
    fn request(says: impl Into<String>) -> Self {
        Self {
            status: 400,
            says: says.into(),
            retry_after_s: None,
        }
    }

    fn forbidden(says: String) -> Self {
        Self {
            status: 403,
            says,
            retry_after_s: None,
        }
    }

    /// A host was asked for more often than its limit permits; `wait` is how long until it may be again.
    pub fn too_often(host: &Host, limit: Limit, wait: Duration) -> Self {
        let rate = limit.rate;
        Self {
            status: 429,
            says: format!(
                "{host} was asked for too often: one host may be looked at {rate} times a second (`probe_limit` in the \
                 configuration permits more)"
            ),
            retry_after_s: Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
        }
    }
}

#[cfg(test)]
mod tests;
