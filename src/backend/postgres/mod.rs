//! PostgreSQL 14 and later.
//!
//! - `settings`:   what is connected to, host by host
//! - `connecting`: opening a connection before a deadline, on a thread that can be abandoned
//! - `abilities`:  what PostgreSQL can do
//! - `connection`: statements and transactions
//! - `wire`:       what carries the messages, and what is seen of them as they pass
//! - `session`:    what is set in a session, and making it that again
//! - `deadline`:   calls that end in time, whatever the server does
//! - `statement`:  statements, their parameters and their rows; COPY BINARY
//! - `direct`:     statements without the driver
//! - `ahead`:      statements that are sent with the next one
//! - `begin`:      beginning a transaction: with its first statement where that can be
//! - `commit`:     commits: held, not held, or unknown
//! - `fate`:       what became of a transaction
//! - `catalog`:    what the catalog says of a table
//! - `storage`:    where the rows of a table lie
//! - `lock`:       the lock of a job
//! - `errors`:     the driver's errors as ours, without values of rows
//! - `report`:     what the server says in an error or a warning
//! - `flight`:     statements that are sent together
//! - `guard`:      the driver's panics as errors
//! - `runtime`:    being called from within an async runtime
//!
//! It promises: no call of [`PostgresBackend::connect`](crate::backend::Backend::connect) outlives
//! its deadline, whatever the server does; dropping a connection never blocks; a commit that was
//! in truth a rollback is an error; a commit without an answer is `08007`, and never anything
//! else; no message, and no log of a driver, shows a password or a value of a row.
//!
//! A statement with a limit ends at it: the server cancels it, or else is asked to, or else the
//! connection is cut. A connection that comes back is reset in one round trip, and in none where
//! nothing can have been left in its session, also not by a function that a trigger, a view or an
//! operator called: `session/code` has the rule, and what remains of it. A password is sent readable
//! to nobody over a network.
//!
//! All of that holds over a Unix socket, too, as long as the machine has a loopback interface
//! (`127.0.0.1`): `wire/detour.rs` says why. On one that has none, nothing can be cut there, so a
//! statement on a server that was stopped in its tracks (`SIGSTOP`) waits for it, and what is known
//! of the session is what the texts of its statements tell.
//!
//! A server on this machine that is named by its port is reached by its Unix socket where that is
//! certainly the same one: `connecting/shortcut.rs` has the rule.
//!
//! The types of a host's database are asked for once by all connections of a backend, not by each:
//! what is known ends when one of them is lost or refused, and for new ones after a minute. Behind one
//! address there may be different servers only if types have the same numbers on all of them, as they
//! have on standbys.
//!
//! With `prepared_statements=false` each transaction may be on another session, behind a pooler:
//! nothing is kept in one.
//!
//! Connections are opened and closed through `postgres` and `r2d2_postgres`, which are used nowhere
//! else; statements and rows go without them where that is possible, on the same socket. It
//! must not be called from within an async runtime: there it returns an error.

mod abilities;
mod ahead;
mod begin;
mod catalog;
mod commit;
mod connecting;
mod connection;
mod deadline;
mod direct;
mod errors;
mod fate;
mod flight;
mod guard;
mod lock;
mod report;
mod runtime;
mod session;
mod settings;
mod statement;
mod storage;
mod wire;

use super::Backend;
use super::Connection;
use super::JobLock;
use crate::error::Result;
use crate::url::PostgresSettings;
use lock::Hold;
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
        lock::take(&self.target, key, Hold::Alone, deadline)
    }

    fn share_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        lock::take(&self.target, key, Hold::Shared, deadline)
    }

    fn locked_jobs(&self, keys: &[i64], deadline: Instant) -> Result<Vec<bool>> {
        lock::locked(&self.target, keys, deadline)
    }

    fn describe(&self) -> String {
        self.target.to_string()
    }
}
