//! The kernel's settings, in what they mean for a connection: seconds, ports, connections.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::patience::{half_open, orphan_retries, span};
use super::tally::Tally;
use crate::diagnose::advice::default_client_hang;
use crate::diagnose::vocabulary::{UnknownLabel, labelled};
use crate::evidence::sockets::{Settings, State};

labelled! {
    /// A setting that is judged, by its name below `net.ipv4`, `net.core` or `net.netfilter`.
    Setting {
        /// How long a dead peer holds a write.
        Retries2 = "tcp_retries2",
        /// How long an idle connection is believed in.
        KeepaliveTime = "tcp_keepalive_time",
        /// How long `connect()` hangs.
        SynRetries = "tcp_syn_retries",
        /// How long a half-open handshake is kept.
        SynAckRetries = "tcp_synack_retries",
        /// Ports for connections to one place.
        PortRange = "ip_local_port_range",
        /// Whether ports in `TIME_WAIT` are taken again.
        TwReuse = "tcp_tw_reuse",
        /// How many sockets may be in `TIME_WAIT`.
        MaxTwBuckets = "tcp_max_tw_buckets",
        /// How long `FIN_WAIT2` lasts without a program.
        FinTimeout = "tcp_fin_timeout",
        /// How long a connection without a program is tried.
        OrphanRetries = "tcp_orphan_retries",
        /// The ceiling of every accept queue.
        Somaxconn = "somaxconn",
        /// What a full accept queue answers.
        AbortOnOverflow = "tcp_abort_on_overflow",
        /// What a full SYN queue answers.
        Syncookies = "tcp_syncookies",
        /// Timestamps, and with them PAWS.
        Timestamps = "tcp_timestamps",
        /// Connections that connection tracking may hold.
        ConntrackMax = "nf_conntrack_max",
    }
}

/// A setting, and what it comes to here.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedSetting {
    /// Which.
    pub setting: Setting,
    /// Names and values as sysctl(8) has them.
    pub values: Vec<(&'static str, String)>,
    /// What it comes to.
    pub meaning: Meaning,
    /// Whether somebody should look at it.
    pub notice: Notice,
}

/// Whether a setting deserves attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// As it usually is, or without consequence here.
    Usual,
    /// It has a part in what is wrong here, or nearly so.
    Worth,
}

/// What a setting comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// A write to a peer that is gone fails after this at the earliest.
    DeadPeer(Duration),
    /// With keepalive on, a peer that is gone is noticed after so long in all, of which the first part is silence.
    Keepalive {
        /// In all.
        total: Duration,
        /// Until the first probe.
        first: Duration,
    },
    /// `connect()` to silence fails after this.
    Connect(Duration),
    /// A handshake that nobody completes is kept so long.
    HalfOpen(Duration),
    /// So many connections to one address and port, and so many new ones a second.
    Ports {
        /// At a time.
        ports: u32,
        /// When each of them is closed by us first and waits a minute.
        per_second: f64,
    },
    /// When a port in `TIME_WAIT` is taken for a new connection.
    TimeWaitReuse(Reuse),
    /// So many sockets are in `TIME_WAIT`, of so many.
    TimeWait {
        /// In this look.
        used: u64,
        /// At most.
        of: u32,
    },
    /// `FIN_WAIT2` without a program lasts so long.
    FinWait2(Duration),
    /// A connection without a program is tried so long.
    Orphan(Duration),
    /// No accept queue is longer than this, and so many listeners are at exactly this.
    Backlog {
        /// The ceiling.
        limit: u32,
        /// Listeners that asked for as much or more.
        at_limit: usize,
    },
    /// A full accept queue answers with a RST (true) or is silent.
    Abort(bool),
    /// SYN cookies: 0 never, 1 when the SYN queue is full, 2 always.
    Cookies(u32),
    /// Timestamps are used.
    Timestamps(bool),
    /// So many connections are tracked, of so many.
    Conntrack {
        /// In this namespace.
        used: u32,
        /// At most.
        of: u32,
    },
}

/// When a port in `TIME_WAIT` is taken for a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// After its minute.
    Never,
    /// After a second, for connections within this host.
    Loopback,
    /// After a second.
    Always,
}

/// `TCP_TIMEWAIT_LEN`
const TIME_WAIT: Duration = Duration::from_secs(60);

/// What the settings come to. Those that cannot be read here are left out.
pub fn judge_settings(tally: &Tally) -> Vec<JudgedSetting> {
    let judged = Setting::ALL
        .iter()
        .filter_map(|setting| judge(*setting, tally.settings(), tally));
    judged.collect()
}

#[expect(clippy::too_many_lines, reason = "one arm a setting")]
fn judge(setting: Setting, settings: &Settings, tally: &Tally) -> Option<JudgedSetting> {
    let seconds = |duration: Duration| duration.as_secs().to_string();
    let (values, meaning, is_worth): (Vec<(&'static str, String)>, Meaning, bool) = match setting {
        Setting::Retries2 => {
            let retries = settings.retries2?;
            let held = span(retries, settings);
            let mut values = vec![("net.ipv4.tcp_retries2", retries.to_string())];
            if let Some(longest) = settings.rto_max {
                values.push(("net.ipv4.tcp_rto_max_ms", longest.as_millis().to_string()));
            }
            // RFC 1122 (4.2.3.5) wants no less than 100 seconds.
            (values, Meaning::DeadPeer(held), held < Duration::from_secs(100))
        }
        Setting::KeepaliveTime => {
            let (first, interval) = (settings.keepalive_time?, settings.keepalive_interval?);
            let probes = settings.keepalive_probes?;
            let values = vec![
                ("net.ipv4.tcp_keepalive_time", seconds(first)),
                ("net.ipv4.tcp_keepalive_intvl", seconds(interval)),
                ("net.ipv4.tcp_keepalive_probes", probes.to_string()),
            ];
            let total = first + interval * probes;
            (values, Meaning::Keepalive { total, first }, false)
        }
        Setting::SynRetries => {
            let schedule = settings.syn_schedule?;
            let mut values = vec![("net.ipv4.tcp_syn_retries", schedule.retries.to_string())];
            if let Some(linear) = schedule.linear_timeouts {
                values.push(("net.ipv4.tcp_syn_linear_timeouts", linear.to_string()));
            }
            let hang = default_client_hang(schedule);
            (values, Meaning::Connect(hang), hang < Duration::from_secs(3))
        }
        Setting::SynAckRetries => {
            let retries = settings.synack_retries?;
            let values = vec![("net.ipv4.tcp_synack_retries", retries.to_string())];
            (values, Meaning::HalfOpen(half_open(retries)), false)
        }
        Setting::PortRange => {
            let ((first, last), ports) = (settings.port_range?, settings.ports()?);
            let values = vec![("net.ipv4.ip_local_port_range", format!("{first} {last}"))];
            let per_second = f64::from(ports) / TIME_WAIT.as_secs_f64();
            (values, Meaning::Ports { ports, per_second }, ports < 10_000)
        }
        Setting::TwReuse => {
            let reuse = settings.tw_reuse?;
            let values = vec![("net.ipv4.tcp_tw_reuse", reuse.to_string())];
            let meaning = match (settings.timestamps, reuse) {
                (Some(0), _) | (_, 0) => Reuse::Never,
                (_, 2) => Reuse::Loopback,
                _ => Reuse::Always,
            };
            (values, Meaning::TimeWaitReuse(meaning), false)
        }
        Setting::MaxTwBuckets => {
            let (used, of) = (tally.of(State::TimeWait), settings.max_tw_buckets?);
            let values = vec![("net.ipv4.tcp_max_tw_buckets", of.to_string())];
            (
                values,
                Meaning::TimeWait { used, of },
                used * 10 >= u64::from(of) * 9,
            )
        }
        Setting::FinTimeout => {
            let timeout = settings.fin_timeout?;
            let values = vec![("net.ipv4.tcp_fin_timeout", seconds(timeout))];
            (
                values,
                Meaning::FinWait2(timeout),
                timeout < Duration::from_secs(5),
            )
        }
        Setting::OrphanRetries => {
            let values = vec![(
                "net.ipv4.tcp_orphan_retries",
                settings.orphan_retries?.to_string(),
            )];
            (
                values,
                Meaning::Orphan(span(orphan_retries(settings)?, settings)),
                false,
            )
        }
        Setting::Somaxconn => {
            let limit = settings.somaxconn?;
            let values = vec![("net.core.somaxconn", limit.to_string())];
            let at_limit = tally.listeners.iter().filter(|listener| listener.limit == limit);
            let at_limit = at_limit.count();
            // 128 was the default until Linux 5.4.
            (
                values,
                Meaning::Backlog { limit, at_limit },
                limit <= 128 && at_limit > 0,
            )
        }
        Setting::AbortOnOverflow => {
            let abort = settings.abort_on_overflow? != 0;
            let values = vec![("net.ipv4.tcp_abort_on_overflow", u8::from(abort).to_string())];
            (values, Meaning::Abort(abort), abort)
        }
        Setting::Syncookies => {
            let cookies = settings.syncookies?;
            let values = vec![("net.ipv4.tcp_syncookies", cookies.to_string())];
            (values, Meaning::Cookies(cookies), cookies != 1)
        }
        Setting::Timestamps => {
            let timestamps = settings.timestamps?;
            let values = vec![("net.ipv4.tcp_timestamps", timestamps.to_string())];
            (values, Meaning::Timestamps(timestamps != 0), timestamps == 0)
        }
        Setting::ConntrackMax => {
            let (used, of) = settings.conntrack?;
            let values = vec![
                ("net.netfilter.nf_conntrack_count", used.to_string()),
                ("net.netfilter.nf_conntrack_max", of.to_string()),
            ];
            let nearly = u64::from(used) * 10 >= u64::from(of) * 8 && of > 0;
            (values, Meaning::Conntrack { used, of }, nearly)
        }
    };
    Some(JudgedSetting {
        setting,
        values,
        meaning,
        notice: if is_worth { Notice::Worth } else { Notice::Usual },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnose::sockets::Bounds;

    fn judged(settings: Settings) -> Vec<JudgedSetting> {
        let bounds = Bounds {
            stuck: Duration::ZERO,
            silent: Duration::ZERO,
        };
        judge_settings(&Tally::new(bounds, settings, BTreeSet::new()))
    }

    #[test]
    fn the_defaults_are_known_by_their_seconds() {
        let all = judged(Settings {
            retries2: Some(15),
            keepalive_time: Some(Duration::from_secs(7200)),
            keepalive_interval: Some(Duration::from_secs(75)),
            keepalive_probes: Some(9),
            port_range: Some((32_768, 60_999)),
            ..Settings::default()
        });
        let meanings: Vec<Meaning> = all.iter().map(|one| one.meaning).collect();
        assert_eq!(meanings[0], Meaning::DeadPeer(Duration::from_millis(924_600)));
        assert_eq!(
            meanings[1],
            Meaning::Keepalive {
                total: Duration::from_secs(7875),
                first: Duration::from_secs(7200)
            }
        );
        let Meaning::Ports { ports, per_second } = meanings[2] else {
            panic!("{meanings:?}")
        };
        assert_eq!((ports, per_second.round()), (28_232, 471.0));
        assert!(all.iter().all(|one| one.notice == Notice::Usual));
    }

    #[test]
    fn what_cannot_be_read_is_not_judged() {
        assert!(judged(Settings::default()).is_empty());
    }

    #[test]
    fn a_nearly_full_table_of_tracked_connections_is_worth_a_notice() {
        let with = |used| {
            judged(Settings {
                conntrack: Some((used, 100)),
                ..Settings::default()
            })[0]
                .notice
        };
        assert_eq!((with(79), with(80)), (Notice::Usual, Notice::Worth));
    }
}
