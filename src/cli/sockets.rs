//! The arguments of `tcpprobe sockets`.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::{Colour, DocumentForm};
use crate::diagnose::sockets::State;
use crate::duration;

/// Which sockets to look at, and how often.
#[derive(Debug, Args)]
pub struct SocketsArguments {
    /// Only sockets in these states, such as close-wait; several separated by commas
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    pub state: Vec<State>,
    /// Only connections with this address, or with addresses of this network
    #[arg(long, value_name = "ADDRESS[/LENGTH]")]
    pub dst: Option<Destination>,
    /// Only connections with this port of the peer's, or with one from FIRST to LAST
    #[arg(long, value_name = "PORT[-LAST]", value_parser = ports)]
    pub dport: Option<RangeInclusive<u16>>,
    /// Only sockets with this port of ours
    #[arg(long, value_name = "PORT[-LAST]", value_parser = ports)]
    pub sport: Option<RangeInclusive<u16>>,
    /// Only sockets that this process holds
    #[arg(long, value_name = "PID")]
    pub pid: Vec<u32>,
    /// Only sockets that a process of this name holds, as in /proc/PID/comm
    #[arg(long, value_name = "NAME")]
    pub process: Vec<String>,
    /// Look into the network namespace that this file stands for, such as /proc/PID/ns/net; needs CAP_SYS_ADMIN
    #[arg(long, value_name = "PATH")]
    pub netns: Option<PathBuf>,
    /// Look again after a pause, until interrupted, and say what has grown
    #[arg(long, value_name = "PAUSE", num_args = 0..=1, default_missing_value = "2s", value_parser = duration::parse)]
    pub watch: Option<Duration>,
    /// Look so many times, then end
    #[arg(short, long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// What has lasted longer than this, and should not last, is stuck
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration::parse)]
    pub stuck_after: Duration,
    /// A connection without keepalive is silent when nothing came for longer than this
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse)]
    pub silent_after: Duration,
    /// Form of the output; with --watch, JSON is one document a line
    #[arg(short, long, value_enum, default_value_t = DocumentForm::Text)]
    pub output: DocumentForm,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub color: Colour,
}

/// A network: an address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// An address in it.
    pub address: IpAddr,
    /// Its length, from 0 to 32 or 128.
    pub length: u8,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, length) = text
            .split_once('/')
            .map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.trim_matches(['[', ']']).parse().map_err(|_| {
            format!("'{address}' is no address: write it as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32")
        })?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => longest,
            Some(length) => length
                .parse()
                .ok()
                .filter(|length| *length <= longest)
                .ok_or_else(|| format!("'{length}' is no length of a prefix: it is from 0 to {longest}"))?,
        };
        Ok(Self { address, length })
    }
}

fn state(text: &str) -> Result<State, String> {
    let wanted = text.to_lowercase().replace('_', "-");
    let known = || State::ALL.iter().map(|state| state.label());
    State::ALL
        .iter()
        .copied()
        .find(|state| state.label() == wanted)
        .ok_or_else(|| format!("the states are {}", known().collect::<Vec<_>>().join(", ")))
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("'{text}' is no port"));
    let range = port(first)?..=port(last)?;
    if range.is_empty() {
        return Err(format!("{first} is after {last}: write the smaller port first"));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_an_address_or_a_network() {
        let of = |text: &str| {
            text.parse::<Destination>()
                .map(|one| (one.address.to_string(), one.length))
        };
        assert_eq!(of("192.0.2.1"), Ok(("192.0.2.1".to_owned(), 32)));
        assert_eq!(of("[2001:db8::]/32"), Ok(("2001:db8::".to_owned(), 32)));
        assert!(of("10.0.0.0/33").unwrap_err().contains("0 to 32"));
        assert!(of("web").unwrap_err().contains("'web' is no address"));
    }

    #[test]
    fn states_and_ports_that_are_wrong_are_told_what_would_be_right() {
        assert_eq!(state("CLOSE_WAIT"), Ok(State::CloseWait));
        assert!(state("open").unwrap_err().contains("time-wait"));
        assert_eq!(ports("80-90"), Ok(80..=90));
        assert!(ports("90-80").unwrap_err().contains("smaller"));
        assert!(ports("http").unwrap_err().contains("no port"));
    }
}
