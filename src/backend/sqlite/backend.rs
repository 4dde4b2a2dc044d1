//! Opens connections to one database and holds the locks of jobs.

use super::connection::SqliteConnection;
use super::gate::Gate;
use super::job_lock;
use super::memory::Memory;
use super::open;

use super::turn::Turn;
use crate::backend::{Backend, Connection, JobLock};
use crate::error::{Error, ErrorKind, Result};
use crate::url::{SqliteLocation, SqliteSettings};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The default of [`SqliteBackend::writer_timeout`].
const DEFAULT_WRITER_TIMEOUT: Duration = Duration::from_mins(1);

/// One SQLite database.
///
/// All its connections share one queue of writers, so that one backend for a database serves its
/// writers more evenly than two. A database in memory lives as long as its backend.
///
/// ```
/// use rowmill::backend::Backend;
/// use rowmill::backend::sqlite::SqliteBackend;
/// use rowmill::url::{SqliteLocation, SqliteSettings};
/// use std::time::{Duration, Instant};
///
/// let backend = SqliteBackend::open(SqliteSettings::new(SqliteLocation::Memory))?;
/// let mut connection = backend.connect(Instant::now() + Duration::from_secs(5))?;
/// connection.run("create table runways (id integer primary key)")?;
/// assert_eq!(connection.execute("insert into runways values ($1)", &[7.into()])?, 1);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct SqliteBackend {
    settings: SqliteSettings,
    place: Place,
    gate: Arc<Gate>,
    writer_timeout: Duration,
}

#[derive(Debug)]
enum Place {
    /// Absolute, so that a later change of the working directory changes nothing.
    File(PathBuf),
    Memory(Memory),
}

impl SqliteBackend {
    /// Prepares connections to the database of `settings`. A file is not touched before the first
    /// connection, which creates it if it is not there.
    ///
    /// # Errors
    /// `Connect` if the path is none, or there is no memory.
    pub fn open(settings: SqliteSettings) -> Result<Self> {
        let place = match &settings.location {
            SqliteLocation::Memory => Place::Memory(Memory::open(settings.busy_timeout)?),
            SqliteLocation::File(path) => {
                let absolute = std::path::absolute(path).map_err(|error| {
                    let message = format!("the path of the database is none: {error}");
                    Error::new(ErrorKind::Connect, message).with_hint("write sqlite:PATH")
                })?;
                Place::File(absolute)
            }
        };
        let writer_timeout = DEFAULT_WRITER_TIMEOUT.max(settings.busy_timeout);
        Ok(Self { settings, place, gate: Arc::default(), writer_timeout })
    }

    /// Sets how long a writer waits for the other writers of this backend.
    ///
    /// It queues behind them, first come, first served; the wait for other processes
    /// (`busy_timeout`) comes on top.
    ///
    /// Default: 60 seconds, or `busy_timeout` where that is longer.
    #[must_use]
    pub fn writer_timeout(mut self, timeout: Duration) -> Self {
        self.writer_timeout = timeout;
        self
    }
}

impl Backend for SqliteBackend {
    fn connect(&self, deadline: Instant) -> Result<Box<dyn Connection>> {
        let (handle, lease) = match &self.place {
            Place::File(path) => (open::file(path, &self.settings, deadline)?, None),
            Place::Memory(memory) => {
                let (handle, lease) = memory.lend(deadline)?;
                (handle, Some(lease))
            }
        };
        let watch = Arc::clone(&handle.watch);
        let turn = Turn::new(Arc::clone(&self.gate), watch, self.writer_timeout);
        Ok(Box::new(SqliteConnection::new(handle, turn, lease)))
    }

    fn max_connections(&self) -> Option<u32> {
        matches!(self.place, Place::Memory(_)).then_some(1)
    }

    fn lock_job(&self, key: i64, _deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        match &self.place {
            Place::File(path) => job_lock::of_file(path, key),
            Place::Memory(memory) => Ok(memory.lock_job(key)),
        }
    }

    fn share_job(&self, _key: i64, _deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        // Its writers take turns for the whole database: a second process would only wait.
        let message = "several processes cannot share a job on SQLite, which has one writer";
        Err(Error::new(ErrorKind::Unsupported, message)
            .with_hint("run it without --join; its batches are prepared in parallel all the same"))
    }

    fn locked_jobs(&self, keys: &[i64], _deadline: Instant) -> Result<Vec<bool>> {
        keys.iter()
            .map(|&key| match &self.place {
                Place::File(path) => job_lock::is_locked(path, key),
                Place::Memory(memory) => Ok(memory.is_locked(key)),
            })
            .collect()
    }

    fn is_there(&self) -> Result<bool> {
        match &self.place {
            Place::File(path) => open::is_there(path),
            Place::Memory(_) => Ok(true),
        }
    }

    fn describe(&self) -> String {
        self.settings.to_string()
    }
}
