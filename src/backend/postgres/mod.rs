//! PostgreSQL 14 and later.
//!
//! - `settings`:   what is connected to, host by host
//! - `connecting`: opening a connection before a deadline, on a thread that can be abandoned
//! - `connector`:  putting a tap on the driver's socket
//! - `link`:       what carries the bytes
//! - `tap`:        the messages as they pass, and the cut
//! - `frames`:     where a message begins
//! - `wire`:       what is known from that
//! - `tags`:       the server's names of what it did
//! - `session`:    what is set in every session, and what a server must be like
//! - `disposal`:   closing connections without making anybody wait
//! - `connection`: statements, transactions, sign of life
//! - `results`:    the rows of a result
//! - `words`:      what a statement does to the transaction
//! - `guard`:      the driver's panics as errors
//! - `notices`:    what the server says besides
//! - `statements`: prepared statements, kept
//! - `params`:     parameters as the server's types
//! - `types`:      the server's types as column types
//! - `row`:        a row as it came over the wire
//! - `load`:       COPY BINARY, and statements with many rows where it cannot be used
//! - `catalog`:    what the catalog says of a table
//! - `lock`:       the lock of a job
//! - `errors`:     the driver's errors as ours, without values of rows
//!
//! It promises: no call of [`PostgresBackend::connect`](crate::backend::Backend::connect) outlives
//! its deadline, whatever the server does; dropping a connection never blocks; a commit that was
//! in truth a rollback is an error; a commit without an answer is `08007`, and never anything
//! else; no message shows a password or a value of a row.
//!
//! It speaks to the server through `postgres` and `r2d2_postgres`, which are used nowhere else. It
//! must not be called from within an async runtime: there it returns an error.

mod catalog;
mod connecting;
mod connection;
mod connector;
mod disposal;
mod errors;
mod frames;
mod guard;
mod link;
mod load;
mod lock;
mod notices;
mod params;
mod results;
mod row;
mod session;
mod settings;
mod statements;
mod tags;
mod tap;
mod types;
mod wire;
mod words;

use super::{Backend, Connection, JobLock};
use crate::error::Result;
use crate::url::PostgresSettings;
use settings::Target;
use std::time::Instant;

/// Opens connections to a PostgreSQL server.
#[derive(Clone, Debug)]
pub struct PostgresBackend {
    target: Target,
}

impl PostgresBackend {
    /// A backend for the server of these settings. Nothing is connected yet.
    ///
    /// ```
    /// use rowmill::backend::{Backend, postgres::PostgresBackend};
    /// use rowmill::url::{Database, DatabaseUrl};
    /// let url = DatabaseUrl::parse("postgresql://etl:hunter2@localhost/warehouse")?;
    /// if let Database::Postgres(settings) = url.database {
    ///     let backend = PostgresBackend::new(&settings);
    ///     assert_eq!(backend.describe(), "postgresql://etl@localhost:5432/warehouse");
    /// }
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn new(settings: &PostgresSettings) -> Self {
        Self { target: Target::new(settings) }
    }
}

impl Backend for PostgresBackend {
    fn connect(&self, deadline: Instant) -> Result<Box<dyn Connection>> {
        Ok(Box::new(connecting::connect(&self.target, deadline)?))
    }

    fn max_connections(&self) -> Option<u32> {
        None
    }

    fn lock_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        lock::take(&self.target, key, deadline)
    }

    fn describe(&self) -> String {
        self.target.to_string()
    }
}
