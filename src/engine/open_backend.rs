//! Which backend serves which URL.

use crate::backend::Backend;
use crate::backend::postgres::PostgresBackend;
use crate::backend::sqlite::SqliteBackend;
use crate::error::Result;
use crate::url::{Database, DatabaseUrl};
use std::sync::Arc;

/// The backend for the database of `url`; it opens no connection yet.
pub(super) fn open_backend(url: &DatabaseUrl) -> Result<Arc<dyn Backend>> {
    Ok(match &url.database {
        Database::Postgres(settings) => Arc::new(PostgresBackend::new(settings)),
        Database::Sqlite(settings) => Arc::new(SqliteBackend::open(settings.clone())?),
    })
}
