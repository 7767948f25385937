//! The threads that make the runs, several at a time: most of a run is waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use super::stage::Play;
use crate::report::demo::{Permitted, Shown};

/// So many runs at a time leave two slow cores the time to answer within the round trips that verdicts are made of.
const AT_A_TIME: usize = 8;

/// One run and what it came to: the number of the play, the number of the sight.
pub(super) type Done = (usize, usize, Shown);

/// The threads. Those that wait for a child wait for its end when this is dropped; nothing new is begun then.
pub(super) struct Crew {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts them. Every play is shown to every sight; the results come as they are known.
    pub(super) fn start(
        plays: &Arc<[Play]>,
        sights: &'static [Permitted],
    ) -> (Self, mpsc::UnboundedReceiver<Done>) {
        let (results, done) = mpsc::unbounded_channel();
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let runs = plays.len() * sights.len();
        let thread = |_| {
            let (plays, stop, next) = (Arc::clone(plays), Arc::clone(&stop), Arc::clone(&next));
            let results = results.clone();
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let run = next.fetch_add(1, Ordering::Relaxed);
                    let (play, sight) = (run / sights.len(), run % sights.len());
                    let (Some(what), Some(permitted)) = (plays.get(play), sights.get(sight)) else {
                        break;
                    };
                    if results.send((play, sight, what.show(*permitted))).is_err() {
                        break;
                    }
                }
            })
        };
        let threads = (0..AT_A_TIME.min(runs)).map(thread).collect();
        (Self { stop, threads }, done)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic in there has been reported, and its run is missing from the results.
            let _ = thread.join();
        }
    }
}
