//! Whose certificates are good enough, beyond what rustls decides by itself.

use std::net::IpAddr;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
};
use webpki::EndEntityCert;

/// Whether a client has to have a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    Free,
    Required,
}

/// Any certificate, whoever signed it, of which the client has the key.
#[derive(Debug)]
pub(super) struct Anyone {
    duty: Duty,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Anyone {
    pub(super) fn new(duty: Duty, provider: &CryptoProvider) -> Self {
        Self {
            duty,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        self.duty == Duty::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A name that a client's certificate may have (subject alternative name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Allowed {
    Address(IpAddr),
    /// Compared as it is written; a wildcard of a certificate is that name alone.
    Name(String),
    Uri(String),
}

impl Allowed {
    /// Reads a name; else says what would be right.
    pub(super) fn read(name: &str) -> Result<Self, String> {
        if let Ok(address) = name.parse() {
            return Ok(Self::Address(address));
        }
        if name.contains("://") {
            return Ok(Self::Uri(name.to_owned()));
        }
        if name.contains('@') {
            return Err(format!(
                "`{name}` is an e-mail address, which cannot be compared here: name a DNS name, an IP address or a URI of the certificate"
            ));
        }
        Ok(Self::Name(name.to_owned()))
    }

    fn is_of(&self, certificate: &EndEntityCert<'_>) -> bool {
        match self {
            Self::Address(address) => certificate
                .verify_is_valid_for_subject_name(&ServerName::IpAddress((*address).into()))
                .is_ok(),
            Self::Name(name) => certificate.valid_dns_names().any(|known| known == name),
            Self::Uri(uri) => certificate.valid_uri_names().any(|known| known == uri),
        }
    }
}

/// Of the certificates that are good otherwise, those alone that have one of some names.
#[derive(Debug)]
pub(super) struct AllowedAlone {
    allowed: Vec<Allowed>,
    otherwise: Arc<dyn ClientCertVerifier>,
}

impl AllowedAlone {
    pub(super) fn new(allowed: Vec<Allowed>, otherwise: Arc<dyn ClientCertVerifier>) -> Self {
        Self { allowed, otherwise }
    }
}

impl ClientCertVerifier for AllowedAlone {
    fn offer_client_auth(&self) -> bool {
        self.otherwise.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.otherwise.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.otherwise.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .otherwise
            .verify_client_cert(certificate, intermediates, at)?;
        let parsed = EndEntityCert::try_from(certificate).map_err(|_| CertificateError::BadEncoding)?;
        if self.allowed.iter().any(|name| name.is_of(&parsed)) {
            return Ok(verified);
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.otherwise
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.otherwise
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.otherwise.supported_verify_schemes()
    }
}
