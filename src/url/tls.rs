//! What the settings say about TLS.

use super::keys::Parameters;
use super::values::{self, Expected, choice};
use crate::error::Result;
use std::path::{Path, PathBuf};

/// What the settings say about TLS; see [`DatabaseUrl`](super::DatabaseUrl) for the keys, their
/// defaults and where they differ from libpq's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsSettings {
    /// What `sslmode` says; `None` if nothing does. See
    /// [`PostgresSettings::sslmode_for`](super::PostgresSettings::sslmode_for).
    pub mode: Option<SslMode>,
    /// Whom to trust. Default: `~/.postgresql/root.crt` if it is there, else the system's
    /// authorities where the mode verifies.
    pub roots: Option<RootCertificates>,
    /// Certificates that were revoked: a file of lists in PEM. Default: `~/.postgresql/root.crl`
    /// if it is there.
    pub revoked: Option<PathBuf>,
    /// What is shown to a server that asks who the client is. Default:
    /// `~/.postgresql/postgresql.crt` and `postgresql.key` if the first is there.
    pub identity: Option<ClientCertificate>,
    /// Whether the password's exchange is bound to the TLS session. Default: where both sides can.
    pub channel_binding: ChannelBinding,
    /// How TLS begins. Default: by asking for it.
    pub negotiation: SslNegotiation,
    /// The lowest version that is taken. Default: 1.2.
    pub lowest: TlsVersion,
    /// The highest version that is taken. Default: any.
    pub highest: Option<TlsVersion>,
}

/// What `sslmode` says, as in libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// As `Prefer`; libpq asks in the other order.
    Allow,
    /// TLS if the server can, whoever it is; anybody on the way can prevent it.
    Prefer,
    /// TLS; whoever the server is, unless root certificates are named: then as `VerifyCa`.
    Require,
    /// TLS with a certificate of a known authority.
    VerifyCa,
    /// TLS with a certificate of a known authority for this host.
    VerifyFull,
}

/// Whose certificates are trusted (`sslrootcert`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCertificates {
    /// Those of a file in PEM.
    File(PathBuf),
    /// Those that the operating system trusts, and no others.
    System,
}

/// The files of a client certificate (`sslcert` and `sslkey`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate, and those between it and the root, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM, not encrypted.
    pub key: PathBuf,
}

/// What `channel_binding` says: whether the exchange of the password proves that the TLS session
/// ends at the server that knows the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where both sides can.
    #[default]
    Prefer,
    /// Always; a server without it is refused.
    Require,
}

/// What `sslnegotiation` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SslNegotiation {
    /// The client asks whether the server can, and begins when it said yes.
    #[default]
    Postgres,
    /// The client begins at once: PostgreSQL 17 and later, one round trip less.
    Direct,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2, the oldest that is spoken here.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

const MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

const BINDINGS: [(&str, ChannelBinding); 3] = [
    ("disable", ChannelBinding::Disable),
    ("prefer", ChannelBinding::Prefer),
    ("require", ChannelBinding::Require),
];

const NEGOTIATIONS: [(&str, SslNegotiation); 2] =
    [("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)];

/// Older ones as a lowest version mean 1.2, which is more than was asked for.
const LOWEST: [(&str, TlsVersion); 4] = [
    ("TLSv1", TlsVersion::V1_2),
    ("TLSv1.1", TlsVersion::V1_2),
    ("TLSv1.2", TlsVersion::V1_2),
    ("TLSv1.3", TlsVersion::V1_3),
];

const HIGHEST: [(&str, TlsVersion); 2] =
    [("TLSv1.2", TlsVersion::V1_2), ("TLSv1.3", TlsVersion::V1_3)];

impl SslMode {
    /// Whether a connection without TLS is refused.
    pub fn demands_tls(self) -> bool {
        matches!(self, Self::Require | Self::VerifyCa | Self::VerifyFull)
    }

    /// The word of the URL.
    pub(super) fn word(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

/// Reads the keys of TLS; files that are not named are those of the user's home, if they are there.
pub(super) fn read(
    parameters: &Parameters,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<TlsSettings> {
    refuse_folder(parameters)?;
    let home = lookup("HOME").filter(|home| !home.is_empty());
    let in_home = |name: &str| {
        let path = Path::new(home.as_deref()?).join(".postgresql").join(name);
        path.is_file().then_some(path)
    };
    let path = |key| parameters.get(key).map(PathBuf::from);
    let roots = match parameters.get("sslrootcert") {
        Some("system") => Some(RootCertificates::System),
        Some(file) => Some(RootCertificates::File(file.into())),
        None => in_home("root.crt").map(RootCertificates::File),
    };
    let revoked = match roots {
        Some(RootCertificates::System) => path("sslcrl"),
        _ => path("sslcrl").or_else(|| in_home("root.crl")),
    };
    Ok(TlsSettings {
        mode: parameters.read("sslmode", |value| choice(value, &MODES))?,
        roots,
        revoked,
        identity: identity(parameters, in_home("postgresql.crt"), home.as_deref())?,
        channel_binding: parameters
            .read("channel_binding", |value| choice(value, &BINDINGS))?
            .unwrap_or_default(),
        negotiation: parameters
            .read("sslnegotiation", |value| choice(value, &NEGOTIATIONS))?
            .unwrap_or_default(),
        lowest: parameters
            .read("ssl_min_protocol_version", |value| choice(value, &LOWEST))?
            .unwrap_or_default(),
        highest: parameters.read("ssl_max_protocol_version", |value| choice(value, &HIGHEST))?,
    })
}

fn identity(
    parameters: &Parameters,
    found: Option<PathBuf>,
    home: Option<&str>,
) -> Result<Option<ClientCertificate>> {
    let Some(certificate) = parameters.get("sslcert").map(PathBuf::from).or(found) else {
        return match parameters.get("sslkey") {
            Some(_) => Err(parameters.refused("sslkey", &values::expected("it needs sslcert"))),
            None => Ok(None),
        };
    };
    let in_home = || Some(Path::new(home?).join(".postgresql/postgresql.key"));
    match parameters.get("sslkey").map(PathBuf::from).or_else(in_home) {
        Some(key) => Ok(Some(ClientCertificate { certificate, key })),
        None => Err(parameters.refused("sslcert", &values::expected("it needs sslkey"))),
    }
}

/// What would make the check of certificates weaker if it was passed over is refused.
fn refuse_folder(parameters: &Parameters) -> Result<()> {
    let refuse = |_: &str| -> Result<(), Expected> {
        Err(values::expected("put the revocation lists into one file, and name it by sslcrl"))
    };
    parameters.read("sslcrldir", refuse).map(drop)
}
