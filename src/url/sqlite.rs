//! Where an SQLite database is.

use super::keys::{KeySet, Parameters};
use super::{percent, uri, values};
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where an SQLite database is and how it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteSettings {
    /// The file, or memory.
    pub location: SqliteLocation,
    /// `busy_timeout`: how long a statement waits for the lock of another connection. A bare
    /// number is milliseconds, as in SQLite's own pragma. Default: 5 seconds.
    pub busy_timeout: Duration,
    /// Whether its connections refuse to write and leave the file as it is. Default: no.
    pub read_only: bool,
}

impl SqliteSettings {
    /// The default of [`busy_timeout`](Self::busy_timeout).
    pub const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// A database at `location` with default settings.
    pub fn new(location: SqliteLocation) -> Self {
        Self { location, busy_timeout: Self::DEFAULT_BUSY_TIMEOUT, read_only: false }
    }
}

/// The place of an SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqliteLocation {
    /// A file; a relative path is relative to the working directory.
    File(PathBuf),
    /// In memory, for as long as its connection is open.
    Memory,
}

/// `sqlite:path`.
impl fmt::Display for SqliteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            SqliteLocation::File(path) => write!(f, "sqlite:{}", path.display()),
            SqliteLocation::Memory => f.write_str("sqlite::memory:"),
        }
    }
}

/// Reads what follows `sqlite:`.
pub(super) fn parse(rest: &str) -> Result<(SqliteSettings, Parameters)> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = percent::decode(path.strip_prefix("//").unwrap_or(path))?;
    let mut parameters = Parameters::new(KeySet::Sqlite);
    uri::read_query(query, &mut parameters)?;
    let location = match path.as_str() {
        "" => {
            return Err(Error::new(ErrorKind::Url, "the SQLite URL names no file")
                .with_hint("write sqlite:PATH, sqlite:///ABSOLUTE/PATH or sqlite::memory:"));
        }
        ":memory:" => SqliteLocation::Memory,
        path => SqliteLocation::File(path.into()),
    };
    let mut settings = SqliteSettings::new(location);
    if let Some(timeout) = parameters.read("busy_timeout", values::duration_in_milliseconds)? {
        settings.busy_timeout = timeout;
    }
    Ok((settings, parameters))
}
