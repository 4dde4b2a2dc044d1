//! How a run goes on where its server was away, and when it does not.

use super::ending::Ending;
use super::lock::Lock;
use super::observer::Observer;
use crate::backend::Connection;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::pool::Pooled;
use crate::retry::{Attempts, RetryPolicy};
use crate::sqlstate::Class;
use crate::stop::Stop;
use crate::trace;
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// How a run gets its connections: only while it holds the lock of its job, and for as long as it
/// is neither asked to stop nor failed.
pub(super) struct Patience<'a> {
    pub(super) engine: &'a Engine,
    pub(super) lock: Lock<'a>,
    pub(super) policy: RetryPolicy,
    pub(super) ending: &'a Ending,
    pub(super) observer: &'a dyn Observer,
    pub(super) failure: Failure,
}

/// A server that answers at all does so within this.
const LEAST_WAIT: Duration = Duration::from_secs(1);

impl Patience<'_> {
    /// Takes a connection, and makes sure before that the lock of the job is still held. It waits
    /// for a server that is away no longer than the patience of `attempts` lasts.
    ///
    /// # Errors
    /// As [`Engine::get`] and [`Lock::ensure`].
    pub(super) fn connection(&self, attempts: &mut Attempts) -> Result<Pooled> {
        let start = Instant::now();
        let left = self.ending.left().map_or(Duration::MAX, |left| left.max(LEAST_WAIT));
        let left =
            attempts.left(start).max(LEAST_WAIT).min(left).min(self.engine.options().timeout);
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
        self.ending.asked() != Stop::No || self.failure.is_set()
    }

    /// Waits for `delay`, or until the run is to roll back what is in flight.
    ///
    /// # Errors
    /// `Stopped` if it is.
    pub(super) fn pause(&self, delay: Duration) -> Result<()> {
        let until = Instant::now() + delay;
        loop {
            // A run that is asked to finish its batches does not wait for a server to come back.
            if self.halted() {
                return Err(self.ending.stopped());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.failure.wait(left.min(Duration::from_millis(100)));
        }
    }

    /// Runs `work` with a connection, again while the error may pass and patience lasts.
    ///
    /// # Errors
    /// As [`connection`](Self::connection); what `work` returns last; `Stopped`.
    pub(super) fn with_connection<T>(
        &self,
        mut work: impl FnMut(&mut dyn Connection) -> Result<T>,
    ) -> Result<T> {
        let mut attempts = Attempts::new(self.policy);
        loop {
            let done =
                self.connection(&mut attempts).and_then(|mut connection| work(&mut *connection));
            let error = match done {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            self.failed(&error);
            let Some(delay) = attempts.after(&error, Instant::now()) else { return Err(error) };
            self.waits_after(&error);
            self.pause(delay)?;
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
