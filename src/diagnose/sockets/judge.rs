//! From the counts of a look, and of the one before, to verdicts.

use std::time::Duration;

use super::Label;
use super::patience::gives_up_in;
use super::peers::{Peer, PeerCount};
use super::table::{PEER_ROWS, PeerMeasure};
use super::tally::{Case, Group, Tally};
use crate::evidence::sockets::{Owner, Process, Socket};

/// So many groups of a verdict are told.
const TOLD: usize = 5;

/// A label that holds, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub label: Label,
    /// All sockets that it holds for.
    pub sockets: u64,
    /// For whom, those with the most sockets first.
    pub found: Vec<Found>,
    /// How many groups there are beyond those.
    pub more: usize,
    /// Sockets that may belong to it as well; there were too many groups to tell.
    pub ungrouped: u64,
}

/// One group of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What its sockets have in common.
    pub group: Group,
    /// How many there are.
    pub sockets: u64,
    /// The worst of them.
    pub examples: Vec<Socket>,
    /// How long the worst has lasted, at least; absent where one look cannot know.
    pub longest: Option<Duration>,
    /// In how long the kernel gives the worst up; absent where it does not, or where that is no question.
    pub gives_up_in: Option<Duration>,
    /// By how much it grew; absent in the first look.
    pub growth: Option<Growth>,
    /// The part of the port range that is taken.
    pub share: Option<Share>,
    /// What was lost.
    pub loss: Option<Loss>,
}

/// What changed since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Sockets more, or less.
    pub by: i64,
    /// In this time.
    pub over: Duration,
}

/// Ports taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub used: u32,
    /// Of so many.
    pub of: u32,
}

/// Segments sent again since the connections were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// So many.
    pub retransmitted: u64,
    /// Of so many segments with data.
    pub sent: u64,
}

/// Every label that holds, in the order of [`Label::ALL`]. `before` is the last look and how long ago it was.
pub fn judge(tally: &Tally, before: Option<(&Tally, Duration)>) -> Vec<Verdict> {
    Label::ALL
        .iter()
        .filter_map(|label| verdict(*label, tally, before))
        .collect()
}

fn verdict(label: Label, tally: &Tally, before: Option<(&Tally, Duration)>) -> Option<Verdict> {
    let mut found = of_peers(label, tally);
    let cases = tally.cases(label);
    for (group, case) in cases.iter().flat_map(|cases| &cases.groups) {
        if case.sockets >= case.least {
            found.push(of_case(label, *group, case, tally, before));
        }
    }
    if found.is_empty() {
        return None;
    }
    found.sort_by_key(|one| (std::cmp::Reverse(one.sockets), one.group));
    let sockets = found.iter().map(|one| one.sockets).sum();
    let more = found.len().saturating_sub(TOLD);
    found.truncate(TOLD);
    Some(Verdict {
        label,
        sockets,
        found,
        more,
        ungrouped: cases.map_or(0, |cases| cases.ungrouped),
    })
}

fn of_case(
    label: Label,
    group: Group,
    case: &Case,
    tally: &Tally,
    before: Option<(&Tally, Duration)>,
) -> Found {
    let growth = before.map(|(before, over)| {
        let groups = before.cases(label).map(|cases| &cases.groups);
        let earlier = groups
            .and_then(|groups| groups.get(&group))
            .map_or(0, |case| case.sockets);
        Growth {
            by: case.sockets.cast_signed().saturating_sub(earlier.cast_signed()),
            over,
        }
    });
    Found {
        group,
        sockets: case.sockets,
        gives_up_in: case
            .examples
            .first()
            .and_then(|socket| gives_up_in(socket, tally.settings())),
        examples: case.examples.clone(),
        longest: case.longest,
        growth,
        share: None,
        loss: None,
    }
}

fn of_peers(label: Label, tally: &Tally) -> Vec<Found> {
    let rows = PEER_ROWS.iter().filter(|row| row.label == label);
    rows.flat_map(|row| {
        let peers = tally.peers.iter();
        peers.filter_map(|(peer, count)| of_peer(row.measure, peer, count, tally))
    })
    .collect()
}

fn of_peer(measure: PeerMeasure, peer: Peer, count: &PeerCount, tally: &Tally) -> Option<Found> {
    let found = |sockets: u32, share, loss| Found {
        group: Group::Peer(peer),
        sockets: sockets.into(),
        examples: Vec::new(),
        longest: None,
        gives_up_in: None,
        growth: None,
        share,
        loss,
    };
    match measure {
        PeerMeasure::Loss { least, percent } => {
            let loss = Loss {
                retransmitted: count.retransmitted,
                sent: count.segments_out,
            };
            let is_much = loss.retransmitted >= least && loss.retransmitted * 100 >= loss.sent * percent;
            is_much.then(|| found(count.total(), None, Some(loss)))
        }
        PeerMeasure::TimeWaitShare(percent) | PeerMeasure::PortShare(percent) => {
            let Peer::To { to, .. } = peer else { return None };
            let reused = tally.settings().reuses_time_wait(to.ip());
            let used = match measure {
                PeerMeasure::TimeWaitShare(_) if reused => 0,
                PeerMeasure::TimeWaitShare(_) => count.in_range_time_wait,
                PeerMeasure::PortShare(_) if reused => count.in_range - count.in_range_time_wait,
                PeerMeasure::PortShare(_) | PeerMeasure::Loss { .. } => count.in_range,
            };
            let of = tally.settings().ports()?;
            let is_much = u64::from(used) * 100 >= u64::from(of) * u64::from(percent);
            (used > 0 && is_much).then(|| found(used, Some(Share { used, of }), None))
        }
    }
}

impl Verdict {
    /// The processes that it speaks of.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        self.found.iter().filter_map(Found::process)
    }
}

impl Found {
    /// The process that it is about: the one of the group, or the one that holds the worst socket.
    pub fn process(&self) -> Option<u32> {
        if let Group::Process(pid) = self.group {
            return Some(pid);
        }
        match self.examples.first()?.owner {
            Owner::Process(pid) => Some(pid),
            Owner::Nobody | Owner::Unseen => None,
        }
    }
}

/// When a process has no descriptor left, if its sockets go on growing like that; absent where they do not grow, or the
/// limit is not known.
pub fn runs_out_in(process: &Process, growth: Growth) -> Option<Duration> {
    let left = process.descriptor_limit?.saturating_sub(process.descriptors);
    let by = u64::try_from(growth.by).ok().filter(|by| *by > 0)?;
    let nanoseconds = growth.over.as_nanos().checked_mul(left.into())? / u128::from(by);
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnose::sockets::Bounds;
    use crate::evidence::sockets::{Info, Settings, State, Timer};

    pub(in crate::diagnose::sockets) fn socket(state: State) -> Socket {
        Socket {
            state,
            local: "192.0.2.1:50000".parse().unwrap(),
            remote: "192.0.2.2:5432".parse().unwrap(),
            timer: None,
            tries: 0,
            receive_queue: 0,
            send_queue: 0,
            drops: Some(0),
            uid: 1000,
            info: Some(Info::default()),
            owner: Owner::Process(7),
        }
    }

    fn tally(sockets: &[Socket]) -> Tally {
        let bounds = Bounds {
            stuck: Duration::from_secs(60),
            silent: Duration::from_secs(600),
        };
        let settings = Settings {
            port_range: Some((40_000, 40_009)),
            tw_reuse: Some(0),
            timestamps: Some(1),
            retries2: Some(15),
            ..Settings::default()
        };
        let mut tally = Tally::new(bounds, settings, BTreeSet::from([8080]));
        for socket in sockets {
            tally.note(socket);
        }
        tally
    }

    fn labels(sockets: &[Socket]) -> Vec<Label> {
        judge(&tally(sockets), None).iter().map(|one| one.label).collect()
    }

    fn quiet(state: State, seconds: u64) -> Socket {
        let ago = Duration::from_secs(seconds);
        Socket {
            info: Some(Info {
                heard_ago: ago,
                data_received_ago: ago,
                data_sent_ago: ago,
                ..Info::default()
            }),
            ..socket(state)
        }
    }

    #[test]
    fn ten_old_close_waits_of_one_process_are_a_leak_and_nine_or_young_ones_are_none() {
        let old = quiet(State::CloseWait, 61);
        assert_eq!(labels(&vec![old.clone(); 10]), [Label::CloseWaitLeak]);
        assert_eq!(labels(&vec![old; 9]), []);
        assert_eq!(labels(&vec![quiet(State::CloseWait, 59); 10]), []);
        let not_accepted = Socket {
            owner: Owner::Nobody,
            ..quiet(State::CloseWait, 61)
        };
        assert_eq!(labels(&vec![not_accepted; 10]), []);
    }

    #[test]
    fn a_fin_that_is_not_read_is_no_data_that_is_not_read() {
        let with = |bytes| Socket {
            receive_queue: bytes,
            ..quiet(State::CloseWait, 61)
        };
        assert_eq!(labels(&[with(1)]), []);
        assert_eq!(labels(&[with(2)]), [Label::ReceiveUnread]);
    }

    #[test]
    fn an_idle_connection_counts_as_silent_only_without_keepalive() {
        let idle = quiet(State::Established, 601);
        assert_eq!(labels(std::slice::from_ref(&idle)), [Label::PeerSilent]);
        let asked = Socket {
            timer: Some((Timer::Keepalive, Duration::from_secs(5))),
            ..idle
        };
        assert_eq!(labels(&[asked]), []);
    }

    #[test]
    fn a_listener_is_full_above_its_backlog_and_near_from_four_fifths_on() {
        let with = |waiting, limit| Socket {
            receive_queue: waiting,
            send_queue: limit,
            remote: "0.0.0.0:0".parse().unwrap(),
            ..socket(State::Listen)
        };
        assert_eq!(labels(&[with(129, 128)]), [Label::AcceptQueueFull]);
        assert_eq!(labels(&[with(128, 128)]), [Label::AcceptQueueNear]);
        assert_eq!(labels(&[with(103, 128)]), [Label::AcceptQueueNear]);
        assert_eq!(labels(&[with(102, 128), with(0, 0)]), []);
    }

    #[test]
    fn time_wait_counts_against_the_ports_towards_one_place_and_not_where_it_is_reused() {
        let waiting: Vec<Socket> = (0..9)
            .map(|number| Socket {
                local: format!("192.0.2.1:{}", 40_000 + number).parse().unwrap(),
                owner: Owner::Nobody,
                info: None,
                ..socket(State::TimeWait)
            })
            .collect();
        assert_eq!(
            labels(&waiting),
            [Label::PortsNearlyExhausted, Label::TimeWaitPressure]
        );
        assert_eq!(labels(&waiting[..7]), [Label::TimeWaitPressure]);
        assert_eq!(labels(&waiting[..1]), []);
        let verdicts = judge(&tally(&waiting), None);
        assert_eq!(verdicts[0].found[0].share, Some(Share { used: 9, of: 10 }));
        let mut reusing = tally(&waiting);
        let settings = Settings {
            tw_reuse: Some(1),
            ..reusing.settings().clone()
        };
        reusing = Tally::new(reusing.bounds(), settings, BTreeSet::new());
        for socket in &waiting {
            reusing.note(socket);
        }
        assert!(judge(&reusing, None).is_empty());
    }

    #[test]
    fn a_second_look_says_how_fast_it_grows_and_when_descriptors_run_out() {
        let old = quiet(State::CloseWait, 61);
        let (before, after) = (tally(&vec![old.clone(); 10]), tally(&vec![old; 30]));
        let verdicts = judge(&after, Some((&before, Duration::from_secs(2))));
        let growth = verdicts[0].found[0].growth.unwrap();
        assert_eq!(
            growth,
            Growth {
                by: 20,
                over: Duration::from_secs(2)
            }
        );
        let process = Process {
            pid: 7,
            name: "api".to_owned(),
            command: "api".to_owned(),
            descriptors: 24,
            descriptor_limit: Some(1024),
        };
        assert_eq!(runs_out_in(&process, growth), Some(Duration::from_secs(100)));
        assert_eq!(runs_out_in(&process, Growth { by: -1, ..growth }), None);
    }

    #[test]
    fn loss_is_judged_by_peer_over_all_its_connections() {
        let with = |again, sent| Socket {
            info: Some(Info {
                retransmitted: again,
                data_segments_out: Some(sent),
                ..Info::default()
            }),
            ..socket(State::Established)
        };
        assert_eq!(labels(&[with(5, 100), with(0, 150)]), [Label::Retransmitting]);
        assert_eq!(labels(&[with(5, 100), with(0, 151)]), []);
        assert_eq!(labels(&[with(4, 10)]), []);
    }

    #[test]
    fn the_memory_of_a_tally_does_not_grow_with_its_sockets() {
        let mut tally = tally(&[]);
        for number in 0..60_000_u32 {
            let [_, _, high, low] = number.to_be_bytes();
            tally.note(&Socket {
                remote: format!("10.0.{high}.{low}:{}", 1 + number % 60_000)
                    .parse()
                    .unwrap(),
                ..quiet(State::Established, 601)
            });
        }
        let verdicts = judge(&tally, None);
        assert_eq!(tally.peers.len(), 8192);
        assert_eq!(verdicts[0].more + verdicts[0].found.len(), 512);
        assert_eq!(verdicts[0].sockets + verdicts[0].ungrouped, 60_000);
        assert_eq!(tally.peers.not_counted + 8192, 60_000);
    }
}
