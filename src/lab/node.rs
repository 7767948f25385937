//! One namespace and the thread that lives in it.

use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::net::sys::namespace::NetNamespace;

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace, with a thread inside that does one thing after another.
pub(super) struct NodeThread {
    pub(super) namespace: NetNamespace,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl NodeThread {
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let (ready, made) = mpsc::channel();
        let (jobs, todo) = mpsc::channel::<Job>();
        let thread = thread::Builder::new()
            .name(format!("lab-{name}"))
            .spawn(move || {
                let namespace = NetNamespace::create();
                let inside = namespace.is_ok();
                if ready.send(namespace).is_ok() && inside {
                    for job in todo {
                        job();
                    }
                }
            })?;
        let namespace = made.recv().map_err(|_| gone())??;
        Ok(Self {
            namespace,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Has it done on the thread, and waits for the result.
    pub(super) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        self.begin(job)?.recv().map_err(|_| gone())
    }

    /// Has it done on the thread; the result can be fetched later.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<mpsc::Receiver<T>> {
        let (done, result) = mpsc::channel();
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Box::new(move || drop(done.send(job()))))
            .map_err(|_| gone())?;
        Ok(result)
    }

    /// Starts another thread in the same namespace.
    pub(super) fn spawn(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let namespace = self.namespace.clone();
        let (ready, joined) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("lab-{name}"))
            .spawn(move || {
                let result = namespace.join();
                let inside = result.is_ok();
                drop(namespace);
                if ready.send(result).is_ok() && inside {
                    body();
                }
            })?;
        joined.recv().map_err(|_| gone())??;
        Ok(thread)
    }
}

fn gone() -> io::Error {
    io::Error::other("a thread of the lab has ended before its time")
}

impl Drop for NodeThread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there has already been reported by whoever waited for the job.
            let _ = thread.join();
        }
    }
}
