//! Certificates for both ends, made anew for each trial, and a client that may show one.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Failed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::client::{Answer, Connection};

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, Failed> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs for these names.
    pub(crate) fn identity(&self, names: &[&str]) -> Result<Identity, Failed> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "one of ours");
        let key = KeyPair::generate()?;
        Ok(Identity {
            certificate: params.signed_by(&key, &self.0)?.pem(),
            key: key.serialize_pem(),
        })
    }

    /// The server's, for loopback.
    pub(crate) fn server(&self) -> Result<Identity, Failed> {
        self.identity(&["127.0.0.1", "::1", "localhost"])
    }

    /// A client that believes this authority, and shows who it is if it is anyone.
    pub(crate) fn client(
        &self,
        shows: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<Arc<ClientConfig>, Failed> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone())?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)?
            .with_root_certificates(roots);
        let config = match shows {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
                config.with_client_auth_cert(chain.collect::<Result<_, _>>()?, key)?
            }
        };
        Ok(Arc::new(config))
    }
}

impl Identity {
    /// As `server.crt` and `server.key`.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        fs::write(directory.join("server.crt"), &self.certificate)?;
        fs::write(directory.join("server.key"), &self.key)
    }
}

/// Both versions of TLS that there are.
pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// One request over TLS.
pub(crate) fn get(at: SocketAddr, config: &Arc<ClientConfig>) -> Result<Answer, Failed> {
    Ok(Connection::tls(at, Arc::clone(config))?.get("/quick")?)
}
