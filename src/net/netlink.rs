//! One netlink question and all of its answers.

use std::fmt::Debug;
use std::io;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable,
};
use netlink_sys::{Socket, SocketAddr};

/// Whether one object is asked for, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    One,
    All,
}

/// Asks the kernel and collects its answers. The kernel answers within the system call, so this does not block.
///
/// # Errors
/// The errno that the kernel answers with (`ENETUNREACH` for a route that does not exist), or a failure to ask.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum may grow")]
pub(super) fn ask<M>(protocol: isize, question: M, extent: Extent) -> io::Result<Vec<M>>
where
    M: NetlinkSerializable + NetlinkDeserializable + Debug + Into<NetlinkPayload<M>>,
{
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = match extent {
        Extent::One => NLM_F_REQUEST,
        Extent::All => NLM_F_REQUEST | NLM_F_DUMP,
    };
    let mut message = NetlinkMessage::new(header, question.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let mut answers = Vec::new();
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        if datagram.is_empty() {
            return Ok(answers);
        }
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, format!("{error}"));
            let message = NetlinkMessage::<M>::deserialize(rest).map_err(invalid)?;
            // Messages are aligned to four bytes (NLMSG_ALIGN).
            let length = (message.header.length as usize).next_multiple_of(4).max(16);
            rest = rest.get(length..).unwrap_or_default();
            match message.payload {
                NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                NetlinkPayload::Done(_) => return Ok(answers),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                _ => {}
            }
        }
        if extent == Extent::One {
            return Ok(answers);
        }
    }
}
