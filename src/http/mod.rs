//! A bounded HTTP/1.1 server with TLS and passwords, which knows nothing of what it serves.

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

/// An answer.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers besides those that the server sets itself.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// Known as a whole.
    Whole(Vec<u8>),
    /// Piece by piece: the next is made when the one before was taken, so that no answer is held in memory as a whole.
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
