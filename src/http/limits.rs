//! What a server takes upon itself at most, and for how long it waits.

use std::time::Duration;

/// What a server takes upon itself at most, and for how long it waits.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time. Who comes when there are so many is told 503.
    pub connections: usize,
    /// Connections at a time of one peer: an IPv4 address, or the 64 bits of an IPv6 network.
    pub connections_of_a_peer: usize,
    /// Requests that are being answered at a time. One more is told 503.
    pub requests: usize,
    /// Bytes of the head of a request, its first line included; more is told 431. Of a larger body there is 413.
    pub head_bytes: usize,
    /// Bytes of the body of a request. Nobody reads it; it is taken so that the connection can go on.
    pub body_bytes: usize,
    /// The time for a TLS handshake.
    pub handshake: Duration,
    /// The time for the head of a request, from its first byte on, and of the first one from the connection on; then 408.
    pub head: Duration,
    /// The time for the body of a request; then 408.
    pub body: Duration,
    /// The time in which the client has to take an answer; then the connection is reset.
    pub answer: Duration,
    /// How long a connection may be without a request. Longer than scrapers usually pause, so that they need no new one.
    pub idle: Duration,
    /// The time for what is under way when the server is to end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_of_a_peer: 128,
            requests: 128,
            head_bytes: 16 << 10,
            body_bytes: 64 << 10,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            idle: Duration::from_secs(150),
            grace: Duration::from_millis(900),
        }
    }
}
