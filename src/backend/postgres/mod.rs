//! PostgreSQL 14 and later.
//!
//! - `settings`:   what is connected to, host by host
//! - `connecting`: opening a connection before a deadline, on a thread that can be abandoned
//! - `connector`:  putting a tap on the driver's socket
//! - `link`:       what carries the bytes
//! - `tls`:        asking for TLS, and who the server must be
//! - `tap`:        the messages as they pass, and the cut
//! - `frames`:     where a message begins
//! - `wire`:       what is known from that
//! - `tags`:       the server's names of what it did
//! - `session`:    what is set in every session, and what a server must be like
//! - `connection`: statements and transactions
//! - `commit`:     commits: held, not held, or unknown
//! - `ping`:       a sign of life
//! - `reset`:      making a session what it was
//! - `traces`:     what a text of SQL leaves in its session
//! - `lexer`:      SQL cut into words and signs
//! - `harmless`:   functions that leave nothing
//! - `words`:      what a statement does to the transaction
//! - `timer`:      how long a statement may take
//! - `watchdog`:   the thread that ends what takes too long
//! - `interrupt`:  ending a statement from another thread
//! - `disposal`:   closing connections without making anybody wait
//! - `streaming`:  a statement whose rows are handed out
//! - `results`:    the rows of a result
//! - `guard`:      the driver's panics as errors
//! - `runtime`:    being called from within an async runtime
//! - `notices`:    what the server says besides
//! - `notifications`: what other sessions say, which nobody keeps
//! - `statements`: prepared statements, kept
//! - `params`:     parameters as the server's types
//! - `types`:      the server's types as column types
//! - `row`:        a row as it came over the wire
//! - `load`:       COPY BINARY, and statements with many rows where it cannot be used
//! - `fate`:       what became of a transaction
//! - `catalog`:    what the catalog says of a table
//! - `limits`:     how many connections the server has room for
//! - `lock`:       the lock of a job
//! - `errors`:     the driver's errors as ours, without values of rows
//!
//! It promises: no call of [`PostgresBackend::connect`](crate::backend::Backend::connect) outlives
//! its deadline, whatever the server does; dropping a connection never blocks; a commit that was
//! in truth a rollback is an error; a commit without an answer is `08007`, and never anything
//! else; no message, and no log of a driver, shows a password or a value of a row.
//!
//! A statement with a limit ends at it: the server cancels it, or else is asked to, or else the
//! connection is cut. A connection that comes back is reset in one round trip, and in none where
//! nothing can have been left in its session; what is left by a function that a trigger, a view or
//! an operator calls stays unseen, unless it is a setting that the server reports. A password is
//! sent readable to nobody over a network.
//!
//! Over a Unix socket the driver lets nobody in between: there nothing can be cut, so a statement
//! on a server that was stopped in its tracks (`SIGSTOP`) waits for it, and what is known of the
//! session is what the texts of its statements tell. Connecting and pinging have their deadlines
//! there, too.
//!
//! With `prepared_statements=false` each transaction may be on another session, behind a pooler:
//! nothing is kept in one.
//!
//! It speaks to the server through `postgres` and `r2d2_postgres`, which are used nowhere else. It
//! must not be called from within an async runtime: there it returns an error.

mod catalog;
mod commit;
mod connecting;
mod connection;
mod connector;
mod disposal;
mod errors;
mod fate;
mod frames;
mod guard;
mod harmless;
mod interrupt;
mod lexer;
mod limits;
mod link;
mod load;
mod lock;
mod notices;
mod notifications;
mod params;
mod ping;
mod reset;
mod results;
mod row;
mod runtime;
mod session;
mod settings;
mod statements;
mod streaming;
mod tags;
mod tap;
mod timer;
mod tls;
mod traces;
mod types;
mod watchdog;
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
