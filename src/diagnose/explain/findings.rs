//! What every finding means, how it is told and what to do about it.

mod connection;
mod own;
mod size;

use super::super::FindingKind;

/// What is worth saying of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingText {
    /// In one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it is, and what it does to users.
    pub meaning: &'static str,
    /// The evidence it rests on, and what that cannot know.
    pub how_told: &'static str,
    /// What an experienced operator does, in this order; empty where there is nothing to do.
    pub what_to_do: &'static [&'static str],
    /// Folklore that does not help here.
    pub what_not_to_do: &'static [&'static str],
}

/// The explanation of a finding.
pub const fn explain_finding(kind: FindingKind) -> &'static FindingText {
    match kind {
        FindingKind::ClosedAfterAccept => &connection::CLOSED_AFTER_ACCEPT,
        FindingKind::ResetAtClose => &connection::RESET_AT_CLOSE,
        FindingKind::ProxySuspected => &connection::PROXY_SUSPECTED,
        FindingKind::V4V6Differ => &connection::V4_V6_DIFFER,
        FindingKind::AddressesDiffer => &connection::ADDRESSES_DIFFER,
        FindingKind::SynCookies => &connection::SYN_COOKIES,
        FindingKind::PathLoss => &connection::PATH_LOSS,
        FindingKind::PathMtu => &size::PATH_MTU,
        FindingKind::PmtuReduced => &size::PMTU_REDUCED,
        FindingKind::PmtuBlackHole => &size::PMTU_BLACK_HOLE,
        FindingKind::MssClamped => &size::MSS_CLAMPED,
        FindingKind::PmtuUnknown => &size::PMTU_UNKNOWN,
        FindingKind::OwnSynSentStuck => &own::SYN_SENT_STUCK,
        FindingKind::OwnSendStalled => &own::SEND_STALLED,
        FindingKind::OwnZeroWindow => &own::ZERO_WINDOW,
        FindingKind::OwnRetransmitting => &own::RETRANSMITTING,
        FindingKind::OwnCloseWait => &own::CLOSE_WAIT,
        FindingKind::OwnTimeWait => &own::TIME_WAIT,
        FindingKind::OwnPortsNearlyExhausted => &own::PORTS_NEARLY_EXHAUSTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_says_what_it_is_and_how_it_is_told_without_a_gap() {
        for kind in FindingKind::ALL {
            let texts = explain_finding(*kind);
            assert!(
                !texts.in_short.ends_with('.') && texts.in_short.len() < 100,
                "{kind}"
            );
            let lists = texts.what_to_do.iter().chain(texts.what_not_to_do).copied();
            for text in [texts.meaning, texts.how_told].into_iter().chain(lists) {
                assert!(
                    text.ends_with(['.', ')', '`']) && text.len() > 20,
                    "{kind}: {text}"
                );
                assert!(!text.contains("  ") && !text.contains('\n'), "{kind}: {text}");
            }
        }
    }
}
