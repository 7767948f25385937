//! All questions of one name: candidate after candidate, both families at the same time, server after server.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::timeout;

use crate::evidence::{Family, LookupOutcome};

use super::candidates::candidates;
use super::exchange::{Question, Transport, WithEdns, exchange};
use super::log::Log;
use super::{Families, ResolveRequest, Settings};

/// What one server gets at least, however near the deadline: a resolver that has to ask others needs this long.
const LEAST_PATIENCE: Duration = Duration::from_millis(500);

/// What a slow family gets at least after the other one has already settled the matter.
const LEAST_GRACE: Duration = Duration::from_millis(500);

/// Asks until a candidate has addresses, all are exhausted, or the deadline has come. The log has it all.
///
/// As glibc does, the next candidate is tried after NXDOMAIN, an empty answer and SERVFAIL, and not when no server had
/// anything to say: it would not have for the next candidate either.
pub(super) async fn ask_all(request: &ResolveRequest, settings: &Settings, log: &Log) {
    let asking = Asking {
        settings,
        log,
        deadline: request.deadline,
    };
    let both_but_v4_alone = settings.no_aaaa && request.families == Families::Both;
    let families = if both_but_v4_alone {
        Families::V4
    } else {
        request.families
    };
    let all = async {
        for candidate in candidates(&request.name, &settings.search, settings.ndots) {
            match asking.families(&candidate, families.wanted()).await {
                Said::Addresses | Said::Nothing => return,
                Said::NoSuchName | Said::Empty => {}
            }
        }
    };
    // What the deadline interrupts is in the log as a timeout.
    let _ = timeout(request.deadline, all).await;
}

/// What a candidate came to, or one family of it. The greater one speaks for both families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// No address, no answer from those who should know (SERVFAIL), or no name that DNS can hold.
    Empty,
    /// No server had anything to say.
    Nothing,
    /// NXDOMAIN, which holds for every family.
    NoSuchName,
    /// Addresses.
    Addresses,
}

struct Asking<'a> {
    settings: &'a Settings,
    log: &'a Log,
    deadline: Duration,
}

impl Asking<'_> {
    /// Asks for all families at the same time. Once one answer settles the matter, the others get twice the time
    /// that it took: a server that drops AAAA questions must not cost the whole deadline.
    async fn families(&self, candidate: &str, wanted: &[Family]) -> Said {
        let asked_at = self.log.elapsed();
        let mut questions: FuturesUnordered<_> = wanted
            .iter()
            .map(|&family| self.family(candidate, family))
            .collect();
        let mut said = Said::Empty;
        while let Some(answer) = questions.next().await {
            said = said.max(answer);
            if said >= Said::NoSuchName {
                break;
            }
        }
        let grace = (self.log.elapsed().saturating_sub(asked_at) * 2).max(LEAST_GRACE);
        let others = questions.fold(said, async |said, answer| said.max(answer));
        timeout(grace, others).await.unwrap_or(said)
    }

    /// Asks for one family: every server in turn until one has an answer that settles it; then those that were
    /// silent once more, as often as the settings say. A server that refused or failed is not asked again.
    async fn family(&self, candidate: &str, family: Family) -> Said {
        let question = match Question::new(candidate, family) {
            Ok(question) => question,
            Err(outcome) => {
                self.log.ask(candidate, family, None).says(outcome);
                return Said::Empty;
            }
        };
        let mut silent = self.settings.servers.clone();
        let mut said = Said::Nothing;
        for round in 0..self.settings.attempts {
            let rounds_left = self.settings.attempts - round;
            let asked = std::mem::take(&mut silent);
            for (index, &server) in asked.iter().enumerate() {
                let tries_left = asked.len() * rounds_left as usize - index;
                match self.server(&question, server, tries_left).await {
                    LookupOutcome::Addresses { .. } => return Said::Addresses,
                    LookupOutcome::NxDomain => return Said::NoSuchName,
                    LookupOutcome::NoData => return Said::Empty,
                    LookupOutcome::ServFail => said = Said::Empty,
                    LookupOutcome::Timeout => silent.push(server),
                    LookupOutcome::Refused
                    | LookupOutcome::OtherCode { .. }
                    | LookupOutcome::ServerUnreachable { .. }
                    | LookupOutcome::NoServer { .. }
                    | LookupOutcome::Malformed { .. } => {}
                }
            }
        }
        said
    }

    async fn server(&self, question: &Question<'_>, server: SocketAddr, tries_left: usize) -> LookupOutcome {
        /// How a server says that it does not know EDNS0 (RFC 6891, 7).
        const FORMERR: LookupOutcome = LookupOutcome::OtherCode { code: 1 };
        if self.settings.edns0 {
            let outcome = self.once(question, server, WithEdns::Yes, tries_left).await;
            if outcome != FORMERR {
                return outcome;
            }
        }
        self.once(question, server, WithEdns::No, tries_left).await
    }

    async fn once(
        &self,
        question: &Question<'_>,
        server: SocketAddr,
        edns: WithEdns,
        tries_left: usize,
    ) -> LookupOutcome {
        let transport = if self.settings.tcp {
            Transport::Tcp
        } else {
            Transport::Udp
        };
        let left = self.deadline.saturating_sub(self.log.elapsed());
        let patience = patience(self.settings.timeout, left, tries_left);
        let asked = self.log.ask(question.candidate, question.family, Some(server));
        let outcome = exchange(server, question, edns, transport, patience).await;
        asked.says(outcome.clone());
        outcome
    }
}

/// How long to wait for one answer: as long as resolv.conf says, but no more than this try's share of the time that
/// is left, so that the second server is still asked before a deadline that is shorter than the first one's timeout.
fn patience(configured: Duration, left: Duration, tries_left: usize) -> Duration {
    let share = left / u32::try_from(tries_left).unwrap_or(u32::MAX).max(1);
    configured.min(share.max(LEAST_PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_shorter_than_the_timeout_is_shared_between_the_tries() {
        let s = Duration::from_secs;
        let ms = Duration::from_millis;
        assert_eq!(
            patience(s(5), s(3), 4),
            ms(750),
            "two servers, two attempts, the default deadline"
        );
        assert_eq!(patience(s(5), s(3), 1), s(3));
        assert_eq!(patience(s(1), s(30), 4), s(1));
        assert_eq!(patience(s(5), s(1), 6), ms(500));
        assert_eq!(patience(ms(100), s(1), 6), ms(100));
    }
}
