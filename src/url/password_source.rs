//! A password that is asked for when it is needed.

use super::postgres::PostgresHost;
use super::secret::Secret;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The connection for which a password is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordRequest<'a> {
    /// The host that is connected to.
    pub host: &'a PostgresHost,
    /// The user.
    pub user: &'a str,
    /// The database.
    pub database: &'a str,
}

type Ask = dyn Fn(&PasswordRequest<'_>) -> Result<Secret> + Send + Sync;

/// Who is asked for the password of each new connection. It never shows what it was told, and is equal to
/// its clones alone.
#[derive(Clone)]
pub struct PasswordSource(Arc<Ask>);

impl PasswordSource {
    /// Asks `source`.
    pub fn new(
        source: impl Fn(&PasswordRequest<'_>) -> Result<Secret> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(source))
    }

    /// The password for a connection.
    ///
    /// # Errors
    /// That of the source; `Panic` if it panics.
    pub(crate) fn ask(&self, request: &PasswordRequest<'_>) -> Result<Secret> {
        let asked = catch_unwind(AssertUnwindSafe(|| (self.0)(request)));
        asked.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Panic, "the source of its password panicked"))
        })
    }
}

impl PartialEq for PasswordSource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for PasswordSource {}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordSource")
    }
}
