//! An echo request over the raw sockets, for which no ping group is needed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use super::flight::written;
use super::send::Origin;
use super::{Raw, Shared};
use crate::evidence::{LocalError, Ping};
use crate::net::dial::Source;
use crate::net::finish::Finish;
use crate::wire::{Echo, Icmp, Packet, Payload};

impl Raw {
    /// Sends one echo request and waits for the answer.
    pub async fn ping(
        &self,
        to: SocketAddr,
        source: &Source,
        patience: Duration,
        mut finish: Finish,
    ) -> Ping {
        let shared = &*self.0.shared;
        let (sequence, told) = shared.book().begin_echo(to.ip());
        let waiting = Waiting { shared, to, sequence };
        if let Err(error) = waiting.send(source).await {
            return Ping::CouldNot { why: error.errno };
        }
        tokio::select! {
            () = told.notified() => {}
            () = sleep(patience) => {}
            () = finish.requested() => {}
        }
        let answer = shared.book().end_echo(to.ip(), sequence);
        answer.unwrap_or(Ping::Silence)
    }
}

/// An echo request in flight.
struct Waiting<'a> {
    shared: &'a Shared,
    to: SocketAddr,
    sequence: u16,
}

impl Waiting<'_> {
    async fn send(&self, source: &Source) -> Result<(), LocalError> {
        let line = self.shared.line(self.to)?;
        let origin = Origin::towards(self.to, source)?;
        let packet = Packet {
            source: origin.address,
            destination: self.to.ip(),
            hop_limit: origin.hop_limit,
            payload: Payload::Icmp(Icmp::EchoRequest(Echo {
                identifier: self.shared.book().echo_identifier(),
                sequence: self.sequence,
                payload: b"tcpprobe".to_vec(),
            })),
        };
        let bytes = written(packet.emit())?;
        line.sender.send(&bytes, self.to, &origin, || None).await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.book().end_echo(self.to.ip(), self.sequence);
    }
}
