//! TLS as the file has it: certificates and keys are read, and rustls is told what is permitted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    self, CipherSuite, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
};

use super::client_certificates::{Allowed, AllowedAlone, Anyone, Duty};
use super::config::read_bytes;
use crate::document::{FileError, Place};

/// What `tls_server_config` says.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) certificate: Pem,
    pub(super) key: Pem,
    pub(super) client: ClientAuth,
    pub(super) allowed: Option<Vec<Allowed>>,
    /// Of [`VERSIONS`].
    pub(super) versions: Vec<&'static str>,
    /// Of [`SUITES`], for TLS 1.2; absent where all are good.
    pub(super) suites: Option<Vec<&'static str>>,
    pub(super) prefers_own_order: bool,
    /// Of [`CURVES`]; absent where all are good.
    pub(super) groups: Option<Vec<&'static str>>,
}

/// Something in PEM, and the key of the file that names it.
#[derive(Debug, Clone)]
pub(super) struct Pem {
    pub(super) at: Place,
    pub(super) key: String,
    pub(super) source: Source,
}

/// Where something is.
#[derive(Clone)]
pub(super) enum Source {
    File(PathBuf),
    Text(String),
}

impl std::fmt::Debug for Source {
    /// Without the text, which may be a key.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(out, "File({})", path.display()),
            Self::Text(_) => out.write_str("Text"),
        }
    }
}

/// What is asked of clients.
#[derive(Debug)]
pub(super) enum ClientAuth {
    None,
    /// Whoever signed it.
    Requested,
    /// Whoever signed it.
    RequiredOfAnyone,
    VerifiedIfGiven(Pem),
    RequiredAndVerified(Pem),
}

/// The names of these, as Go has them.
pub(super) const CLIENT_AUTHS: &[&str] = &[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
];

/// The versions of TLS that rustls has, oldest first.
pub(super) const VERSIONS: &[&str] = &["TLS12", "TLS13"];

/// The suites of TLS 1.2 that rustls has, by the names that Go and IANA give them.
pub(super) const SUITES: &[(&str, CipherSuite)] = &[
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// Those of TLS 1.3, which may be named and are always permitted.
const SUITES_OF_TLS13: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// The curves that rustls has with ring, as Go names them.
pub(super) const CURVES: &[&str] = &["X25519", "CurveP256", "CurveP384"];

/// All names that `cipher_suites` may have.
pub(super) fn suite_names() -> Vec<&'static str> {
    let of_tls12 = SUITES.iter().map(|(name, _)| *name);
    of_tls12.chain(SUITES_OF_TLS13.iter().copied()).collect()
}

impl Tls {
    /// The files that it depends on.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let authorities = match &self.client {
            ClientAuth::VerifiedIfGiven(pem) | ClientAuth::RequiredAndVerified(pem) => Some(pem),
            ClientAuth::None | ClientAuth::Requested | ClientAuth::RequiredOfAnyone => None,
        };
        let all = [Some(&self.certificate), Some(&self.key), authorities];
        all.into_iter()
            .flatten()
            .filter_map(|pem| match &pem.source {
                Source::File(path) => Some(path.clone()),
                Source::Text(_) => None,
            })
            .collect()
    }

    /// Reads what it names.
    pub(super) fn set_up(&self) -> Result<ServerConfig, FileError> {
        let provider = Arc::new(self.provider());
        let chain = certificates(&self.certificate)?;
        let key = self.key.parsed("a private key", PrivateKeyDer::from_pem_slice)?;
        let at = self.certificate.at;
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.protocol_versions())
            .map_err(|error| at.says(format!("TLS cannot be set up so: {error}")))?
            .with_client_cert_verifier(self.verifier(&provider)?);
        let mut config = config.with_single_cert(chain, key).map_err(|error| {
            if let rustls::Error::InconsistentKeys(_) = error {
                return at.says(format!(
                    "`{}` and `{}` do not belong together: the certificate is of another key",
                    self.certificate.key, self.key.key
                ));
            }
            at.says(format!("the certificate and its key cannot be used: {error}"))
        })?;
        config.ignore_client_order = self.prefers_own_order;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn protocol_versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let versions = self.versions.iter();
        versions
            .map(|name| if *name == "TLS12" { &TLS12 } else { &TLS13 })
            .collect()
    }

    fn provider(&self) -> CryptoProvider {
        let all = ring::default_provider();
        let suites = match &self.suites {
            None => all.cipher_suites.clone(),
            Some(chosen) => {
                let is_new = |suite: &&SupportedCipherSuite| suite.tls13().is_some();
                let of_tls13 = all.cipher_suites.iter().filter(is_new);
                let of_tls12 = chosen.iter().filter_map(|name| {
                    let (_, wanted) = SUITES.iter().find(|(known, _)| known == name)?;
                    all.cipher_suites.iter().find(|suite| suite.suite() == *wanted)
                });
                of_tls13.chain(of_tls12).copied().collect()
            }
        };
        let groups = match &self.groups {
            None => all.kx_groups.clone(),
            Some(chosen) => chosen.iter().map(|name| group(name)).collect(),
        };
        CryptoProvider {
            cipher_suites: suites,
            kx_groups: groups,
            ..all
        }
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, FileError> {
        let of_authorities = |pem: &Pem| {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| {
                    pem.at.says(format!(
                        "`{}` has a certificate that cannot sign others: {error}",
                        pem.key
                    ))
                })?;
            }
            Ok(WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::clone(provider),
            ))
        };
        let unusable = |pem: &Pem, error: rustls::server::VerifierBuilderError| {
            pem.at.says(format!("`{}` cannot be used: {error}", pem.key))
        };
        let verifier: Arc<dyn ClientCertVerifier> = match &self.client {
            ClientAuth::None => WebPkiClientVerifier::no_client_auth(),
            ClientAuth::Requested => Arc::new(Anyone::new(Duty::Free, provider)),
            ClientAuth::RequiredOfAnyone => Arc::new(Anyone::new(Duty::Required, provider)),
            ClientAuth::VerifiedIfGiven(pem) => {
                let builder = of_authorities(pem)?.allow_unauthenticated();
                builder.build().map_err(|error| unusable(pem, error))?
            }
            ClientAuth::RequiredAndVerified(pem) => of_authorities(pem)?
                .build()
                .map_err(|error| unusable(pem, error))?,
        };
        Ok(match &self.allowed {
            None => verifier,
            Some(allowed) => Arc::new(AllowedAlone::new(allowed.clone(), verifier)),
        })
    }
}

fn group(name: &str) -> &'static dyn SupportedKxGroup {
    match name {
        "CurveP256" => ring::kx_group::SECP256R1,
        "CurveP384" => ring::kx_group::SECP384R1,
        _ => ring::kx_group::X25519,
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, FileError> {
    pem.parsed("certificates", |bytes| {
        let all: Vec<_> = CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(pem::Error::NoItemsFound);
        }
        Ok(all)
    })
}

impl Pem {
    fn parsed<T>(&self, what: &str, parse: impl Fn(&[u8]) -> Result<T, pem::Error>) -> Result<T, FileError> {
        let explain = |error: &pem::Error| {
            if let pem::Error::NoItemsFound = error {
                return format!("there is no PEM of {what}");
            }
            format!("there is no PEM of {what} as it should be: {error}")
        };
        match &self.source {
            Source::Text(text) => parse(text.as_bytes())
                .map_err(|error| self.at.says(format!("`{}`: {}", self.key, explain(&error)))),
            Source::File(path) => {
                let bytes = read_bytes(path).map_err(|error| self.at.says(cannot_read(path, &error)))?;
                parse(&bytes).map_err(|error| {
                    self.at.says(format!(
                        "`{}`: in {} {}",
                        self.key,
                        path.display(),
                        explain(&error)
                    ))
                })
            }
        }
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    let remedy = if error.kind() == io::ErrorKind::NotFound {
        ": paths are relative to this file"
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        ": let the user that runs this read it"
    } else {
        ""
    };
    format!("cannot read {}: {error}{remedy}", path.display())
}
