//! How to reach a PostgreSQL server.

use super::password_source::PasswordSource;
use super::secret::Secret;
use super::tls::{SslMode, TlsSettings};
use super::transport;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How to reach a PostgreSQL server, with every default filled in.
///
/// A server that is not on this machine is reached through TLS, and has to prove who it is, unless
/// the settings say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// The hosts, to be tried in this order; at least one.
    pub hosts: Vec<PostgresHost>,
    /// The user. Default: `PGUSER`, else the `USER` of the process.
    pub user: String,
    /// The password that was given; those of the passfile are with the hosts. See
    /// [`password_for`](Self::password_for).
    pub password: Option<Secret>,
    /// Who is asked for a password at each new connection, in the place of those; see
    /// [`EngineBuilder::password_from`](crate::EngineBuilder::password_from). Default: nobody.
    pub password_source: Option<PasswordSource>,
    /// The database. Default: `PGDATABASE`, else the name of the user.
    pub database: String,
    /// What was said about TLS.
    pub tls: TlsSettings,
    /// The name that the server shows. Default: `PGAPPNAME`, else `rowmill`.
    pub application_name: String,
    /// Command-line options for the server's session, such as `-c statement_timeout=5s`.
    pub options: Option<String>,
    /// How long one statement may take; see
    /// [`Connection::set_statement_timeout`](crate::backend::Connection::set_statement_timeout).
    /// Default: as long as it wants.
    pub statement_timeout: Option<Duration>,
    /// Whether statements may be prepared and kept. `false` is for a pooler in transaction mode
    /// (PgBouncer), behind which every transaction may be on another session. Default: yes.
    pub prepared_statements: bool,
    /// Whether statements go to the server over our own implementation of its protocol, where that is
    /// possible; `false` sends everything through the `postgres` crate. Default: yes.
    pub direct: bool,
    /// Whether a server on this machine that is named by its TCP port may be reached by its Unix
    /// socket. Default: where that is the same server.
    pub local_socket: LocalSocket,
    /// Whether TCP keepalives are sent. Default: yes.
    pub keepalives: bool,
    /// The idle time before the first keepalive. Default: 30 s.
    pub keepalives_idle: Option<Duration>,
    /// The time between keepalives. Default: 10 s.
    pub keepalives_interval: Option<Duration>,
    /// How many keepalives may be lost. Default: 3.
    pub keepalives_count: Option<u32>,
    /// How long sent data may stay unacknowledged. Default: 1 minute.
    pub tcp_user_timeout: Option<Duration>,
    /// What the server must be like. Default: any.
    pub target_session_attrs: TargetSessionAttrs,
}

impl PostgresSettings {
    /// The password for one of the hosts: the one that was given, else that of the passfile.
    pub fn password_for<'a>(&'a self, host: &'a PostgresHost) -> Option<&'a Secret> {
        self.password.as_ref().or(host.passfile_password.as_ref())
    }

    /// What holds for one of the hosts: for a Unix socket [`SslMode::Disable`]; else what was
    /// said; else [`SslMode::Prefer`] on this machine and [`SslMode::VerifyFull`] elsewhere.
    pub fn sslmode_for(&self, host: &PostgresHost) -> SslMode {
        transport::mode(&self.tls, host)
    }

    /// Whether one of the hosts may be reached by the socket that its server has on this machine.
    pub(crate) fn may_use_socket_of(&self, host: &PostgresHost) -> bool {
        transport::may_use_socket(self, host)
    }
}

/// `postgresql://user@host:port,.../database`, without the password.
impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql://{}@", self.user)?;
        let mut separator = "";
        for host in &self.hosts {
            write!(f, "{separator}{host}")?;
            separator = ",";
        }
        write!(f, "/{}", self.database)
    }
}

/// One host of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresHost {
    /// How it is reached.
    pub reach: Reach,
    /// Its port. Default: 5432.
    pub port: u16,
    /// The password that the passfile has for it.
    pub passfile_password: Option<Secret>,
}

impl PostgresHost {
    pub(super) fn new(reach: Reach, port: u16) -> Self {
        Self { reach, port, passfile_password: None }
    }
}

impl fmt::Display for PostgresHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reach {
            Reach::Unix(directory) => write!(f, "{}:{}", directory.display(), self.port),
            Reach::Name(name) | Reach::Address { name: Some(name), .. } if !name.contains(':') => {
                write!(f, "{name}:{}", self.port)
            }
            Reach::Name(name) | Reach::Address { name: Some(name), .. } => {
                write!(f, "[{name}]:{}", self.port)
            }
            Reach::Address { address: IpAddr::V6(address), .. } => {
                write!(f, "[{address}]:{}", self.port)
            }
            Reach::Address { address, .. } => write!(f, "{address}:{}", self.port),
        }
    }
}

/// The way to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A host name or an address in text form, to be resolved (`host`).
    Name(String),
    /// An address (`hostaddr`), and the name that stood beside it.
    Address {
        /// Where to connect.
        address: IpAddr,
        /// The name, for messages and the passfile.
        name: Option<String>,
    },
    /// The directory of a Unix socket; the socket in it is `.s.PGSQL.` and the port.
    Unix(PathBuf),
}

/// What `local_socket` says: whether a server on this machine that is named by its TCP port
/// (`localhost`, a loopback address) is reached by its Unix socket, which costs less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalSocket {
    /// Where the server has one, it certainly is the same server, and it lets the user in there.
    #[default]
    Prefer,
    /// Never: TCP, as the URL says.
    Never,
}

/// What `target_session_attrs` says, as in libpq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetSessionAttrs {
    /// Any server.
    #[default]
    Any,
    /// A session that can write.
    ReadWrite,
    /// A session that is read only.
    ReadOnly,
    /// Not in hot standby.
    Primary,
    /// In hot standby.
    Standby,
    /// In hot standby if one of the hosts is, else any.
    PreferStandby,
}
