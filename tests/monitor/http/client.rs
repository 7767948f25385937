//! A client that says exactly what it is told to, byte by byte, and understands what comes back.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Failed;
use socket2::SockRef;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Only what hangs takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a server.
pub(crate) struct Connection {
    /// Beneath TLS, where there is any.
    socket: TcpStream,
    stream: BufReader<Box<dyn ReadWrite>>,
}

pub(crate) trait ReadWrite: Read + Write + Send {}

impl<T: Read + Write + Send> ReadWrite for T {}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Connection {
    pub(crate) fn open(to: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&to, PATIENCE)?;
        Self::plain(socket)
    }

    /// Over a connection that there is.
    pub(crate) fn plain(socket: TcpStream) -> io::Result<Self> {
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(Box::new(socket.try_clone()?)),
            socket,
        })
    }

    /// Over TLS; the handshake is made with the first bytes.
    pub(crate) fn tls(to: SocketAddr, config: Arc<ClientConfig>) -> Result<Self, Failed> {
        let plain = Self::open(to)?;
        let client = ClientConnection::new(config, ServerName::IpAddress(to.ip().into()))?;
        let stream = StreamOwned::new(client, plain.socket.try_clone()?);
        Ok(Self {
            socket: plain.socket,
            stream: BufReader::new(Box::new(stream)),
        })
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes.as_ref())?;
        stream.flush()
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect::<Vec<_>>()
            .concat();
        self.send(format!("{method} {path} HTTP/1.1\r\nhost: test\r\n{lines}\r\n"))?;
        self.answer_to(method)
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask("GET", path, &[])
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        self.answer_to("GET")
    }

    fn answer_to(&mut self, method: &str) -> io::Result<Answer> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| wrong(&format!("no status line: {line:?}")))?;
        let mut headers = BTreeMap::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| wrong(&line))?;
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let mut body = Vec::new();
        let length = headers
            .get("content-length")
            .map(|length| length.parse::<usize>());
        if method == "HEAD" {
        } else if headers
            .get("transfer-encoding")
            .is_some_and(|coding| coding == "chunked")
        {
            self.chunks(&mut body)?;
        } else if let Some(length) = length {
            body.resize(length.map_err(io::Error::other)?, 0);
            self.stream.read_exact(&mut body)?;
        } else {
            self.stream.read_to_end(&mut body)?;
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let size = self.line()?;
            let size = usize::from_str_radix(&size, 16).map_err(|_| wrong(&size))?;
            let begin = body.len();
            body.resize(begin + size, 0);
            self.stream.read_exact(&mut body[begin..])?;
            let end = self.line()?;
            if !end.is_empty() {
                return Err(wrong(&end));
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Whether the server ends the connection without another word.
    pub(crate) fn is_ended(&mut self) -> io::Result<bool> {
        match self.stream.read(&mut [0]) {
            Ok(count) => Ok(count == 0),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe
                ) =>
            {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn close_own_side(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    /// Takes as little as the kernel lets it, and nothing while it does not read.
    pub(crate) fn with_a_small_window(to: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
        socket.set_recv_buffer_size(2048)?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        Self::plain(socket.into())
    }

    /// From an address of its own, of those that a loopback interface has anyway.
    pub(crate) fn from(own: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
        socket.bind(&own.into())?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        Self::plain(socket.into())
    }

    /// The client goes as one does that was killed.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP: {what}"))
}

/// One request on a connection of its own.
pub(crate) fn get(at: SocketAddr, path: &str) -> io::Result<Answer> {
    Connection::open(at)?.get(path)
}

impl Connection {
    /// An answer that has begun to arrive.
    pub(crate) fn answer_if_there(&mut self) -> io::Result<Option<Answer>> {
        self.socket.set_nonblocking(true)?;
        let peeked = self.socket.peek(&mut [0]);
        self.socket.set_nonblocking(false)?;
        match peeked {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            _ => self.answer().map(Some),
        }
    }

    /// Everything until the end; an error where that is not as it should be.
    pub(crate) fn rest(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.stream.read_to_end(into)
    }
}
