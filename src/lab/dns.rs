//! A DNS server that says what it has been told to say, over UDP and TCP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record as ResourceRecord, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::network::{Dns, DnsAnswer, DnsReply, Record};
use super::places::{Family, Place};

const PORT: u16 = 53;

/// Starts it on both addresses of the server.
pub(super) async fn start(dns: Dns) -> io::Result<()> {
    let dns = Arc::new(dns);
    for family in Family::BOTH {
        let address = SocketAddr::new(Place::Server.address(family), PORT);
        tokio::spawn(serve_udp(UdpSocket::bind(address).await?, Arc::clone(&dns)));
        tokio::spawn(serve_tcp(TcpListener::bind(address).await?, Arc::clone(&dns)));
    }
    Ok(())
}

async fn serve_udp(socket: UdpSocket, dns: Arc<Dns>) {
    let socket = Arc::new(socket);
    let mut buffer = [0; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let Some(query) = buffer.get(..length).map(<[u8]>::to_vec) else {
            continue;
        };
        let (socket, dns) = (Arc::clone(&socket), Arc::clone(&dns));
        tokio::spawn(async move {
            if let Some(reply) = reply_to(&query, &dns).await {
                let _ = socket.send_to(&reply, peer).await;
            }
        });
    }
}

async fn serve_tcp(listener: TcpListener, dns: Arc<Dns>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            continue;
        };
        let dns = Arc::clone(&dns);
        tokio::spawn(async move { drop(serve_connection(connection, &dns).await) });
    }
}

/// Each message has its length before it (RFC 1035, section 4.2.2).
async fn serve_connection(mut connection: TcpStream, dns: &Dns) -> io::Result<()> {
    loop {
        let length = connection.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        connection.read_exact(&mut query).await?;
        if let Some(reply) = reply_to(&query, dns).await {
            connection
                .write_u16(u16::try_from(reply.len()).map_err(io::Error::other)?)
                .await?;
            connection.write_all(&reply).await?;
        }
    }
}

async fn reply_to(query: &[u8], dns: &Dns) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let mut reply = Message::response(query.metadata.id, OpCode::Query);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.add_query(question.clone());
    let name = question.name().to_utf8().to_lowercase();
    let name = name.trim_end_matches('.');
    let code = match said(dns, name, question.query_type()) {
        Said::Nothing => return None,
        Said::Code(code) => code,
        Said::Listed(answer) => {
            tokio::time::sleep(answer.after).await;
            match &answer.reply {
                DnsReply::Drop => return None,
                DnsReply::Nxdomain => ResponseCode::NXDomain,
                DnsReply::Servfail => ResponseCode::ServFail,
                DnsReply::Refused => ResponseCode::Refused,
                DnsReply::Nodata => ResponseCode::NoError,
                DnsReply::Addresses(places) => {
                    for place in places {
                        let data = match place.address(family_of(question.query_type())) {
                            IpAddr::V4(address) => RData::A(address.into()),
                            IpAddr::V6(address) => RData::AAAA(address.into()),
                        };
                        reply.add_answer(ResourceRecord::from_rdata(question.name().clone(), 60, data));
                    }
                    ResponseCode::NoError
                }
            }
        }
    };
    reply.metadata.response_code = code;
    reply.to_vec().ok()
}

fn family_of(record: RecordType) -> Family {
    if record == RecordType::A {
        Family::V4
    } else {
        Family::V6
    }
}

enum Said<'a> {
    Listed(&'a DnsAnswer),
    Code(ResponseCode),
    /// A name that is dropped for one type is dropped for the types that nobody listed, too.
    Nothing,
}

fn said<'a>(dns: &'a Dns, name: &str, record: RecordType) -> Said<'a> {
    let wanted = [(RecordType::A, Record::A), (RecordType::AAAA, Record::Aaaa)]
        .into_iter()
        .find_map(|(asked, wanted)| (asked == record).then_some(wanted));
    let mut of_name = dns
        .answer
        .iter()
        .filter(|answer| answer.name.eq_ignore_ascii_case(name))
        .peekable();
    if of_name.peek().is_none() {
        return Said::Code(ResponseCode::NXDomain);
    }
    let mut dropped = false;
    for answer in of_name {
        dropped |= answer.reply == DnsReply::Drop;
        if wanted.is_some() && answer.record.is_none_or(|record| Some(record) == wanted) {
            return Said::Listed(answer);
        }
    }
    if dropped {
        Said::Nothing
    } else {
        Said::Code(ResponseCode::NoError)
    }
}
