//! The lock of a job, held by its run.

use crate::backend::JobLock;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So long the server may take to notice that a session of this run is gone; it holds the lock until
/// then, and looks like another process.
const UNNOTICED: Duration = Duration::from_secs(30);

/// The lock of the job. It is lost with its connection, and taken again before work goes on.
pub(super) struct Lock<'a> {
    engine: &'a Engine,
    key: i64,
    /// Whether others work on the job, too.
    shared: bool,
    doubts: AtomicU64,
    held: Mutex<Held>,
}

struct Held {
    lock: Option<Box<dyn JobLock>>,
    /// The lock by which others tell that this run lives; held together with that of the job.
    member: Option<i64>,
    /// So many of the doubts are settled.
    settled: u64,
    /// It was held then, or later.
    seen: Instant,
    /// It was held once, and lost.
    lost: bool,
    /// Since then the server says that a session has it, which may be the one that was lost.
    refused: Option<Instant>,
}

impl<'a> Lock<'a> {
    /// The lock of the job with this key. It is not held yet, which is a doubt like any other.
    pub(super) fn of(engine: &'a Engine, key: i64, shared: bool) -> Self {
        let held = Held {
            lock: None,
            member: None,
            settled: 0,
            seen: Instant::now(),
            lost: false,
            refused: None,
        };
        Self { engine, key, shared, doubts: AtomicU64::new(1), held: Mutex::new(held) }
    }

    /// Shows from now on, as long as the lock is held, that the run of this key lives.
    ///
    /// # Errors
    /// `Connect` or `Disconnect`.
    pub(super) fn show(&self, member: i64) -> Result<()> {
        let mut held = self.held.lock();
        held.member = Some(member);
        match &mut held.lock {
            // One that is lost is taken again together with this.
            Some(lock) => lock.also(member).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Takes away what members that died have left, where this run has the lock.
    pub(super) fn sweep(&self, members: impl Iterator<Item = i64>) {
        if let Some(lock) = &mut self.held.lock().lock {
            members.for_each(|member| lock.sweep(member));
        }
    }

    fn take(&self, member: Option<i64>) -> Result<Option<Box<dyn JobLock>>> {
        let taken = match self.shared {
            true => self.engine.share_job(self.key)?,
            false => self.engine.lock_job(self.key)?,
        };
        let Some(mut lock) = taken else { return Ok(None) };
        // One that this run had is held by its lost session until the server notices.
        match member {
            Some(member) if !lock.also(member)? => Ok(None),
            _ => Ok(Some(lock)),
        }
    }

    /// Says that the lock may be lost: nothing is written before it was found to be held.
    pub(super) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// Makes sure that the lock is held, if there is a doubt.
    ///
    /// # Errors
    /// `AlreadyRunning` if another process has it; `Connect`, and `Disconnect` as long as that may be
    /// the session that was lost: then the doubt remains.
    pub(super) fn ensure(&self) -> Result<()> {
        // ORDER: before the lock is looked at; a doubt that comes up meanwhile is not settled.
        let doubts = self.doubts.load(Ordering::Acquire);
        let mut held = self.held.lock();
        if held.settled >= doubts {
            return Ok(());
        }
        let now = Instant::now();
        if !held.lock.as_mut().is_some_and(|lock| lock.is_held()) {
            // ORDER: the old one must be gone before a new one is asked for.
            held.lost |= held.lock.take().is_some();
            held.lock = self.take(held.member)?;
        }
        if held.lock.is_none() {
            let since = *held.refused.get_or_insert(now);
            return Err(refused(held.lost && since.elapsed() < UNNOTICED));
        }
        (held.settled, held.seen, held.refused) = (doubts, now, None);
        Ok(())
    }

    /// Makes sure that the lock is held if `connection` was opened after the last look at it: the
    /// server may have been away and come back while nobody asked it for anything, and a pool
    /// replaces what that broke without a word.
    ///
    /// # Errors
    /// As [`ensure`](Self::ensure).
    pub(super) fn ensure_after(&self, connection: &Pooled) -> Result<()> {
        let seen = self.held.lock().seen;
        if connection.opened().is_some_and(|opened| opened > seen) {
            self.doubt();
            self.ensure()?;
        }
        Ok(())
    }
}

/// The lock is held by a session: by that of another process, unless it may be our own.
fn refused(may_be_ours: bool) -> Error {
    match may_be_ours {
        true => Error::new(
            ErrorKind::Disconnect,
            "the server has not noticed yet that the session with the lock of the job is gone",
        ),
        false => Error::new(ErrorKind::AlreadyRunning, "another process has taken the job over"),
    }
}
