//! One question to one server, and what came back.
//!
//! The socket is connected and reads its error queue's verdicts (`IP_RECVERR`), so that a server that cannot be
//! reached is told apart from one that is silent: without the option the kernel passes over "host unreachable" on
//! UDP sockets (Linux `udp_err`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::evidence::{Family, LookupOutcome};

use super::outcome_of;

/// The UDP size that passes everywhere unfragmented (DNS flag day 2020).
const EDNS_PAYLOAD: u16 = 1232;

/// What is asked for.
pub(super) struct Question<'a> {
    pub(super) candidate: &'a str,
    pub(super) family: Family,
    name: Name,
}

impl<'a> Question<'a> {
    /// A question for the addresses of a fully qualified name. `Err` says why no server can be asked for that name.
    pub(super) fn new(candidate: &'a str, family: Family) -> Result<Self, LookupOutcome> {
        match Name::from_str_relaxed(candidate) {
            Ok(name) => Ok(Self {
                candidate,
                family,
                name,
            }),
            Err(error) => Err(malformed(format!("the name cannot be asked for: {error}"))),
        }
    }

    /// The message for one try, with a random id of its own.
    fn message(&self, edns: WithEdns) -> Message {
        let record = match self.family {
            Family::A => RecordType::A,
            Family::Aaaa => RecordType::AAAA,
        };
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), record));
        if edns == WithEdns::Yes {
            let mut edns = Edns::new();
            edns.set_max_payload(EDNS_PAYLOAD);
            message.set_edns(edns);
        }
        message
    }
}

/// Whether a question carries an EDNS0 record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithEdns {
    Yes,
    No,
}

/// How a question travels first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// UDP, and TCP once the answer says that it was cut short (RFC 7766, 5).
    Udp,
    /// TCP alone.
    Tcp,
}

/// Asks one server once. Within `patience` it waits for the one packet that answers this question, over a TCP
/// connection too if it comes to that.
pub(super) async fn exchange(
    server: SocketAddr,
    question: &Question<'_>,
    edns: WithEdns,
    transport: Transport,
    patience: Duration,
) -> LookupOutcome {
    let query = question.message(edns);
    let mut stray = None;
    let conversation = async {
        match transport {
            Transport::Tcp => over_tcp(server, &query).await,
            Transport::Udp => match over_udp(server, &query, &mut stray).await {
                Ok(answer) if answer.metadata.truncation => over_tcp(server, &query).await,
                other => other,
            },
        }
    };
    match timeout(patience, conversation).await {
        Ok(Ok(answer)) => outcome(&query, &answer),
        Ok(Err(Failure::Io(error))) => unreachable(&error),
        Ok(Err(Failure::Malformed(why))) => malformed(why),
        Err(_) => match stray {
            None => LookupOutcome::Timeout,
            Some(why) => malformed(why.to_owned()),
        },
    }
}

enum Failure {
    Io(io::Error),
    Malformed(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Packets that answer something else are passed over, as they may be forged; `stray` keeps why the last one was.
async fn over_udp(
    server: SocketAddr,
    query: &Message,
    stray: &mut Option<&'static str>,
) -> Result<Message, Failure> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    match server {
        SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
        SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
    }
    .map_err(io::Error::from)?;
    socket.connect(server).await?;
    socket.send(&encoded(query)?).await?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match read(query, &buffer[..length]) {
            Read::Answer(message) => return Ok(*message),
            Read::Malformed(why) => return Err(Failure::Malformed(why)),
            Read::Stray(why) => *stray = Some(why),
        }
    }
}

/// RFC 1035, 4.2.2: each message after its length in two bytes.
async fn over_tcp(server: SocketAddr, query: &Message) -> Result<Message, Failure> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = encoded(query)?;
    let length = u16::try_from(bytes.len()).map_err(|error| Failure::Malformed(error.to_string()))?;
    stream
        .write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat())
        .await?;
    let cut_short = |error: io::Error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Failure::Malformed("the TCP connection ended before the answer".to_owned());
        }
        Failure::Io(error)
    };
    let length = stream.read_u16().await.map_err(cut_short)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(cut_short)?;
    match read(query, &buffer) {
        Read::Answer(message) => Ok(*message),
        Read::Malformed(why) => Err(Failure::Malformed(why)),
        Read::Stray(why) => Err(Failure::Malformed(why.to_owned())),
    }
}

fn encoded(query: &Message) -> Result<Vec<u8>, Failure> {
    query
        .to_vec()
        .map_err(|error| Failure::Malformed(format!("the question cannot be encoded: {error}")))
}

enum Read {
    /// The answer to our question.
    Answer(Box<Message>),
    /// It has our id and is no DNS message.
    Malformed(String),
    /// It answers something else.
    Stray(&'static str),
}

fn read(query: &Message, bytes: &[u8]) -> Read {
    let id = query.metadata.id.to_be_bytes();
    if !bytes.starts_with(&id) {
        return Read::Stray("the answer has another id than the question");
    }
    let message = match Message::from_vec(bytes) {
        Ok(message) => message,
        Err(error) => return Read::Malformed(error.to_string()),
    };
    if message.metadata.message_type != MessageType::Response {
        return Read::Stray("the answer is itself a question");
    }
    // A server that could not read the question may leave it out.
    let left_out = message.queries.is_empty() && message.metadata.response_code != ResponseCode::NoError;
    if !left_out && message.queries != query.queries {
        return Read::Stray("the answer is to another question");
    }
    Read::Answer(Box::new(message))
}

fn outcome(query: &Message, message: &Message) -> LookupOutcome {
    // The numbers of RFC 1035, 4.1.1.
    match message.metadata.response_code.into() {
        0 => outcome_of(addresses(query, message)),
        2 => LookupOutcome::ServFail,
        3 => LookupOutcome::NxDomain,
        5 => LookupOutcome::Refused,
        code => LookupOutcome::OtherCode { code },
    }
}

/// The addresses at the end of the chain of CNAMEs that starts at the question's name.
fn addresses(query: &Message, message: &Message) -> Vec<IpAddr> {
    let Some(asked) = query.queries.first() else {
        return Vec::new();
    };
    let mut owner = &asked.name;
    // A chain has no more links than the answer has records, which also ends a loop.
    for _ in &message.answers {
        let alias = message.answers.iter().find_map(|record| {
            let RData::CNAME(target) = &record.data else {
                return None;
            };
            (record.name == *owner).then_some(&target.0)
        });
        let Some(target) = alias else { break };
        owner = target;
    }
    message
        .answers
        .iter()
        .filter(|record| record.name == *owner && record.record_type() == asked.query_type)
        .filter_map(|record| record.data.ip_addr())
        .collect()
}

fn unreachable(error: &io::Error) -> LookupOutcome {
    let errno = match error.raw_os_error() {
        Some(errno) => format!("{:?}", Errno::from_raw(errno)),
        None => error.kind().to_string(),
    };
    LookupOutcome::ServerUnreachable { errno }
}

fn malformed(why: String) -> LookupOutcome {
    LookupOutcome::Malformed { why }
}
