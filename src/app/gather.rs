//! From arguments to targets and options: reads files and standard input, and rejects what cannot be meant.

use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check::{Addresses, Beside, Options};
use crate::cli::{CheckArguments, LookArguments, ModeArgument, ResolverArgument};
use crate::net::dial::Hold;
use crate::net::dns::{Families, Resolver, Servers};
use crate::net::interfaces;
use crate::net::raw::{RawSight, Use};
use crate::target::{Host, ListError, Services, Target, TargetError};

/// So many targets have the kernel's sockets searched for each of them; more of them share what a search finds.
const FEW: usize = 3;

/// What a run needs.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) targets: Vec<Target>,
    pub(super) options: Options,
}

/// What was asked for cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A word on the command line is no target.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// A line of a file is no target.
    #[error("{}:{error}", shown(path))]
    List {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        error: ListError,
    },
    /// A file of targets cannot be read.
    #[error("{}: cannot be read: {error}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Nothing to do.
    #[error("no target: name one as host:port, such as api-service:8080; --help says more")]
    NoTarget,
    /// There is no such interface.
    #[error("{name}: there is no interface of that name on this host ('ip link' lists them)")]
    Interface {
        /// The name.
        name: String,
    },
    /// The source address is not ours.
    #[error("--source {address}: not an address of this host ('ip addr' lists them)")]
    Source {
        /// The address.
        address: IpAddr,
    },
    /// A link-local address is on every link.
    #[error("{target} is link-local: say on which link, as in [{address}%eth0]:{port}, or with --interface")]
    Link {
        /// What was named.
        target: String,
        /// Its address.
        address: IpAddr,
        /// Its port.
        port: u16,
    },
    /// What is asked for needs raw packets.
    #[error("--locate needs raw packets: leave --mode connect out")]
    Locate,
    /// The connection would be held for as long as the whole look may take.
    #[error(
        "--hold {hold:?} leaves nothing of --timeout {timeout:?} for the answer to our FIN: make the timeout longer"
    )]
    Hold {
        /// How long to hold.
        hold: Duration,
        /// How long to look at all.
        timeout: Duration,
    },
    /// The wanted family and an address disagree.
    #[error("{what} is an {is} address, but {wants}")]
    Family {
        /// What was named.
        what: String,
        /// Its family.
        is: &'static str,
        /// What asks for the other one.
        wants: &'static str,
    },
}

/// A file as messages name it.
pub(super) fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    path.display().to_string()
}

pub(super) fn gather(arguments: &CheckArguments) -> Result<Gathered, GatherError> {
    let services = services();
    let (stdin, words): (Vec<_>, Vec<_>) = arguments.targets.iter().partition(|word| *word == "-");
    let mut targets = Target::parse_words(&words, &services)?;
    let from_stdin = stdin.first().map(|_| PathBuf::from("-"));
    for path in arguments.file.iter().chain(&from_stdin) {
        let text = read(path).map_err(|error| GatherError::Read {
            path: path.clone(),
            error,
        })?;
        let list = Target::parse_list(&text, &services);
        targets.extend(list.map_err(|error| GatherError::List {
            path: path.clone(),
            error,
        })?);
    }
    if targets.is_empty() {
        return Err(GatherError::NoTarget);
    }
    let mut options = options(arguments)?;
    if targets.len() <= FEW {
        options.beside = Beside::one_by_one();
    }
    for target in &targets {
        fits(target, &options)?;
    }
    Ok(Gathered { targets, options })
}

/// Service names are a convenience: without the file the well-known ones have to do.
pub(super) fn services() -> Services {
    Services::on_demand(|| fs::read_to_string("/etc/services").ok())
}

fn read(path: &Path) -> io::Result<String> {
    if path != Path::new("-") {
        return fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn options(arguments: &CheckArguments) -> Result<Options, GatherError> {
    if arguments.locate && arguments.look.mode == ModeArgument::Connect {
        return Err(GatherError::Locate);
    }
    let look = look(&arguments.look)?;
    if let Some(address) = arguments.source
        && !interfaces::is_own_address(address)
    {
        return Err(GatherError::Source { address });
    }
    if let Some(hold) = arguments.hold.filter(|hold| *hold >= arguments.timeout) {
        let timeout = arguments.timeout;
        return Err(GatherError::Hold { hold, timeout });
    }
    Ok(Options {
        timeout: arguments.timeout,
        hold: arguments.hold.map_or(Hold::RoundTrips, Hold::Exactly),
        source: arguments.source,
        families: families(look.families, arguments.source)?,
        locate: arguments.locate,
        pmtu: arguments.pmtu,
        raw: if arguments.locate {
            RawSight::new(Use::Always)
        } else {
            look.raw
        },
        ..look
    })
}

/// How to look, for as long as is usual and from whatever address the system takes.
pub(super) fn look(arguments: &LookArguments) -> Result<Options, GatherError> {
    if let Some(name) = &arguments.interface {
        interface_exists(name)?;
    }
    Ok(Options {
        timeout: Duration::from_secs(3),
        slow: arguments.slow,
        hold: Hold::RoundTrips,
        source: None,
        interface: arguments.interface.clone(),
        families: families_of(arguments),
        addresses: if arguments.first {
            Addresses::First
        } else {
            Addresses::All
        },
        resolver: match arguments.resolver {
            ResolverArgument::System => Resolver::System,
            ResolverArgument::Dns => Resolver::Dns {
                servers: Servers::ResolvConf(arguments.resolv_conf.clone()),
                hosts: PathBuf::from("/etc/hosts"),
            },
        },
        locate: false,
        pmtu: false,
        idle: None,
        raw: RawSight::new(match arguments.mode {
            ModeArgument::Auto => Use::WhenNeeded,
            ModeArgument::Connect => Use::Never,
            ModeArgument::Raw => Use::Always,
        }),
        beside: Beside::together(),
    })
}

/// The families that `-4` and `-6` leave.
pub(super) fn families_of(arguments: &LookArguments) -> Families {
    match (arguments.ipv4, arguments.ipv6) {
        (true, _) => Families::V4,
        (_, true) => Families::V6,
        (false, false) => Families::Both,
    }
}

fn interface_exists(name: &str) -> Result<(), GatherError> {
    interfaces::index_of(name)
        .map(|_| ())
        .map_err(|_| GatherError::Interface {
            name: name.to_owned(),
        })
}

/// A source address decides the family as -4 and -6 do.
fn families(wanted: Families, source: Option<IpAddr>) -> Result<Families, GatherError> {
    let Some(address) = source else {
        return Ok(wanted);
    };
    match (address, wanted) {
        (IpAddr::V4(_), Families::Both | Families::V4) => Ok(Families::V4),
        (IpAddr::V6(_), Families::Both | Families::V6) => Ok(Families::V6),
        (IpAddr::V4(_), Families::V6) => Err(GatherError::Family {
            what: format!("--source {address}"),
            is: "IPv4",
            wants: "-6 asks for IPv6",
        }),
        (IpAddr::V6(_), Families::V4) => Err(GatherError::Family {
            what: format!("--source {address}"),
            is: "IPv6",
            wants: "-4 asks for IPv4",
        }),
    }
}

/// Whether a target can be looked at so.
pub(super) fn fits(target: &Target, options: &Options) -> Result<(), GatherError> {
    let Host::Address { address, scope } = &target.host else {
        return Ok(());
    };
    if let Some(scope) = scope.as_ref().filter(|scope| scope.parse::<u32>().is_err()) {
        interface_exists(scope)?;
    }
    if let (IpAddr::V6(v6), None, None) = (address, scope, &options.interface)
        && v6.is_unicast_link_local()
    {
        return Err(GatherError::Link {
            target: target.to_string(),
            address: *address,
            port: target.port,
        });
    }
    match (address, options.families) {
        (IpAddr::V4(_), Families::V6) => Err(GatherError::Family {
            what: target.to_string(),
            is: "IPv4",
            wants: "-6 or --source asks for IPv6",
        }),
        (IpAddr::V6(_), Families::V4) => Err(GatherError::Family {
            what: target.to_string(),
            is: "IPv6",
            wants: "-4 or --source asks for IPv4",
        }),
        _ => Ok(()),
    }
}
