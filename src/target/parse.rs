//! One word becomes a target, a host that still needs its port, or a named error.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Host, Services, Target, TargetError};

/// What one word is.
pub(super) enum Word {
    /// Host and port.
    Whole(Target),
    /// A host; its port has to be the next word.
    HostAlone(Host),
}

pub(super) fn word(word: &str, services: &Services) -> Result<Word, TargetError> {
    if let Some((scheme, rest)) = word.split_once("://") {
        return Err(TargetError::Url {
            word: word.to_owned(),
            instead: target_of_url(scheme, rest, services),
        });
    }
    if let Some(rest) = word.strip_prefix('[') {
        return in_brackets(word, rest, services);
    }
    if word.contains(['[', ']']) {
        return Err(TargetError::BracketsUnbalanced {
            word: word.to_owned(),
        });
    }
    if let Some(host) = bare_v6(word)? {
        return Ok(Word::HostAlone(host));
    }
    match word.split_once(':') {
        None => host(word, word).map(Word::HostAlone),
        Some((_, rest)) if rest.contains(':') => Err(several_colons(word)),
        Some((name, text)) => {
            let host = host(word, name)?;
            if text.is_empty() {
                return Err(port_is_missing(name));
            }
            Ok(Word::Whole(Target {
                host,
                port: port(text, services)?,
            }))
        }
    }
}

/// The port that the word after a lone host names. A word that is no port at all is the next target, so what is
/// wrong is that the host has none.
pub(super) fn port_after(host: &str, word: &str, services: &Services) -> Result<u16, TargetError> {
    match port(word, services) {
        Err(TargetError::PortUnknown { .. }) if word.contains([':', '.', '[']) => Err(port_is_missing(host)),
        other => other,
    }
}

/// The error for a host without a port.
pub(super) fn port_is_missing(word: &str) -> TargetError {
    let given = || word.to_owned();
    if word.starts_with('[') {
        let host = word.strip_suffix(':').unwrap_or(word);
        return TargetError::PortMissing {
            word: given(),
            example: format!("{host}:PORT"),
        };
    }
    match word.rsplit_once(':') {
        None => TargetError::PortMissing {
            word: given(),
            example: format!("{word}:PORT"),
        },
        Some((address, last)) => match (address.parse::<Ipv6Addr>(), last.parse::<u16>()) {
            (Ok(_), Ok(1..)) => TargetError::Ambiguous {
                word: given(),
                address: address.to_owned(),
                port: last.to_owned(),
            },
            _ => TargetError::PortMissing {
                word: given(),
                example: format!("[{word}]:PORT"),
            },
        },
    }
}

fn in_brackets(word: &str, rest: &str, services: &Services) -> Result<Word, TargetError> {
    let Some((inside, after)) = rest.split_once(']') else {
        return Err(TargetError::BracketsUnbalanced {
            word: word.to_owned(),
        });
    };
    if after.contains(['[', ']']) || inside.contains('[') {
        return Err(TargetError::BracketsUnbalanced {
            word: word.to_owned(),
        });
    }
    let Some(host) = bare_v6(inside)? else {
        return Err(TargetError::BracketsAroundOther {
            inside: inside.to_owned(),
        });
    };
    match after.strip_prefix(':') {
        None if after.is_empty() => Ok(Word::HostAlone(host)),
        None => Err(TargetError::AfterBrackets {
            rest: after.to_owned(),
        }),
        Some("") => Err(port_is_missing(word)),
        Some(text) => Ok(Word::Whole(Target {
            host,
            port: port(text, services)?,
        })),
    }
}

/// An IPv6 address with or without a scope; `None` when the text is something else.
fn bare_v6(text: &str) -> Result<Option<Host>, TargetError> {
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<Ipv6Addr>() else {
        return Ok(None);
    };
    if let Some(scope) = scope {
        // `fe80::1%eth0:80` is an address and a port without brackets, which `several_colons` words.
        if scope.contains(':') {
            return Ok(None);
        }
        if scope.is_empty() || scope.contains(|c: char| c == '/' || c == '%' || !c.is_ascii_graphic()) {
            return Err(TargetError::ScopeInvalid {
                scope: scope.to_owned(),
            });
        }
    }
    Ok(Some(Host::Address {
        address: IpAddr::V6(address),
        scope: scope.map(str::to_owned),
    }))
}

fn several_colons(word: &str) -> TargetError {
    match word.rsplit_once(':') {
        Some((address, port)) if matches!(bare_v6(address), Ok(Some(_))) => TargetError::BracketsMissing {
            word: word.to_owned(),
            address: address.to_owned(),
            port: if port.is_empty() {
                "PORT".to_owned()
            } else {
                port.to_owned()
            },
        },
        _ => TargetError::TooManyColons {
            word: word.to_owned(),
        },
    }
}

/// An IPv4 address or a name. Names of other alphabets are left to DNS, underscores are common in it (RFC 2181, 11).
fn host(word: &str, text: &str) -> Result<Host, TargetError> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address {
            address: IpAddr::V4(address),
            scope: None,
        });
    }
    let given = || text.to_owned();
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return Err(TargetError::HostMissing {
            word: word.to_owned(),
        });
    }
    if let Some(character) = name.chars().find(|&c| !may_be_in_a_name(c)) {
        return Err(TargetError::NameCharacter {
            host: given(),
            character,
        });
    }
    let mut last = "";
    for label in name.split('.') {
        if label.is_empty() {
            return Err(TargetError::LabelEmpty { host: given() });
        }
        // How long other alphabets are on the wire is for DNS to say.
        if label.is_ascii() && label.len() > 63 {
            return Err(TargetError::LabelTooLong {
                label: label.to_owned(),
            });
        }
        last = label;
    }
    if name.is_ascii() && name.len() > 253 {
        return Err(TargetError::NameTooLong { host: given() });
    }
    // No top-level domain is a number (RFC 3696, 2): what ends in one was meant as an address.
    if word == text && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TargetError::PortAlone { port: given() });
    }
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TargetError::NotAnAddress { host: given() });
    }
    Ok(Host::Name(given()))
}

fn may_be_in_a_name(c: char) -> bool {
    match c {
        '-' | '_' | '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => !c.is_whitespace() && !c.is_control(),
    }
}

fn port(text: &str, services: &Services) -> Result<u16, TargetError> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(TargetError::PortOutOfRange {
                port: text.to_owned(),
            }),
        };
    }
    services.port(text).ok_or_else(|| TargetError::PortUnknown {
        port: text.to_owned(),
    })
}

/// What a URL most likely means: its host, and its port or else that of its scheme.
fn target_of_url(scheme: &str, rest: &str, services: &Services) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let port = || {
        services
            .port(scheme)
            .map_or_else(|| "PORT".to_owned(), |port| port.to_string())
    };
    match word(authority, services) {
        Ok(Word::Whole(target)) => target.to_string(),
        Ok(Word::HostAlone(_)) => format!("{authority}:{}", port()),
        Err(_) => "HOST:PORT".to_owned(),
    }
}
