//! How long a statement waits for the lock of another process.

use super::errors;
use super::watch::Watch;
use crate::error::Result;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The longest pause between two attempts. SQLite's own handler pauses up to 100 ms, in which a
/// busy writer of another process comes round many times.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How long the statements of a connection wait for a lock.
#[derive(Debug)]
pub(super) struct Patience {
    timeout: Duration,
    until: Arc<Mutex<Option<Instant>>>,
}

impl Patience {
    /// Lets the statements of `handle` wait up to `timeout` each, or as long as `watch` lets them.
    pub(super) fn install(
        handle: &mut Connection,
        timeout: Duration,
        watch: Arc<Watch>,
    ) -> Result<Self> {
        let until = Arc::new(Mutex::new(None::<Instant>));
        let limit = Arc::clone(&until);
        let mut started = Instant::now();
        let wait = move |attempt: i32| {
            if attempt == 0 {
                started = Instant::now();
            }
            let over = started.elapsed() >= timeout
                || watch.is_over()
                || limit.lock().is_some_and(|deadline| Instant::now() >= deadline);
            if !over {
                let pause = Duration::from_millis(attempt.unsigned_abs().into());
                thread::sleep(pause.min(LONGEST_PAUSE));
            }
            !over
        };
        handle.busy_handler(Some(wait)).map_err(errors::of)?;
        Ok(Self { timeout, until })
    }

    /// When a wait that begins now is over.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.timeout).unwrap_or_else(|| now + Duration::from_hours(24))
    }

    /// Runs `work` with a deadline that holds also where the time-out is longer.
    pub(super) fn before<T>(&self, deadline: Instant, work: impl FnOnce() -> T) -> T {
        *self.until.lock() = Some(deadline);
        let outcome = work();
        *self.until.lock() = None;
        outcome
    }
}
