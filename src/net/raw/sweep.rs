//! A sweep: one SYN of our own to each of many endpoints, as fast as is permitted, and what they answer.
//!
//! Two threads of their own do it, since one core cannot both send and receive as fast as a link takes it, and the
//! runtime has the answers to look at. Nothing is kept of a SYN but when it left: its sequence number is a keyed hash of
//! the endpoint, so that an answer proves itself. Who does not answer is asked twice more.

mod cadence;
mod compass;
mod receive;
mod roll;
mod send;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::open::{self, Ports};
use crate::evidence::Shot;
use crate::net::dial::Source;
use crate::net::{clock, privileges};
use cadence::Cadence;
use compass::Compass;
use receive::Ears;
use roll::{Roll, TRIES};
use send::Outlet;

/// What to sweep, and how.
#[derive(Debug, Clone)]
pub struct SweepOrder {
    /// The endpoints, each once, in the order in which they are to be asked; four thousand million at most.
    pub endpoints: Vec<SocketAddr>,
    /// Packets a second, those among them that our kernel adds for each SYN-ACK (from 1).
    pub rate: u32,
    /// An answer that takes longer is not plain.
    pub slow: Duration,
}

/// What a sweep says of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Swept {
    /// It answered the first SYN, in time and with one voice: by a SYN-ACK, a RST, or an ICMP error that names its
    /// rejection.
    Plain(Plain),
    /// Anything else, silence above all: to be looked into.
    Odd {
        /// Its place in [`SweepOrder::endpoints`].
        index: usize,
    },
}

/// A plain answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// The endpoint's place in [`SweepOrder::endpoints`].
    pub index: usize,
    /// Wall-clock time at which the SYN left, since the Unix epoch.
    pub started_unix_s: Duration,
    /// How long answers were listened to.
    pub took_s: Duration,
    /// The SYN, and what answered it.
    pub shot: Shot,
}

/// The sockets of a sweep.
pub struct Sweeper {
    ports: Ports,
    /// IPv4, and IPv6 where the kernel has it.
    outlets: [Option<Outlet>; 2],
    ears: Ears,
    compass: Compass,
}

/// A sweep under way. It ends when this is dropped.
pub struct Sweep {
    answers: UnboundedReceiver<Vec<Swept>>,
    ready: VecDeque<Swept>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What both threads share.
struct Shared {
    roll: Mutex<Roll>,
    stop: AtomicBool,
    _ports: Ports,
}

impl Sweeper {
    /// Opens the sockets, with CAP_NET_RAW in force only meanwhile. The port of the source is one of ours in any case.
    ///
    /// # Errors
    /// `PermissionDenied` without CAP_NET_RAW, and what else the system says when it will not open sockets.
    pub(super) fn open(source: &Source) -> io::Result<Self> {
        privileges::with_raw_sockets(|| open(source))
    }

    /// Begins to send.
    ///
    /// # Errors
    /// When the system will not start threads.
    pub fn begin(self, order: SweepOrder) -> io::Result<Sweep> {
        let Self {
            ports,
            outlets,
            ears,
            compass,
        } = self;
        let cadence = Cadence::of(order.rate);
        let origin = roll::Origin {
            at: clock::now(),
            wall: clock::unix_now(),
        };
        let roll = Roll::new(order.endpoints, ports.numbers.clone(), order.slow, origin);
        let shared = Arc::new(Shared {
            roll: Mutex::new(roll),
            stop: AtomicBool::new(false),
            _ports: ports,
        });
        let (told, answers) = unbounded_channel();
        let mut sweep = Sweep {
            answers,
            ready: VecDeque::new(),
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        let listening = Arc::clone(&shared);
        sweep.start("sweep-receive", move || receive::run(&listening, &ears, &told))?;
        sweep.start("sweep-send", move || {
            send::run(&shared, &outlets, compass, cadence);
        })?;
        Ok(sweep)
    }
}

impl Sweep {
    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Its sockets are open.
            let _ = privileges::give_up();
            run();
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// The next endpoint of which there is something to say; absent when all have been told. Nothing is lost when this is
    /// dropped while it waits.
    pub async fn next(&mut self) -> Option<Swept> {
        while self.ready.is_empty() {
            self.ready.extend(self.answers.recv().await?);
        }
        self.ready.pop_front()
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Sweep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep").finish_non_exhaustive()
    }
}

impl Shared {
    fn roll(&self) -> MutexGuard<'_, Roll> {
        self.roll.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A port for each try, so that an answer says which SYN it answers.
fn open(source: &Source) -> io::Result<Sweeper> {
    let ports = Ports::reserve(TRIES)?;
    // Where the kernel does not let us filter, we hear more than we want and sort it out.
    let mut filtered = true;
    let v4 = (
        Outlet::open(true, source)?,
        open::tcp(true, &ports.numbers, &mut filtered)?,
        open::icmp(true, &ports.numbers, &mut filtered)?,
    );
    let v6 = match Outlet::open(false, source) {
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
        outlet => Some((
            outlet?,
            open::tcp(false, &ports.numbers, &mut filtered)?,
            open::icmp(false, &ports.numbers, &mut filtered)?,
        )),
    };
    let (outlet_v4, tcp_v4, icmp_v4) = v4;
    let (outlet_v6, ears_v6) = v6.map_or((None, None), |(outlet, tcp, icmp)| {
        (Some(outlet), Some([tcp, icmp]))
    });
    let ears = Ears {
        v4: [tcp_v4, icmp_v4],
        v6: ears_v6,
    };
    Ok(Sweeper {
        ports,
        outlets: [Some(outlet_v4), outlet_v6],
        ears,
        compass: Compass::new(source),
    })
}

/// The user's source address, if it is of that IP version.
fn address_of(source: &Source, is_ipv4: bool) -> Option<IpAddr> {
    source.address.filter(|address| address.is_ipv4() == is_ipv4)
}
