//! The set of threads that does the work: a `rayon` pool of its own, never the global one.
//!
//! Whoever holds a connection, a lock or a permit's critical section must not come here: a rayon
//! worker that waits takes up other work, and would meet itself at the pool. A thread says that it
//! holds something with [`Holding`]; [`Workers::run`] refuses a thread that does.

use crate::error::{Error, ErrorKind, Result};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// A fixed number of threads.
#[derive(Debug)]
pub struct Workers {
    pool: rayon::ThreadPool,
    count: usize,
}

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// `Config` if the system does not start them.
    pub fn new(count: usize) -> Result<Self> {
        let count = count.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("rowmill-{index}"))
            .build()
            .map_err(|error| {
                let message = format!("{count} worker threads cannot be started");
                Error::new(ErrorKind::Config, message).with_source(error)
            })?;
        Ok(Self { pool, count })
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Runs `work` once on every thread and `lead` on the caller's, and returns when all are done.
    ///
    /// # Errors
    /// `Internal` if the caller's thread holds a connection.
    pub fn run<R>(&self, work: impl Fn() + Sync, lead: impl FnOnce() -> R) -> Result<R> {
        if HELD.get() > 0 {
            return Err(Error::new(
                ErrorKind::Internal,
                "a thread that holds a connection entered the worker set",
            ));
        }
        let work = &work;
        Ok(self.pool.in_place_scope(|scope| {
            for _ in 0..self.count {
                scope.spawn(move |_| work());
            }
            lead()
        }))
    }
}

/// Says that this thread holds a connection, until it is dropped on the same thread.
#[derive(Debug)]
pub struct Holding {
    // The count belongs to one thread: the mark must stay on it.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl Holding {
    /// Marks the current thread.
    #[must_use]
    pub fn mark() -> Self {
        HELD.set(HELD.get() + 1);
        Self { _not_send: std::marker::PhantomData }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_worker_runs_once_beside_the_lead() {
        let ran = AtomicUsize::new(0);
        let workers = Workers::new(3).unwrap();
        let lead = workers.run(
            || {
                ran.fetch_add(1, Ordering::Relaxed);
            },
            || "lead",
        );
        assert_eq!((lead.unwrap(), ran.load(Ordering::Relaxed)), ("lead", 3));
    }

    #[test]
    fn a_thread_that_holds_a_connection_is_turned_away() {
        let workers = Workers::new(1).unwrap();
        let held = Holding::mark();
        assert_eq!(workers.run(|| (), || ()).unwrap_err().kind(), ErrorKind::Internal);
        drop(held);
        assert!(workers.run(|| (), || ()).is_ok());
    }
}
