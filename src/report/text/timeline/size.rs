//! Packets of a certain size, in a clause each.

use crate::evidence::{SizeMeans, SizeOutcome, SizeProbe, Small};

/// `1500-byte segment: no answer, while a small one was answered`.
pub(super) fn say(probe: &SizeProbe) -> String {
    let what = match probe.means {
        SizeMeans::Segment => "segment",
        SizeMeans::Datagram => "datagram to a closed port",
        SizeMeans::Ping => "ping",
    };
    let outcome = match &probe.outcome {
        SizeOutcome::Through => "answered".to_owned(),
        SizeOutcome::TooBig(says) => {
            let from = says
                .from
                .map_or_else(String::new, |from| format!(", says {from}"));
            let mtu = says.mtu.map_or_else(String::new, |mtu| format!("; {mtu} fit"));
            let stopped = if says.stopped_by_us {
                " (dropped by our own firewall)"
            } else {
                ""
            };
            format!("too big{from}{mtu}{stopped}")
        }
        SizeOutcome::Rejected { from } => {
            let from = from.map_or_else(String::new, |from| format!(" by {from}"));
            format!("rejected{from}")
        }
        SizeOutcome::Silence => match probe.small {
            Some(Small::Answered) => "no answer, while a small one was answered".to_owned(),
            Some(Small::Unanswered) => "no answer, nor to a small one".to_owned(),
            None => "no answer".to_owned(),
        },
        SizeOutcome::NotSent { errno } => format!("not sent ({errno})"),
    };
    format!("{what} of {} bytes: {outcome}", probe.size)
}
