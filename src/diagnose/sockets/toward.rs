//! The sockets towards one endpoint, counted by the same table as all of a host.

use std::net::IpAddr;
use std::time::Duration;

use super::patience::gives_up_in;
use super::peers::PeerCount;
use super::table::{ROWS, Row};
use super::{Bounds, Label};
use crate::evidence::sockets::{Settings, Socket, State};
use crate::evidence::{OwnPorts, OwnSegments, OwnSockets, OwnStuck};

/// So many addresses of ours are kept apart; sockets of others count with the last.
const MOST_ADDRESSES: usize = 4;

/// The sockets towards one endpoint. It needs no more memory for many sockets than for a few.
#[derive(Debug, Clone, Default)]
pub struct Toward {
    /// By the address of ours that they come from.
    from: Vec<(IpAddr, PeerCount)>,
    syn_sent: Option<OwnStuck>,
    stalled: Option<OwnStuck>,
    zero_window: Option<OwnStuck>,
    close_wait: Option<OwnStuck>,
}

impl Toward {
    /// Counts a socket that is connected with the endpoint, or tries to be.
    pub fn note(&mut self, socket: &Socket, bounds: &Bounds, settings: &Settings) {
        let from = socket.local.ip();
        let known = self.from.iter().position(|(address, _)| *address == from);
        let place = known.unwrap_or_else(|| {
            if self.from.len() < MOST_ADDRESSES {
                self.from.push((from, PeerCount::default()));
            }
            self.from.len() - 1
        });
        self.from[place].1.note(socket, settings);
        for row in ROWS.iter().filter(|row| row.holds(socket, bounds)) {
            if let Some(stuck) = self.of(row.label) {
                add(stuck.get_or_insert_default(), row, socket, settings);
            }
        }
    }

    /// What has been counted; absent where that is nothing.
    pub fn told(&self, to: IpAddr, settings: &Settings) -> Option<OwnSockets> {
        if self.from.is_empty() {
            return None;
        }
        let counts = || self.from.iter().map(|(_, count)| count);
        let states = State::ALL.iter().filter_map(|state| {
            let number: u64 = counts().map(|count| u64::from(count.of(*state))).sum();
            (number > 0).then_some((*state, number))
        });
        let reused = settings.reuses_time_wait(to);
        let ports = settings.ports().map(|of| {
            let taken = |count: &PeerCount| {
                let waiting = if reused { 0 } else { count.in_range_time_wait };
                OwnPorts {
                    taken: count.in_range - count.in_range_time_wait + waiting,
                    waiting,
                    of,
                }
            };
            counts().map(taken).max_by_key(|ports| ports.taken)
        });
        Some(OwnSockets {
            age_s: Duration::ZERO,
            states: states.collect(),
            syn_sent_again: self.syn_sent,
            send_stalled: self.stalled,
            zero_window: self.zero_window,
            close_wait_old: self.close_wait,
            segments: OwnSegments {
                sent: counts().map(|count| count.segments_out).sum(),
                sent_again: counts().map(|count| count.retransmitted).sum(),
            },
            ports: ports.flatten(),
        })
    }

    /// Where the sockets of a label are counted; absent for labels that say nothing of one endpoint.
    fn of(&mut self, label: Label) -> Option<&mut Option<OwnStuck>> {
        match label {
            Label::SynSentStuck => Some(&mut self.syn_sent),
            Label::SendStalled => Some(&mut self.stalled),
            Label::ZeroWindow => Some(&mut self.zero_window),
            Label::CloseWaitLeak => Some(&mut self.close_wait),
            Label::AcceptQueueFull
            | Label::AcceptQueueNear
            | Label::PortsNearlyExhausted
            | Label::ReceiveUnread
            | Label::SynReceivedPiling
            | Label::TimeWaitPressure
            | Label::Retransmitting
            | Label::FinWaitStuck
            | Label::LastAckStuck
            | Label::Orphans
            | Label::PeerSilent => None,
        }
    }
}

fn add(stuck: &mut OwnStuck, row: &Row, socket: &Socket, settings: &Settings) {
    stuck.sockets += 1;
    stuck.tries = stuck.tries.max(socket.tries);
    stuck.longest_s = stuck.longest_s.max(row.worst.as_time(row.worst.of(socket)));
    stuck.gives_up_in_s = stuck.gives_up_in_s.max(gives_up_in(socket, settings));
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::socket;
    use super::*;
    use crate::evidence::SynSchedule;
    use crate::evidence::sockets::{Info, Owner, Timer};

    const BOUNDS: Bounds = Bounds {
        stuck: Duration::from_secs(60),
        silent: Duration::from_secs(600),
    };

    fn settings() -> Settings {
        Settings {
            port_range: Some((40_000, 40_099)),
            timestamps: Some(1),
            tw_reuse: Some(0),
            syn_schedule: Some(SynSchedule {
                retries: 6,
                linear_timeouts: Some(4),
            }),
            ..Settings::default()
        }
    }

    fn told(sockets: &[Socket], settings: &Settings) -> Option<OwnSockets> {
        let mut toward = Toward::default();
        for socket in sockets {
            toward.note(socket, &BOUNDS, settings);
        }
        toward.told("192.0.2.2".parse().unwrap(), settings)
    }

    fn waiting(address: u8, port: u16) -> Socket {
        Socket {
            local: format!("192.0.2.{address}:{port}").parse().unwrap(),
            owner: Owner::Nobody,
            info: None,
            ..socket(State::TimeWait)
        }
    }

    #[test]
    fn nothing_counted_is_nothing_told() {
        assert_eq!(told(&[], &settings()), None);
    }

    #[test]
    fn ports_are_those_of_the_address_that_takes_most_of_them() {
        let mut sockets: Vec<Socket> = (0..30).map(|port| waiting(1, 40_000 + port)).collect();
        sockets.extend((0..50).map(|port| waiting(2, 40_000 + port)));
        let seen = told(&sockets, &settings()).unwrap();
        let ports = seen.ports.unwrap();
        assert_eq!((ports.taken, ports.waiting, ports.of), (50, 50, 100));
        assert_eq!(seen.of(State::TimeWait), 80);
        let reusing = Settings {
            tw_reuse: Some(1),
            ..settings()
        };
        let ports = told(&sockets, &reusing).unwrap().ports.unwrap();
        assert_eq!((ports.taken, ports.waiting), (0, 0));
    }

    #[test]
    fn a_connection_that_waits_for_its_syn_ack_says_how_often_it_tried_and_until_when() {
        let trying = |tries| Socket {
            timer: Some((Timer::Retransmit, Duration::from_millis(500))),
            tries,
            ..socket(State::SynSent)
        };
        let stuck = told(&[trying(0), trying(1), trying(3)], &settings())
            .unwrap()
            .syn_sent_again
            .unwrap();
        assert_eq!((stuck.sockets, stuck.tries), (2, 3));
        assert!(stuck.gives_up_in_s.unwrap() > Duration::from_secs(100));
        assert_eq!(told(&[trying(0)], &settings()).unwrap().syn_sent_again, None);
    }

    #[test]
    fn what_waits_for_a_peer_that_does_not_read_says_for_how_long() {
        let full = Socket {
            timer: Some((Timer::Persist, Duration::from_secs(1))),
            info: Some(Info {
                data_sent_ago: Duration::from_secs(90),
                ..Info::default()
            }),
            ..socket(State::Established)
        };
        let stuck = told(&[full], &settings()).unwrap().zero_window.unwrap();
        assert_eq!(stuck.longest_s, Some(Duration::from_secs(90)));
        assert_eq!(stuck.gives_up_in_s, None);
    }

    #[test]
    fn our_addresses_beyond_the_few_that_are_kept_apart_are_counted_all_the_same() {
        let sockets: Vec<Socket> = (1..20).map(|address| waiting(address, 40_000)).collect();
        assert_eq!(told(&sockets, &settings()).unwrap().of(State::TimeWait), 19);
    }
}
