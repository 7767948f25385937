//! The arguments of everything that looks: over which family, by which interface, with which means.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::duration;

/// How to look, but for how long and from where.
#[derive(Debug, Clone, Args)]
pub struct LookArguments {
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Probe only the address that a client would try first, not every address of a name
    #[arg(long)]
    pub first: bool,
    /// A handshake that takes longer than this is slow
    #[arg(long, value_name = "DURATION", default_value = "250ms", value_parser = duration::parse)]
    pub slow: Duration,
    /// Interface to leave by
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// How to look
    #[arg(long, value_enum, default_value_t = ModeArgument::Auto)]
    pub mode: ModeArgument,
    /// Who resolves names: our own DNS questions, or the C library
    #[arg(long, value_enum, default_value_t = ResolverArgument::Dns)]
    pub resolver: ResolverArgument,
    /// Use this file instead of /etc/resolv.conf
    #[arg(long, value_name = "FILE", default_value = "/etc/resolv.conf")]
    pub resolv_conf: PathBuf,
}

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArgument {
    /// Raw probes too, where CAP_NET_RAW permits them and something is left to ask
    Auto,
    /// The kernel's own sockets alone
    Connect,
    /// Raw probes too, or exit code 3 if that is not possible
    Raw,
}

/// Who resolves names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResolverArgument {
    /// Our own DNS questions, each timed and told apart
    Dns,
    /// The C library
    System,
}
