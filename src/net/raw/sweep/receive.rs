//! The thread that receives.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use socket2::Socket;
use tokio::sync::mpsc::UnboundedSender;

use super::super::book::Heard;
use super::super::filter::Ear;
use super::super::receive::receive_now;
use super::{Shared, Swept};
use crate::net::clock;
use crate::net::sys::packet_socket::wait_readable;

/// So many packets of one socket are taken before the next socket has its turn.
const BATCH: usize = 64;
/// How long to wait at most when nothing comes: somebody may be done waiting for a second answer, or for a first.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// The sockets that hear answers: TCP and ICMP of each IP version.
pub(super) struct Ears {
    pub(super) v4: [Socket; 2],
    /// Absent where the kernel has no IPv6.
    pub(super) v6: Option<[Socket; 2]>,
}

/// Receives until something has been said of all endpoints, and tells it.
pub(super) fn run(shared: &Shared, ears: &Ears, told: &UnboundedSender<Vec<Swept>>) {
    while !shared.is_stopped() {
        let heard = ears.hear();
        let mut roll = shared.roll();
        for heard in &heard {
            roll.hear(heard);
        }
        let now = roll.now(clock::now());
        let swept = roll.conclude(now);
        let is_done = roll.is_done();
        drop(roll);
        if !swept.is_empty() && told.send(swept).is_err() || is_done {
            return;
        }
        if heard.is_empty() && ears.wait().is_err() {
            thread::sleep(LONGEST_WAIT);
        }
    }
}

impl Ears {
    fn hear(&self) -> Vec<Heard> {
        let mut heard = Vec::new();
        let v6 = self.v6.as_ref().map_or(&[][..], |v6| v6);
        let sockets = self.v4.iter().chain(v6);
        for (socket, ear) in sockets.zip([Ear::TcpV4, Ear::IcmpV4, Ear::TcpV6, Ear::IcmpV6]) {
            for _ in 0..BATCH {
                match receive_now(socket, ear) {
                    Ok(packet) => heard.extend(packet),
                    // There is nothing, or the error of an interface that goes away, which is told once.
                    Err(_) => break,
                }
            }
        }
        heard
    }

    fn wait(&self) -> io::Result<()> {
        let [tcp_v4, icmp_v4] = &self.v4;
        match &self.v6 {
            Some([tcp_v6, icmp_v6]) => {
                let all = [tcp_v4, icmp_v4, tcp_v6, icmp_v6].map(AsFd::as_fd);
                wait_readable(all, Some(LONGEST_WAIT)).map(drop)
            }
            None => wait_readable([tcp_v4, icmp_v4].map(AsFd::as_fd), Some(LONGEST_WAIT)).map(drop),
        }
    }
}
