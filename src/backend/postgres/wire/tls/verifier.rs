//! Whom to believe that he is the server.

use super::faults::setting;
use crate::error::Result;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Whom a certificate must be from.
pub(super) struct Trust {
    pub(super) anchors: Vec<CertificateDer<'static>>,
    pub(super) revoked: Option<Vec<CertificateRevocationListDer<'static>>>,
    /// Whether the certificate must name the host, too.
    pub(super) checks_name: bool,
}

/// A check of certificates.
#[derive(Debug)]
pub(super) struct Check {
    chains: Arc<WebPkiServerVerifier>,
    anchors: Vec<CertificateDer<'static>>,
    checks_name: bool,
}

impl Trust {
    pub(super) fn check_with(self, provider: &Arc<CryptoProvider>) -> Result<Check> {
        let mut store = RootCertStore::empty();
        // The system's may hold some that cannot be used; that there is one is what counts.
        store.add_parsable_certificates(self.anchors.iter().cloned());
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        let builder = match self.revoked {
            // As in libpq, a list that is out of date proves nothing.
            Some(lists) => builder.with_crls(lists).enforce_revocation_expiration(),
            None => builder,
        };
        let chains = builder.build().map_err(|error| setting(&error.to_string()))?;
        Ok(Check { chains, anchors: self.anchors, checks_name: self.checks_name })
    }
}

impl Check {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let checked =
            self.chains.verify_server_cert(end_entity, intermediates, name, &[], now).map(drop);
        match checked {
            // ORDER: the name is looked at last, so that the chain holds if only the name does not.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(()),
            Err(error) if is_authority(&error) && self.anchors.contains(end_entity) => {
                match self.checks_name {
                    true => verify_server_name(&ParsedCertificate::try_from(end_entity)?, name),
                    false => Ok(()),
                }
            }
            checked => checked,
        }
    }
}

/// Whether the server showed the certificate of an authority as its own. `openssl req -x509` makes
/// servers such certificates; whoever trusts that very one means it. Its dates are checked before
/// this is found.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}

/// Checks what a server shows, as far as the mode asks for it.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` takes every certificate.
    check: Option<Check>,
}

impl Verifier {
    pub(super) fn new(provider: &Arc<CryptoProvider>, check: Option<Check>) -> Self {
        Self { provider: Arc::clone(provider), check }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(check) = &self.check {
            check.check(end_entity, intermediates, server_name, now)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    // In every mode: who shows a certificate must have its key, or channel binding proves nothing.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
