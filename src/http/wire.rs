//! The bytes of one connection, plain or over TLS, and what it is doing: so much follows from who reads and writes when.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has been made; nothing has come.
    Fresh,
    /// It has been answered, and nothing has come since.
    Idle,
    /// The head of a request is coming.
    Head,
    /// A request is being answered by whom it is for.
    Work,
    /// The answer is being sent.
    Answer,
    /// All of the answer has been handed over; some may not have been sent.
    Handed,
}

/// The phase of a connection, known to all of its parts, and how often it changed.
#[derive(Debug, Clone)]
pub(super) struct Phases(Rc<Cell<(Phase, u64)>>);

impl Phases {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new((Phase::Fresh, 0))))
    }

    pub(super) fn set(&self, phase: Phase) {
        let (_, changes) = self.0.get();
        self.0.set((phase, changes + 1));
    }

    /// The phase, and a number that is another after each change.
    pub(super) fn get(&self) -> (Phase, u64) {
        self.0.get()
    }
}

/// A socket that several may hold.
#[derive(Debug, Clone)]
pub(super) struct Socket(pub(super) Rc<TcpStream>);

impl Socket {
    /// Returns when the client has closed the connection, or its side of it: what has arrived and was not read does not matter.
    pub(super) async fn closed_by_client(&self) -> io::Result<()> {
        // A descriptor of its own has a readiness of its own, which can be forgotten without those who read missing anything.
        let twin = std::net::TcpStream::from(self.0.as_fd().try_clone_to_owned()?);
        let twin = TcpStream::from_std(twin)?;
        while !twin.ready(Interest::READABLE).await?.is_read_closed() {
            let forget = twin.try_io(Interest::READABLE, || {
                Err::<(), _>(io::ErrorKind::WouldBlock.into())
            });
            debug_assert!(forget.is_err());
        }
        Ok(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(into.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other.map(|count| into.advance(count))),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_write_vectored(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = socket2::SockRef::from(&*self.0).shutdown(std::net::Shutdown::Write);
        Poll::Ready(closed)
    }
}

/// Plain, or over TLS.
#[derive(Debug)]
pub(super) enum Layer {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

/// The bytes of a connection.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) layer: Layer,
    pub(super) phases: Phases,
}

impl Wire {
    fn layer(self: Pin<&mut Self>) -> Either<'_> {
        match &mut self.get_mut().layer {
            Layer::Plain(socket) => Either::Plain(Pin::new(socket)),
            Layer::Tls(stream) => Either::Tls(Pin::new(&mut **stream)),
        }
    }
}

enum Either<'a> {
    Plain(Pin<&'a mut Socket>),
    Tls(Pin<&'a mut TlsStream<Socket>>),
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = match self.as_mut().layer() {
            Either::Plain(socket) => socket.poll_read(context, into),
            Either::Tls(stream) => stream.poll_read(context, into),
        };
        if into.filled().len() > before && matches!(self.phases.get().0, Phase::Fresh | Phase::Idle) {
            self.phases.set(Phase::Head);
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.layer() {
            Either::Plain(socket) => socket.poll_write(context, bytes),
            Either::Tls(stream) => stream.poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.layer() {
            Either::Plain(socket) => socket.poll_write_vectored(context, slices),
            Either::Tls(stream) => stream.poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.layer {
            Layer::Plain(socket) => socket.is_write_vectored(),
            Layer::Tls(stream) => stream.is_write_vectored(),
        }
    }

    /// Is called when nothing is left to be written, and so tells the end of an answer.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(match self.as_mut().layer() {
            Either::Plain(socket) => socket.poll_flush(context),
            Either::Tls(stream) => stream.poll_flush(context),
        })?;
        if self.phases.get().0 == Phase::Handed {
            self.phases.set(Phase::Idle);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.layer() {
            Either::Plain(socket) => socket.poll_shutdown(context),
            Either::Tls(stream) => stream.poll_shutdown(context),
        }
    }
}
