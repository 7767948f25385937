//! How large packets to an endpoint may be: carries out what the search asks for, with the packets that prove the most of
//! those that are answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::{Company, Options};
use crate::diagnose::sizes;
use crate::evidence::{
    Ability, Evidence, Observation, Question, Saw, SizeMeans, SizeOutcome, SizeProbe, Small,
};
use crate::net::dial::Source;
use crate::net::finish::Finish;
use crate::net::raw::{Order, Raw};
use crate::net::{clock, ping, sized};
use crate::probe::{SizeSearch, Try};

/// A search ends at the latest after so long: where a host answers one datagram a second it takes that.
const LONGEST: Duration = Duration::from_secs(30);
/// The least that an answer is waited for.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
/// How long a small packet is behind the large one that it is to be compared with.
const BEHIND: Duration = Duration::from_millis(5);
/// What every path takes: RFC 791 (as hosts have it) and RFC 8200, 5.
const SMALL: [u32; 2] = [576, 1280];

/// Looks how large packets to an endpoint may be with which a connection was made, and adds what was seen.
pub(super) async fn look(
    evidence: &mut Evidence,
    options: &Options,
    company: &Company,
    started: Instant,
    closed: SocketAddr,
    mut interrupt: Finish,
) {
    let asker = Asker {
        endpoint: evidence.endpoint,
        closed,
        company,
        source: Source {
            address: options.source,
            port: None,
            interface: options.interface.clone(),
        },
        raw: match evidence.sight.raw {
            Ability::Yes => options.raw.raw().ok(),
            Ability::No { .. } => None,
        },
        patience: patience(evidence),
        started,
        finish: interrupt.clone(),
    };
    tokio::select! {
        _ = timeout(LONGEST, asker.ask(evidence)) => {}
        () = interrupt.requested() => {}
    }
    if asker.raw.is_some() {
        options.raw.note_use(&mut evidence.sight);
    }
}

fn patience(evidence: &Evidence) -> Duration {
    let rtt = evidence.first_handshake().map(|handshake| handshake.connect_s);
    SHORTEST_WAIT.max(3 * rtt.unwrap_or_default())
}

/// Who asks with packets of a certain size.
struct Asker<'a> {
    endpoint: SocketAddr,
    /// A port of the same host that is surely closed.
    closed: SocketAddr,
    company: &'a Company,
    source: Source,
    raw: Option<Raw>,
    patience: Duration,
    started: Instant,
    finish: Finish,
}

impl Asker<'_> {
    async fn ask(&self, evidence: &mut Evidence) {
        let at = clock::now();
        let link = sized::link_mtu(self.endpoint, &self.source);
        evidence
            .observations
            .push(self.observation(at, Saw::LinkMtu(link)));
        if let Some(raw) = &self.raw {
            // Its SYN-ACK shows the peer's MSS.
            let at = clock::now();
            let shot = raw
                .shoot(&self.order(Question::Syn, None), self.finish.clone())
                .await;
            evidence.observations.push(self.observation(at, Saw::Raw(shot)));
        }
        let Some(sends) = sizes::largest_sent(evidence) else {
            return;
        };
        let link = sizes::link(evidence).unwrap_or(sends);
        let small = SMALL[usize::from(self.endpoint.is_ipv6())];
        for means in self.means() {
            let mut search = SizeSearch::new(means, small, sends, link);
            while let Some(next) = search.next() {
                sleep(next.pause).await;
                let at = clock::now();
                let probe = self.send(means, next).await;
                evidence
                    .observations
                    .push(self.observation(at, Saw::Size(probe.clone())));
                search.saw(probe);
            }
            if search.is_answered() {
                return;
            }
        }
    }

    /// What may be sent here, that which proves the most first.
    fn means(&self) -> Vec<SizeMeans> {
        let segment = self.raw.is_some().then_some(SizeMeans::Segment);
        let ping = ping::ability(self.endpoint.is_ipv4()) == Ability::Yes;
        let ping = ping.then_some(SizeMeans::Ping);
        segment
            .into_iter()
            .chain([SizeMeans::Datagram])
            .chain(ping)
            .collect()
    }

    async fn send(&self, means: SizeMeans, next: Try) -> SizeProbe {
        let packets = 1 + u32::from(next.beside.is_some());
        self.company.pace().spend(packets, clock::now());
        let small = async {
            let size = next.beside?;
            sleep(BEHIND).await;
            Some(match self.one(means, size).await {
                SizeOutcome::Through => Small::Answered,
                SizeOutcome::TooBig(_)
                | SizeOutcome::Rejected { .. }
                | SizeOutcome::Silence
                | SizeOutcome::NotSent { .. } => Small::Unanswered,
            })
        };
        let (outcome, small) = tokio::join!(self.one(means, next.size), small);
        SizeProbe {
            means,
            to: self.to(means),
            size: next.size,
            outcome,
            small,
        }
    }

    async fn one(&self, means: SizeMeans, size: u32) -> SizeOutcome {
        match (means, &self.raw) {
            (SizeMeans::Segment, Some(raw)) => {
                let order = self.order(Question::Ack, Some(size));
                sized::of_shot(&raw.shoot(&order, self.finish.clone()).await)
            }
            (SizeMeans::Segment | SizeMeans::Datagram | SizeMeans::Ping, _) => {
                let to = self.to(means);
                sized::send(means, to, size, &self.source, self.patience, self.finish.clone()).await
            }
        }
    }

    fn to(&self, means: SizeMeans) -> SocketAddr {
        match means {
            SizeMeans::Segment => self.endpoint,
            SizeMeans::Datagram | SizeMeans::Ping => self.closed,
        }
    }

    fn order(&self, question: Question, size: Option<u32>) -> Order {
        Order {
            question,
            to: self.endpoint,
            size,
            on: None,
            source: self.source.clone(),
            ttl: None,
            patience: self.patience,
        }
    }

    fn observation(&self, at: Instant, saw: Saw) -> Observation {
        Observation {
            at_s: at.saturating_duration_since(self.started),
            took_s: clock::now().saturating_duration_since(at),
            saw,
        }
    }
}
