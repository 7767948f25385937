//! A DNS server on loopback that does what the name it is asked for says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::{Settings, TIMEOUT};

/// A server that is there until the test's runtime ends, and the questions that it was asked.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        // The same port for both transports; another program may hold one of the two.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
                let query = Message::from_vec(&buffer[..length]).unwrap();
                log.lock().unwrap().push(query.queries[0].name.to_ascii());
                if let Some(reply) = answer(&query, false) {
                    udp.send_to(&reply, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut buffer = vec![0; length.into()];
                stream.read_exact(&mut buffer).await.unwrap();
                if let Some(reply) = answer(&Message::from_vec(&buffer).unwrap(), true) {
                    stream.write_u16(reply.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&reply).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            servers: vec![self.address],
            timeout: TIMEOUT,
            attempts: 1,
            ..Settings::default()
        }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What the server does is the first label of the name that is not `host`: `A--B` does A for IPv4 and B for IPv6, and
/// a word that is not known is NXDOMAIN.
fn answer(query: &Message, over_tcp: bool) -> Option<Vec<u8>> {
    let question = query.queries[0].clone();
    let name = question.name.to_ascii();
    let script = name
        .split('.')
        .find(|&label| label != "host")
        .unwrap_or_default()
        .to_owned();
    let (v4, v6) = match script.split_once("--") {
        Some((v4, v6)) => (v4.to_owned(), v6.to_owned()),
        None => (script.clone(), script),
    };
    let script = if question.query_type == RecordType::A {
        v4
    } else {
        v6
    };
    let mut reply = Message::response(query.metadata.id, OpCode::Query);
    reply.add_query(question.clone());
    let address = |owner: &Name| {
        let ip = if question.query_type == RecordType::A {
            "127.0.0.9"
        } else {
            "::1"
        };
        let ip: IpAddr = ip.parse().unwrap();
        Record::from_rdata(owner.clone(), 60, RData::from(ip))
    };
    match script.as_str() {
        "cname" => {
            let [one, two, three] =
                ["one.test.", "two.test.", "three.test."].map(|n| Name::from_ascii(n).unwrap());
            let link = |from: &Name, to: &Name| {
                Record::from_rdata(from.clone(), 60, RData::CNAME(CNAME(to.clone())))
            };
            // Out of order, and with an address of a name that is not in the chain.
            reply.add_answers([
                link(&one, &two),
                link(&question.name, &one),
                address(&three),
                address(&two),
            ]);
        }
        "loop" => {
            let link = RData::CNAME(CNAME(question.name.clone()));
            reply.add_answer(Record::from_rdata(question.name.clone(), 60, link));
        }
        "nodata" => {}
        "servfail" => reply.metadata.response_code = ResponseCode::ServFail,
        "refused" => reply.metadata.response_code = ResponseCode::Refused,
        "notimp" => reply.metadata.response_code = ResponseCode::NotImp,
        "formerr" => {
            reply.metadata.response_code = ResponseCode::FormErr;
            reply.queries.clear();
        }
        "noedns" if query.edns.is_some() => reply.metadata.response_code = ResponseCode::FormErr,
        "truncated" | "cut" if !over_tcp => reply.metadata.truncation = true,
        "ok" | "noedns" | "truncated" => drop(reply.add_answer(address(&question.name))),
        "malformed" => return Some([&query.metadata.id.to_be_bytes()[..], b"\x81\x80 no message"].concat()),
        "wrongid" => {
            reply.metadata.id = query.metadata.id.wrapping_add(1);
            reply.add_answer(address(&question.name));
        }
        "wrongname" => {
            let other = Name::from_ascii("other.test.").unwrap();
            reply.queries[0].name = other.clone();
            reply.add_answer(address(&other));
        }
        "drop" | "cut" => return None,
        _ => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    Some(reply.to_vec().unwrap())
}
