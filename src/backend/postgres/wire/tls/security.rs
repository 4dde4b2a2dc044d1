//! What holds for one host.

use super::Handshake;
use super::verifier::{Trust, Verifier};
use super::{faults, identity, roots};
use crate::error::{Error, Result};
use crate::url::{
    PostgresHost, PostgresSettings, Reach, RootCertificates, SslMode, SslNegotiation, TlsSettings,
    TlsVersion,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::sync::{Arc, OnceLock};

/// The protocol, as ALPN names it: <https://www.iana.org/assignments/tls-extensiontype-values>.
pub(super) const PROTOCOL: &[u8] = b"postgresql";

/// What holds for one host.
#[derive(Clone, Debug)]
pub(crate) struct Security {
    mode: SslMode,
    /// Whom the certificate must name: what the user wrote, never what a resolver made of it.
    name: String,
    tls: TlsSettings,
}

impl Security {
    pub(crate) fn new(settings: &PostgresSettings, host: &PostgresHost) -> Self {
        let name = match &host.reach {
            Reach::Name(name) | Reach::Address { name: Some(name), .. } => name.clone(),
            Reach::Address { address, name: None } => address.to_string(),
            Reach::Unix(_) => String::new(),
        };
        Self { mode: settings.sslmode_for(host), name, tls: settings.tls.clone() }
    }

    /// What a new connection needs to begin TLS; `None` if it shall not. Files are read each time,
    /// so that a certificate that was renewed is used from then on.
    pub(crate) fn prepare(&self) -> Result<Option<Handshake>> {
        if self.mode == SslMode::Disable {
            return Ok(None);
        }
        let name = ServerName::try_from(self.name.clone())
            .map_err(|_| faults::setting(&format!("\"{}\" is no name of a host", self.name)))?;
        Ok(Some(Handshake {
            config: Arc::new(self.config()?),
            name,
            demanded: self.mode.demands_tls(),
            direct: self.tls.negotiation == SslNegotiation::Direct,
        }))
    }

    /// Whether what failed with TLS is to be tried without: as in libpq, a server that is not the
    /// one for TLS, or does not want it of this client.
    pub(crate) fn may_do_without(&self, error: &Error) -> bool {
        let refusals = ["28000", "0A000", "08P01"];
        matches!(self.mode, SslMode::Allow | SslMode::Prefer)
            && error.sqlstate().is_some_and(|state| refusals.contains(&state.code()))
    }

    fn config(&self) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(provider()))
            .with_protocol_versions(&versions(&self.tls))
            .map_err(|error| faults::setting(&error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.verifier()?));
        let mut config = match &self.tls.identity {
            Some(files) => {
                let (chain, key) = identity::load(files)?;
                let made = builder.with_client_auth_cert(chain, key);
                made.map_err(|error| identity::unusable(files, &error))?
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(config)
    }

    fn verifier(&self) -> Result<Verifier> {
        let checks_name = match (self.mode, &self.tls.roots) {
            (SslMode::VerifyFull, _) => true,
            (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => false,
            _ => return Ok(Verifier::new(provider(), None)),
        };
        let roots = self.tls.roots.clone().unwrap_or(RootCertificates::System);
        let trust = Trust {
            anchors: roots::load(&roots)?,
            revoked: self.tls.revoked.as_deref().map(roots::load_revoked).transpose()?,
            checks_name,
        };
        Ok(Verifier::new(provider(), Some(trust.check_with(provider())?)))
    }
}

/// The cryptography of `ring`.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider()))
}

fn versions(tls: &TlsSettings) -> Vec<&'static SupportedProtocolVersion> {
    let known =
        [(TlsVersion::V1_2, &rustls::version::TLS12), (TlsVersion::V1_3, &rustls::version::TLS13)];
    let is_wanted = |version: TlsVersion| {
        version >= tls.lowest && tls.highest.is_none_or(|highest| version <= highest)
    };
    known.into_iter().filter(|(version, _)| is_wanted(*version)).map(|(_, known)| known).collect()
}
