//! What listens in a namespace: TCP listeners of several manners, and the DNS server.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc as queue;

use crate::net::sys::listen_queue::AcceptQueue;

use super::dns;
use super::network::{Behaviour, Dns, Listener, ServerAction};
use super::node::NodeThread;
use super::places::Family;

/// The services of one namespace. They end when this is dropped.
pub(super) struct Services {
    remote: Option<Remote>,
    thread: Option<JoinHandle<()>>,
}

/// Has things done at a namespace's listeners.
#[derive(Clone)]
pub(super) struct Remote(queue::UnboundedSender<Order>);

type Order = (ServerAction, mpsc::Sender<io::Result<()>>);

impl Remote {
    /// Has it done, and returns when it is done.
    pub(super) fn order(&self, action: ServerAction) -> io::Result<()> {
        let ended = || io::Error::other("the services of this namespace have ended");
        let (done, result) = mpsc::channel();
        self.0.send((action, done)).map_err(|_| ended())?;
        result.recv().map_err(|_| ended())?
    }
}

impl Services {
    /// Starts them; returns when all of them listen.
    pub(super) fn start(node: &NodeThread, listeners: Vec<Listener>, dns: Option<Dns>) -> io::Result<Self> {
        let (orders, to_do) = queue::unbounded_channel();
        let (ready, started) = mpsc::channel();
        let thread = node.spawn("services", move || {
            let serving = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| {
                    let opened = runtime.block_on(open(&listeners, dns));
                    (runtime, opened)
                });
            match serving {
                Ok((runtime, Ok(mut queues))) => {
                    if ready.send(Ok(())).is_ok() {
                        runtime.block_on(serve(&mut queues, to_do));
                    }
                }
                Ok((_, Err(error))) | Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        started
            .recv()
            .map_err(|_| io::Error::other("the services did not start"))??;
        Ok(Self {
            remote: Some(Remote(orders)),
            thread: Some(thread),
        })
    }

    pub(super) fn remote(&self) -> Option<Remote> {
        self.remote.clone()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.remote = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A listener that nobody accepts from unless ordered to, and the connections that fill it.
struct Queue {
    listener: TcpListener,
    /// Connections made here to fill it.
    own: Vec<TcpStream>,
    /// Connections accepted on order.
    accepted: Vec<TcpStream>,
}

async fn open(listeners: &[Listener], dns: Option<Dns>) -> io::Result<BTreeMap<u16, Queue>> {
    let mut queues = BTreeMap::new();
    let on_each_port = listeners
        .iter()
        .flat_map(|description| description.ports().map(move |port| (description, port)));
    for (description, port) in on_each_port {
        let listener = listen(description, port)?;
        match description.behaviour {
            Behaviour::NeverAccept => {
                let mut queue = Queue {
                    listener,
                    own: Vec::new(),
                    accepted: Vec::new(),
                };
                if description.full {
                    queue.fill()?;
                }
                queues.insert(port, queue);
            }
            Behaviour::Accept
            | Behaviour::AcceptThenClose
            | Behaviour::AcceptThenReset
            | Behaviour::ResetAtClose => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(accept(listener, description.behaviour));
            }
        }
    }
    if let Some(dns) = dns {
        dns::start(dns).await?;
    }
    Ok(queues)
}

async fn serve(queues: &mut BTreeMap<u16, Queue>, mut to_do: queue::UnboundedReceiver<Order>) {
    while let Some((action, done)) = to_do.recv().await {
        let port = match action {
            ServerAction::Fill(port) | ServerAction::AcceptOne(port) | ServerAction::Drain(port) => port,
        };
        let outcome = match (queues.get_mut(&port), action) {
            (None, _) => Err(io::Error::other(format!(
                "port {port} has no listener that never accepts"
            ))),
            (Some(queue), ServerAction::Fill(_)) => queue.fill(),
            (Some(queue), ServerAction::AcceptOne(_)) => queue.accept_one().map(drop),
            (Some(queue), ServerAction::Drain(_)) => queue.drain(),
        };
        // Whoever ordered it may have gone.
        let _ = done.send(outcome);
    }
}

impl Queue {
    /// Connects until the kernel would ignore the next SYN.
    fn fill(&mut self) -> io::Result<()> {
        let listening = self.listener.local_addr()?;
        let to = match listening.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, listening.port()))
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                SocketAddr::from((Ipv6Addr::LOCALHOST, listening.port()))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => listening,
        };
        let limit = AcceptQueue::of(&self.listener)?.limit;
        for _ in 0..=limit {
            if AcceptQueue::of(&self.listener)?.is_full() {
                return Ok(());
            }
            self.own
                .push(TcpStream::connect_timeout(&to, Duration::from_secs(1))?);
        }
        Ok(())
    }

    /// Accepts one that waits, if one does, and keeps it.
    fn accept_one(&mut self) -> io::Result<bool> {
        match self.listener.accept() {
            Ok((connection, _)) => {
                self.accepted.push(connection);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        while self.accept_one()? {}
        self.own.clear();
        self.accepted.clear();
        Ok(())
    }
}

fn listen(description: &Listener, port: u16) -> io::Result<TcpListener> {
    let family = description.family.unwrap_or(Family::V6);
    let any: IpAddr = match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    let ip = description.place.map_or(any, |place| place.address(family));
    let address = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if family == Family::V6 {
        socket.set_only_v6(description.family.is_some())?;
    }
    socket.bind(&address.into())?;
    socket.listen(i32::from(description.backlog))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

async fn accept(listener: tokio::net::TcpListener, behaviour: Behaviour) {
    // An error is about one connection that is gone already; the next call waits for another.
    loop {
        let Ok((mut connection, _)) = listener.accept().await else {
            continue;
        };
        match behaviour {
            Behaviour::Accept | Behaviour::ResetAtClose | Behaviour::NeverAccept => {
                tokio::spawn(async move {
                    let mut sink = [0; 1024];
                    while matches!(connection.read(&mut sink).await, Ok(1..)) {}
                    if behaviour == Behaviour::ResetAtClose {
                        // Closing with a linger time of zero aborts the connection.
                        let _ = connection.set_zero_linger();
                    }
                });
            }
            Behaviour::AcceptThenClose => drop(connection),
            Behaviour::AcceptThenReset => {
                // Closing with a linger time of zero aborts the connection.
                let _ = connection.set_zero_linger();
            }
        }
    }
}
