//! Locks that have a name and protect what the program says they protect.

use crate::backend::JobLock;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::{Duration, Instant};

/// A lock that has a name, held by one process at a time: what [`Engine::advisory_lock`] takes.
/// Dropping it gives it back, and so does the end of its process, however it ends.
///
/// It is held on a connection of its own, outside of the pool, and not by a transaction: no
/// rollback and no return of a connection loses it. On PostgreSQL it is an advisory lock, on a file
/// of SQLite the lock of a file beside it.
pub struct AdvisoryLock {
    name: String,
    held: Box<dyn JobLock>,
}

impl AdvisoryLock {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks whether it is still held: it is lost with its connection, of which nothing else tells.
    /// Ask before what must not be done by two.
    pub fn is_held(&mut self) -> bool {
        self.held.is_held()
    }

    /// The number by which the database knows the lock `name`.
    pub fn key(name: &str) -> i64 {
        // A job is locked by a hash of its own, which does not begin so.
        let digest = Sha256::new().chain_update("rowmill lock ").chain_update(name).finalize();
        i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
    }
}

impl Engine {
    /// Takes the lock `name` within `patience`.
    ///
    /// ```
    /// use rowmill::Engine;
    /// use std::time::Duration;
    /// let engine = Engine::open("sqlite::memory:")?;
    /// let lock = engine.advisory_lock("nightly invoices", Duration::from_secs(5))?;
    /// // Whatever one process at a time may do.
    /// assert!(engine.try_advisory_lock("nightly invoices")?.is_none());
    /// drop(lock);
    /// assert!(engine.try_advisory_lock("nightly invoices")?.is_some());
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Database` with the SQLSTATE 55P03 if another holds it all the time; `Connect` if the
    /// database cannot be asked.
    pub fn advisory_lock(&self, name: &str, patience: Duration) -> Result<AdvisoryLock> {
        let start = Instant::now();
        loop {
            if let Some(lock) = self.try_advisory_lock(name)? {
                return Ok(lock);
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(taken(name));
            }
            std::thread::sleep(left.min(PAUSE));
        }
    }

    /// Takes the lock `name`; `None` if another holds it. That takes up to a second to be sure of:
    /// the server may not have noticed yet that a holder has died.
    ///
    /// # Errors
    /// `Connect` if the database cannot be asked.
    pub fn try_advisory_lock(&self, name: &str) -> Result<Option<AdvisoryLock>> {
        let held = self.lock_job(AdvisoryLock::key(name))?;
        Ok(held.map(|held| AdvisoryLock { name: name.to_owned(), held }))
    }
}

const PAUSE: Duration = Duration::from_millis(50);

fn taken(name: &str) -> Error {
    Error::new(ErrorKind::Database, format!("another holds the lock {name:?}"))
        .with_sqlstate(SqlState::LOCK_NOT_AVAILABLE)
}

impl fmt::Debug for AdvisoryLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdvisoryLock").field(&self.name).finish()
    }
}
