//! One connection from its handshake to its end, within its bounds.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, Connection as Serving};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::answer::{AnswerBody, answer};
use super::request::{request, take};
use super::server::Shared;
use super::wire::{Layer, Phase, Phases, Socket, Wire};
use super::{Gate, Limits, Request, Response};

/// What hyper may keep to send.
const SEND_BUFFER: usize = 64 << 10;
/// So long a client that is told why it is turned away has to read that.
const FAREWELL: Duration = Duration::from_secs(1);
/// So much of what such a client still sends is read, since a kernel that has to throw it away resets the connection.
const FAREWELL_BYTES: usize = 256 << 10;

/// Serves a connection until its end. `stop` is ready when the server is to end.
pub(super) async fn serve<H, F>(stream: TcpStream, shared: Rc<Shared<H>>, stop: impl Future<Output = ()>)
where
    H: Fn(Request) -> F + 'static,
    F: Future<Output = Response> + 'static,
{
    // Answers are written as a whole. That this cannot be set costs time alone.
    let _ = stream.set_nodelay(true);
    let socket = Socket(Rc::new(stream));
    let mut stop = pin!(stop);
    let layer = tokio::select! {
        layer = secured(&socket, &shared.gate, &shared.limits) => layer,
        () = &mut stop => None,
    };
    let Some(layer) = layer else {
        return;
    };
    let phases = Phases::new();
    let wire = Wire {
        layer,
        phases: phases.clone(),
    };
    let service = service_fn(|asked| {
        phases.set(Phase::Work);
        Box::pin(respond(asked, socket.clone(), Rc::clone(&shared), phases.clone()))
    });
    let mut serving = Builder::new()
        // Who closes the own side alone still gets what is answered at once; of the rest see `respond`.
        .half_close(true)
        .header_read_timeout(None)
        .max_header_size(shared.limits.head_bytes)
        .max_buf_size(SEND_BUFFER)
        .serve_connection(TokioIo::new(wire), service);
    let ending = within_bounds(&mut serving, &phases, &shared.limits, stop).await;
    let mut wire = serving.into_parts().io.into_inner();
    match ending {
        // What the kernel still has to send would stay for minutes.
        Ending::NotTaken => {
            let _ = socket.0.set_zero_linger();
        }
        Ending::LateHead => {
            let late = "The head of the request took too long to arrive.";
            farewell(&mut wire, "408 Request Timeout", late).await;
        }
        Ending::Over => part(&mut wire).await,
    }
}

/// The handshake, where there is one. Absent where it came to nothing.
async fn secured(socket: &Socket, gate: &Gate, limits: &Limits) -> Option<Layer> {
    let Some(config) = gate.in_force().tls.clone() else {
        return Some(Layer::Plain(socket.clone()));
    };
    let handshake = async {
        let mut first = [0];
        socket.0.peek(&mut first).await.ok()?;
        // A handshake begins with 22, a request with a letter.
        if first[0].is_ascii_uppercase() {
            let says =
                "This is a port for HTTPS, and the request came without TLS: write https:// in the address.";
            farewell(&mut socket.clone(), "400 Bad Request", says).await;
            return None;
        }
        TlsAcceptor::from(config).accept(socket.clone()).await.ok()
    };
    let stream = timeout(limits.handshake, handshake).await.ok()??;
    Some(Layer::Tls(Box::new(stream)))
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// As it should, by an error, or for want of another request.
    Over,
    /// A head began and did not come to its end.
    LateHead,
    /// The client did not take its answer.
    NotTaken,
}

/// Serves until the end, or until a phase has lasted too long.
async fn within_bounds<S>(
    serving: &mut Serving<TokioIo<Wire>, S>,
    phases: &Phases,
    limits: &Limits,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Ending
where
    S: HttpService<Incoming, ResBody = AnswerBody> + Unpin,
    S::Future: Unpin,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut is_stopping = false;
    let mut known = phases.get();
    let mut bound = lasts(known.0, limits).map(|time| Box::pin(sleep(time)));
    poll_fn(|context| {
        if !is_stopping && stop.as_mut().poll(context).is_ready() {
            is_stopping = true;
            Pin::new(&mut *serving).graceful_shutdown();
        }
        if serving.poll_without_shutdown(context).is_ready() {
            return Poll::Ready(Ending::Over);
        }
        let (phase, changes) = phases.get();
        // That an answer was handed over gives no more time to take it.
        let is_the_same_answer = (known.0, phase) == (Phase::Answer, Phase::Handed) && changes == known.1 + 1;
        if changes != known.1 && !is_the_same_answer {
            bound = lasts(phase, limits).map(|time| Box::pin(sleep(time)));
        }
        known = (phase, changes);
        let is_too_long = bound
            .as_mut()
            .is_some_and(|bound| bound.as_mut().poll(context).is_ready());
        match phase {
            Phase::Work => Poll::Pending,
            _ if !is_too_long => Poll::Pending,
            Phase::Fresh | Phase::Idle => Poll::Ready(Ending::Over),
            Phase::Head => Poll::Ready(Ending::LateHead),
            Phase::Answer | Phase::Handed => Poll::Ready(Ending::NotTaken),
        }
    })
    .await
}

/// How long a phase may last.
fn lasts(phase: Phase, limits: &Limits) -> Option<Duration> {
    match phase {
        Phase::Fresh | Phase::Head => Some(limits.head),
        Phase::Idle => Some(limits.idle),
        Phase::Answer | Phase::Handed => Some(limits.answer),
        // Who answers knows how long that may take.
        Phase::Work => None,
    }
}

/// The client has gone.
#[derive(Debug, thiserror::Error)]
#[error("the client has gone")]
struct Gone;

/// Answers one request.
async fn respond<H, F>(
    asked: hyper::Request<Incoming>,
    socket: Socket,
    shared: Rc<Shared<H>>,
    phases: Phases,
) -> Result<hyper::Response<AnswerBody>, Gone>
where
    H: Fn(Request) -> F,
    F: Future<Output = Response>,
{
    let (parts, body) = asked.into_parts();
    let in_force = shared.gate.in_force();
    let response = async {
        let Some(_answering) = shared.requests.admit() else {
            let says = "As many requests as this server takes are being answered: ask again.";
            return Ok(Response::text(503, says).with("retry-after", "1"));
        };
        if let Some(passwords) = &in_force.passwords
            && let Err(refusal) = passwords.check(&parts.headers).await
        {
            return Ok(refusal);
        }
        if let Err(refusal) = take(body, &parts.headers, &shared.limits).await {
            return Ok(refusal);
        }
        let mut handling = pin!((shared.handler)(request(&parts)));
        let at_once = poll_fn(|context| Poll::Ready(handling.as_mut().poll(context))).await;
        if let Poll::Ready(response) = at_once {
            return Ok(response);
        }
        tokio::select! {
            biased;
            response = &mut handling => return Ok(response),
            closed = socket.closed_by_client() => if closed.is_ok() {
                return Err(Gone);
            }
        }
        // Whether the client is there cannot be watched, for want of a descriptor.
        Ok(handling.await)
    };
    let response = response.await?;
    phases.set(Phase::Answer);
    Ok(answer(
        response,
        &parts.method,
        &parts.headers,
        &in_force.headers,
        phases,
    ))
}

/// Says why the client is turned away, before there is an answer to speak of.
pub(super) async fn farewell(wire: &mut (impl AsyncRead + AsyncWrite + Unpin), status: &str, says: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{says}\n",
        says.len() + 1
    );
    if let Ok(Ok(())) = timeout(FAREWELL, wire.write_all(answer.as_bytes())).await {
        part(wire).await;
    }
}

/// Closes our side, and reads for a while what the client may still be sending.
async fn part(wire: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let parting = async {
        wire.shutdown().await?;
        let mut scrap = [0; 4096];
        let mut left = FAREWELL_BYTES;
        while left > 0 {
            match wire.read(&mut scrap).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // Whatever becomes of it, the connection is over.
    let _ = timeout(FAREWELL, parting).await;
}
