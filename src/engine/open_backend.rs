//! Which backend serves which URL.

use crate::backend::Backend;
use crate::backend::sqlite::SqliteBackend;
use crate::error::{Error, ErrorKind, Result};
use crate::url::{Database, DatabaseUrl};
use std::sync::Arc;

/// The backend for the database of `url`; it opens no connection yet.
pub(super) fn open_backend(url: &DatabaseUrl) -> Result<Arc<dyn Backend>> {
    match &url.database {
        Database::Postgres(_) => {
            Err(Error::new(ErrorKind::Unsupported, "PostgreSQL is not built in yet"))
        }
        Database::Sqlite(settings) => Ok(Arc::new(SqliteBackend::open(settings.clone())?)),
    }
}
