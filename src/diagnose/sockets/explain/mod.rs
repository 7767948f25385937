//! What every label, every TCP state and every judged setting means: texts as data, the one home for `tcpprobe explain`, the
//! report and `docs/sockets.md`.

mod close;
mod open;
mod queues;
mod settings;
mod states;
mod traffic;

use std::str::FromStr;

use super::{Label, Setting, State};

/// What is worth saying of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelText {
    /// In one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The evidence it rests on, and what that cannot know.
    pub how_told: &'static str,
    /// What it does to users.
    pub users: &'static str,
    /// What an experienced operator does, in this order.
    pub what_to_do: &'static [&'static str],
    /// Folklore that does not help here.
    pub what_not_to_do: &'static [&'static str],
}

/// What is worth saying of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateText {
    /// In one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it is and how it ends.
    pub meaning: &'static str,
    /// How many of it, and how long, is as it should be.
    pub normal: &'static str,
    /// When it is not.
    pub suspicious: &'static str,
}

/// What is worth saying of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingText {
    /// In one clause, without a capital and without a full stop.
    pub in_short: &'static str,
    /// What it decides, and for whom.
    pub meaning: &'static str,
    /// What a change brings, and what it costs.
    pub trade_off: &'static str,
}

/// The explanation of a label.
pub const fn explain_label(label: Label) -> &'static LabelText {
    match label {
        Label::AcceptQueueFull => &queues::ACCEPT_QUEUE_FULL,
        Label::AcceptQueueNear => &queues::ACCEPT_QUEUE_NEAR,
        Label::SynReceivedPiling => &queues::SYN_RECEIVED_PILING,
        Label::PortsNearlyExhausted => &open::PORTS_NEARLY_EXHAUSTED,
        Label::TimeWaitPressure => &open::TIME_WAIT_PRESSURE,
        Label::SynSentStuck => &open::SYN_SENT_STUCK,
        Label::SendStalled => &traffic::SEND_STALLED,
        Label::ZeroWindow => &traffic::ZERO_WINDOW,
        Label::ReceiveUnread => &traffic::RECEIVE_UNREAD,
        Label::Retransmitting => &traffic::RETRANSMITTING,
        Label::PeerSilent => &traffic::PEER_SILENT,
        Label::CloseWaitLeak => &close::CLOSE_WAIT_LEAK,
        Label::FinWaitStuck => &close::FIN_WAIT_STUCK,
        Label::LastAckStuck => &close::LAST_ACK_STUCK,
        Label::Orphans => &close::ORPHANS,
    }
}

/// The explanation of a state.
pub const fn explain_state(state: State) -> &'static StateText {
    match state {
        State::Listen => &states::LISTEN,
        State::SynSent => &states::SYN_SENT,
        State::SynReceived => &states::SYN_RECEIVED,
        State::Established => &states::ESTABLISHED,
        State::FinWait1 => &states::FIN_WAIT_1,
        State::FinWait2 => &states::FIN_WAIT_2,
        State::Closing => &states::CLOSING,
        State::TimeWait => &states::TIME_WAIT,
        State::CloseWait => &states::CLOSE_WAIT,
        State::LastAck => &states::LAST_ACK,
    }
}

/// The explanation of a setting.
pub const fn explain_setting(setting: Setting) -> &'static SettingText {
    match setting {
        Setting::Retries2 => &settings::RETRIES2,
        Setting::KeepaliveTime => &settings::KEEPALIVE_TIME,
        Setting::SynRetries => &settings::SYN_RETRIES,
        Setting::SynAckRetries => &settings::SYNACK_RETRIES,
        Setting::PortRange => &settings::PORT_RANGE,
        Setting::TwReuse => &settings::TW_REUSE,
        Setting::MaxTwBuckets => &settings::MAX_TW_BUCKETS,
        Setting::FinTimeout => &settings::FIN_TIMEOUT,
        Setting::OrphanRetries => &settings::ORPHAN_RETRIES,
        Setting::Somaxconn => &settings::SOMAXCONN,
        Setting::AbortOnOverflow => &settings::ABORT_ON_OVERFLOW,
        Setting::Syncookies => &settings::SYNCOOKIES,
        Setting::Timestamps => &settings::TIMESTAMPS,
        Setting::ConntrackMax => &settings::CONNTRACK_MAX,
    }
}

/// What `tcpprobe explain` was asked about, where it is about sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A label.
    Label(Label),
    /// A state.
    State(State),
    /// A setting.
    Setting(Setting),
}

impl FromStr for Topic {
    type Err = ();

    /// Takes a label; a state, also as RFC 9293 writes it (`CLOSE_WAIT`); a setting, also with what is before its last dot.
    fn from_str(asked: &str) -> Result<Self, ()> {
        if let Ok(label) = asked.parse() {
            return Ok(Self::Label(label));
        }
        let state = asked.to_lowercase().replace('_', "-");
        if let Some(state) = State::ALL.iter().find(|known| known.label() == state) {
            return Ok(Self::State(*state));
        }
        let setting = asked.rsplit('.').next().unwrap_or(asked);
        setting.parse().map(Self::Setting).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_prose(text: &str) {
        assert!(text.ends_with('.') && text.len() > 10, "{text}");
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn every_label_says_what_it_is_what_it_does_and_what_to_do_and_not_to_do() {
        for label in Label::ALL {
            let text = explain_label(*label);
            for prose in [text.meaning, text.how_told, text.users] {
                is_prose(prose);
            }
            text.what_to_do
                .iter()
                .chain(text.what_not_to_do)
                .copied()
                .for_each(is_prose);
            assert!(
                !text.what_to_do.is_empty() && !text.what_not_to_do.is_empty(),
                "{label}"
            );
            assert!(
                !text.in_short.ends_with('.') && text.in_short.len() < 80,
                "{label}"
            );
        }
    }

    #[test]
    fn every_state_and_every_setting_is_explained() {
        for state in State::ALL {
            let text = explain_state(*state);
            [text.meaning, text.normal, text.suspicious]
                .into_iter()
                .for_each(is_prose);
        }
        for setting in Setting::ALL {
            let text = explain_setting(*setting);
            [text.meaning, text.trade_off].into_iter().for_each(is_prose);
        }
    }

    #[test]
    fn a_topic_is_a_label_a_state_or_a_setting() {
        assert_eq!("zero-window".parse(), Ok(Topic::Label(Label::ZeroWindow)));
        assert_eq!("CLOSE_WAIT".parse(), Ok(Topic::State(State::CloseWait)));
        assert_eq!(
            "net.ipv4.tcp_retries2".parse(),
            Ok(Topic::Setting(Setting::Retries2))
        );
        assert_eq!("timeout".parse::<Topic>(), Err(()));
    }
}
