//! What a text becomes.

use super::keys::{KeySet, Parameters};
use super::postgres::PostgresSettings;
use super::sqlite::{self, SqliteSettings};
use super::{PoolQuery, key_value, settle, uri};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use std::fmt;
use std::str::FromStr;

/// Where the data is, read from a URL or a libpq string.
///
/// | text | means |
/// |---|---|
/// | `postgresql://user@host:5432,host2/db?key=value` | PostgreSQL; `postgres://` and `postgresql+anything://` are the same |
/// | `host=/run/postgresql dbname='my db'` | PostgreSQL, libpq's keys and values |
/// | `sqlite:path`, `sqlite://path` | an SQLite file, relative |
/// | `sqlite:///path` | an SQLite file, absolute |
/// | `sqlite::memory:` | SQLite in memory |
///
/// What a PostgreSQL text leaves out comes from the environment (`PGHOST`, `PGPORT`, `PGUSER`,
/// `PGPASSWORD`, `PGDATABASE`, `PGAPPNAME`, `PGOPTIONS`, `PGCONNECT_TIMEOUT`,
/// `PGTARGETSESSIONATTRS`, `PGPASSFILE`, and those below), then from `~/.pgpass`, then from libpq's
/// defaults. `Display` and `Debug` never show a password.
///
/// # A server on this machine
///
/// `localhost`, or a loopback address without another name beside it, is reached by the Unix socket
/// of the server there, which costs less than its TCP port: where there is one, it belongs to who
/// listens at the port, it proves to be the same server, nothing stands between the port and the
/// server (a pooler, a container, a tunnel), and it lets the user in. Wherever that is not so, it
/// is the port, without a word. Messages show what the URL says, whatever was used.
/// `local_socket=never` has it be the port always: for what asks `inet_client_addr()`, or rules of
/// `pg_hba.conf` that differ. What only TLS can give (`sslmode=require` or more,
/// `channel_binding=require`, a client certificate) and `prepared_statements=false` do that, too.
///
/// # TLS
///
/// A host elsewhere is reached through TLS, and has to prove by its certificate that it is the one
/// that was named. `localhost`, a loopback address without another name beside it, and a Unix
/// socket are this machine: a socket never has TLS, the others use it where the server has it.
///
/// | `sslmode` | without TLS | the certificate must be |
/// |---|---|---|
/// | `disable` | always | |
/// | `prefer`, `allow` | if the server has none, or refuses the client with it | any |
/// | `require` | refused | any; as `verify-ca` if `sslrootcert` is given or `~/.postgresql/root.crt` is there |
/// | `verify-ca` | refused | of a known authority |
/// | `verify-full` | refused | of a known authority, for this host |
///
/// | key | variable | default |
/// |---|---|---|
/// | `sslmode` | `PGSSLMODE` | `verify-full` elsewhere, `prefer` on this machine |
/// | `sslrootcert`: a file in PEM, or `system` | `PGSSLROOTCERT` | `~/.postgresql/root.crt` if it is there, else the system's |
/// | `sslcrl`: revocation lists in PEM | `PGSSLCRL` | `~/.postgresql/root.crl` if it is there |
/// | `sslcert`, `sslkey`: the client's, in PEM | `PGSSLCERT`, `PGSSLKEY` | `~/.postgresql/postgresql.crt` and `.key` if the first is there |
/// | `channel_binding`: `disable`, `prefer`, `require` | `PGCHANNELBINDING` | `prefer` |
/// | `sslnegotiation`: `postgres`, `direct` | `PGSSLNEGOTIATION` | `postgres` |
/// | `ssl_min_protocol_version`: `TLSv1.2`, `TLSv1.3` | `PGSSLMINPROTOCOLVERSION` | `TLSv1.2` |
/// | `ssl_max_protocol_version`: `TLSv1.2`, `TLSv1.3` | `PGSSLMAXPROTOCOLVERSION` | any |
///
/// Files are read for each new connection, so that a certificate that was renewed counts from then
/// on; the system's authorities are read once.
///
/// Where it differs from libpq: the default verifies. `allow` is `prefer`. A file of
/// `sslrootcert` that cannot be read is an error also for `require`. `prefer` looks at no
/// certificate, even if there is a root. The name of the host must be among the certificate's
/// `subjectAltName`, names and addresses apart: its common name does not count, and neither does a
/// certificate of version 1. `sslpassword`, `sslcrldir`, `sslcertmode` and `sslsni` are not known.
///
/// Without the feature `tls`, a URL that would need TLS is refused when it is read.
///
/// ```
/// use rowmill::url::{Database, DatabaseUrl, SslMode};
/// let url = DatabaseUrl::parse("postgresql://etl@localhost,[::1]/warehouse?sslmode=disable")?;
/// if let Database::Postgres(settings) = url.database {
///     assert_eq!(settings.sslmode_for(&settings.hosts[0]), SslMode::Disable);
/// }
/// # Ok::<(), rowmill::Error>(())
/// ```
///
/// # Example
///
/// ```
/// use rowmill::url::DatabaseUrl;
/// let url = DatabaseUrl::parse("postgresql://etl:hunter2@localhost/warehouse?pool_size=3")?;
/// assert_eq!(url.to_string(), "postgresql://etl@localhost:5432/warehouse");
/// assert_eq!(url.pool.pool_size, Some(3));
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseUrl {
    /// The database.
    pub database: Database,
    /// The pool options that the text names.
    pub pool: PoolQuery,
    /// What the user should be told although it is no error: a passfile that was not used because
    /// others can read it.
    pub notes: Vec<String>,
}

/// A database and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A PostgreSQL server.
    Postgres(Box<PostgresSettings>),
    /// An SQLite database.
    Sqlite(SqliteSettings),
}

const SCHEMES: [&str; 5] = ["postgresql", "postgres", "sqlite", "mysql", "mariadb"];

impl DatabaseUrl {
    /// Reads a URL or a libpq string; defaults come from the environment of the process.
    ///
    /// # Errors
    /// `Url` if something in it is unknown, malformed or would travel in the clear; `Unsupported`
    /// for MySQL.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &|name| std::env::var(name).ok())
    }

    /// Reads a URL or a libpq string; `lookup` stands for the environment.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let text = text.trim();
        match split_scheme(text) {
            Some(("sqlite", rest)) => Self::sqlite(rest),
            Some(("mysql" | "mariadb", _)) => {
                Err(Error::new(ErrorKind::Unsupported, "MySQL is not built in yet")
                    .with_hint("use postgresql:// or sqlite:"))
            }
            Some((scheme, rest)) if is_postgres(scheme) => {
                let mut parameters = Parameters::new(KeySet::Postgres);
                uri::read(rest, &mut parameters)?;
                Self::postgres(parameters, lookup)
            }
            Some((scheme, _)) => Err(unknown_scheme(scheme)),
            None if text.contains('=') => {
                let mut parameters = Parameters::new(KeySet::Postgres);
                key_value::read(text, &mut parameters)?;
                Self::postgres(parameters, lookup)
            }
            None => Err(Error::new(ErrorKind::Url, "this is no connection URL").with_hint(
                "write postgresql://user@host/database, sqlite:PATH or host=... dbname=...",
            )),
        }
    }

    fn postgres(
        mut parameters: Parameters,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        parameters.add_environment(lookup);
        let pool = PoolQuery::from_parameters(&parameters)?;
        let mut notes = Vec::new();
        let settings = settle::settle(&parameters, lookup, &mut notes)?;
        Ok(Self { database: Database::Postgres(Box::new(settings)), pool, notes })
    }

    fn sqlite(rest: &str) -> Result<Self> {
        let (settings, parameters) = sqlite::parse(rest)?;
        let pool = PoolQuery::from_parameters(&parameters)?;
        Ok(Self { database: Database::Sqlite(settings), pool, notes: Vec::new() })
    }
}

/// The scheme and what follows it: after `://` for servers, after `:` for SQLite.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_word = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
    if !is_word {
        return None;
    }
    if scheme == "sqlite" {
        return Some((scheme, rest));
    }
    rest.strip_prefix("//").map(|rest| (scheme, rest))
}

fn is_postgres(scheme: &str) -> bool {
    matches!(scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme), "postgresql" | "postgres")
}

fn unknown_scheme(scheme: &str) -> Error {
    let hint = nearest(scheme, SCHEMES).map_or_else(
        || "known are postgresql and sqlite".to_owned(),
        |n| format!("did you mean {n}?"),
    );
    Error::new(ErrorKind::Url, format!("unknown URL scheme \"{scheme}\"")).with_hint(hint)
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// The database without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Database::Postgres(settings) => settings.fmt(f),
            Database::Sqlite(settings) => settings.fmt(f),
        }
    }
}
