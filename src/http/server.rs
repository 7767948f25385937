//! Listens, accepts, and ends: what is under way gets a while to finish.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as Bound};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

use super::admission::{Connections, Requests};
use super::connection::{farewell, serve};
use super::{Gate, Limits, Request, Response};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long to wait after an accept() that failed for want of something of ours, such as descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// So many of those who come when there are too many are told so at a time; others are closed without a word.
const TURNED_AWAY: usize = 32;

/// A server that listens, and has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Bound>,
    limits: Limits,
    gate: Arc<Gate>,
}

/// Where and why nobody can listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}{}", remedy(.error, *.address))]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// Why not.
    pub error: io::Error,
}

fn remedy(error: &io::Error, address: SocketAddr) -> String {
    let kind = error.kind();
    let port = address.port();
    if kind == io::ErrorKind::AddrInUse {
        format!(
            "\nAnother program listens there (`ss -tlnp sport = :{port}` names it): end that one, or listen on another port."
        )
    } else if kind == io::ErrorKind::AddrNotAvailable {
        format!(
            "\nNo interface of this host has the address {} (`ip address` shows those that there are).",
            address.ip()
        )
    } else if kind == io::ErrorKind::PermissionDenied && port < 1024 {
        "\nPorts below 1024 need CAP_NET_BIND_SERVICE: take one above, or give it the capability.".to_owned()
    } else {
        String::new()
    }
}

/// What all connections share.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    pub(super) limits: Limits,
    pub(super) gate: Arc<Gate>,
    pub(super) requests: Rc<Requests>,
}

impl Server {
    /// Listens on all of these addresses, or on none. Of `[::]` and an IPv4 address with one port each gets its own family;
    /// else `[::]` hears both.
    ///
    /// # Errors
    /// Where one of them cannot be had.
    pub fn bind(addresses: &[SocketAddr], limits: Limits, gate: Arc<Gate>) -> Result<Self, ListenError> {
        let listeners = addresses.iter().map(|address| {
            let has_v4 = addresses
                .iter()
                .any(|other| other.is_ipv4() && other.port() == address.port());
            let families = if has_v4 { Families::Own } else { Families::Both };
            listen(*address, families).map_err(|error| ListenError {
                address: *address,
                error,
            })
        });
        Ok(Self {
            listeners: listeners.collect::<Result<_, _>>()?,
            limits,
            gate,
        })
    }

    /// Where it listens, with the ports that the kernel chose where none was asked for.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().map(Bound::local_addr);
        addresses.filter_map(Result::ok).collect()
    }

    /// Answers until `stop` is ready, and then until what is under way is over, or its time is.
    ///
    /// # Errors
    /// Where the runtime cannot take the listeners.
    pub async fn serve<H, F>(self, handler: H, stop: impl Future<Output = ()>) -> io::Result<()>
    where
        H: Fn(Request) -> F + 'static,
        F: Future<Output = Response> + 'static,
    {
        LocalSet::new().run_until(self.serve_here(handler, stop)).await
    }

    async fn serve_here<H, F>(self, handler: H, stop: impl Future<Output = ()>) -> io::Result<()>
    where
        H: Fn(Request) -> F + 'static,
        F: Future<Output = Response> + 'static,
    {
        let listeners = self.listeners.into_iter().map(TcpListener::from_std);
        let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
        let admission = Connections::new(self.limits.connections, self.limits.connections_of_a_peer);
        let turned_away = Requests::new(TURNED_AWAY);
        let shared = Rc::new(Shared {
            handler,
            requests: Requests::new(self.limits.requests),
            limits: self.limits,
            gate: self.gate,
        });
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        let mut turn = 0;
        let mut trouble = None;
        loop {
            let accepted = tokio::select! {
                accepted = accept(&listeners, &mut turn) => accepted,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => {
                    trouble = None;
                    accepted
                }
                Err(error) if is_of_the_client(&error) => continue,
                Err(error) => {
                    // One sentence is enough for as long as it lasts.
                    if trouble.replace(error.kind()) != Some(error.kind()) {
                        shared
                            .gate
                            .complain(&format!("connections cannot be accepted: {error}"));
                    }
                    tokio::select! {
                        () = sleep(PAUSE) => continue,
                        () = &mut stop => break,
                    }
                }
            };
            if let Some(admitted) = admission.admit(peer) {
                let (shared, mut stopped) = (Rc::clone(&shared), stopped.clone());
                connections.spawn_local(async move {
                    let _admitted = admitted;
                    let stop = async move {
                        // An error means that the server is gone, which stops as well.
                        let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
                    };
                    serve(stream, shared, stop).await;
                });
            } else if shared.gate.in_force().tls.is_none()
                && let Some(turned) = turned_away.admit()
            {
                connections.spawn_local(async move {
                    let _turned = turned;
                    let says =
                        "As many connections as this server takes are open: close some, or come again.";
                    farewell(&mut { stream }, "503 Service Unavailable", says).await;
                });
            }
        }
        drop(listeners);
        stopping.send_replace(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        // What is not over by then is dropped, with whom it is for.
        let _ = timeout(shared.limits.grace, ended).await;
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Families {
    Own,
    Both,
}

fn listen(address: SocketAddr, families: Families) -> io::Result<Bound> {
    let socket = match Socket::new(Domain::for_address(address), Type::STREAM, None) {
        // A host that was started without IPv6 has all of its addresses in the other family.
        Err(error) if is_every_address(address) && error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            let every_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            return listen(every_v4, families);
        }
        socket => socket?,
    };
    if address.is_ipv6() {
        socket.set_only_v6(matches!(families, Families::Own))?;
    }
    // Connections of the program that ran here before do not keep the port from this one.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// `[::]`.
fn is_every_address(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

/// The next connection of any listener; each is the first to be asked in its turn.
async fn accept(listeners: &[TcpListener], turn: &mut usize) -> io::Result<(TcpStream, IpAddr)> {
    poll_fn(|context| {
        for number in 0..listeners.len() {
            let listener = &listeners[(*turn + number) % listeners.len()];
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                *turn = turn.wrapping_add(1);
                return Poll::Ready(accepted.map(|(stream, peer)| (stream, peer.ip())));
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether an accept() failed because the client is gone already, which is over with that.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
