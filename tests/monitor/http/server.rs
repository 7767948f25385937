//! The server of `tcpprobe::http` within the trial, with limits of the trial's own and a handler that can be watched.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use libtest_mimic::Failed;
use tcpprobe::http::{Body, Gate, Limits, Request, Response, Server};
use tokio::sync::{Notify, oneshot};

use super::client::PATIENCE;

/// A server that answers on a thread of its own.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    pub(crate) gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What can be watched.
#[derive(Default)]
pub(crate) struct Seen {
    /// Handlers of `/wait` that were begun.
    pub(crate) begun: AtomicUsize,
    /// Those that were dropped before they had answered.
    pub(crate) dropped: AtomicUsize,
    /// Pieces of `/endless` that were made.
    pub(crate) pieces: AtomicUsize,
    /// Bodies of `/endless` that were dropped.
    pub(crate) bodies_dropped: AtomicUsize,
    /// Lets those of `/wait` answer.
    pub(crate) answer: Notify,
    /// What the gate complained of.
    pub(crate) complaints: Mutex<Vec<String>>,
}

impl Seen {
    /// Waits until a count is at least so high.
    pub(crate) fn until(&self, count: impl Fn(&Self) -> &AtomicUsize, at_least: usize) -> Result<(), Failed> {
        super::until(|| count(self).load(Ordering::SeqCst) >= at_least)
            .map_err(|_| format!("{} instead of {at_least}", count(self).load(Ordering::SeqCst)).into())
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Served {
    pub(crate) fn start(at: IpAddr, limits: Limits) -> Result<Self, Failed> {
        Self::start_with(at, limits, None)
    }

    /// With a web configuration.
    pub(crate) fn start_with(at: IpAddr, limits: Limits, file: Option<&Path>) -> Result<Self, Failed> {
        let seen = Arc::new(Seen::default());
        let told = Arc::clone(&seen);
        let complain = move |says: &str| {
            let mut complaints = told.complaints.lock().unwrap_or_else(PoisonError::into_inner);
            complaints.push(says.to_owned());
        };
        let gate = match file {
            None => Gate::open(complain),
            Some(file) => Gate::read(file, complain)?,
        };
        let gate = Arc::new(gate);
        let server = Server::bind(&[SocketAddr::new(at, 0)], limits, Arc::clone(&gate))?;
        let address = server.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let watched = Arc::clone(&seen);
        let handler = move |request| answer(request, Arc::clone(&watched));
        // In the network of this thread.
        let thread = std::thread::Builder::new()
            .name(super::SERVER.to_owned())
            .spawn(move || {
                let stop = async {
                    let _ = stopped.await;
                };
                runtime.block_on(server.serve(handler, stop)).unwrap();
            })?;
        Ok(Self {
            address,
            seen,
            gate,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Has it end, and does not wait for that.
    pub(crate) fn stop(&mut self) {
        // A server that has ended does not listen to it.
        let _ = self.stop.take().map(|stop| stop.send(()));
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> Result<(), Failed> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        super::until(|| thread.is_finished()).map_err(|_| format!("it has not ended within {PATIENCE:?}"))?;
        thread.join().map_err(|_| "the server panicked".into())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn answer(request: Request, seen: Arc<Seen>) -> Response {
    match request.path.as_str() {
        "/quick" => Response::text(200, "quick"),
        "/echo" => {
            let query = request
                .query
                .iter()
                .map(|(name, value)| format!("{name}={value}\n"));
            let header = request.header("x-said").unwrap_or("-");
            let query: String = query.collect();
            Response::text(200, format!("{} {header}\n{query}", request.method))
        }
        "/wait" => {
            let mut dropped = Dropped(Some(Arc::clone(&seen)));
            seen.begun.fetch_add(1, Ordering::SeqCst);
            seen.answer.notified().await;
            dropped.0 = None;
            Response::text(200, "waited")
        }
        "/large" => whole(LARGE.repeat(10_000).into_bytes()),
        "/pieces" => pieces((0..40).map(|number| LARGE.repeat(number).into_bytes())),
        "/endless" => {
            let watched = EndlessBody(seen);
            pieces(std::iter::from_fn(move || {
                watched.0.pieces.fetch_add(1, Ordering::SeqCst);
                Some(vec![b'x'; 64 << 10])
            }))
        }
        _ => Response::text(404, "nothing"),
    }
}

/// A line of `/large` and `/pieces`.
pub(crate) const LARGE: &str = "so it goes on, and on, and on\n";

fn whole(body: Vec<u8>) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: Body::Whole(body),
    }
}

fn pieces(pieces: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: Body::Pieces(Box::new(pieces)),
    }
}

struct Dropped(Option<Arc<Seen>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(seen) = &self.0 {
            seen.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

struct EndlessBody(Arc<Seen>);

impl Drop for EndlessBody {
    fn drop(&mut self) {
        self.0.bodies_dropped.fetch_add(1, Ordering::SeqCst);
    }
}
