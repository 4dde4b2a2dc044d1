//! The set of threads that does the work: a `rayon` pool of its own, never the global one.
//!
//! Whoever holds a connection, a lock or a permit's critical section must not come here: a rayon
//! worker that waits takes up other work, and would meet itself at the pool. A thread says that it
//! holds something with [`Holding`]; [`Workers::run`] refuses a thread that does.

use crate::error::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::sync::{Arc, Weak};

thread_local! {
    static HELD: RefCell<Vec<Weak<()>>> = const { RefCell::new(Vec::new()) };
}

/// A fixed number of threads.
#[derive(Debug)]
pub(crate) struct Workers {
    pool: rayon::ThreadPool,
    count: usize,
}

impl Workers {
    /// Starts `count` threads, at least one.
    ///
    /// # Errors
    /// `Config` if the system does not start them.
    pub(crate) fn new(count: usize) -> Result<Self> {
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
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Runs `work` once on every thread and `lead` on the caller's, and returns when all are done.
    ///
    /// # Errors
    /// `Internal` if the caller's thread holds a connection.
    pub(crate) fn run<R>(&self, work: impl Fn() + Sync, lead: impl FnOnce() -> R) -> Result<R> {
        if holds_something() {
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

/// Says that a thread holds a connection, until it is dropped, on whatever thread.
#[derive(Debug)]
pub(crate) struct Holding {
    alive: Arc<()>,
}

impl Holding {
    /// Marks the current thread.
    pub(crate) fn mark() -> Self {
        let alive = Arc::new(());
        let watch = Arc::downgrade(&alive);
        // In the last moments of a thread its marks are gone already, and it enters nothing more.
        let _ = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            held.retain(|mark| mark.strong_count() > 0);
            held.push(watch);
        });
        Self { alive }
    }

    /// Tells, without keeping it alive, whether the connection is still held.
    pub(crate) fn watch(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }
}

fn holds_something() -> bool {
    let any =
        |held: &RefCell<Vec<Weak<()>>>| held.borrow().iter().any(|mark| mark.strong_count() > 0);
    HELD.try_with(any).unwrap_or(false)
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
