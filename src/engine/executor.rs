//! What statements can be run through.

use super::acquire::{Acquire, Intent};
use super::database::Engine;
use super::wires::Reading;
use crate::backend::Connection;
use crate::error::{ErrorKind, Result};
use std::time::{Duration, Instant};

/// What statements can be run through: an [`Engine`], each on a connection that is taken and given
/// back, or a transaction.
///
/// It is asked through a shared reference, so that one function serves both:
///
/// ```
/// use rowmill::{Engine, Executor, Intent, Result};
///
/// fn count(on: &impl Executor) -> Result<u64> {
///     on.with(Intent::Write, |connection| connection.execute("delete from runways", &[]))
/// }
///
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table runways (id integer primary key)")?;
/// engine.transaction(|transaction| count(transaction))?;
/// count(&engine)?;
/// # Ok::<(), rowmill::Error>(())
/// ```
pub trait Executor {
    /// Hands a connection that is fit for `intent` to `work`, which must not ask for another.
    ///
    /// # Errors
    /// What `work` returns; as [`Acquire::acquire`](super::acquire::Acquire::acquire); `Internal`
    /// if `work` of a transaction asks that transaction for its connection.
    #[track_caller]
    fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T>;

    /// As [`with`](Self::with), for reading only. `work` may be run again, on a connection to
    /// another server, where a replica could not go on: what it has done outside of the database is
    /// done again, too. In a transaction it is run once.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    #[track_caller]
    fn read<T>(&self, work: impl FnMut(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.with(Intent::Read, work)
    }

    /// As [`with`](Self::with), for writing, so that all that `work` does holds or nothing of it:
    /// in a transaction of its own, or in a savepoint of the one there is. `work` is run once, and
    /// must neither commit nor roll back.
    ///
    /// # Errors
    /// As [`with`](Self::with); `Database`, `Disconnect` or `CommitUnknown` from COMMIT.
    #[track_caller]
    fn atomically<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T>;
}

impl Engine {
    /// As [`read`](Executor::read), but by the deadline it is done, or has failed; where statements
    /// cannot be bounded, one that has begun goes on.
    #[track_caller]
    pub(crate) fn read_until<T>(
        &self,
        deadline: Option<Instant>,
        mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        self.wires().read(Reading { deadline, ..Reading::default() }, |connection, _| {
            if let Some(deadline) = deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                // Zero would be no limit.
                let limit = left.max(Duration::from_millis(1));
                match connection.set_statement_timeout(Some(limit)) {
                    Err(error) if error.kind() != ErrorKind::Unsupported => return Err(error),
                    _ => {}
                }
            }
            work(connection)
        })
    }
}

impl Executor for Engine {
    #[track_caller]
    fn with<T>(
        &self,
        intent: Intent,
        work: impl FnOnce(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        work(&mut *self.acquire(intent)?)
    }

    #[track_caller]
    fn read<T>(&self, mut work: impl FnMut(&mut dyn Connection) -> Result<T>) -> Result<T> {
        self.wires().read(Reading::default(), |connection, _| work(connection))
    }

    #[track_caller]
    fn atomically<T>(&self, work: impl FnOnce(&mut dyn Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.get()?;
        connection.begin()?;
        // What is not committed is rolled back when the connection is given back.
        let value = work(&mut *connection)?;
        connection.commit()?;
        Ok(value)
    }
}
