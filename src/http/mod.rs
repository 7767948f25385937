//! A bounded HTTP/1.1 server with TLS and passwords, which knows nothing of what it serves.
//!
//! Who answers is a function from a [`Request`] to a [`Response`] in the future. That future is dropped when the client goes
//! away: closes the connection, or its own side of it. What it answers without waiting reaches a client that has closed its
//! side alone. [`Limits`] say what the server takes upon itself at most; a [`Gate`] says who may come in.

mod admission;
mod answer;
mod client_certificates;
mod config;
mod connection;
mod gate;
mod limits;
mod passwords;
mod request;
mod server;
mod tls;
mod wire;

pub use config::ConfigError;
pub use gate::{Gate, GateError};
pub use limits::Limits;
pub use server::{ListenError, Server};

/// A request, as far as those who answer look at it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// GET, POST, …
    pub method: String,
    /// The path, without the query; not decoded.
    pub path: String,
    /// The names and values of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
}

/// An answer. To HEAD, what GET would be answered: the server leaves the body out.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers besides those that the server sets itself: the length, how it is packed, the date.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// Known as a whole.
    Whole(Vec<u8>),
    /// Piece by piece: the next is made when the one before was taken, so that no answer is held in memory as a whole. Pieces
    /// of some ten kilobytes let others have their turn.
    Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>),
}

impl Request {
    /// The first value of a name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Response {
    /// A sentence or more, as plain text.
    pub fn text(status: u16, says: impl Into<String>) -> Self {
        let mut says = says.into();
        if !says.ends_with('\n') {
            says.push('\n');
        }
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: Body::Whole(says.into_bytes()),
        }
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
