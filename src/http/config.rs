//! The file with TLS, passwords and headers, in the form that Prometheus and its exporters read (`web.config.file`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use bcrypt::HashParts;
use hyper::header::{HeaderName, HeaderValue};

use super::client_certificates::Allowed;
use super::tls::{CLIENT_AUTHS, CURVES, ClientAuth, Pem, SUITES, Source, Tls, VERSIONS, suite_names};
use crate::document::table::{self, Table};
use crate::document::{self, FileError, Format, LARGEST_FILE, Node, Place, Value};

/// What the file says.
#[derive(Default)]
pub(super) struct Config {
    pub(super) tls: Option<Tls>,
    /// Names and bcrypt hashes; empty where no password is asked for.
    pub(super) users: BTreeMap<String, String>,
    /// Headers of all answers.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with the file, or with one that it names.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It says what it should not.
    #[error("{}:{error}", .path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// Where, and what would be right.
        error: FileError,
    },
}

const ROOT: &[&str] = &["tls_server_config", "http_server_config", "basic_auth_users"];
const TLS: &[&str] = &[
    "cert",
    "cert_file",
    "key",
    "key_file",
    "client_auth_type",
    "client_ca",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

/// Headers that may be given to all answers, with the values that are allowed where there are few.
const HEADERS: &[(&str, &[&str])] = &[
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

impl Config {
    /// Reads the file; those that it names are read when TLS is set up.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = read_bytes(path).map_err(|error| ConfigError::Read {
            path: path.to_owned(),
            error,
        })?;
        let text =
            std::str::from_utf8(&bytes).map_err(|error| FileError::not_utf8(&bytes, error.valid_up_to()));
        // Files that are named are relative to this one.
        let directory = path.parent().unwrap_or(Path::new(""));
        text.and_then(|text| Self::parse(text, directory))
            .map_err(|error| ConfigError::Wrong {
                path: path.to_owned(),
                error,
            })
    }

    fn parse(text: &str, directory: &Path) -> Result<Self, FileError> {
        let root = document::read(text, Format::Yaml, "a web configuration")?;
        if root.value == Value::Null {
            return Ok(Self::default());
        }
        if let Value::Table(entries) = &root.value
            && let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "rate_limit")
        {
            return Err(key.at.says(
                "`rate_limit` is not supported: leave it out (what /probe sends to one host has a cap of its own)",
            ));
        }
        let root = Table::open(&root, "a web configuration", ROOT)?;
        Ok(Self {
            tls: root
                .get("tls_server_config")
                .map_or(Ok(None), |node| tls(node, directory))?,
            headers: root.get("http_server_config").map_or(Ok(Vec::new()), headers)?,
            users: root.get("basic_auth_users").map_or(Ok(BTreeMap::new()), users)?,
        })
    }
}

/// A file that is not endless.
pub(super) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > LARGEST_FILE {
        return Err(io::Error::other(format!(
            "it has {size} bytes, and at most {LARGEST_FILE} are read"
        )));
    }
    fs::read(path)
}

fn is_blank(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Table(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Date(_) => false,
    }
}

fn tls(node: &Node, directory: &Path) -> Result<Option<Tls>, FileError> {
    if is_blank(node) {
        return Ok(None);
    }
    let table = Table::open(node, "`tls_server_config`", TLS)?;
    // As exporters read it, a key with nothing behind it is one that is not there.
    let get = |key: &str| table.get(key).filter(|node| !is_blank(node));
    let source = |inline: &str, file: &str| -> Result<Option<Pem>, FileError> {
        match (get(inline), get(file)) {
            (Some(_), Some(node)) => Err(node.at.says(format!(
                "`{inline}` and `{file}` are both here: leave one of them out"
            ))),
            (Some(node), None) => Ok(Some(Pem {
                at: node.at,
                key: inline.to_owned(),
                source: Source::Text(table::text(node, &format!("`{inline}`"))?.to_owned()),
            })),
            (None, Some(node)) => Ok(Some(Pem {
                at: node.at,
                key: file.to_owned(),
                source: Source::File(directory.join(table::text(node, &format!("`{file}`"))?)),
            })),
            (None, None) => Ok(None),
        }
    };
    let wanted = |what: Option<Pem>, inline: &str| {
        what.ok_or_else(|| {
            node.at.says(format!(
                "TLS needs a certificate and its key, and there is no `{inline}_file` here: add it, as in `{inline}_file: server.{}`",
                if inline == "cert" { "crt" } else { "key" }
            ))
        })
    };
    let authorities = source("client_ca", "client_ca_file")?;
    let client = client_auth(get("client_auth_type"), authorities, node)?;
    let allowed = get("client_allowed_sans").map_or(Ok(None), |node| allowed(node, &client).map(Some))?;
    Ok(Some(Tls {
        certificate: wanted(source("cert", "cert_file")?, "cert")?,
        key: wanted(source("key", "key_file")?, "key")?,
        client,
        allowed,
        versions: versions(get("min_version"), get("max_version"))?,
        suites: get("cipher_suites").map_or(Ok(None), suites)?,
        prefers_own_order: get("prefer_server_cipher_suites")
            .map_or(Ok(true), |node| truth(node, "prefer_server_cipher_suites"))?,
        groups: get("curve_preferences").map_or(Ok(None), |node| {
            named(node, "curve_preferences", CURVES).map(Some)
        })?,
    }))
}

fn client_auth(kind: Option<&Node>, authorities: Option<Pem>, tls: &Node) -> Result<ClientAuth, FileError> {
    let Some(kind) = kind else {
        return match authorities {
            None => Ok(ClientAuth::None),
            Some(pem) => Err(pem.at.says(format!(
                "`{}` says whose client certificates count, and none is asked for: add `client_auth_type: RequireAndVerifyClientCert`",
                pem.key
            ))),
        };
    };
    let name = table::text(kind, "`client_auth_type`")?;
    let verified = |authorities: Option<Pem>| {
        authorities.ok_or_else(|| {
            tls.at.says(format!(
                "`client_auth_type: {name}` needs to know whose certificates count: add `client_ca_file: clients.pem`"
            ))
        })
    };
    let auth = match name {
        "NoClientCert" => ClientAuth::None,
        "RequestClientCert" => ClientAuth::Requested,
        // The first is an older name.
        "RequireClientCert" | "RequireAnyClientCert" => ClientAuth::RequiredOfAnyone,
        "VerifyClientCertIfGiven" => ClientAuth::VerifiedIfGiven(verified(authorities)?),
        "RequireAndVerifyClientCert" => ClientAuth::RequiredAndVerified(verified(authorities)?),
        _ => {
            return Err(kind
                .at
                .says(unknown(name, "`client_auth_type`", CLIENT_AUTHS.iter().copied())));
        }
    };
    Ok(auth)
}

fn allowed(node: &Node, client: &ClientAuth) -> Result<Vec<Allowed>, FileError> {
    match client {
        ClientAuth::RequiredOfAnyone | ClientAuth::RequiredAndVerified(_) => {}
        ClientAuth::None | ClientAuth::Requested | ClientAuth::VerifiedIfGiven(_) => {
            return Err(node.at.says(
                "`client_allowed_sans` needs clients that must have a certificate: add `client_auth_type: RequireAndVerifyClientCert`",
            ));
        }
    }
    let names = table::one_or_more(node, "`client_allowed_sans`")?
        .iter()
        .map(|node| {
            let name = table::text(node, "a name of `client_allowed_sans`")?;
            Allowed::read(name).map_err(|says| node.at.says(says))
        });
    names.collect()
}

fn versions(oldest: Option<&Node>, newest: Option<&Node>) -> Result<Vec<&'static str>, FileError> {
    let read = |node: Option<&Node>, key: &str, default: usize| -> Result<(usize, Place), FileError> {
        let Some(node) = node else {
            return Ok((default, Place::START));
        };
        let name = table::text(node, &format!("`{key}`"))?;
        let known = VERSIONS.iter().position(|known| *known == name);
        match known {
            Some(index) => Ok((index, node.at)),
            None if matches!(name, "TLS10" | "TLS11") => Err(node.at.says(format!(
                "{name} is broken and not supported (RFC 8996): write `{key}: TLS12` or TLS13"
            ))),
            None => Err(node
                .at
                .says(unknown(name, &format!("`{key}`"), VERSIONS.iter().copied()))),
        }
    };
    let (first, _) = read(oldest, "min_version", 0)?;
    let (last, at) = read(newest, "max_version", VERSIONS.len() - 1)?;
    if first > last {
        return Err(at.says(format!(
            "`max_version: {}` is older than `min_version: {}`: no client could connect, so raise the one or lower the other",
            VERSIONS[last], VERSIONS[first]
        )));
    }
    Ok(VERSIONS[first..=last].to_vec())
}

fn suites(node: &Node) -> Result<Option<Vec<&'static str>>, FileError> {
    let suites = named(node, "cipher_suites", &suite_names())?;
    // TLS 1.3 has suites of its own, which are not for choosing, neither here nor in exporters.
    let chosen: Vec<&str> = suites
        .into_iter()
        .filter(|name| SUITES.iter().any(|(known, _)| known == name))
        .collect();
    Ok((!chosen.is_empty()).then_some(chosen))
}

/// A list of words, all of which are known.
fn named(node: &Node, key: &str, known: &[&'static str]) -> Result<Vec<&'static str>, FileError> {
    let words = table::one_or_more(node, &format!("`{key}`"))?.iter().map(|node| {
        let word = table::text(node, &format!("an entry of `{key}`"))?;
        let found = known.iter().find(|known| **known == word).copied();
        found.ok_or_else(|| {
            node.at
                .says(unknown(word, &format!("`{key}`"), known.iter().copied()))
        })
    });
    words.collect()
}

fn unknown<'a>(word: &str, what: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match document::nearest(word, known.clone()) {
        Some(near) => format!("{what} cannot be `{word}`: did you mean {near}?"),
        None => format!(
            "{what} cannot be `{word}`: what is supported is {}",
            known.collect::<Vec<_>>().join(", ")
        ),
    }
}

fn truth(node: &Node, key: &str) -> Result<bool, FileError> {
    match &node.value {
        Value::Bool(truth) => Ok(*truth),
        other @ (Value::Null
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Table(_)) => Err(node
            .at
            .says(format!("`{key}` is true or false, and this is {}", other.shown()))),
    }
}

fn headers(node: &Node) -> Result<Vec<(HeaderName, HeaderValue)>, FileError> {
    if is_blank(node) {
        return Ok(Vec::new());
    }
    let table = Table::open(node, "`http_server_config`", &["http2", "headers"])?;
    if let Some(node) = table.get("http2") {
        // HTTP/1.1 is spoken either way: who is offered no HTTP/2 takes that.
        truth(node, "http2")?;
    }
    let Some(node) = table.get("headers").filter(|node| !is_blank(node)) else {
        return Ok(Vec::new());
    };
    let names: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
    let table = Table::open(node, "`headers`", &names)?;
    let mut headers = Vec::new();
    for (name, values) in HEADERS {
        let Some(node) = table.get(name).filter(|node| !is_blank(node)) else {
            continue;
        };
        let value = match &node.value {
            // As in `X-XSS-Protection: 0`.
            Value::Integer(number) => number.to_string(),
            Value::Null
            | Value::Bool(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Table(_) => table::text(node, &format!("`{name}`"))?.to_owned(),
        };
        if !values.is_empty() && !values.contains(&value.as_str()) {
            return Err(node
                .at
                .says(unknown(&value, &format!("`{name}`"), values.iter().copied())));
        }
        let value = HeaderValue::from_str(&value).map_err(|_| {
            node.at.says(format!(
                "`{name}` has a character that no header may have: write visible ASCII in one line"
            ))
        })?;
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.push((name, value));
        }
    }
    Ok(headers)
}

fn users(node: &Node) -> Result<BTreeMap<String, String>, FileError> {
    if is_blank(node) {
        return Ok(BTreeMap::new());
    }
    let entries = table::entries(node, "`basic_auth_users`")?.iter().map(|(name, node)| {
        if name.text.contains(':') {
            return Err(name.at.says(format!(
                "the name `{}` has a colon, which ends names in HTTP: take another",
                name.text
            )));
        }
        // What stands here may be a password in clear: no message repeats it.
        let hash = match &node.value {
            Value::Text(hash) if hash.parse::<HashParts>().is_ok() => hash.clone(),
            Value::Text(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::List(_)
            | Value::Table(_) => {
                return Err(node.at.says(format!(
                    "what stands for `{}` is no bcrypt hash, such as $2y$10$ and 53 letters more: `htpasswd -nBC 10 \"\"` asks for the password and prints one",
                    name.text
                )));
            }
        };
        Ok((name.text.clone(), hash))
    });
    entries.collect()
}
