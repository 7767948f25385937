//! A private network in which connections fail as described: for tests, and for showing what a failure looks like.
//!
//! Five network namespaces, all of them without a way out:
//!
//! ```text
//! client ── wire ── r1 ── r2 ── server        10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24
//!    .2              .1 .1 .2 .1   .2         2001:db8:1::/64, …:2::/64, …:3::/64
//! ```
//!
//! The wire is a forwarder of our own that drops, delays, repeats and answers by rules ([`network::Rule`]); all else is
//! the kernel's. Nothing but the kernel is needed, and no privileges where the system lets users have namespaces.

mod answers;
mod client;
mod dns;
mod firewall;
mod forwarder;
mod links;
pub mod loopback;
pub mod network;
mod node;
mod places;
mod plan;
mod rules;
mod services;
mod setup;

pub use crate::net::sys::namespace::{EnterError, Powers};
pub use client::{Finished, run};
pub use network::Network;
pub use places::{Family, Node, Place};

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, PipeWriter};
use std::net::TcpStream;
use std::process::Command;
use std::sync::PoisonError;
use std::thread::JoinHandle;

use crate::net::open_files::OpenFiles;
use crate::net::sys::namespace;

use network::{Dns, Listener, Rule, ServerAction};
use node::NodeThread;
use services::Services;

/// Moves this process into namespaces of its own, which a lab is built in. To be called once, at the top of `main`,
/// before there is a second thread.
pub fn enter() -> Result<(), EnterError> {
    namespace::enter()
}

/// Why a lab could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The description asks for what there is not.
    #[error("the description is wrong: {0}")]
    Description(String),
    /// The system did not play along.
    #[error("{step}: {error}")]
    Failed {
        /// What was being done.
        step: String,
        /// What the system said.
        error: io::Error,
    },
}

/// A network that is up. Its threads end and its namespaces vanish when it is dropped.
pub struct Lab {
    // Dropped in this order: the wire has things done by the services, and all of them live in the nodes.
    _wire: WireThread,
    rules: forwarder::SharedRules,
    services: BTreeMap<Node, Services>,
    held: Vec<TcpStream>,
    nodes: BTreeMap<Node, NodeThread>,
    etc: client::Etc,
    /// What programs on the client may have, whatever the listeners of a large network need.
    open_files: OpenFiles,
    trace: forwarder::Trace,
}

impl Lab {
    /// Builds the network.
    pub fn build(network: &Network) -> Result<Self, BuildError> {
        setup::build(network)
    }

    /// A command that will run on the client, with no more of root's powers than said, and with at most so many open
    /// files (if not said, as many as this process had before it built labs). Its files are those of the description.
    /// Pass it to [`run`], or add arguments first.
    pub fn command(
        &self,
        program: impl AsRef<OsStr>,
        powers: Powers,
        open_files: Option<u64>,
    ) -> io::Result<Command> {
        self.command_on(Node::Client, program, powers, open_files)
    }

    /// The same on any node.
    pub fn command_on(
        &self,
        node: Node,
        program: impl AsRef<OsStr>,
        powers: Powers,
        open_files: Option<u64>,
    ) -> io::Result<Command> {
        client::command(
            program.as_ref(),
            self.node(node)?.namespace.clone(),
            &self.etc,
            powers,
            open_files.map_or(self.open_files, |most| OpenFiles {
                soft: most,
                hard: most,
            }),
        )
    }

    /// Runs code on a node, with root's powers there, and waits for it.
    pub fn on<T: Send + 'static>(
        &self,
        node: Node,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        self.node(node)?.run(job)
    }

    /// Has something done at a node's listener, and waits for it.
    pub fn order(&self, node: Node, action: ServerAction) -> io::Result<()> {
        let remote = self.services.get(&node).and_then(Services::remote);
        remote
            .ok_or_else(|| io::Error::other("nothing listens there"))?
            .order(action)
    }

    /// Puts other rules of the wire in the place of those that it has, from the next packet on. Each begins to count anew.
    ///
    /// # Errors
    /// When they ask for what there is not.
    pub fn rewire(&self, rules: Vec<Rule>) -> Result<(), BuildError> {
        setup::check_rules(&rules)?;
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(rules);
        Ok(())
    }

    /// Listens at a node beyond what the description has, until what is returned is dropped. Which node a listener itself
    /// names says nothing here.
    ///
    /// # Errors
    /// When the description asks for what there is not, or a port is taken.
    pub fn serve(
        &self,
        node: Node,
        listeners: Vec<Listener>,
        dns: Option<Dns>,
    ) -> Result<Serving, BuildError> {
        setup::check_listeners(&listeners)?;
        let started = self
            .node(node)
            .and_then(|node| Services::start(node, listeners, dns));
        started.map(Serving).map_err(|error| BuildError::Failed {
            step: "services".to_owned(),
            error,
        })
    }

    /// What has passed the wire, one line a packet, as tcpdump writes it: `>` towards the server, `<` towards the client.
    pub fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connections that the client already has.
    pub fn held(&self) -> &[TcpStream] {
        &self.held
    }

    fn node(&self, node: Node) -> io::Result<&NodeThread> {
        self.nodes
            .get(&node)
            .ok_or_else(|| io::Error::other("there is no such node"))
    }
}

/// Listeners that were added to a lab; they are closed when this is dropped.
#[must_use = "what listens is closed when this is dropped"]
pub struct Serving(#[expect(dead_code, reason = "it is there to be dropped")] Services);

/// The thread that is the wire, and the pipe whose closing ends it.
struct WireThread {
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
    /// The namespace that its ends are in.
    _node: NodeThread,
}

impl Drop for WireThread {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
