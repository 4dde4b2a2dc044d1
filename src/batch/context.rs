//! What all parts of a run share.

use super::budget::Budget;
use super::ledger::Ledger;
use super::limits::Limits;
use super::observer::Observer;
use super::report::PoolReport;
use crate::backend::JobLock;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pooled;
use crate::retry::Attempts;
use crate::sink::table::{StagePlace, TableSink};
use crate::source::feed::Feed;
use crate::sqlstate::Class;
use crate::stop::{Stop, StopToken};
use crate::trace::{self, Span};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What all parts of a run share.
pub(super) struct Context<'a> {
    pub(super) engine: &'a Engine,
    pub(super) feed: &'a dyn Feed,
    pub(super) sink: TableSink,
    pub(super) ledger: Ledger,
    pub(super) place: StagePlace,
    pub(super) run_id: i64,
    /// Whether the source has no rows.
    pub(super) empty: bool,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    pub(super) stop: &'a StopToken,
    pub(super) observer: &'a dyn Observer,
    pub(super) lock: &'a Lock<'a>,
    pub(super) meter: &'a Meter,
    pub(super) span: &'a Span,
    pub(super) failure: Failure,
}

/// A server that answers at all does so within this.
const LEAST_WAIT: Duration = Duration::from_secs(1);

impl Context<'_> {
    /// Takes a connection, and makes sure before that the lock of the job is still held. It waits
    /// for a server that is away no longer than the patience of `attempts` lasts.
    ///
    /// # Errors
    /// As [`Engine::get`] and [`Lock::ensure`].
    pub(super) fn connection(&self, attempts: &mut Attempts) -> Result<Pooled> {
        let start = Instant::now();
        let left = attempts.left(start).max(LEAST_WAIT).min(self.engine.options().timeout);
        // ORDER: the lock first; without it, another process may be at work.
        let taken = self.lock.ensure().and_then(|()| self.engine.get_within(left));
        let taken = taken.and_then(|connection| {
            self.lock.ensure_after(&connection)?;
            Ok(connection)
        });
        if taken.is_err() {
            attempts.failing_since(start);
        }
        taken
    }

    /// Notes what an error says of the server.
    pub(super) fn failed(&self, error: &Error) {
        if is_away(error) {
            self.lock.doubt();
        }
    }

    /// Tells that what failed is going to be tried again.
    pub(super) fn waits_after(&self, error: &Error) {
        trace::warn(format_args!("tried again in a moment: {error}"));
        self.observer.waiting(error);
    }

    /// Whether no further unit is to be started.
    pub(super) fn halted(&self) -> bool {
        self.stop.asked() != Stop::No || self.failure.is_set()
    }

    /// The error of a run that was asked to stop.
    pub(super) fn stopped() -> Error {
        Error::new(ErrorKind::Stopped, "stopped before the end")
            .with_hint("the same command carries on")
    }

    /// Waits for `delay`, or until the run is to roll back what is in flight.
    ///
    /// # Errors
    /// `Stopped` if it is.
    pub(super) fn pause(&self, delay: Duration) -> Result<()> {
        let until = Instant::now() + delay;
        loop {
            // A run that is asked to finish its batches does not wait for a server to come back.
            if self.stop.asked() != Stop::No || self.failure.is_set() {
                return Err(Self::stopped());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.failure.wait(left.min(Duration::from_millis(100)));
        }
    }
}

/// Whether the server was away, and its sessions with it.
pub(super) fn is_away(error: &Error) -> bool {
    matches!(error.class(), Class::Disconnect | Class::Unavailable)
}

/// The first error of a run; once there is one, the run ends.
#[derive(Debug, Default)]
pub(super) struct Failure {
    first: Mutex<Option<Error>>,
    set: Condvar,
}

impl Failure {
    pub(super) fn set(&self, error: Error) {
        self.first.lock().get_or_insert(error);
        self.set.notify_all();
    }

    pub(super) fn is_set(&self) -> bool {
        self.first.lock().is_some()
    }

    pub(super) fn take(&self) -> Option<Error> {
        self.first.lock().take()
    }

    fn wait(&self, at_most: Duration) {
        let mut first = self.first.lock();
        if first.is_none() {
            self.set.wait_for(&mut first, at_most);
        }
    }
}

/// The lock of the job. It is lost with its connection, and taken again before work goes on.
pub(super) struct Lock<'a> {
    engine: &'a Engine,
    key: i64,
    doubts: AtomicU64,
    held: Mutex<Held>,
}

struct Held {
    lock: Option<Box<dyn JobLock>>,
    /// So many of the doubts are settled.
    settled: u64,
    /// It was held then, or later.
    seen: Instant,
}

impl<'a> Lock<'a> {
    /// Takes the lock; `None` if another process has it.
    ///
    /// # Errors
    /// `Connect` or `Database`.
    pub(super) fn take(engine: &'a Engine, key: i64) -> Result<Option<Self>> {
        let seen = Instant::now();
        let held = engine.lock_job(key)?;
        let new = |lock| {
            let held = Mutex::new(Held { lock: Some(lock), settled: 0, seen });
            Self { engine, key, doubts: AtomicU64::new(0), held }
        };
        Ok(held.map(new))
    }

    /// Says that the lock may be lost: nothing is written before it was found to be held.
    pub(super) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// Makes sure that the lock is held, if there is a doubt.
    ///
    /// # Errors
    /// `AlreadyRunning` if another process took it in the meantime; `Connect`: then the doubt
    /// remains.
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
            held.lock = None;
            held.lock = self.engine.lock_job(self.key)?;
        }
        if held.lock.is_none() {
            return Err(Error::new(
                ErrorKind::AlreadyRunning,
                "another process took the job over while the server was away",
            ));
        }
        (held.settled, held.seen) = (doubts, now);
        Ok(())
    }

    /// Makes sure that the lock is held if `connection` was opened after the last look at it: the
    /// server may have been away and come back while nobody asked it for anything, and a pool
    /// replaces what that broke without a word.
    ///
    /// # Errors
    /// As [`ensure`](Self::ensure).
    fn ensure_after(&self, connection: &Pooled) -> Result<()> {
        let seen = self.held.lock().seen;
        if connection.opened().is_some_and(|opened| opened > seen) {
            self.doubt();
            self.ensure()?;
        }
        Ok(())
    }
}

/// What a run measures.
#[derive(Debug, Default)]
pub(super) struct Meter {
    seconds: Mutex<BTreeMap<&'static str, f64>>,
    retries: AtomicU64,
    rows: AtomicU64,
    pool: Mutex<PoolUse>,
}

#[derive(Debug, Default)]
struct PoolUse {
    in_use: u32,
    peak: u32,
    longest_wait: Duration,
}

impl Meter {
    /// Adds the time since `start` to a phase.
    pub(super) fn spent(&self, phase: &'static str, start: Instant) {
        *self.seconds.lock().entry(phase).or_default() += start.elapsed().as_secs_f64();
    }

    /// Counts a unit that is done again.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts rows that this run read.
    pub(super) fn read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Notes that a connection was taken after `wait`.
    pub(super) fn taken(&self, wait: Duration) {
        let mut pool = self.pool.lock();
        pool.in_use += 1;
        pool.peak = pool.peak.max(pool.in_use);
        pool.longest_wait = pool.longest_wait.max(wait);
    }

    /// Notes that a connection was given back.
    pub(super) fn given_back(&self) {
        self.pool.lock().in_use -= 1;
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(super) fn phases(&self) -> BTreeMap<String, f64> {
        self.seconds.lock().iter().map(|(&name, &seconds)| (name.to_owned(), seconds)).collect()
    }

    pub(super) fn pool(&self) -> PoolReport {
        let pool = self.pool.lock();
        PoolReport { peak_in_use: pool.peak, longest_wait_seconds: pool.longest_wait.as_secs_f64() }
    }
}
