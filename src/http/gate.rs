//! Who may come in, and how: what the web configuration says, read again whenever it or a file that it names changes.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::header::{HeaderName, HeaderValue};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

use super::ConfigError;
use super::config::Config;
use super::passwords::Passwords;

/// Who may come in, and how. Shared by all threads.
pub struct Gate {
    file: Option<PathBuf>,
    state: Mutex<State>,
    complain: Box<dyn Fn(&str) + Send + Sync>,
}

/// What is wrong with the web configuration.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// It cannot be read, or does not say what it should.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It would open what was closed.
    #[error("{}: {what} cannot be taken away while the program runs: start it anew if that is meant", .path.display())]
    Opens {
        /// Which.
        path: PathBuf,
        /// What is not there.
        what: &'static str,
    },
    /// The kernel gives no random bytes.
    #[error("the kernel gives no random bytes, without which no password can be checked")]
    NoRandom,
}

#[derive(Default)]
struct State {
    in_force: Arc<InForce>,
    stamps: Vec<Stamp>,
    /// Why what was read last is not in force.
    refused: Option<Arc<GateError>>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct InForce {
    /// How TLS is spoken, where it is.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Whose passwords are asked for, if any.
    pub(super) passwords: Option<Passwords>,
    /// The headers that all answers have.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// A file, and what changes with its contents; absent for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    is: Option<[i64; 6]>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Gate")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Open to everyone, without TLS. `complain` is told what goes wrong that no client is told of.
    pub fn open(complain: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            file: None,
            state: Mutex::default(),
            complain: Box::new(complain),
        }
    }

    /// As the file says. `complain` is told too when the file is changed and cannot be used; what it said before then stays in
    /// force.
    ///
    /// # Errors
    /// Where the file, or one that it names, cannot be used.
    pub fn read(file: &Path, complain: impl Fn(&str) + Send + Sync + 'static) -> Result<Self, GateError> {
        let (in_force, stamps) = load(file);
        Ok(Self {
            file: Some(file.to_owned()),
            state: Mutex::new(State {
                in_force: Arc::new(in_force?),
                stamps,
                refused: None,
            }),
            complain: Box::new(complain),
        })
    }

    /// Whether clients have to speak TLS.
    pub fn wants_tls(&self) -> bool {
        self.in_force().tls.is_some()
    }

    /// Reads the file again where something has changed since it was read.
    ///
    /// # Errors
    /// Where what was read last cannot be used. What was said before stays in force.
    pub fn refresh(&self) -> Result<(), Arc<GateError>> {
        self.read_again().refused.clone().map_or(Ok(()), Err)
    }

    /// The state, with what has changed. Each change is read once, whatever comes of it, and what is wrong told once.
    fn read_again(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_read = state.stamps.iter().all(|stamp| *stamp == Stamp::of(&stamp.path));
        let Some(file) = self.file.as_ref().filter(|_| !is_read) else {
            return state;
        };
        let (loaded, stamps) = load(file);
        state.stamps = stamps;
        let loaded = loaded.and_then(|loaded| Self::closes(&state.in_force, loaded, file));
        state.refused = match loaded {
            Ok(loaded) => {
                state.in_force = Arc::new(loaded);
                None
            }
            Err(error) => {
                self.complain(&format!(
                    "{error}\nWhat the web configuration said before stays in force."
                ));
                Some(Arc::new(error))
            }
        };
        state
    }

    /// What was read, where it closes all that is closed.
    fn closes(in_force: &InForce, loaded: InForce, file: &Path) -> Result<InForce, GateError> {
        let lacks = match in_force {
            InForce { tls: Some(_), .. } if loaded.tls.is_none() => Some("TLS"),
            InForce {
                passwords: Some(_), ..
            } if loaded.passwords.is_none() => Some("the need for a password"),
            InForce { .. } => None,
        };
        match lacks {
            None => Ok(loaded),
            Some(what) => Err(GateError::Opens {
                path: file.to_owned(),
                what,
            }),
        }
    }

    /// Tells what went wrong.
    pub(super) fn complain(&self, says: &str) {
        (self.complain)(says);
    }

    /// What is to be done at the moment.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.read_again().in_force)
    }
}

/// What the file comes to, and what it depends on.
fn load(file: &Path) -> (Result<InForce, GateError>, Vec<Stamp>) {
    // Before the files are read: what changes meanwhile is read again.
    let mut stamps = vec![Stamp::of(file)];
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => return (Err(error.into()), stamps),
    };
    let named = config.tls.iter().flat_map(super::tls::Tls::files);
    stamps.extend(named.map(|path| Stamp::of(&path)));
    (in_force(config, file), stamps)
}

fn in_force(config: Config, file: &Path) -> Result<InForce, GateError> {
    let tls = config.tls.map(|tls| tls.set_up()).transpose();
    let tls = tls.map_err(|error| ConfigError::Wrong {
        path: file.to_owned(),
        error,
    })?;
    let mut key = [0; 32];
    let random = ring::default_provider().secure_random;
    random.fill(&mut key).map_err(|_| GateError::NoRandom)?;
    Ok(InForce {
        tls: tls.map(Arc::new),
        passwords: Passwords::new(config.users, key),
        headers: config.headers,
    })
}

impl Stamp {
    fn of(path: &Path) -> Self {
        // A link is followed: those who renew certificates often replace it.
        let is = fs::metadata(path).ok().map(|file| {
            [
                file.mtime(),
                file.mtime_nsec(),
                file.ctime(),
                file.ctime_nsec(),
                file.size().cast_signed(),
                file.ino().cast_signed(),
            ]
        });
        Self {
            path: path.to_owned(),
            is,
        }
    }
}
